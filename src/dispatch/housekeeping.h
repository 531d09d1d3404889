// Keeps the store and the runs' folders small, in small steps beside the work.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>

#include "base/time.h"
#include "dispatch/host.h"
#include "store/database.h"

namespace backplane::dispatch {

/// What is kept; see config/options.h.
struct Retention {
  int runs_keep = 20;
  int runs_keep_all = 500;
  std::int64_t objects_history_keep = 5'000;
  Millis journal_keep{0};
  Millis events_keep{0};
  Millis device_events_keep = std::chrono::hours(90 * 24);
  std::int64_t notifications_keep = 1'000;
  std::int64_t cycles_keep = 10'000;
  Millis audit_keep = std::chrono::hours(365 * 24);
  /// Lanes about a resource that have not run for so long go with their runs.
  Millis lanes_keep = std::chrono::hours(90 * 24);
};

/// A thread that tidies up every few seconds. What it refers to outlives it. The journal is kept
/// until its own fold and, as `samples_folded` says, that of the samples have passed.
class Housekeeping {
 public:
  Housekeeping(Host& host, store::Database& database, ingest::Folder& folder, const Clock& clock,
               std::filesystem::path runs, Retention retention, std::function<EntryId()> samples_folded);
  ~Housekeeping();

 private:
  void Loop(const std::stop_token& stop);
  /// Folders of runs that are no longer kept, and lanes that grew while nobody counted.
  void TidyUpAfterTheLast();
  void PruneRuns(const LaneKey& lane, int keep, int keep_all);
  void ForgetIdleLanes();
  void ForgetHistory();
  void ForgetObjectHistory();
  /// Of devices, notifications and cycles.
  void ForgetWhatHappened();
  /// Calls `forget` in a transaction each until it has forgotten less than kRowsPerStep rows.
  void ForgetInSteps(const char* what, const std::function<int(store::Connection&)>& forget);
  /// Tells the folds the time when something has expired.
  void TellTheTime();
  void Forget();

  Host& host_;
  store::Database& database_;
  ingest::Folder& folder_;
  const Clock& clock_;
  const std::filesystem::path runs_;
  const Retention retention_;
  const std::function<EntryId()> samples_folded_;
  std::map<LaneKey, int> finished_;  // runs since the lane was last pruned
  Millis next_idle_look_{0};
  Millis next_history_look_{0};
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace backplane::dispatch
