// Accepting: the one small transaction in which a run ends and its batch enters the journal.
#pragma once

#include <functional>

#include "model/record.h"
#include "model/run.h"
#include "store/database.h"

namespace backplane::ingest {

/// A run that has ended.
struct Acceptance {
  Run run;  ///< with status, exit code, message, finished and the token it was admitted with
  Batch batch;
};

/// Checks the fencing token against the last one issued for the lane, closes the run and appends
/// the batch to the journal: whole or not at all. `done` is called on the writer thread;
/// kConflict: the lease was lost, nothing was stored. A run that went well and produced nothing
/// leaves no journal entry.
void Accept(store::Database& database, const Acceptance& acceptance, std::function<void(Status)> done);

}  // namespace backplane::ingest
