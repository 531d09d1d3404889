// A simulated machine: a daemon with scheduler, dispatcher and guard, a durable store, workers, and
// everything that goes wrong.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "checker.h"
#include "dispatch/dispatcher.h"
#include "lanes.h"
#include "schedule/scheduler.h"
#include "store.h"

namespace backplane::simulation {

/// What to break on purpose, so that the checker can be seen to notice.
enum class Break {
  kNothing,
  kGuard,    ///< the daemon takes a lane for free while its worker is only slow
  kSlot,     ///< the store forgets a lane's last slot over a restart
  kFencing,  ///< the store takes every result
  kPace,     ///< the daemon takes some runs for ones that never began
  kShare,    ///< the daemon believes that it has more workers
};

/// A run ends once it has broken so many rules.
inline constexpr std::size_t kMostViolations = 10;

struct WorldOptions {
  std::uint64_t seed = 1;
  std::int64_t jobs = 100'000;  ///< ends after so many were started or dropped
  std::size_t lanes = 200;      ///< of every kind, besides those of many targets
  Break broken = Break::kNothing;
};

struct WorldCounts {
  std::int64_t crashes = 0, clock_jumps = 0, pauses = 0, late_results = 0, removals = 0, calls = 0, cancels = 0,
               changes = 0, rescans = 0, outages = 0, steps = 0;
};

/// Single-threaded; the same options give the same run.
class World {
 public:
  explicit World(WorldOptions options);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Runs until enough jobs were answered, then lets everything come to its end.
  void Run();

  const Checker& checker() const { return *checker_; }
  const WorldCounts& counts() const { return counts_; }
  Millis now() const { return now_; }

 private:
  struct Worker {
    LaneIndex lane = 0;
    Token token;
    std::string key;
    bool alive = true;  // may still do harm: neither done nor killed
  };
  // The part that a crash takes away.
  struct Daemon {
    explicit Daemon(std::int64_t epoch) : scheduler(epoch), dispatcher(epoch, 0) {}
    schedule::Scheduler scheduler;
    dispatch::Dispatcher dispatcher;
    schedule::SchedulerInputs scheduler_inputs;
    dispatch::DispatcherInputs dispatcher_inputs;
    std::size_t capacity = 0;
    bool full = false;
  };
  struct Event {
    Millis at{0};
    std::uint64_t serial = 0;
    std::function<void()> act;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const { return a.at != b.at ? a.at > b.at : a.serial > b.serial; }
  };

  void At(Millis delay, std::function<void()> act);
  Millis Between(Millis least, Millis most) { return simulation::Between(rng_, least, most); }
  TimePoint Wall() const;
  dispatch::Moment Moment() const;
  bool Over() const;

  // The daemon.
  void StartDaemon();
  void SetLane(LaneIndex lane);
  void AddLane(LaneIndex lane);
  void RemoveLane(LaneIndex lane);
  void SetCapacity(std::size_t capacity);
  void StepDaemon();
  void WakeDaemon(std::optional<TimePoint> slot, std::optional<Millis> wake);
  bool Begin(const dispatch::Start& start);
  void Submit(Job job);

  // Workers.
  void Work(RunId run);
  void Deliver(RunId run);
  void EndRun(RunId run, RunStatus status, dispatch::Outcome outcome = dispatch::Outcome::kRan);

  // What goes wrong.
  void Crash();
  void SetClock();
  void RemoveSomething();
  void Rescan();
  void ChangeSomething();
  void CallSomething();
  void CancelSomething();
  void ChangeCapacity();
  void Outage();
  void Every(Millis mean, void (World::*fault)());

  const WorldOptions options_;
  Rng rng_;
  std::vector<LaneSetup> lanes_;
  Store store_;
  std::unique_ptr<Checker> checker_;
  WorldCounts counts_;

  Millis now_{0};     // true time
  Millis offset_{0};  // of the wall clock
  std::priority_queue<Event, std::vector<Event>, Later> events_;
  std::uint64_t last_event_ = 0;
  bool quiet_ = false;  // nothing goes wrong any more

  std::unique_ptr<Daemon> daemon_;  // null: it is down
  Millis daemon_started_{0};
  std::uint64_t wake_serial_ = 0;
  bool stepping_soon_ = false;
  std::vector<Worker> workers_;  // of run i + 1 at i
  std::vector<RunId> alive_;     // of the present daemon
  std::vector<std::pair<LaneIndex, std::string>> recent_calls_;
  std::array<Millis, kPlugins> out_until_{};  // no target of the plugin answers until then
};

}  // namespace backplane::simulation
