// Turns time into jobs: which lanes are due, and when the next one will be.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/run.h"
#include "schedule/cron.h"
#include "schedule/lane_hash.h"

namespace backplane::schedule {

/// When a lane runs.
struct LanePlan {
  LaneKey lane;
  /// kStart, kCron and kInterval count here; the others are ignored.
  std::vector<Trigger> triggers;
  DayRule day_rule = DayRule::kBoth;
  /// The greatest slot of this lane for which a run was ever started, however it ended. What fell
  /// due since by a cron trigger is made up for by one job.
  std::optional<TimePoint> last_slot;
  /// A job may be started at least so long after it was issued, even if its next slot comes earlier.
  Millis min_deadline{0};
};

struct SchedulerInputs {
  /// In order: a plan adds a lane or replaces its plan, a key removes one. Unknown keys are ignored.
  std::vector<std::variant<LanePlan, LaneKey>> lanes;
  std::size_t most_due = 10'000;  ///< more lanes may be due: they stay so, and `next_wake` is now
};

struct SchedulerEffects {
  /// By slot, earliest first; start jobs come first of all.
  std::vector<Job> due;
  /// Wall time of the next slot; nothing if no lane has one.
  std::optional<TimePoint> next_wake;
  /// Triggers that cannot be read, with a lane that has them. Such a trigger is left out; the others count.
  std::vector<std::pair<LaneKey, Error>> problems;
  /// The wall clock was found set back by so much, more than Scheduler::kLargeJump.
  std::optional<Millis> set_back;
};

/// Slots. A cron trigger is due when its expression says; an interval trigger at k * interval +
/// offset since 1970, where the offset is a stable hash of the lane, so that lanes spread
/// evenly and a restart moves nothing. A lane with several triggers has the union of their
/// slots. A new lane's first slot is after the time it was added; so it is when the triggers of
/// a known lane change. Slots that were missed (downtime, a clock put forward, a late Step)
/// collapse into the latest of them. The deadline of a job is the lane's next slot.
///
/// Intervals that were missed in a downtime are not made up for, or all lanes would run at once when
/// it is over: a lane goes on with its own next slot, so it loses one run at most. And a lane that
/// never ran does not wait for long intervals: if its first slot is more than kFirstWithin away, it
/// has one besides, at a stable place within kFirstWithin of being added.
///
/// Keys. "slot/<ms>" for slots; no key is issued twice. A clock set back by up to kLargeJump makes
/// lanes wait until it has caught up with what they had issued, or with when they were added. A
/// larger step back is taken as a correction: lanes go on from the new time, and slots up to the
/// greatest one that was issued before get "slot/<ms>/<epoch>.<n>", where n counts corrections.
///
/// Start triggers give one job per lane with key "start/<epoch>" when the lane is first set.
///
/// Not thread-safe; does no I/O and reads no clock. Equal calls give equal effects. A Step costs
/// O(log lanes) per due or changed lane.
class Scheduler {
 public:
  static constexpr Millis kLargeJump = std::chrono::hours(1);
  static constexpr Millis kFirstWithin = std::chrono::seconds(60);
  /// Of lanes that were removed, so many are remembered, so that one which comes back repeats nothing.
  static constexpr std::size_t kRemembered = 100'000;

  /// `epoch` as in Token: rises durably at each start.
  explicit Scheduler(std::int64_t epoch) : epoch_(epoch) {}
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// `now` is wall time. Call it with changes, at `next_wake`, and every few seconds besides, so
  /// that a clock which was set is noticed.
  SchedulerEffects Step(TimePoint now, SchedulerInputs inputs);

  /// The next slot of a lane, for people; nothing if it has none or is unknown.
  std::optional<TimePoint> NextSlot(const LaneKey& lane) const;
  std::size_t lanes() const { return lanes_.size(); }

 private:
  struct Slot {
    TimePoint at;
    TriggerKind kind = TriggerKind::kCron;
  };
  // Triggers, as they were read: shared by the lanes of a plugin.
  struct Times {
    std::vector<Trigger> triggers;
    DayRule day_rule = DayRule::kBoth;
    std::vector<Cron> crons;
    std::vector<Millis> intervals;
    bool at_start = false;
    bool Are(const LanePlan& plan) const { return triggers == plan.triggers && day_rule == plan.day_rule; }
  };
  struct Lane {
    const LaneKey* key = nullptr;
    std::uint64_t serial = 0;  // orders lanes of the same slot alike in every run
    std::shared_ptr<const Times> times;
    Millis min_deadline{0};
    std::uint64_t spread = 0;       // stable, for the offsets of intervals
    TimePoint cursor;               // slots up to here are settled
    TimePoint added;                // and those of intervals up to here
    std::optional<TimePoint> high;  // the greatest slot that was ever issued
    bool started = false;           // the start job was issued
    std::optional<Slot> next;
  };
  struct EarlierSlot {
    bool operator()(const Lane* a, const Lane* b) const {
      return a->next->at != b->next->at ? a->next->at < b->next->at : a->serial < b->serial;
    }
  };
  struct Memory {
    TimePoint cursor;
    std::optional<TimePoint> high;
    bool started = false;
    std::int64_t corrections = 0;
  };

  void SetLane(TimePoint now, LanePlan plan, SchedulerEffects& effects);
  void Hasten(TimePoint now, Lane& lane);
  void Recall(TimePoint now, const LanePlan& plan, Lane& lane, SchedulerEffects& effects);
  void RemoveLane(const LaneKey& key);
  std::shared_ptr<const Times> Read(LanePlan& plan, SchedulerEffects& effects);
  void NoticeSetBack(TimePoint now, SchedulerEffects& effects);
  Job Issue(Lane& lane, TimePoint now);
  void Reschedule(Lane& lane);
  static std::optional<Slot> FirstAfter(const Lane& lane, TimePoint after);
  static Slot LatestUntil(const Lane& lane, TimePoint now);

  const std::int64_t epoch_;
  std::unordered_map<LaneKey, Lane, LaneKeyHash> lanes_;
  std::set<Lane*, EarlierSlot> order_;                                  // lanes that have a next slot
  std::unordered_map<std::string, std::shared_ptr<const Times>> read_;  // last, by plugin
  std::unordered_map<LaneKey, Memory, LaneKeyHash> removed_;
  std::deque<LaneKey> removed_order_;
  std::uint64_t last_serial_ = 0;
  std::optional<TimePoint> latest_now_;  // the latest time known, since the last correction
  std::int64_t corrections_ = 0;
};

}  // namespace backplane::schedule
