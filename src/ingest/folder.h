// Drives one fold along the journal, in slices of at most about 5 ms, each one transaction, and
// takes what people change in between.
//
// A thread of its own reads and decodes; the store's writer applies. Thread-safe.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/time.h"
#include "ingest/device_change.h"
#include "ingest/fold.h"

namespace backplane::ingest {

class Folder {
 public:
  /// `committed` is called after each slice (on the folder's thread) or edit (on the caller's). All
  /// outlive the folder.
  Folder(store::Database& database, Fold& fold, const Clock& clock, std::function<void()> committed);
  /// Ends after the slice in progress; what is left is folded after the next start.
  ~Folder();

  /// Says that the journal has grown.
  void Wake();

  /// Blocks until everything accepted before the call is folded; false if `timeout` passes first.
  bool WaitUntilFolded(Millis timeout);

  /// Writes what a person changes to the journal and the audit log and applies it, in one transaction between two
  /// slices: all of it, or nothing if one cannot be done. `actor` is who, as the audit log has it. At most
  /// kMostChanges. A trial is refused nothing and changes nothing: it says what would become of the devices.
  Result<std::vector<ChangedDevice>> ChangeAll(OrgId org, const std::vector<DeviceChange>& changes,
                                               const std::string& actor, bool trial = false);
  /// One of them.
  Result<store::Entity> Change(OrgId org, const DeviceChange& change, const std::string& actor);
  static constexpr std::size_t kMostChanges = 1'000;

 private:
  void Loop(const std::stop_token& stop);
  /// Applies one slice of `entries` from `at`; moves `at` and the watermark on.
  Status Slice(std::vector<OpenEntry>& entries, std::size_t& at);

  store::Database& database_;
  Fold& fold_;
  const Clock& clock_;
  const std::function<void()> committed_;

  std::mutex mutex_;  // guards woken_, watermark_
  std::condition_variable_any woken_cv_;
  bool woken_ = true;
  store::Watermark watermark_;
  std::jthread thread_;  // last: it uses all of the above
};

/// Folds the whole journal of `source` into the empty store `target` as the daemon did, edits at
/// the places where they were made. kConflict: the journal does not begin at its first entry any
/// more.
Status Replay(store::Database& source, store::Database& target, Fold& fold);

}  // namespace backplane::ingest
