#include "store/runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/test_store.h"

namespace backplane::store {
namespace {

using RunRow = Run;  // a test has a Run() of its own

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const TimePoint kNoon = FromMillis(1'787'400'000'000);
const LaneKey kLane{kDefaultOrg, "d:scan", ""};

RunRow NewRun(Token token, const std::string& key = "call/1", const LaneKey& lane = kLane) {
  RunRow run;
  run.lane = lane;
  run.key = key;
  run.token = token;
  run.started = kNoon;
  return run;
}

class RunsTest : public StoreTest {
 protected:
  template <typename Function>
  auto With(Function work, OrgId org = kDefaultOrg) {
    return store_.Write([&](Connection& c) {
      Runs runs(c, org);
      return work(runs);
    });
  }
  RunRow Begin(RunRow run) {
    run.id = With([&](Runs& runs) { return runs.Begin(run); }, run.lane.org);
    return run;
  }
  bool Close(RunRow run, RunStatus status = RunStatus::kOk) {
    run.status = status;
    run.finished = kNoon + Millis(5);
    return With([&](Runs& runs) { return runs.Close(run); });
  }
  std::optional<RunRow> Get(RunId id) {
    return With([&](Runs& runs) { return runs.Get(id); });
  }
  std::vector<RunId> Ids(const RunFilter& filter) {
    std::vector<RunId> ids;
    for (const RunRow& run : With([&](Runs& runs) { return runs.List(filter); })) ids.push_back(run.id);
    return ids;
  }
};

TEST_P(RunsTest, ARunComesBackAsItWasBegunAndClosed) {
  RunRow run = NewRun({2, 7}, "slot/5", {kDefaultOrg, "d:scan", "host"});
  run.trigger = TriggerKind::kCron;
  run = Begin(run);
  auto open = Get(run.id);
  ASSERT_TRUE(open);
  EXPECT_EQ(open->lane, run.lane);
  EXPECT_EQ(open->trigger, TriggerKind::kCron);
  EXPECT_EQ(open->key, "slot/5");
  EXPECT_EQ(open->token, run.token);
  EXPECT_EQ(open->status, RunStatus::kRunning);
  EXPECT_EQ(open->started, kNoon);
  EXPECT_EQ(open->finished, std::nullopt);
  EXPECT_EQ(open->exit_code, std::nullopt);

  run.status = RunStatus::kFailed;
  run.exit_code = 3;
  run.message = "exit code 3";
  run.finished = kNoon + Millis(9);
  run.taken = 4;
  run.refused = 5;
  run.refusals = "[]";
  run.command = "scan all";
  EXPECT_TRUE(With([&](Runs& runs) { return runs.Close(run); }));
  With([&](Runs& runs) { runs.AddChanged(run.id, 2), runs.AddChanged(run.id, 1); });
  const auto closed = Get(run.id);
  EXPECT_EQ(closed->status, RunStatus::kFailed);
  EXPECT_EQ(closed->exit_code, 3);
  EXPECT_EQ(closed->message, "exit code 3");
  EXPECT_EQ(closed->finished, kNoon + Millis(9));
  EXPECT_EQ(closed->taken, 4);
  EXPECT_EQ(closed->refused, 5);
  EXPECT_EQ(closed->refusals, "[]");
  EXPECT_EQ(closed->command, "scan all");
  EXPECT_EQ(closed->changed, 3);
}

TEST_P(RunsTest, OnlyTheLastTokenOfTheLaneCloses) {
  const RunRow first = Begin(NewRun({1, 1}));
  const RunRow second = Begin(NewRun({1, 2}));
  EXPECT_FALSE(Close(first));  // its lane was given to another since
  EXPECT_EQ(Get(first.id)->status, RunStatus::kRunning);
  EXPECT_EQ(Get(first.id)->finished, std::nullopt);
  EXPECT_TRUE(Close(second));
}

TEST_P(RunsTest, AHigherEpochFencesTheLower) {
  const RunRow old = Begin(NewRun({1, 9}));
  const RunRow now = Begin(NewRun({2, 1}));
  EXPECT_FALSE(Close(old));
  EXPECT_TRUE(Close(now));
}

TEST_P(RunsTest, ATokenThatIsNotTheRunsOwnClosesNothing) {
  const RunRow run = Begin(NewRun({1, 1}));
  for (const Token other : {Token{1, 2}, Token{1, 0}, Token{2, 1}, Token{0, 1}}) {
    RunRow forged = run;
    forged.token = other;
    EXPECT_FALSE(Close(forged));
  }
  RunRow other_run = NewRun({1, 1});
  other_run.id = run.id + 1;
  EXPECT_FALSE(Close(other_run));
  EXPECT_EQ(Get(run.id)->status, RunStatus::kRunning);
  EXPECT_TRUE(Close(run));
}

TEST_P(RunsTest, ARunClosesOnce) {
  const RunRow run = Begin(NewRun({1, 1}));
  EXPECT_TRUE(Close(run, RunStatus::kTimeout));
  EXPECT_FALSE(Close(run, RunStatus::kOk));
  EXPECT_EQ(Get(run.id)->status, RunStatus::kTimeout);
}

TEST_P(RunsTest, OtherLanesDoNotFence) {
  const RunRow run = Begin(NewRun({1, 1}));
  Begin(NewRun({1, 2}, "k", {kDefaultOrg, "d:other", ""}));
  Begin(NewRun({1, 3}, "k", {kDefaultOrg, "d:scan", "target"}));
  EXPECT_TRUE(Close(run));
}

TEST_P(RunsTest, FindByKeyGivesTheNewestOfTheLane) {
  Begin(NewRun({1, 1}, "call/a"));
  const RunRow second = Begin(NewRun({1, 2}, "call/a"));
  Begin(NewRun({1, 3}, "call/b"));
  Begin(NewRun({1, 4}, "call/a", {kDefaultOrg, "d:other", ""}));
  const auto find = [this](const LaneKey& lane, const std::string& key) {
    return With([&](Runs& runs) { return runs.FindByKey(lane, key); });
  };
  EXPECT_EQ(find(kLane, "call/a")->id, second.id);
  EXPECT_FALSE(find(kLane, "call/c"));
  EXPECT_FALSE(find(kLane, "call/"));
  EXPECT_FALSE(find({kDefaultOrg, "d:scan", "target"}, "call/a"));
}

TEST_P(RunsTest, ListFiltersAndPages) {
  for (int i = 1; i <= 6; ++i) {
    const RunRow run =
        Begin(NewRun({1, i}, "call/" + std::to_string(i % 2), {kDefaultOrg, i <= 4 ? "d:a" : "d:b", ""}));
    if (i != 6) Close(run, i % 2 == 0 ? RunStatus::kOk : RunStatus::kFailed);
  }
  EXPECT_THAT(Ids({}), ElementsAre(6, 5, 4, 3, 2, 1));
  EXPECT_THAT(Ids({.plugin = "d:a"}), ElementsAre(4, 3, 2, 1));
  EXPECT_THAT(Ids({.status = RunStatus::kFailed}), ElementsAre(5, 3, 1));
  EXPECT_THAT(Ids({.status = RunStatus::kRunning}), ElementsAre(6));
  EXPECT_THAT(Ids({.key = "call/0"}), ElementsAre(6, 4, 2));
  EXPECT_THAT(Ids({.plugin = "d:a", .status = RunStatus::kOk, .key = "call/0", .before = 4}), ElementsAre(2));
  EXPECT_THAT(Ids({.limit = 2}), ElementsAre(6, 5));
  EXPECT_THAT(Ids({.before = 5, .limit = 2}), ElementsAre(4, 3));
  EXPECT_THAT(Ids({.before = 1}), IsEmpty());
  EXPECT_THAT(Ids({.plugin = "d:"}), IsEmpty());
}

TEST_P(RunsTest, PruneKeepsFailuresChangesAndTheNewest) {
  // 1 ok, 2 failed, 3 ok and changed, 4 still running, 5 to 8 ok
  std::vector<RunRow> runs;
  for (int i = 1; i <= 8; ++i) {
    runs.push_back(Begin(NewRun({1, i}, "k", kLane)));
    if (i != 4) Close(runs.back(), i == 2 ? RunStatus::kFailed : RunStatus::kOk);
  }
  With([&](Runs& all) { all.AddChanged(runs[2].id, 1); });
  const RunRow other = Begin(NewRun({1, 9}, "k", {kDefaultOrg, "d:other", ""}));
  Close(other);

  const auto prune = [this](int keep, int keep_all) {
    return With([&](Runs& all) { return all.Prune(kLane, keep, keep_all); });
  };
  EXPECT_THAT(prune(2, 100), UnorderedElementsAre(1, 5, 6));
  EXPECT_THAT(Ids({}), ElementsAre(9, 8, 7, 4, 3, 2));
  EXPECT_THAT(prune(2, 100), IsEmpty());
  EXPECT_THAT(prune(1, 2), UnorderedElementsAre(7, 3, 2));
  EXPECT_THAT(Ids({}), ElementsAre(9, 8, 4));  // what runs is never forgotten
  EXPECT_THAT(prune(0, 0), UnorderedElementsAre(8));
}

TEST_P(RunsTest, LanesRememberTheirLastStartAndTheirGreatestSlot) {
  const auto lane = [this] {
    const auto lanes = store_.Read([](Connection& c) { return LanesOf(c, {kLane}); });
    EXPECT_EQ(lanes.size(), 1U);
    return lanes.at(0);
  };
  int counter = 0;
  const auto begin = [&](int at, std::optional<TimePoint> slot) {
    RunRow run = NewRun({1, ++counter});
    run.started = kNoon + Millis(at);
    With([&](Runs& runs) { runs.Begin(run, slot); });
  };
  begin(1, std::nullopt);
  EXPECT_EQ(lane().key, kLane);
  EXPECT_EQ(lane().last_started, kNoon + Millis(1));
  EXPECT_EQ(lane().last_slot, std::nullopt);
  begin(2, kNoon + Millis(500));
  EXPECT_EQ(lane().last_slot, kNoon + Millis(500));
  begin(3, std::nullopt);  // a call does not forget it
  begin(4, kNoon + Millis(400));
  EXPECT_EQ(lane().last_started, kNoon + Millis(4));
  EXPECT_EQ(lane().last_slot, kNoon + Millis(500));
  begin(5, kNoon + Millis(600));
  EXPECT_EQ(lane().last_slot, kNoon + Millis(600));
}

TEST_P(RunsTest, LanesAboutResourcesThatAreIdleAreForgottenWithTheirRuns) {
  const auto begin = [&](const std::string& target, int at, int counter) {
    RunRow run = NewRun({1, counter});
    run.lane.target = target;
    run.started = kNoon + Millis(at);
    run = Begin(run);
    EXPECT_TRUE(Close(run, RunStatus::kOk));
    return run;
  };
  const std::string sw1 = "plugin|p|site|s|class|c|subclass|b|type|t|id|sw1|endpoint|e";
  const std::string sw2 = "plugin|p|site|s|class|c|subclass|b|type|t|id|sw2|endpoint|e";
  begin("", 1, 1);
  begin(sw1, 2, 2);
  begin(sw1, 3, 3);
  begin(sw2, 9, 4);
  EXPECT_THAT(Ids({.target = "sw1"}), ElementsAre(3, 2));
  EXPECT_THAT(Ids({.target = sw2}), ElementsAre(4));
  EXPECT_THAT(Ids({.target = "sw"}), IsEmpty());
  const auto idle = store_.Read([](Connection& c) { return IdleLanes(c, kNoon + Millis(5), 10); });
  ASSERT_THAT(idle, ElementsAre(LaneKey{kLane.org, kLane.plugin, sw1}));
  EXPECT_THAT(store_.Read([](Connection& c) { return LanesWithRuns(c, 1); }), ElementsAre(idle[0]));
  With([&](Runs& runs) { runs.ForgetLane(idle[0]); });  // it has runs
  EXPECT_EQ(store_.Read([&](Connection& c) { return LanesOf(c, idle); }).size(), 1U);
  With([&](Runs& runs) { runs.Prune(idle[0], 0, 0); });
  With([&](Runs& runs) { runs.ForgetLane(idle[0]); });
  EXPECT_THAT(store_.Read([&](Connection& c) { return LanesOf(c, idle); }), IsEmpty());
}

TEST_P(RunsTest, LanesRememberWhichStartsCount) {
  const auto lane = [this] { return store_.Read([](Connection& c) { return LanesOf(c, {kLane}); }).at(0); };
  int counter = 0;
  const auto run = [&](int at, RunStatus status, std::int64_t taken) {
    RunRow row = NewRun({1, ++counter});
    row.started = kNoon + Millis(at);
    row = Begin(row);
    row.taken = taken;
    EXPECT_TRUE(Close(row, status));
  };
  run(1, RunStatus::kNotStarted, 0);
  EXPECT_EQ(lane().last_started, std::nullopt);
  run(2, RunStatus::kOk, 3);
  EXPECT_EQ(lane().last_results, kNoon + Millis(2));
  run(3, RunStatus::kFailed, 0);
  EXPECT_EQ(lane().last_started, kNoon + Millis(3));
  EXPECT_EQ(lane().last_results, kNoon + Millis(2));
  run(4, RunStatus::kNotStarted, 0);
  run(5, RunStatus::kNotStarted, 0);
  EXPECT_EQ(lane().last_started, kNoon + Millis(3));
  run(6, RunStatus::kTimeout, 1);
  EXPECT_EQ(lane().last_started, kNoon + Millis(6));
  EXPECT_EQ(lane().last_results, kNoon + Millis(6));
}

TEST_P(RunsTest, OpenRunsAreThoseWithoutAnEnd) {
  const RunRow closed = Begin(NewRun({1, 1}));
  Close(closed);
  const RunRow open = Begin(NewRun({1, 2}));
  const auto runs = store_.Read(OpenRuns);
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].id, open.id);
  EXPECT_EQ(runs[0].token, open.token);
}

TEST_P(RunsTest, TheEpochRisesDurably) {
  EXPECT_EQ(store_.Write(RaiseEpoch), 1);
  EXPECT_EQ(store_.Write(RaiseEpoch), 2);
  store_.Close();
  store_.Open();
  EXPECT_EQ(store_.Write(RaiseEpoch), 3);
}

TEST_P(RunsTest, AnotherOrganisationSeesAndChangesNothing) {
  const OrgId second = store_.AddOrganisation("second");
  const RunRow mine = Begin(NewRun({1, 1}));
  const LaneKey foreign{second, kLane.plugin, kLane.target};
  With(
      [&](Runs& runs) {
        EXPECT_FALSE(runs.Get(mine.id));
        EXPECT_THAT(runs.List({}), IsEmpty());
        EXPECT_FALSE(runs.FindByKey(kLane, mine.key));
        EXPECT_FALSE(runs.FindByKey(foreign, mine.key));
        RunRow closing = mine;
        closing.status = RunStatus::kOk;
        EXPECT_FALSE(runs.Close(closing));
        runs.AddChanged(mine.id, 100);
        EXPECT_THAT(runs.Prune(kLane, 0, 0), IsEmpty());
        EXPECT_THAT(runs.Prune(foreign, 0, 0), IsEmpty());
      },
      second);
  EXPECT_EQ(Get(mine.id)->changed, 0);
  // A lane of the same name is another lane there: it fences nothing here.
  const RunRow theirs = Begin(NewRun({5, 5}, "call/1", foreign));
  EXPECT_EQ(With([&](Runs& runs) { return runs.Get(theirs.id)->lane.org; }, second), second);
  EXPECT_TRUE(Close(mine));
  With([](Runs& runs) { EXPECT_EQ(runs.Prune(kLane, 0, 0).size(), 1U); });
  EXPECT_TRUE(With([&](Runs& runs) { return runs.Get(theirs.id).has_value(); }, second));
}

BACKPLANE_OVER_BACKENDS(RunsTest);

}  // namespace
}  // namespace backplane::store
