// The loop at work: time and calls become jobs, jobs become runs, runs end in the journal.
//
// The deciding code is Scheduler and Dispatcher; here are the threads around them: one that
// steps them, and a pool of workers that prepare, execute, decode and accept.
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/secret.h"
#include "base/time.h"
#include "dispatch/dispatcher.h"
#include "dispatch/installation.h"
#include "dispatch/targets.h"
#include "ingest/accept.h"
#include "ingest/folder.h"
#include "plugin/catalog.h"
#include "runtime/runtime.h"
#include "schedule/scheduler.h"
#include "store/database.h"
#include "store/runs.h"

namespace backplane::dispatch {

/// What a Host works with. Everything referred to outlives it.
struct HostParts {
  store::Database& database;
  std::shared_ptr<const Catalog> catalog;
  const runtime::RuntimeList& runtimes;
  ingest::Folder& folder;
  const Clock& clock;
  std::filesystem::path runs;   ///< folder for the runs' own folders
  std::filesystem::path share;  ///< base/files.h ShareFolder()
  std::string python;
  std::string path = {};  ///< RunContext::path
  std::vector<Installation*> installations = {};
  std::size_t workers = 8;
  std::function<void()> ended = [] {};  ///< called after each run's end is stored, from any thread
  /// Called for runs of plugins that scan, but for those of phases: when one has begun, and after its end is stored,
  /// in this order, from any thread.
  std::function<void(RunId)> scan_began = [](RunId) {}, scan_ended = [](RunId) {};
  /// Whom a scanner does not see any more may be gone: see store::Entry::every.
  bool scanners_tell_absence = true;
  /// The values of secrets that the settings of a run's plugin refer to.
  std::function<Result<std::vector<Secret>>(const Run& run, const std::vector<std::string>& names)> secrets =
      [](const Run&, const std::vector<std::string>&) -> Result<std::vector<Secret>> {
    return Fail(Errc::kUnavailable, "there are no secrets here");
  };
};

/// What became of a call.
struct CallAnswer {
  enum class State { kStarted, kWaiting, kDropped };
  State state = State::kStarted;
  RunId run = 0;       ///< kStarted
  std::string reason;  ///< kWaiting, kDropped
};

struct Task;

class Host {
 public:
  /// Raises the epoch and closes what an earlier daemon left open. The processes of that daemon
  /// must be gone. Nothing runs before StartScheduling().
  static Result<std::unique_ptr<Host>> Open(HostParts parts);
  void StartScheduling();
  /// Stops scheduling, cancels what runs and waits until that is accepted.
  ~Host();

  /// The catalog in force.
  std::shared_ptr<const Catalog> catalog();
  /// Puts another in its place: lanes come, go and change with their plugins. Runs go on with the
  /// plugin that they were begun with, unless it is gone: then they are stopped. If the store fails,
  /// which knows when lanes ran last, the lanes follow with the next call, be it of the same.
  Status SetCatalog(std::shared_ptr<const Catalog> catalog);

  /// What plugins can run about: adds or replaces `set`, by key, and takes `gone` away, with the
  /// lanes that follow from it. Runs about what is gone are stopped. If the store fails, see above.
  Status SetResources(std::vector<Resource> set, const std::vector<std::string>& gone);
  /// Keys of the resources that plugins can run about now.
  std::vector<std::string> ResourceKeys();
  /// See Targets: a page of what a plugin runs about now, those with a name, and how many there are.
  std::vector<std::string> TargetsOf(const std::string& plugin, const std::string& after, std::size_t limit);
  std::vector<std::string> TargetsNamed(const std::string& plugin, const std::string& name);
  std::size_t CountTargets(const std::string& plugin);
  /// The resource with this key, if plugins can run about it now.
  std::shared_ptr<const Resource> FindResource(const std::string& key);

  /// Asks for a run on a lane now. `key` makes the call idempotent while it waits or runs, and
  /// is stored with the run. `answer` is called once, soon, from another thread.
  void Call(const LaneKey& lane, const std::string& key, std::function<void(CallAnswer)> answer);

  /// Lanes of plugins that run in this phase.
  std::vector<LaneKey> LanesOf(const std::string& phase);
  /// Has a lane run for a phase; if it is busy, when it is free. `told` is called once, from another thread, unless the
  /// host ends before: with the run when its end is stored, or with why it did not run. A run with this key that has
  /// ended already, under an earlier daemon too, is not repeated: it is that one. For one key of a lane at a time.
  void Raise(const LaneKey& lane, const std::string& key, CycleId cycle, std::function<void(Result<Run>)> told);
  /// Takes back what waits on the lane with this key, and stops its run.
  void TakeBack(const LaneKey& lane, const std::string& key);

  /// A result that a script left which nobody here started.
  struct Left {
    LaneKey lane;
    std::string key;  ///< "file/<name>": once a run with this key has taken it in, it is not taken in again
    std::filesystem::path file;
    std::string name;  ///< of the file, as the script called it
  };
  /// Has it decoded and accepted as a run of its lane, and leaves the file where it is. `done` is called
  /// once, from another thread, unless the host ends before: with the run when its end is stored, which
  /// may be one that took it in before, or with why it was not taken in. For one key at a time.
  void TakeIn(Left left, std::function<void(Result<RunId>)> done);

  /// The result files in the folder of this run are its lane's last: those of older runs go. Blocks.
  void KeepResultsOf(const LaneKey& lane, RunId run);

  /// Ends a run. kNotFound: it is not running.
  Status Cancel(RunId run);

  /// Where a plugin's lane stands, for "why did it not run?".
  struct LaneView {
    std::optional<TimePoint> next;  ///< next slot
    std::optional<Decision> decision;
    std::optional<RunId> running;
  };
  LaneView View(const LaneKey& lane);

  /// Lanes that have finished runs since the last call, with how many.
  std::map<LaneKey, int> TakeFinishedLanes();

  std::int64_t epoch() const { return epoch_; }

 private:
  using CallId = std::pair<LaneKey, std::string>;  // lane and key of a call's job
  /// Of a job that somebody wants to hear of.
  struct Awaited {
    std::optional<Left> left;
    std::function<void(Result<Run>)> told;
  };
  struct Retry {
    std::shared_ptr<const ingest::Sealed> sealed;
    Millis at;
  };

  Host(HostParts parts, std::int64_t epoch);
  /// Tells scheduler and dispatcher, with what the store remembers of lanes that come; and what it
  /// could not tell them before. Under lanes_mutex_.
  Status Follow(LaneChanges changes);
  void LoopThread(const std::stop_token& stop);
  void StepOnce(std::unique_lock<std::mutex>& lock, const std::stop_token& stop);
  std::vector<std::pair<CallId, CallAnswer>> AnswersTo(std::map<CallId, int> calls, const DispatcherEffects& effects);
  std::vector<std::shared_ptr<Task>> TasksFor(std::vector<Start> starts);
  void Begin(std::vector<std::shared_ptr<Task>> tasks);
  void Begun(const std::vector<std::shared_ptr<Task>>& tasks, const Status& status);
  void WorkerThread(const std::stop_token& stop);
  void RunTask(Task& task);
  void Submit(std::shared_ptr<const ingest::Sealed> sealed);
  void Accepted(const std::shared_ptr<const ingest::Sealed>& sealed, const Status& status);
  void Release(const LaneKey& lane, Token token, Outcome outcome);
  void Answer(const LaneKey& lane, const std::string& key, const CallAnswer& answer);
  /// Raises kSettingsPhase for plugins of dialects whose settings have other values now.
  void TellOfSettings(const Catalog& before, const Catalog& now);
  bool IsScan(const Run& run);
  void Order(Job job, Awaited awaited);
  /// What became of the job with this key, if somebody awaits that.
  void Tell(const LaneKey& lane, const std::string& key, const Result<Run>& run);

  HostParts parts_;
  const std::int64_t epoch_;

  std::mutex lanes_mutex_;  // held while lanes change, before mutex_
  Targets targets_;         // changed under lanes_mutex_
  LaneChanges unfollowed_;  // guarded by lanes_mutex_: the scheduler does not know of them yet

  std::mutex mutex_;  // guards what follows
  std::condition_variable_any wake_;
  std::condition_variable idle_;
  bool woken_ = true;
  bool stopping_ = false;
  schedule::Scheduler scheduler_;
  Dispatcher dispatcher_;
  schedule::SchedulerInputs scheduler_inputs_;
  DispatcherInputs dispatcher_inputs_;
  std::map<CallId, std::vector<std::function<void(CallAnswer)>>> callers_;
  std::set<CallId> waiting_;                          // called for, and neither started nor dropped yet
  std::map<CallId, Awaited> awaited_;                 // until it is told
  std::map<LaneKey, RunId> last_results_;             // whose result files are kept
  std::map<LaneKey, std::shared_ptr<Task>> running_;  // from Start on; Begun answers who calls before
  std::vector<Retry> retries_;
  std::map<LaneKey, int> finished_;
  std::size_t open_ = 0;  // runs between Start and release

  std::mutex tasks_mutex_;  // guards tasks_
  std::condition_variable_any task_arrived_;
  std::deque<std::shared_ptr<Task>> tasks_;  // at most as many as the dispatcher lets run

  std::vector<std::jthread> workers_;
  std::jthread loop_;  // last: it uses all of the above
};

}  // namespace backplane::dispatch
