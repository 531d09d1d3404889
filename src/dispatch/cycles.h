// Scan passes: runs that belong together, and what follows from them.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "dispatch/follow_up.h"
#include "dispatch/host.h"
#include "dispatch/sender.h"
#include "ingest/folder.h"
#include "schedule/cycle_steps.h"
#include "store/database.h"

namespace backplane::dispatch {

/// What passes are to hear of, whether there is somebody who makes them or not. Thread-safe.
class CycleNews {
 public:
  /// As HostParts::scan_began and scan_ended.
  void Began(RunId run);
  void Ended(RunId run);

 private:
  friend class Cycles;
  template <typename Change>
  void Add(const Change& change);

  std::mutex mutex_;  // guards what follows
  std::condition_variable_any came_;
  bool woken_ = false;
  schedule::CycleInputs inputs_;  // `cancel` is of cancelled_
  CycleId open_ = 0;              // 0: no pass is open
  CycleId cancelled_ = 0;
  std::vector<std::pair<int, LaneKey>> told_;  // by which order, and who; an empty plugin: the sender
};

/// What Cycles works with. Everything referred to outlives it.
struct CyclesParts {
  Host& host;
  store::Database& database;
  ingest::Folder& folder;
  Sender& sender;
  const Clock& clock;
  std::shared_ptr<CycleNews> news;
  std::vector<const FollowUp*> follow_ups = {};
  bool passes_tell_absence = false;  ///< who no scanner of a pass has seen is gone
};

/// A thread that makes passes: see schedule/cycle_steps.h. It has lanes run for phases, asks what dialects conclude,
/// and writes down what it does. Without plugins that run in kAfterScanPhase there are passes only when something was
/// scanned. What is pending is reported each minute, pass or not.
///
/// A pass that the daemon's end cut short is closed as interrupted, and the next daemon begins with another one, in
/// which what was seen before counts. Thread-safe.
class Cycles {
 public:
  static Result<std::unique_ptr<Cycles>> Start(CyclesParts parts);
  ~Cycles();

  /// Gives a pass up, soon: its jobs are taken back, the runs of its phase stopped. What it has raised is sent all the
  /// same. kNotFound: it is not open.
  Status Cancel(CycleId cycle);
  /// The pass that is open; 0: none is.
  CycleId open() const;

 private:
  using Outcome = schedule::CycleInputs::Outcome;

  explicit Cycles(CyclesParts parts);
  /// Closes what an earlier daemon left open. Says what it left to do.
  Result<schedule::CycleInputs> TakeOver();
  void Loop(const std::stop_token& stop, schedule::CycleInputs inputs);
  schedule::CycleInputs Wait(const std::stop_token& stop, std::optional<Millis> wake);
  Outcome Do(const schedule::CycleEffects& effects, const std::stop_token& stop);
  Result<Outcome> Begin(schedule::CycleStage stage, const std::vector<RunId>& scans, const std::stop_token& stop);
  void Close(schedule::CycleEnd end);
  Status Open();
  /// Everything that was scanned until now is what the pass is about.
  Status Gather(const std::vector<RunId>& scans);
  Status SetStage(const char* stage);
  Result<Outcome> Raise(const char* phase);
  Result<Outcome> RaiseNewDevice();
  using Ask = std::function<std::vector<Record>(const FollowUp&, const Catalog&, store::Connection&)>;
  /// Asks each dialect, appends what it says and waits until that is folded.
  Status FollowUps(const Ask& ask, const std::stop_token& stop);
  Status AskForReports(const std::stop_token& stop);
  Status Seal(const std::stop_token& stop);
  /// kUnavailable: we are to stop.
  Status WaitUntilFolded(const std::stop_token& stop);

  const CyclesParts parts_;

  // Of the thread.
  schedule::CycleSteps steps_;
  CycleId cycle_ = 0;                         // that is open
  store::Watermark before_;                   // how far the passes before it had come: kProgress
  store::Watermark reached_;                  // and how far it comes
  EntryId scanned_before_ = 0, scanned_ = 0;  // likewise: kScanned
  std::string problem_;                       // because of which it fails
  int order_ = 0;                             // the number of what is awaited
  std::string key_;                           // of the jobs of the phase
  std::set<LaneKey> awaited_;                 // whose end is awaited; the sender's is that of LaneKey()

  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace backplane::dispatch
