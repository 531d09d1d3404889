#include "schedule/scheduler.h"

#include <algorithm>
#include <array>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace backplane::schedule {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const TimePoint kNoon = ParseTime("2026-08-22 12:00:00").value();

LaneKey Lane(std::string plugin, std::string target = "") {
  return {kDefaultOrg, std::move(plugin), std::move(target)};
}
Trigger CronTrigger(std::string cron) { return {.kind = TriggerKind::kCron, .cron = std::move(cron)}; }
Trigger IntervalTrigger(Millis interval) { return {.kind = TriggerKind::kInterval, .interval = interval}; }
Trigger StartTrigger() { return {.kind = TriggerKind::kStart}; }

std::string SlotKey(TimePoint at) { return "slot/" + std::to_string(ToMillis(at)); }

std::vector<std::string> Keys(const SchedulerEffects& effects) {
  std::vector<std::string> keys;
  for (const Job& job : effects.due) keys.push_back(job.key);
  return keys;
}

LanePlan Hourly(std::optional<TimePoint> last_slot = {}) {
  return {.lane = Lane("t:a"), .triggers = {CronTrigger("0 * * * *")}, .last_slot = last_slot};
}

TEST(Scheduler, FirstSlotIsAfterTheLaneWasAdded) {
  Scheduler scheduler(1);
  const auto added = scheduler.Step(kNoon, {.lanes = {Hourly()}});
  EXPECT_THAT(added.due, IsEmpty());
  EXPECT_EQ(added.next_wake, kNoon + hours(1));
  EXPECT_THAT(scheduler.Step(kNoon + hours(1) - Millis(1), {}).due, IsEmpty());
  const auto due = scheduler.Step(kNoon + hours(1) + Millis(7), {});
  ASSERT_THAT(Keys(due), ElementsAre(SlotKey(kNoon + hours(1))));
  EXPECT_EQ(due.due[0].trigger, TriggerKind::kCron);
  EXPECT_EQ(due.due[0].due, kNoon + hours(1));
  EXPECT_EQ(due.due[0].deadline, kNoon + hours(2));
  EXPECT_EQ(due.next_wake, kNoon + hours(2));
  EXPECT_THAT(scheduler.Step(kNoon + hours(1) + Millis(7), {}).due, IsEmpty());
  EXPECT_EQ(scheduler.NextSlot(Lane("t:a")), kNoon + hours(2));
  EXPECT_EQ(scheduler.NextSlot(Lane("t:b")), std::nullopt);
}

TEST(Scheduler, MissedSlotsCollapseIntoTheLatest) {
  Scheduler scheduler(2);
  const auto restarted = scheduler.Step(kNoon + minutes(1), {.lanes = {Hourly(kNoon - hours(24 * 400))}});
  EXPECT_THAT(Keys(restarted), ElementsAre(SlotKey(kNoon)));
  EXPECT_EQ(restarted.due[0].deadline, kNoon + hours(1));
  EXPECT_THAT(Keys(scheduler.Step(kNoon + hours(5), {})), ElementsAre(SlotKey(kNoon + hours(5))));
}

TEST(Scheduler, NothingIsCaughtUpThatRan) {
  Scheduler scheduler(2);
  EXPECT_THAT(scheduler.Step(kNoon + minutes(1), {.lanes = {Hourly(kNoon)}}).due, IsEmpty());
  EXPECT_EQ(scheduler.NextSlot(Lane("t:a")), kNoon + hours(1));
}

TEST(Scheduler, RareSlotIsCaughtUpAfterLongDowntime) {
  Scheduler scheduler(2);
  LanePlan plan{
      .lane = Lane("t:a"), .triggers = {CronTrigger("0 0 29 2 *")}, .last_slot = ParseTime("2024-02-29 00:00:00")};
  const TimePoint now = ParseTime("2030-06-01 00:00:00").value();
  EXPECT_THAT(Keys(scheduler.Step(now, {.lanes = {plan}})),
              ElementsAre(SlotKey(ParseTime("2028-02-29 00:00:00").value())));
}

TEST(Scheduler, StartTriggersFireOncePerEpoch) {
  Scheduler scheduler(7);
  const LanePlan plan{.lane = Lane("t:a"), .triggers = {StartTrigger()}};
  const auto first = scheduler.Step(kNoon, {.lanes = {plan}});
  ASSERT_THAT(Keys(first), ElementsAre("start/7"));
  EXPECT_EQ(first.due[0].trigger, TriggerKind::kStart);
  EXPECT_EQ(first.due[0].deadline, std::nullopt);
  EXPECT_EQ(first.next_wake, std::nullopt);
  EXPECT_THAT(scheduler.Step(kNoon, {.lanes = {plan}}).due, IsEmpty());
  EXPECT_THAT(
      scheduler
          .Step(kNoon,
                {.lanes = {LanePlan{.lane = Lane("t:a"), .triggers = {StartTrigger(), CronTrigger("0 * * * *")}}}})
          .due,
      IsEmpty());
  EXPECT_THAT(scheduler.Step(kNoon, {.lanes = {Lane("t:a"), plan}}).due, IsEmpty());
}

TEST(Scheduler, TriggersOfALaneUnite) {
  Scheduler scheduler(1);
  const LanePlan plan{.lane = Lane("t:a"), .triggers = {CronTrigger("0 * * * *"), CronTrigger("*/30 * * * *")}};
  scheduler.Step(kNoon, {.lanes = {plan}});
  EXPECT_THAT(Keys(scheduler.Step(kNoon + minutes(30), {})), ElementsAre(SlotKey(kNoon + minutes(30))));
  EXPECT_THAT(Keys(scheduler.Step(kNoon + minutes(60), {})), ElementsAre(SlotKey(kNoon + minutes(60))));
  EXPECT_THAT(scheduler.Step(kNoon + minutes(60), {}).due, IsEmpty());
}

TEST(Scheduler, ChangedTriggersStartFromNow) {
  Scheduler scheduler(1);
  scheduler.Step(kNoon - hours(3), {.lanes = {LanePlan{.lane = Lane("t:a"), .triggers = {CronTrigger("0 0 * * *")}}}});
  const auto changed = scheduler.Step(kNoon, {.lanes = {Hourly()}});
  EXPECT_THAT(changed.due, IsEmpty());
  EXPECT_EQ(changed.next_wake, kNoon + hours(1));
  EXPECT_EQ(scheduler.Step(kNoon, {.lanes = {Lane("t:a")}}).next_wake, std::nullopt);
  EXPECT_EQ(scheduler.lanes(), 0u);
}

TEST(Scheduler, ChangesOfLanesAreTakenInOrder) {
  Scheduler scheduler(1);
  EXPECT_EQ(scheduler.Step(kNoon, {.lanes = {Hourly(), Lane("t:a")}}).next_wake, std::nullopt);
  EXPECT_EQ(scheduler.lanes(), 0u);
  EXPECT_EQ(scheduler.Step(kNoon, {.lanes = {Lane("t:a"), Hourly()}}).next_wake, kNoon + hours(1));
}

TEST(Scheduler, ProblemsNameTheLaneAndLeaveTheRest) {
  Scheduler scheduler(1);
  const auto effects = scheduler.Step(
      kNoon, {.lanes = {LanePlan{
                  .lane = Lane("t:a"),
                  .triggers = {CronTrigger("61 * * * *"), IntervalTrigger(Millis(0)), CronTrigger("0 * * * *")}}}});
  ASSERT_EQ(effects.problems.size(), 2u);
  EXPECT_EQ(effects.problems[0].first, Lane("t:a"));
  EXPECT_EQ(effects.problems[0].second.message, "minute \"61\" is out of range: 0 to 59");
  EXPECT_EQ(effects.problems[1].second.message, "interval 0ms is not above zero");
  EXPECT_EQ(effects.next_wake, kNoon + hours(1));
}

TEST(Scheduler, LanesOfAPluginAreReadOnceWhileTheyAgree) {
  Scheduler scheduler(1);
  const Trigger bad = CronTrigger("61 * * * *");
  const auto effects = scheduler.Step(kNoon, {.lanes = {LanePlan{.lane = Lane("t:a", "x"), .triggers = {bad}},
                                                        LanePlan{.lane = Lane("t:a", "y"), .triggers = {bad}},
                                                        LanePlan{.lane = Lane("t:b", "x"), .triggers = {bad}}, Hourly(),
                                                        LanePlan{.lane = Lane("t:a", "z"), .triggers = {bad}}}});
  std::vector<LaneKey> lanes;
  for (const auto& [lane, error] : effects.problems) lanes.push_back(lane);
  EXPECT_THAT(lanes, ElementsAre(Lane("t:a", "x"), Lane("t:b", "x"), Lane("t:a", "z")));
  EXPECT_EQ(effects.next_wake, kNoon + hours(1));
  EXPECT_EQ(scheduler.NextSlot(Lane("t:a", "z")), std::nullopt);
}

TEST(Scheduler, ShortStepBackWaitsForTheClock) {
  Scheduler scheduler(1);
  scheduler.Step(kNoon, {.lanes = {LanePlan{.lane = Lane("t:a"), .triggers = {CronTrigger("*/10 * * * *")}}}});
  EXPECT_EQ(Keys(scheduler.Step(kNoon + minutes(50), {})).size(), 1u);
  const auto back = scheduler.Step(kNoon + minutes(5), {});
  EXPECT_THAT(back.due, IsEmpty());
  EXPECT_EQ(back.set_back, std::nullopt);
  EXPECT_EQ(back.next_wake, kNoon + minutes(60));
}

TEST(Scheduler, LongStepBackGoesOnFromNowWithOtherKeys) {
  Scheduler scheduler(3);
  scheduler.Step(kNoon - minutes(30), {.lanes = {Hourly()}});
  EXPECT_THAT(Keys(scheduler.Step(kNoon + hours(5), {})), ElementsAre(SlotKey(kNoon + hours(5))));
  const auto back = scheduler.Step(kNoon + hours(3) + minutes(1), {});
  EXPECT_EQ(back.set_back, hours(2) - minutes(1));
  EXPECT_EQ(back.next_wake, kNoon + hours(4));
  EXPECT_THAT(Keys(scheduler.Step(kNoon + hours(4), {})), ElementsAre(SlotKey(kNoon + hours(4)) + "/3.1"));
  EXPECT_THAT(Keys(scheduler.Step(kNoon + hours(5), {})), ElementsAre(SlotKey(kNoon + hours(5)) + "/3.1"));
  EXPECT_THAT(Keys(scheduler.Step(kNoon + hours(6), {})), ElementsAre(SlotKey(kNoon + hours(6))));
}

TEST(Scheduler, RestoredSlotFarInTheFutureIsASetClock) {
  Scheduler scheduler(4);
  const auto effects = scheduler.Step(kNoon, {.lanes = {Hourly(kNoon + hours(24 * 365))}});
  EXPECT_EQ(effects.set_back, hours(24 * 365));
  EXPECT_THAT(Keys(scheduler.Step(kNoon + hours(1), {})), ElementsAre(SlotKey(kNoon + hours(1)) + "/4.0"));
}

TEST(Scheduler, ShortStepsBackAddUpOverARestart) {
  Scheduler scheduler(5);
  scheduler.Step(kNoon, {.lanes = {Hourly(kNoon + minutes(50))}});
  EXPECT_EQ(scheduler.NextSlot(Lane("t:a")), kNoon + hours(1));
  EXPECT_EQ(scheduler.Step(kNoon - minutes(20), {}).set_back, minutes(70));
  EXPECT_EQ(scheduler.NextSlot(Lane("t:a")), kNoon);
}

TEST(Scheduler, ALaneThatComesBackRepeatsNothing) {
  Scheduler scheduler(1);
  scheduler.Step(kNoon, {.lanes = {Hourly(kNoon - hours(1))}});  // issues noon
  const auto back = scheduler.Step(kNoon + minutes(5), {.lanes = {Lane("t:a"), Hourly(kNoon - hours(1))}});
  EXPECT_THAT(back.due, IsEmpty());
  EXPECT_EQ(back.next_wake, kNoon + hours(1));
}

TEST(Scheduler, DeadlineIsAtLeastTheLeast) {
  Scheduler scheduler(1);
  scheduler.Step(
      kNoon,
      {.lanes = {LanePlan{.lane = Lane("t:a"), .triggers = {CronTrigger("* * * * *")}, .min_deadline = minutes(5)}}});
  const auto effects = scheduler.Step(kNoon + seconds(70), {});
  ASSERT_EQ(effects.due.size(), 1u);
  EXPECT_EQ(effects.due[0].deadline, kNoon + seconds(70) + minutes(5));
}

TEST(Scheduler, MostDueLeavesTheRestForTheNextStep) {
  Scheduler scheduler(1);
  SchedulerInputs inputs;
  for (int i = 0; i < 10; ++i)
    inputs.lanes.push_back(LanePlan{.lane = Lane("t:" + std::to_string(i)), .triggers = {CronTrigger("0 * * * *")}});
  scheduler.Step(kNoon, std::move(inputs));
  const auto some = scheduler.Step(kNoon + hours(1), {.most_due = 4});
  EXPECT_EQ(some.due.size(), 4u);
  EXPECT_EQ(some.next_wake, kNoon + hours(1));
  EXPECT_EQ(scheduler.Step(kNoon + hours(1), {}).due.size(), 6u);
}

TEST(Scheduler, IntervalLanesSpreadEvenlyAndStay) {
  constexpr int kLanes = 100'000;
  Scheduler scheduler(1);
  SchedulerInputs inputs;
  for (int i = 0; i < kLanes; ++i)
    inputs.lanes.push_back(
        LanePlan{.lane = Lane("t:poll", "host-" + std::to_string(i)), .triggers = {IntervalTrigger(minutes(1))}});
  scheduler.Step(kNoon, std::move(inputs));
  std::set<std::string> seen;
  std::size_t most = 0, least = kLanes;
  for (int second = 1; second <= 60; ++second) {
    const auto effects = scheduler.Step(kNoon + seconds(second), {});
    most = std::max(most, effects.due.size());
    least = std::min(least, effects.due.size());
    for (const Job& job : effects.due) EXPECT_TRUE(seen.insert(job.lane.target).second);
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kLanes));
  EXPECT_GT(least, kLanes / 60 * 8 / 10);
  EXPECT_LT(most, kLanes / 60 * 12 / 10);
  // Another process, another time: the same slots.
  Scheduler other(2);
  other.Step(kNoon + seconds(17),
             {.lanes = {LanePlan{.lane = Lane("t:poll", "host-5"), .triggers = {IntervalTrigger(minutes(1))}}}});
  const auto a = scheduler.NextSlot(Lane("t:poll", "host-5")), b = other.NextSlot(Lane("t:poll", "host-5"));
  EXPECT_EQ((ToMillis(*a) - ToMillis(*b)) % 60'000, 0);
}

TEST(Scheduler, IntervalLanesAreSpreadAfterADowntimeToo) {
  constexpr int kLanes = 1'000;
  Scheduler scheduler(2);
  SchedulerInputs inputs;
  for (int i = 0; i < kLanes; ++i)
    inputs.lanes.push_back(LanePlan{.lane = Lane("t:poll", std::to_string(i)),
                                    .triggers = {IntervalTrigger(minutes(10)), CronTrigger("30 11 * * *")},
                                    .last_slot = kNoon - minutes(i % 15)});
  EXPECT_THAT(scheduler.Step(kNoon, std::move(inputs)).due, IsEmpty());
  for (int minute = 1; minute <= 10; ++minute) {
    const auto effects = scheduler.Step(kNoon + minutes(minute), {});
    EXPECT_GT(effects.due.size(), kLanes / 10u * 6 / 10);
    EXPECT_LT(effects.due.size(), kLanes / 10u * 14 / 10);
    for (const Job& job : effects.due) EXPECT_GT(job.due, kNoon + minutes(minute - 1));
  }
}

TEST(Scheduler, ALaneThatNeverRanHasASlotSoon) {
  Scheduler scheduler(1);
  const std::vector<Trigger> daily{IntervalTrigger(hours(24))};
  SchedulerInputs inputs;
  for (int i = 0; i < 100; ++i)
    inputs.lanes.push_back(LanePlan{.lane = Lane("t:poll", std::to_string(i)), .triggers = daily});
  inputs.lanes.push_back(LanePlan{.lane = Lane("t:ran"), .triggers = daily, .last_slot = kNoon - hours(20)});
  EXPECT_THAT(scheduler.Step(kNoon, std::move(inputs)).due, IsEmpty());
  std::size_t most = 0, all = 0;
  for (int second = 1; second <= 60; ++second) {
    const auto effects = scheduler.Step(kNoon + seconds(second), {});
    most = std::max(most, effects.due.size());
    all += effects.due.size();
  }
  EXPECT_GE(all, 100u);
  EXPECT_LT(most, 10u);
  // It goes on with its own slots, and what was issued once is not issued again.
  const TimePoint next = scheduler.NextSlot(Lane("t:poll", "7")).value();
  EXPECT_GT(next, kNoon + seconds(60));
  scheduler.Step(kNoon + seconds(61), {.lanes = {Lane("t:poll", "7")}});
  scheduler.Step(kNoon + seconds(62), {.lanes = {LanePlan{.lane = Lane("t:poll", "7"), .triggers = daily}}});
  EXPECT_EQ(scheduler.NextSlot(Lane("t:poll", "7")), next);
}

}  // namespace
}  // namespace backplane::schedule
