#include "dispatch/dispatcher.h"

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace backplane::dispatch {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const TimePoint kNoon = ParseTime("2026-08-22 12:00:00").value();

LaneKey Key(std::string plugin) { return {kDefaultOrg, std::move(plugin), ""}; }

Job Slot(const std::string& plugin, Millis at, std::optional<Millis> deadline = {}) {
  Job job{.lane = Key(plugin),
          .trigger = TriggerKind::kInterval,
          .key = "slot/" + std::to_string(at.count()),
          .due = kNoon + at};
  if (deadline) job.deadline = kNoon + *deadline;
  return job;
}
Job Call(const std::string& plugin, const std::string& key) {
  return {.lane = Key(plugin), .trigger = TriggerKind::kCall, .key = "call/" + key, .due = kNoon};
}

std::vector<std::string> Started(const DispatcherEffects& effects) {
  std::vector<std::string> texts;
  for (const Start& start : effects.start) texts.push_back(start.job.lane.plugin + " " + start.job.key);
  return texts;
}
std::vector<std::string> Dropped(const DispatcherEffects& effects) {
  std::vector<std::string> texts;
  for (const Drop& drop : effects.drop) texts.push_back(drop.job.key + " " + std::string(DropReasonText(drop.reason)));
  return texts;
}

class DispatcherTest : public ::testing::Test {
 protected:
  // Wall time is noon + the monotonic time, until a test shifts it.
  Moment At(Millis time) const { return {kNoon + time + shift_, time}; }
  DispatcherEffects Step(Millis time, DispatcherInputs inputs = {}) {
    auto effects = dispatcher_.Step(At(time), std::move(inputs));
    for (const Start& start : effects.start) tokens_[start.job.lane.plugin] = start.token;
    return effects;
  }
  DispatcherEffects Finish(Millis time, const std::string& plugin) {
    return Step(time, {.finished = {{Key(plugin), tokens_[plugin]}}});
  }
  std::string Why(const std::string& plugin) const {
    const auto decision = dispatcher_.LastDecision(Key(plugin));
    return decision ? DecisionText(*decision) + " " + decision->key : "";
  }

  Dispatcher dispatcher_{5, 2, 8};
  std::map<std::string, Token> tokens_;
  Millis shift_{0};
};

TEST_F(DispatcherTest, StartsAtOnceWhatMayStart) {
  const auto effects =
      Step(Millis(0), {.lanes = {LanePolicy{.lane = Key("a")}}, .jobs = {Slot("a", Millis(0), seconds(60))}});
  EXPECT_THAT(Started(effects), ElementsAre("a slot/0"));
  EXPECT_EQ(effects.start[0].token, (Token{5, 1}));
  EXPECT_THAT(effects.drop, IsEmpty());
  EXPECT_EQ(effects.wake, std::nullopt);
  EXPECT_EQ(Why("a"), "started slot/0");
  EXPECT_THAT(Started(Finish(Millis(5), "a")), IsEmpty());
  EXPECT_EQ(dispatcher_.running(), 0u);
  // A second report of the same end is ignored.
  Finish(Millis(6), "a");
  EXPECT_EQ(dispatcher_.running(), 0u);
}

TEST_F(DispatcherTest, ScheduledJobsCoalesceWhileTheLaneIsBusy) {
  Step(Millis(0), {.lanes = {LanePolicy{.lane = Key("a")}}, .jobs = {Slot("a", Millis(0))}});
  EXPECT_THAT(Dropped(Step(seconds(10), {.jobs = {Slot("a", seconds(10))}})), IsEmpty());
  EXPECT_EQ(Why("a"), "waiting: lane busy slot/10000");
  EXPECT_THAT(Dropped(Step(seconds(20), {.jobs = {Slot("a", seconds(20))}})), ElementsAre("slot/10000 superseded"));
  EXPECT_EQ(dispatcher_.queued(), 1u);
  EXPECT_THAT(Started(Finish(seconds(21), "a")), ElementsAre("a slot/20000"));
}

TEST_F(DispatcherTest, ASlotDoesNotTakeThePlaceOfAPhase) {
  const Job phase{.lane = Key("a"), .trigger = TriggerKind::kPhase, .key = "phase/1/x", .due = kNoon};
  Step(Millis(0), {.lanes = {LanePolicy{.lane = Key("a")}}, .jobs = {Slot("a", Millis(0))}});
  EXPECT_THAT(Dropped(Step(seconds(10), {.jobs = {Slot("a", seconds(10)), phase, Slot("a", seconds(20))}})),
              ElementsAre("slot/10000 superseded"));
  EXPECT_THAT(Started(Finish(seconds(21), "a")), ElementsAre("a slot/20000"));
  EXPECT_THAT(Started(Finish(seconds(22), "a")), ElementsAre("a phase/1/x"));
}

TEST_F(DispatcherTest, CallsWaitOneByOneAndKeysAreUnique) {
  Step(Millis(0), {.lanes = {LanePolicy{.lane = Key("a"), .most_waiting = 2}}, .jobs = {Call("a", "1")}});
  const auto effects = Step(Millis(1), {.jobs = {Call("a", "1"), Call("a", "2"), Slot("a", seconds(1)), Call("a", "2"),
                                                 Call("a", "3"), Call("a", "4")}});
  EXPECT_THAT(Dropped(effects), ElementsAre("call/1 duplicate", "call/2 duplicate", "call/4 queue full"));
  EXPECT_THAT(Started(Finish(Millis(2), "a")), ElementsAre("a call/2"));
  EXPECT_THAT(Started(Finish(Millis(3), "a")), ElementsAre("a slot/1000"));
  EXPECT_THAT(Started(Finish(Millis(4), "a")), ElementsAre("a call/3"));
  EXPECT_THAT(Started(Finish(Millis(5), "a")), IsEmpty());
}

TEST_F(DispatcherTest, WaitsForTheMinimumInterval) {
  Step(Millis(0),
       {.lanes = {LanePolicy{.lane = Key("a"), .pace = {.min_interval = seconds(30)}}}, .jobs = {Call("a", "1")}});
  Finish(seconds(1), "a");
  const auto effects = Step(seconds(2), {.jobs = {Call("a", "2")}});
  EXPECT_THAT(effects.start, IsEmpty());
  EXPECT_EQ(effects.wake, Millis(seconds(30)));
  EXPECT_EQ(Why("a"), "waiting: too soon call/2");
  EXPECT_THAT(Step(seconds(30) - Millis(1)).start, IsEmpty());
  shift_ = -hours(5);  // the wall clock does not matter
  EXPECT_THAT(Started(Step(seconds(30))), ElementsAre("a call/2"));
}

TEST_F(DispatcherTest, DropsAtOnceWhatWouldBeTooSoonUntilItsDeadline) {
  const auto cron = [](Millis at) {
    Job job = Slot("a", at, at + seconds(10));
    job.trigger = TriggerKind::kCron;
    return job;
  };
  Step(Millis(0),
       {.lanes = {LanePolicy{.lane = Key("a"), .pace = {.min_interval = seconds(30)}}}, .jobs = {cron(Millis(0))}});
  Finish(seconds(1), "a");
  EXPECT_THAT(Dropped(Step(seconds(10), {.jobs = {cron(seconds(10))}})), ElementsAre("slot/10000 too soon"));
  EXPECT_EQ(Why("a"), "dropped: too soon slot/10000");
  EXPECT_THAT(Dropped(Step(seconds(20), {.jobs = {cron(seconds(20))}})), IsEmpty());
  EXPECT_THAT(Started(Step(seconds(30))), ElementsAre("a slot/20000"));
}

TEST_F(DispatcherTest, AnIntervalRunsInItsPlaceOrNotAtAll) {
  const auto slot = [this](Millis at) { return Step(at, {.jobs = {Slot("a", at, at + seconds(60))}}); };
  Step(Millis(0), {.lanes = {LanePolicy{
                       .lane = Key("a"), .pace = {.min_interval = seconds(59)}, .last_start = kNoon - seconds(40)}}});
  // All ran at once when the last daemon was started, 40 s ago; this one's slot is now.
  EXPECT_THAT(Dropped(slot(Millis(0))), ElementsAre("slot/0 too soon"));
  EXPECT_THAT(Started(slot(seconds(60))), ElementsAre("a slot/60000"));
  Finish(seconds(61), "a");
  // Late by as much as the pace leaves out: the next runs as well.
  EXPECT_THAT(Started(Step(seconds(121), {.jobs = {Slot("a", seconds(120), seconds(180))}})),
              ElementsAre("a slot/120000"));
  Finish(seconds(122), "a");
  EXPECT_THAT(Started(slot(seconds(180))), ElementsAre("a slot/180000"));
  Finish(seconds(181), "a");
  // Late by a little more: the next waits a little, and no slot is lost.
  Step(seconds(243), {.jobs = {Slot("a", seconds(240), seconds(300))}});
  Finish(seconds(244), "a");
  EXPECT_EQ(slot(seconds(300)).wake, Millis(seconds(302)));
  EXPECT_THAT(Started(Step(seconds(302))), ElementsAre("a slot/300000"));
  // Held up by its own run for longer: it is back in its place after one slot.
  EXPECT_THAT(Dropped(slot(seconds(360))), IsEmpty());
  EXPECT_THAT(Started(Finish(seconds(390), "a")), ElementsAre("a slot/360000"));
  Finish(seconds(391), "a");
  EXPECT_THAT(Dropped(slot(seconds(420))), ElementsAre("slot/420000 too soon"));
  EXPECT_THAT(Started(slot(seconds(480))), ElementsAre("a slot/480000"));
}

TEST_F(DispatcherTest, ALongIntervalWaitsForNoLongerThanAShortOne) {
  const auto dropped = [this](Millis held) {
    Dispatcher dispatcher(1, 1);
    return dispatcher
        .Step(At(Millis(0)),
              {.lanes = {LanePolicy{
                   .lane = Key("a"), .pace = {.min_interval = hours(24)}, .last_start = kNoon - hours(24) + held}},
               .jobs = {Slot("a", Millis(0), hours(24))}})
        .drop.size();
  };
  EXPECT_EQ(dropped(Dispatcher::kMostOffPlace), 0U);
  EXPECT_EQ(dropped(Dispatcher::kMostOffPlace + Millis(1)), 1U);
}

TEST_F(DispatcherTest, RestoredStartDelaysTheFirst) {
  const auto effects = Step(
      Millis(0),
      {.lanes = {LanePolicy{.lane = Key("a"), .pace = {.min_interval = minutes(10)}, .last_start = kNoon - minutes(4)}},
       .jobs = {Call("a", "1")}});
  EXPECT_THAT(effects.start, IsEmpty());
  EXPECT_EQ(effects.wake, Millis(minutes(6)));
  // A policy that is set again changes nothing; a shorter interval frees the lane.
  EXPECT_EQ(Step(Millis(1), {.lanes = {LanePolicy{.lane = Key("a"), .pace = {.min_interval = minutes(10)}}}}).wake,
            Millis(minutes(6)));
  EXPECT_THAT(Started(Step(Millis(2), {.lanes = {LanePolicy{.lane = Key("a"), .pace = {.min_interval = minutes(4)}}}})),
              ElementsAre("a call/1"));
}

TEST_F(DispatcherTest, WhatCameOfTheRunDecidesWhenTheNextMayStart) {
  const Pace pace{.min_interval = seconds(30), .results_interval = seconds(90)};
  const auto finish = [this](Millis time, Outcome outcome) {
    return Step(time, {.finished = {{Key("a"), tokens_["a"], outcome}}});
  };
  Step(Millis(0), {.lanes = {LanePolicy{.lane = Key("a"), .pace = pace}}, .jobs = {Call("a", "1"), Call("a", "2")}});
  EXPECT_THAT(Started(finish(seconds(1), Outcome::kNothing)), ElementsAre("a call/2"));
  EXPECT_EQ(Step(seconds(2), {.jobs = {Call("a", "3"), Call("a", "4")}}).wake, std::nullopt);
  EXPECT_EQ(finish(seconds(3), Outcome::kRan).wake, Millis(seconds(31)));
  EXPECT_THAT(Started(Step(seconds(31))), ElementsAre("a call/3"));
  EXPECT_EQ(finish(seconds(32), Outcome::kReported).wake, Millis(seconds(121)));
  EXPECT_THAT(Started(Step(seconds(121))), ElementsAre("a call/4"));
}

TEST_F(DispatcherTest, AChangedPluginNeedNotWait) {
  LanePolicy policy{.lane = Key("a"), .pace = {.min_interval = seconds(30)}};
  Step(Millis(0), {.lanes = {policy}, .jobs = {Call("a", "1"), Call("a", "2")}});
  EXPECT_EQ(Finish(seconds(1), "a").wake, Millis(seconds(30)));
  policy.pace.changed = kNoon - seconds(1);
  EXPECT_EQ(Step(seconds(2), {.lanes = {policy}}).wake, Millis(seconds(30)));
  policy.pace.changed = kNoon + seconds(2);
  EXPECT_THAT(Started(Step(seconds(3), {.lanes = {policy}})), ElementsAre("a call/2"));
}

TEST_F(DispatcherTest, DeadlinesSayWhatTheJobWaitedFor) {
  Step(Millis(0), {.lanes = {LanePolicy{.lane = Key("a")}, LanePolicy{.lane = Key("b")}, LanePolicy{.lane = Key("c")}},
                   .jobs = {Call("a", "1"), Call("b", "1")}});
  const auto waiting =
      Step(seconds(1), {.jobs = {Slot("a", seconds(1), seconds(9)), Slot("c", seconds(1), seconds(8))}});
  EXPECT_EQ(waiting.wake, Millis(8001));
  EXPECT_EQ(Why("c"), "waiting: no free worker slot/1000");
  EXPECT_THAT(Dropped(Step(seconds(8))), IsEmpty());
  EXPECT_THAT(Dropped(Step(Millis(8001))), ElementsAre("slot/1000 deadline passed"));
  EXPECT_THAT(Dropped(Step(Millis(9001))), ElementsAre("slot/1000 lane busy"));
  EXPECT_EQ(Why("a"), "dropped: lane busy slot/1000");
  EXPECT_THAT(Dropped(Step(seconds(10), {.jobs = {Slot("c", seconds(1), seconds(9))}})),
              ElementsAre("slot/1000 deadline passed"));
  EXPECT_EQ(dispatcher_.queued(), 0u);
}

TEST_F(DispatcherTest, LanesTakeTurns) {
  dispatcher_.Step(At(Millis(0)),
                   {.lanes = {LanePolicy{.lane = Key("a")}, LanePolicy{.lane = Key("b")}, LanePolicy{.lane = Key("c")}},
                    .capacity = 1});
  Step(Millis(0), {.jobs = {Call("a", "1"), Call("a", "2"), Call("b", "1"), Call("b", "2"), Call("c", "1")}});
  std::vector<std::string> order;
  std::string running = "a";
  for (int i = 1; i <= 4; ++i) {
    const auto effects = Finish(Millis(i), running);
    ASSERT_EQ(effects.start.size(), 1u);
    running = effects.start[0].job.lane.plugin;
    order.push_back(Started(effects)[0]);
  }
  EXPECT_THAT(order, ElementsAre("b call/1", "c call/1", "a call/2", "b call/2"));
}

TEST_F(DispatcherTest, ALaneKeepsItsTurnWhenANewSlotReplacesAnOldOne) {
  Step(
      Millis(0),
      {.lanes = {LanePolicy{.lane = Key("a")}, LanePolicy{.lane = Key("b")}}, .capacity = 1, .jobs = {Call("a", "1")}});
  Step(seconds(1), {.jobs = {Slot("b", seconds(1), seconds(2)), Call("a", "2")}});
  const auto late = Step(seconds(3), {.jobs = {Slot("b", seconds(3), seconds(4))}});
  EXPECT_THAT(Dropped(late), ElementsAre("slot/1000 superseded"));
  EXPECT_THAT(Started(Finish(seconds(4), "a")), ElementsAre("b slot/3000"));
}

LaneKey About(const std::string& plugin, int target) { return {kDefaultOrg, plugin, std::to_string(target)}; }
Job CallAbout(const std::string& plugin, int target) {
  return {.lane = About(plugin, target), .trigger = TriggerKind::kCall, .key = "call", .due = kNoon};
}

TEST_F(DispatcherTest, OnePluginLeavesWorkersToTheOthers) {
  const auto add = [](DispatcherInputs& inputs, const std::string& plugin, int lanes) {
    for (int i = 0; i < lanes; ++i) {
      inputs.lanes.push_back(LanePolicy{.lane = About(plugin, i)});
      inputs.jobs.push_back(CallAbout(plugin, i));
    }
  };
  DispatcherInputs hanging{.capacity = 8};
  add(hanging, "hangs", 8);
  const auto first = Step(Millis(0), std::move(hanging));
  EXPECT_EQ(first.start.size(), 6U);
  EXPECT_EQ(DecisionText(dispatcher_.LastDecision(About("hangs", 7)).value()),
            "waiting: its plugin has its share of workers");
  DispatcherInputs others;
  add(others, "other", 3);
  EXPECT_THAT(Started(Step(Millis(1), std::move(others))), ElementsAre("other call", "other call"));
  EXPECT_EQ(DecisionText(dispatcher_.LastDecision(About("other", 2)).value()), "waiting: no free worker");
  // A worker that is free goes to whom it may go to; one of its own, to the plugin's next lane.
  const auto freed = Step(Millis(2), {.finished = {{About("hangs", 0), first.start[0].token}}});
  ASSERT_EQ(freed.start.size(), 1U);
  EXPECT_EQ(freed.start[0].job.lane, About("hangs", 6));
  EXPECT_THAT(Started(Step(Millis(3), {.capacity = 9})), ElementsAre("hangs call"));
  EXPECT_THAT(Started(Step(Millis(4), {.capacity = 12, .jobs = {CallAbout("hangs", 0)}})),
              ElementsAre("other call", "hangs call"));
}

TEST_F(DispatcherTest, SharesOfFewWorkers) {
  const auto started = [](std::size_t capacity) {
    Dispatcher dispatcher(1, capacity);
    DispatcherInputs inputs;
    for (int i = 0; i < 20; ++i) {
      inputs.lanes.push_back(LanePolicy{.lane = About("a", i)});
      inputs.jobs.push_back(CallAbout("a", i));
    }
    return dispatcher.Step({kNoon, Millis(0)}, std::move(inputs)).start.size();
  };
  EXPECT_THAT((std::vector{started(0), started(1), started(2), started(3), started(4), started(5), started(12)}),
              ElementsAre(0, 1, 1, 2, 3, 4, 9));
}

TEST_F(DispatcherTest, CapacityMayChange) {
  Step(Millis(0), {.lanes = {LanePolicy{.lane = Key("a")}, LanePolicy{.lane = Key("b")}},
                   .capacity = 0,
                   .jobs = {Call("a", "1"), Call("b", "1")}});
  EXPECT_EQ(dispatcher_.running(), 0u);
  EXPECT_EQ(Started(Step(Millis(1), {.capacity = 1})).size(), 1u);
  EXPECT_EQ(Started(Step(Millis(2), {.capacity = 2})).size(), 1u);
  // Less capacity stops nothing.
  EXPECT_THAT(Step(Millis(3), {.capacity = 1}).stop, IsEmpty());
  EXPECT_EQ(dispatcher_.running(), 2u);
}

TEST_F(DispatcherTest, TheWholeQueueIsBounded) {
  DispatcherInputs inputs{.capacity = 0};
  for (int i = 0; i < 10; ++i) {
    inputs.lanes.push_back(LanePolicy{.lane = Key(std::to_string(i))});
    inputs.jobs.push_back(Slot(std::to_string(i), Millis(i)));
  }
  const auto effects = Step(Millis(0), std::move(inputs));
  EXPECT_THAT(Dropped(effects), ElementsAre("slot/8 queue full", "slot/9 queue full"));
  EXPECT_EQ(dispatcher_.room(), 0u);
  // A newer slot needs no room.
  EXPECT_THAT(Dropped(Step(Millis(1), {.jobs = {Slot("3", Millis(33))}})), ElementsAre("slot/3 superseded"));
}

TEST_F(DispatcherTest, CancelTakesBackAndStops) {
  Step(Millis(0), {.lanes = {LanePolicy{.lane = Key("a")}}, .jobs = {Call("a", "1"), Call("a", "2"), Call("a", "3")}});
  const auto one = Step(Millis(1), {.cancel = {{Key("a"), "call/2"}}});
  EXPECT_THAT(Dropped(one), ElementsAre("call/2 cancelled"));
  EXPECT_THAT(one.stop, IsEmpty());
  const auto running = Step(Millis(2), {.cancel = {{Key("a"), "call/1"}}});
  ASSERT_EQ(running.stop.size(), 1u);
  EXPECT_EQ(running.stop[0].token, tokens_["a"]);
  EXPECT_EQ(dispatcher_.running(), 1u);
  const auto all = Step(Millis(3), {.cancel = {{Key("a"), std::nullopt}}});
  EXPECT_THAT(Dropped(all), ElementsAre("call/3 cancelled"));
  EXPECT_EQ(all.stop.size(), 1u);
  EXPECT_THAT(Started(Finish(Millis(4), "a")), IsEmpty());
}

TEST_F(DispatcherTest, RemovedLaneDropsStopsAndMayComeBack) {
  const LanePolicy policy{.lane = Key("a"), .pace = {.min_interval = seconds(30)}};
  Step(Millis(0), {.lanes = {policy}, .jobs = {Call("a", "1"), Call("a", "2")}});
  const auto removed = Step(Millis(1), {.lanes = {Key("a")}, .jobs = {Call("a", "3")}});
  EXPECT_THAT(Dropped(removed), ElementsAre("call/2 plugin or resource gone", "call/3 plugin or resource gone"));
  EXPECT_EQ(removed.stop.size(), 1u);
  // It comes back before its run has ended: the lane is still taken.
  EXPECT_THAT(Step(Millis(2), {.lanes = {policy}, .jobs = {Call("a", "4")}}).start, IsEmpty());
  EXPECT_THAT(Finish(seconds(1), "a").start, IsEmpty());
  EXPECT_THAT(Started(Step(seconds(30))), ElementsAre("a call/4"));
  // Removed for good.
  Step(seconds(31), {.lanes = {Key("a")}});
  EXPECT_EQ(dispatcher_.running(), 1u);
  Finish(seconds(32), "a");
  EXPECT_EQ(dispatcher_.running(), 0u);
  EXPECT_EQ(Why("a"), "");
  EXPECT_THAT(Dropped(Step(seconds(33), {.jobs = {Call("a", "5")}})), ElementsAre("call/5 plugin or resource gone"));
}

TEST_F(DispatcherTest, ChangesOfLanesAreTakenInOrder) {
  const LanePolicy policy{.lane = Key("a")};
  EXPECT_THAT(Dropped(Step(Millis(0), {.lanes = {policy, Key("a")}, .jobs = {Call("a", "1")}})),
              ElementsAre("call/1 plugin or resource gone"));
  EXPECT_THAT(Started(Step(Millis(0), {.lanes = {Key("a"), policy}, .jobs = {Call("a", "2")}})),
              ElementsAre("a call/2"));
}

// The store was read before the run had ended: what it said of the lane is older than what is known here.
TEST_F(DispatcherTest, ALaneThatWasRemovedWhileItRanKeepsItsPace) {
  const LanePolicy policy{.lane = Key("a"), .pace = {.results_interval = seconds(90)}};
  Step(Millis(0), {.lanes = {policy}, .jobs = {Call("a", "1")}});
  Step(seconds(1), {.lanes = {Key("a")}});
  Step(seconds(2), {.finished = {{Key("a"), tokens_["a"], Outcome::kReported}}});
  EXPECT_THAT(Dropped(Step(seconds(3), {.jobs = {Call("a", "2")}})), ElementsAre("call/2 plugin or resource gone"));
  EXPECT_EQ(Step(seconds(4), {.lanes = {policy}, .jobs = {Call("a", "3")}}).wake, Millis(seconds(90)));
}

TEST(Dispatcher, ManyLanesInReasonableTime) {
  // Not a timing test: a scan over lanes per decision would take minutes here.
  constexpr int kLanes = 50'000;
  Dispatcher dispatcher(1, 8);
  DispatcherInputs inputs;
  for (int i = 0; i < kLanes; ++i) {
    inputs.lanes.push_back(LanePolicy{.lane = Key(std::to_string(i)), .pace = {.min_interval = seconds(1)}});
    inputs.jobs.push_back(Slot(std::to_string(i), Millis(i), hours(1)));
  }
  auto effects = dispatcher.Step({kNoon, Millis(0)}, std::move(inputs));
  int started = 0;
  for (Millis now{1}; !effects.start.empty(); now += Millis(1)) {
    started += static_cast<int>(effects.start.size());
    DispatcherInputs next;
    for (const Start& start : effects.start) next.finished.push_back({start.job.lane, start.token});
    effects = dispatcher.Step({kNoon + now, now}, std::move(next));
  }
  EXPECT_EQ(started, kLanes);
  EXPECT_EQ(dispatcher.queued(), 0u);
}

}  // namespace
}  // namespace backplane::dispatch
