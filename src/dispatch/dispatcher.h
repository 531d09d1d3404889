// Decides which jobs start now, which wait and which are dropped.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/time.h"
#include "dispatch/guard.h"
#include "model/run.h"
#include "schedule/lane_hash.h"

namespace backplane::dispatch {

/// Adds a lane, or replaces its policy. Jobs of lanes that were never added are dropped.
struct LanePolicy {
  LaneKey lane;
  Pace pace;
  std::size_t most_waiting = 16;  ///< calls, events and phases that may wait on the lane
  /// Wall times as stored, of the last start that counts and of the last run that reported something;
  /// they matter when the lane is added.
  std::optional<TimePoint> last_start, last_results;
};

/// A run has ended, and its lane is free again.
struct Finished {
  LaneKey lane;
  Token token;
  Outcome outcome = Outcome::kRan;
};

/// Takes back waiting jobs of a lane and stops its run: those with that key, or all.
struct Cancel {
  LaneKey lane;
  std::optional<std::string> key;
};

enum class DropReason {
  kDeadlinePassed,  ///< its deadline passed before it arrived, or while all workers it may have were taken
  kLaneBusy,        ///< its deadline passed while another run held the lane
  kTooSoon,         ///< its deadline, or its place in the interval, passes before the lane's pace allows a start
  kSuperseded,      ///< a newer scheduled job of the lane took its place
  kDuplicate,       ///< a job with its key is waiting or running on the lane
  kQueueFull,       ///< the lane's or the whole queue is full
  kLaneGone,        ///< the lane was removed, or is unknown
  kCancelled,       ///< it was taken back
};
/// "deadline passed", "lane busy", ...
std::string_view DropReasonText(DropReason reason);

/// Applied in the order of the members.
struct DispatcherInputs {
  /// In order: a policy adds a lane or replaces its policy, a key removes one: its waiting jobs are
  /// dropped and its run is stopped.
  std::vector<std::variant<LanePolicy, LaneKey>> lanes;
  std::optional<std::size_t> capacity;  ///< how many may run at once, from now on
  std::vector<Job> jobs;                ///< from the scheduler, events and calls
  std::vector<Finished> finished;       ///< tokens that hold nothing are ignored
  std::vector<Cancel> cancel;
};

struct Start {
  Job job;
  Token token;
};
struct Drop {
  Job job;
  DropReason reason = DropReason::kDeadlinePassed;
};
/// Stop a run. The lane stays taken until it is reported as finished.
struct Stop {
  LaneKey lane;
  Token token;
};

struct DispatcherEffects {
  std::vector<Start> start;
  std::vector<Drop> drop;
  std::vector<Stop> stop;
  /// Monotonic time at which to call Step again if nothing else happens.
  std::optional<Millis> wake;
};

/// The last thing decided about a lane: the answer to "why did it not run?".
struct Decision {
  enum class What { kStarted, kWaitsForLane, kWaitsForInterval, kWaitsForWorker, kWaitsForShare, kDropped };
  What what = What::kStarted;
  DropReason reason = DropReason::kDeadlinePassed;  ///< kDropped only
  std::string key;                                  ///< of the job
  TimePoint at;
};
/// "started", "waiting: lane busy", "dropped: too soon", ...
std::string DecisionText(const Decision& decision);

/// Every job is answered by one Start or one Drop, at once or later.
///
/// A lane runs one job at a time, in order of arrival. Scheduled jobs (start, cron, interval)
/// coalesce: one of them waits per lane, and a newer one replaces it in its place. Others wait
/// one by one, up to LanePolicy::most_waiting. A job whose key is waiting or
/// running on its lane already is a duplicate; whether a key was used by a run that ended is for the
/// caller to look up in the store. Lanes that could start take turns, first come, first served.
/// When `most_queued` jobs wait in all, new ones are dropped: calls are told so, and slots come again.
/// A job waits while it may still start before its deadline, and is dropped when it cannot.
///
/// Intervals keep their place. A job of an interval trigger is dropped as too soon if the lane's pace
/// would hold it back until more than a tenth of the time from its slot to the next has passed, or
/// kMostOffPlace: the next slot runs. Otherwise lanes that once ran at the same time would do so for
/// ever. For a shorter time it waits, so that a start which was a little late costs no slot.
///
/// Shares. No plugin has more than three quarters of the workers (rounded up; with two or three of
/// them all but one), so that one whose runs all hang leaves some to the others.
///
/// Not thread-safe; does no I/O and reads no clock. Equal calls give equal effects. A Step costs
/// O(log lanes) per input.
class Dispatcher {
 public:
  static constexpr std::size_t kMostQueued = 200'000;
  static constexpr Millis kMostOffPlace = std::chrono::seconds(10);
  /// Of lanes that were removed while they ran, the pace of so many is known when they come back: what
  /// the store said of them may have been read before that run ended.
  static constexpr std::size_t kRemembered = 2'000;

  /// `capacity`: how many may run at once.
  Dispatcher(std::int64_t epoch, std::size_t capacity, std::size_t most_queued = kMostQueued)
      : epoch_(epoch), capacity_(capacity), most_queued_(most_queued) {}
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  /// `now.monotonic` never falls. Call it with changes, at `wake`, and every few seconds besides,
  /// since deadlines are wall times and the wall clock may be set.
  DispatcherEffects Step(Moment now, DispatcherInputs inputs);

  std::optional<Decision> LastDecision(const LaneKey& lane) const;
  std::size_t running() const { return running_; }
  std::size_t queued() const { return queued_; }
  /// How many more jobs may wait.
  std::size_t room() const { return most_queued_ - queued_; }

 private:
  struct Running {
    std::string key;
    Token token;
  };
  struct Lane;
  struct PluginLanes {
    std::size_t running = 0;
    std::map<std::uint64_t, Lane*> ready;  // lanes that could start now, by turn
    std::optional<std::uint64_t> turn;     // its place in turns_: that of its first lane, if it may have a worker
  };
  struct Lane {
    const LaneKey* key = nullptr;
    PluginLanes* plugin = nullptr;
    std::uint64_t serial = 0;  // orders lanes alike in every run
    Pace pace;
    std::size_t most_waiting = 0;
    Guard guard;
    std::list<Job> waiting;  // at most one scheduled, at most most_waiting others
    std::optional<Running> running;
    bool removed = false;               // is there for its run, or for kRemembered
    std::optional<std::uint64_t> turn;  // its place in PluginLanes::ready
    std::optional<Millis> timer;        // its place in timers_
    std::optional<TimePoint> deadline;  // its place in deadlines_: the earliest of waiting
    std::optional<Decision> decision;
  };
  template <typename Time, std::optional<Time> Lane::* kTime>
  struct Earlier {
    bool operator()(const Lane* a, const Lane* b) const {
      return *(a->*kTime) != *(b->*kTime) ? *(a->*kTime) < *(b->*kTime) : a->serial < b->serial;
    }
  };

  Lane* Find(const LaneKey& key);
  void SetLane(Moment now, LanePolicy policy, DispatcherEffects& effects);
  void RemoveLane(Moment now, const LaneKey& key, DispatcherEffects& effects);
  void Finish(Moment now, const Finished& finished, DispatcherEffects& effects);
  void CancelJobs(Moment now, const Cancel& cancel, DispatcherEffects& effects);
  void Expire(Moment now, DispatcherEffects& effects);
  void Arrive(Moment now, Job job, DispatcherEffects& effects);
  std::size_t Share() const;
  void StartReady(Moment now, DispatcherEffects& effects);
  /// Drops the waiting jobs that `hopeless` picks.
  template <typename Predicate>
  void DropWaiting(Moment now, Lane& lane, DropReason reason, DispatcherEffects& effects, Predicate hopeless);
  void DropJob(Moment now, Lane* lane, Job job, DropReason reason, DispatcherEffects& effects);
  void Settle(Moment now, Lane& lane, DispatcherEffects& effects);
  void Place(Lane& lane, std::optional<std::uint64_t> turn, std::optional<Millis> timer);
  void PlacePlugin(PluginLanes& plugin);
  std::optional<Millis> NextWake(Moment now) const;

  const std::int64_t epoch_;
  std::int64_t last_counter_ = 0;  // of tokens, which rise over all lanes
  std::size_t capacity_;
  const std::size_t most_queued_;
  std::size_t running_ = 0;
  std::size_t queued_ = 0;
  std::uint64_t last_serial_ = 0;
  std::unordered_map<LaneKey, Lane, schedule::LaneKeyHash> lanes_;
  std::deque<LaneKey> remembered_;
  std::unordered_map<std::string, PluginLanes> plugins_;  // by id; of all that ever had a lane
  std::uint64_t last_turn_ = 0;
  std::map<std::uint64_t, PluginLanes*> turns_;            // plugins that could start a run now
  std::set<Lane*, Earlier<Millis, &Lane::timer>> timers_;  // wait for their pace
  std::set<Lane*, Earlier<TimePoint, &Lane::deadline>> deadlines_;
};

}  // namespace backplane::dispatch
