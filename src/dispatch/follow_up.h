// What a dialect concludes by itself in a cycle: records that follow from what is known, and of which no plugin's run
// is the source.
#pragma once

#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/record.h"
#include "plugin/catalog.h"
#include "store/database.h"

namespace backplane::dispatch {

/// Thread-safe. Everything that was accepted before a call is folded. What it returns enters the journal as one batch
/// of a source by the dialect's name, and is folded before the next call; after a crash in between it is asked again.
/// Reads the store on a snapshot; throws store::DatabaseError only.
class FollowUp {
 public:
  virtual ~FollowUp() = default;
  virtual std::string_view dialect() const = 0;
  /// After the scanners: of devices that journal entries after `since` have touched.
  virtual std::vector<Record> AfterScan(const Catalog& catalog, store::Connection& core, EntryId since,
                                        TimePoint now) const = 0;
  /// What devices are called.
  virtual std::vector<Record> Names(const Catalog& catalog, store::Connection& core, TimePoint now) const = 0;
  /// What people are to be told now, of what happened to devices and what plugins report; what is told is settled by
  /// the same batch. Also called each minute without a cycle, since some of it becomes due by time alone.
  virtual std::vector<Record> Report(const Catalog& catalog, store::Connection& core, TimePoint now) const = 0;
};

}  // namespace backplane::dispatch
