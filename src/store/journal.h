// The journal: the ordered, durable list of accepted batches and other facts, and how far the
// folds have come with it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/ids.h"
#include "model/record.h"
#include "model/run.h"
#include "store/database.h"

namespace backplane::store {

enum class EntryKind {
  kBatch,  ///< a run ended: its records, and its status if it was not well
  kEdit,   ///< a person changed something; applied when it was written, at `base`
  kTime,   ///< it has become `at`: what was to end by then ends
  kCycle,  ///< a scan pass is over; `body` says how it was judged
};

/// How far a fold has come: everything up to and with `entry`, and the entry that follows it up
/// to `position`.
struct Watermark {
  EntryId entry = 0;
  std::int64_t position = 0;
  auto operator<=>(const Watermark&) const = default;
};

struct Entry {
  EntryId id = 0;
  OrgId org = kDefaultOrg;
  EntryKind kind = EntryKind::kBatch;
  TimePoint at;
  std::string plugin;
  RunId run = 0;
  RunStatus status = RunStatus::kOk;
  std::string message;
  bool complete = false;
  std::vector<ObjectStatus> reported = {};  ///< see Batch
  std::string target = {};                  ///< the resource that the run was about; empty: none
  std::optional<TimePoint> began = {};      ///< when the run began
  /// The run went well, and how often its plugin runs (0: nobody knows): whom a complete batch of it does not see may
  /// be gone. Nothing: nobody is gone because of it.
  std::optional<Millis> every = {};
  std::map<std::string, std::string> defaults = {};  ///< see Batch
  /// kEdit: where the core folds stood when it was applied.
  Watermark base;
  std::string body;
};

/// Appends and returns the entry's id.
EntryId AppendEntry(Connection& connection, const Entry& entry);
/// Entries after `after`, in order, until `limit` entries or about `bytes` of bodies.
std::vector<Entry> ReadEntries(Connection& connection, EntryId after, int limit, std::size_t bytes);
EntryId LastEntry(Connection& connection);
/// The last one after `after` that one of these runs has left; 0: there is none.
EntryId LastEntryOf(Connection& connection, const std::vector<RunId>& runs, EntryId after);
/// Every edit, in the order they were applied.
std::vector<Entry> ReadEdits(Connection& connection);
/// Of the oldest `limit` entries, forgets those up to and with `upto` that come before the first
/// one from `before` or later. Returns how many: call again while it is `limit`.
int ForgetEntries(Connection& connection, EntryId upto, TimePoint before, int limit);

Watermark GetWatermark(Connection& connection, const std::string& fold);
void SetWatermark(Connection& connection, const std::string& fold, const Watermark& watermark);

}  // namespace backplane::store
