#include "schedule/scheduler.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace backplane::schedule {
namespace {

// The first k * interval + offset after `after`, where the offset is `spread` over the interval.
TimePoint IntervalAfter(Millis interval, std::uint64_t spread, TimePoint after) {
  const Millis offset(spread % static_cast<std::uint64_t>(interval.count()));
  const std::int64_t since = ToMillis(after) - offset.count();
  std::int64_t k = since / interval.count();
  if (since % interval.count() < 0) --k;
  return FromMillis((k + 1) * interval.count() + offset.count());
}

// The last due time in (from, until]. A dense expression has many since `from`, and a Cron only
// looks forward: so it starts from shortly before `until`, and further back only if nothing is due there.
std::optional<TimePoint> LatestCron(const Cron& cron, TimePoint from, TimePoint until) {
  using std::chrono::hours;
  for (const Millis window :
       {Millis(hours(1)), Millis(hours(24)), Millis(hours(24 * 32)), Millis(hours(24 * 366)), until - from}) {
    const TimePoint start = std::max(from, until - window);
    std::optional<TimePoint> latest;
    for (auto next = cron.Next(start); next && *next <= until; next = cron.Next(*next)) latest = next;
    if (latest || start == from) return latest;
  }
  return std::nullopt;
}

}  // namespace

SchedulerEffects Scheduler::Step(TimePoint now, SchedulerInputs inputs) {
  SchedulerEffects effects;
  NoticeSetBack(now, effects);
  for (auto& change : inputs.lanes) {
    if (const LaneKey* removed = std::get_if<LaneKey>(&change))
      RemoveLane(*removed);
    else
      SetLane(now, std::move(std::get<LanePlan>(change)), effects);
  }
  while (!order_.empty() && (*order_.begin())->next->at <= now && effects.due.size() < inputs.most_due) {
    effects.due.push_back(Issue(**order_.begin(), now));
  }
  if (!order_.empty()) effects.next_wake = std::max((*order_.begin())->next->at, now);
  return effects;
}

std::optional<TimePoint> Scheduler::NextSlot(const LaneKey& lane) const {
  const auto it = lanes_.find(lane);
  if (it == lanes_.end() || !it->second.next) return std::nullopt;
  return it->second.next->at;
}

void Scheduler::NoticeSetBack(TimePoint now, SchedulerEffects& effects) {
  if (latest_now_ && *latest_now_ - now > kLargeJump) {
    effects.set_back = *latest_now_ - now;
    latest_now_ = now;
    ++corrections_;
    for (auto& [key, lane] : lanes_) {
      if (std::max(lane.cursor, lane.added) <= now) continue;
      lane.cursor = std::min(lane.cursor, now);
      lane.added = std::min(lane.added, now);
      Reschedule(lane);
    }
  }
  latest_now_ = std::max(latest_now_.value_or(now), now);
}

void Scheduler::SetLane(TimePoint now, LanePlan plan, SchedulerEffects& effects) {
  const auto [it, added] = lanes_.try_emplace(plan.lane);
  Lane& lane = it->second;
  lane.min_deadline = plan.min_deadline;
  if (added) {
    lane.key = &it->first;
    lane.serial = ++last_serial_;
    lane.spread = StableLaneHash(*lane.key);
    Recall(now, plan, lane, effects);
  } else if (lane.times->Are(plan)) {
    return;
  } else {
    lane.cursor = std::max(lane.cursor, now);
  }
  lane.times = Read(plan, effects);
  Reschedule(lane);
  if (added && !lane.high) Hasten(now, lane);
  if (lane.times->at_start && !lane.started) {
    lane.started = true;
    effects.due.push_back(
        {.lane = *lane.key, .trigger = TriggerKind::kStart, .key = fmt::format("start/{}", epoch_), .due = now});
  }
}

// The slot besides of a lane that never ran.
void Scheduler::Hasten(TimePoint now, Lane& lane) {
  if (lane.times->intervals.empty() || lane.next->at <= now + kFirstWithin) return;
  order_.erase(&lane);
  const Millis place(lane.spread % static_cast<std::uint64_t>(kFirstWithin.count()) + 1);
  lane.next = Slot{now + place, TriggerKind::kInterval};
  order_.insert(&lane);
}

// Where a lane that was not there goes on.
void Scheduler::Recall(TimePoint now, const LanePlan& plan, Lane& lane, SchedulerEffects& effects) {
  lane.added = now;
  lane.high = plan.last_slot;
  lane.cursor = plan.last_slot.value_or(now);
  if (const auto it = removed_.find(plan.lane); it != removed_.end()) {
    const Memory& memory = it->second;
    lane.high = std::max(lane.high, memory.high);
    // What fell due while it was not there was not missed.
    lane.cursor = memory.corrections == corrections_ ? std::max(memory.cursor, now) : now;
    lane.started = memory.started;
    removed_.erase(it);
  } else if (lane.cursor - now > kLargeJump) {
    effects.set_back = std::max(effects.set_back.value_or(Millis(0)), lane.cursor - now);
    lane.cursor = now;
  }
  // No cursor is ahead of the latest time known: so a lane never waits for more than kLargeJump.
  latest_now_ = std::max(latest_now_.value_or(now), lane.cursor);
}

void Scheduler::RemoveLane(const LaneKey& key) {
  const auto it = lanes_.find(key);
  if (it == lanes_.end()) return;
  Lane& lane = it->second;
  if (lane.next) order_.erase(&lane);
  removed_[key] = {lane.cursor, lane.high, lane.started, corrections_};
  removed_order_.push_back(key);
  if (removed_order_.size() > kRemembered) {
    removed_.erase(removed_order_.front());
    removed_order_.pop_front();
  }
  lanes_.erase(it);
}

std::shared_ptr<const Scheduler::Times> Scheduler::Read(LanePlan& plan, SchedulerEffects& effects) {
  std::shared_ptr<const Times>& known = read_[plan.lane.plugin];
  if (known && known->Are(plan)) return known;
  Times times{.triggers = std::move(plan.triggers), .day_rule = plan.day_rule};
  for (const Trigger& trigger : times.triggers) {
    if (trigger.kind == TriggerKind::kStart) times.at_start = true;
    if (trigger.kind == TriggerKind::kCron) {
      auto cron = Cron::Parse(trigger.cron, trigger.zone, times.day_rule);
      if (cron) {
        times.crons.push_back(*cron);
      } else {
        effects.problems.emplace_back(plan.lane, std::move(cron).error());
      }
    } else if (trigger.kind == TriggerKind::kInterval) {
      if (trigger.interval > Millis(0)) {
        times.intervals.push_back(trigger.interval);
      } else {
        effects.problems.emplace_back(
            plan.lane, Error{Errc::kInvalid, fmt::format("interval {}ms is not above zero", trigger.interval.count()),
                             "interval"});
      }
    }
  }
  return known = std::make_shared<const Times>(std::move(times));
}

// Finds the slot after the cursor and puts the lane in its place in the order.
void Scheduler::Reschedule(Lane& lane) {
  if (lane.next) order_.erase(&lane);
  lane.next = FirstAfter(lane, lane.cursor);
  if (lane.next) order_.insert(&lane);
}

Job Scheduler::Issue(Lane& lane, TimePoint now) {
  const Slot slot = LatestUntil(lane, now);
  Job job{.lane = *lane.key, .trigger = slot.kind, .key = fmt::format("slot/{}", ToMillis(slot.at)), .due = slot.at};
  if (lane.high && slot.at <= *lane.high) job.key += fmt::format("/{}.{}", epoch_, corrections_);
  lane.high = std::max(lane.high, std::optional(slot.at));
  lane.cursor = slot.at;
  Reschedule(lane);
  if (lane.next) job.deadline = std::max(lane.next->at, now + lane.min_deadline);
  return job;
}

std::optional<Scheduler::Slot> Scheduler::FirstAfter(const Lane& lane, TimePoint after) {
  std::optional<Slot> first;
  for (const Cron& cron : lane.times->crons) {
    const auto at = cron.Next(after);
    if (at && (!first || *at < first->at)) first = Slot{*at, TriggerKind::kCron};
  }
  for (const Millis interval : lane.times->intervals) {
    const TimePoint at = IntervalAfter(interval, lane.spread, std::max(after, lane.added));
    if (!first || at < first->at) first = Slot{at, TriggerKind::kInterval};
  }
  return first;
}

// The last slot in (cursor, now]; `next` is one, so there is one.
Scheduler::Slot Scheduler::LatestUntil(const Lane& lane, TimePoint now) {
  Slot latest = *lane.next;
  for (const Cron& cron : lane.times->crons) {
    const auto at = LatestCron(cron, lane.cursor, now);
    if (at && *at > latest.at) latest = {*at, TriggerKind::kCron};
  }
  for (const Millis interval : lane.times->intervals) {
    const TimePoint at = IntervalAfter(interval, lane.spread, now) - interval;
    if (at > latest.at && at > lane.added) latest = {at, TriggerKind::kInterval};
  }
  return latest;
}

}  // namespace backplane::schedule
