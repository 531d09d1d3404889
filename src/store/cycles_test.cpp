#include "store/cycles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/journal.h"
#include "store/runs.h"
#include "store/test_store.h"

namespace backplane::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const TimePoint kNoon = FromMillis(1'787'400'000'000);

class CyclesTest : public StoreTest {
 protected:
  template <typename Function>
  auto With(Function work) {
    return store_.Write([&](Connection& c) {
      Cycles cycles(c, kDefaultOrg);
      return work(cycles);
    });
  }
  std::vector<CycleId> Ids(CycleId before, int limit) {
    std::vector<CycleId> ids;
    for (const Cycle& cycle : With([&](Cycles& c) { return c.List(before, limit); })) ids.push_back(cycle.id);
    return ids;
  }
};

TEST_P(CyclesTest, OneOpensGoesOnAndCloses) {
  const CycleId id = With([](Cycles& c) { return c.Open(kNoon, "scan"); });
  With([&](Cycles& c) { c.SetStage(id, "names"); });
  EXPECT_EQ(With([](Cycles& c) { return c.Open().size(); }), 1);
  Cycle cycle = With([&](Cycles& c) { return *c.Get(id); });
  EXPECT_EQ(cycle.opened, kNoon);
  EXPECT_EQ(cycle.stage, "names");
  EXPECT_EQ(cycle.status, "running");
  EXPECT_FALSE(cycle.closed);
  With([&](Cycles& c) { c.Close(id, kNoon + Millis(7), "failed", "disk full"); });
  With([&](Cycles& c) { c.Close(id, kNoon + Millis(9), "ok", ""); });  // it is closed already
  cycle = With([&](Cycles& c) { return *c.Get(id); });
  EXPECT_EQ(cycle.closed, kNoon + Millis(7));
  EXPECT_EQ(cycle.status, "failed");
  EXPECT_EQ(cycle.message, "disk full");
  EXPECT_THAT(With([](Cycles& c) { return c.Open(); }), IsEmpty());
  EXPECT_FALSE(With([](Cycles& c) { return c.Get(99); }));
}

TEST_P(CyclesTest, ListsPagesAndForgetsTheOldestThatAreClosed) {
  for (int i = 1; i <= 5; ++i) {
    const CycleId id = With([](Cycles& c) { return c.Open(kNoon, "scan"); });
    if (i != 2) With([&](Cycles& c) { c.Close(id, kNoon, "ok", ""); });
  }
  EXPECT_THAT(Ids(0, 2), ElementsAre(5, 4));
  EXPECT_THAT(Ids(4, 2), ElementsAre(3, 2));
  EXPECT_EQ(With([](Cycles& c) { return c.Forget(1, 2); }), 2);
  EXPECT_THAT(Ids(0, 9), ElementsAre(5, 4, 2));
  EXPECT_EQ(With([](Cycles& c) { return c.Forget(1, 2); }), 1);
  EXPECT_THAT(Ids(0, 9), ElementsAre(5, 2));
}

TEST_P(CyclesTest, RunsThatJoinAreListedByIt) {
  const auto runs = [&](CycleId cycle) {
    std::vector<RunId> ids;
    for (const auto& run : store_.Read([&](Connection& c) { return Runs(c, kDefaultOrg).List({.cycle = cycle}); }))
      ids.push_back(run.id);
    return ids;
  };
  store_.Write([](Connection& c) {
    Runs table(c, kDefaultOrg);
    table.Begin({.lane = {.plugin = "a"}});
    table.Begin({.lane = {.plugin = "b"}});
    table.Begin({.lane = {.plugin = "c"}, .cycle = 7});
    table.Join({1, 99}, 7);
  });
  EXPECT_THAT(runs(7), ElementsAre(3, 1));
  EXPECT_THAT(runs(8), IsEmpty());
}

TEST_P(CyclesTest, TheJournalKnowsTheLastEntryOfRuns) {
  store_.Write([](Connection& c) {
    for (const RunId run : {4, 5, 4, 6}) AppendEntry(c, {.run = run});
    EXPECT_EQ(LastEntryOf(c, {4}, 0), 3);
    EXPECT_EQ(LastEntryOf(c, {4, 5}, 0), 3);
    EXPECT_EQ(LastEntryOf(c, {4, 5}, 3), 0);
    EXPECT_EQ(LastEntryOf(c, {}, 0), 0);
  });
}

BACKPLANE_OVER_BACKENDS(CyclesTest);

}  // namespace
}  // namespace backplane::store
