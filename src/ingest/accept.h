// Accepting: the one small transaction in which a run ends and its batch enters the journal.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "model/record.h"
#include "model/run.h"
#include "store/database.h"
#include "store/journal.h"

namespace backplane::ingest {

/// A run that has ended.
struct Acceptance {
  Run run;  ///< with status, exit code, message, finished and the token it was admitted with
  Batch batch;
  /// How often its plugin runs, if it sees devices; see store::Entry.
  std::optional<Millis> every = {};
};

/// The same, ready to be stored.
struct Sealed {
  Run run;  ///< with its counts
  store::Entry entry;
  /// A run that went well and produced nothing leaves no journal entry.
  bool SaysSomething() const;
};

/// Encodes the batch. One that takes more than 256 MiB is left out, and its run has failed.
Sealed Seal(const Acceptance& acceptance);

/// The run as failed, without its batch.
Sealed WithoutResult(const Sealed& sealed, std::string message);

/// Checks the fencing token against the last one issued for the lane, closes the run and appends
/// the batch to the journal: whole or not at all. `done` is called on the writer thread;
/// kConflict: the lease was lost, nothing was stored.
void Accept(store::Database& database, std::shared_ptr<const Sealed> sealed, std::function<void(Status)> done);

}  // namespace backplane::ingest
