// How far app.db has come: numbers in a table of our own, which move in the transaction of what they tell.
//
// Not thread-safe. Functions throw store::DatabaseError.
#pragma once

#include <cstdint>

#include "store/database.h"

namespace backplane::netalertx {

/// 0: nothing yet.
struct Marks {
  std::int64_t file = 0;           ///< a random number of this file's own
  std::int64_t store = 0;          ///< the identity of the store that the rows are of
  std::int64_t entry = -1;         ///< of the journal; -1: no row of any store is there
  std::int64_t history = 0;        ///< ids of the last lines of the objects' history,
  std::int64_t reports = 0;        ///< and of their reports
  std::int64_t events = 0;         ///< ids of the last device event,
  std::int64_t sessions = 0;       ///< session
  std::int64_t bus = 0;            ///< event of the bus
  std::int64_t notifications = 0;  ///< and notification whose round has begun, or been passed over
};

Marks ReadMarks(store::Connection& db);
/// Of those that differ from `before`.
void WriteMarks(store::Connection& db, const Marks& before, const Marks& after);

}  // namespace backplane::netalertx
