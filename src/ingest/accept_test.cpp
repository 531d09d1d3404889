#include "ingest/accept.h"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/test_journal.h"
#include "store/runs.h"

namespace backplane::ingest {
namespace {

using RunRow = Run;  // a test has a Run() of its own

using ::testing::HasSubstr;

class AcceptTest : public ::testing::Test {
 protected:
  RunRow Begin(Token token) {
    RunRow run;
    run.lane = {kDefaultOrg, "d:scan", ""};
    run.key = "call/1";
    run.token = token;
    run.started = kNoon;
    run.id = store_.Write([&](store::Connection& c) { return store::Runs(c, kDefaultOrg).Begin(run); });
    return run;
  }
  Status Take(RunRow run, Batch batch = {}, RunStatus status = RunStatus::kOk) {
    run.status = status;
    run.finished = kNoon + Millis(10);
    std::promise<Status> done;
    Accept(*store_, std::make_shared<const Sealed>(Seal({run, std::move(batch)})),
           [&](Status result) { done.set_value(std::move(result)); });
    return done.get_future().get();
  }
  RunRow Stored(RunId id) {
    return store_.Read([&](store::Connection& c) { return store::Runs(c, kDefaultOrg).Get(id).value(); });
  }
  std::vector<store::Entry> Journal() {
    return store_.Read([](store::Connection& c) { return store::ReadEntries(c, 0, 100, 1 << 20); });
  }

  store::TestStore store_;
};

TEST_F(AcceptTest, ClosesTheRunAndAppendsItsBatch) {
  const RunRow run = Begin({1, 1});
  Batch batch{.records = {Seen("m"), Thing("k")},
              .refused = {{"line 3", "too short"}},
              .complete = true,
              .reported = {ObjectStatus::kNew}};
  ASSERT_TRUE(Take(run, batch));
  const RunRow stored = Stored(run.id);
  EXPECT_EQ(stored.status, RunStatus::kOk);
  EXPECT_EQ(stored.taken, 2);
  EXPECT_EQ(stored.refused, 1);
  EXPECT_EQ(stored.refusals, R"([{"where":"line 3","reason":"too short"}])");
  EXPECT_EQ(stored.finished, kNoon + Millis(10));
  const auto journal = Journal();
  ASSERT_EQ(journal.size(), 1U);
  EXPECT_EQ(journal[0].run, run.id);
  EXPECT_EQ(journal[0].plugin, "d:scan");
  EXPECT_EQ(journal[0].at, kNoon + Millis(10));
  EXPECT_TRUE(journal[0].complete);
  EXPECT_EQ(journal[0].reported, std::vector{ObjectStatus::kNew});
  EXPECT_EQ(journal[0].body, EncodeRecords(batch.records));
}

TEST_F(AcceptTest, AStaleTokenStoresNothing) {
  const RunRow old = Begin({1, 1});
  const RunRow now = Begin({1, 2});
  const Status refused = Take(old, {.records = {Seen("m")}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kConflict);
  EXPECT_THAT(refused.error().message, HasSubstr("lost its lease"));
  EXPECT_EQ(Stored(old.id).status, RunStatus::kRunning);
  EXPECT_EQ(Stored(old.id).taken, 0);
  EXPECT_TRUE(Journal().empty());
  EXPECT_TRUE(Take(now, {.records = {Seen("m")}}));
}

TEST_F(AcceptTest, ARunIsAcceptedOnce) {
  const RunRow run = Begin({1, 1});
  ASSERT_TRUE(Take(run, {.records = {Seen("m")}}));
  const Status again = Take(run, {.records = {Seen("m")}}, RunStatus::kFailed);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::kConflict);
  EXPECT_EQ(Journal().size(), 1U);
  EXPECT_EQ(Stored(run.id).status, RunStatus::kOk);
}

TEST_F(AcceptTest, ARunThatWasClosedByTheNextDaemonIsRefused) {
  const RunRow run = Begin({1, 1});
  ASSERT_TRUE(Take(run, {}, RunStatus::kInterrupted));
  EXPECT_FALSE(Take(run, {.records = {Seen("m")}}));
  EXPECT_EQ(Stored(run.id).status, RunStatus::kInterrupted);
  ASSERT_EQ(Journal().size(), 1U);
  EXPECT_EQ(Journal()[0].status, RunStatus::kInterrupted);
}

TEST_F(AcceptTest, ASuccessThatSaysNothingLeavesNoEntry) {
  EXPECT_TRUE(Take(Begin({1, 1})));
  EXPECT_TRUE(Take(Begin({1, 2}), {.refused = {{"line 1", "bad"}}}));
  EXPECT_TRUE(Journal().empty());
  EXPECT_TRUE(Take(Begin({1, 3}), {.complete = true}));  // it says that everything is missing
  EXPECT_EQ(Journal().size(), 1U);
  RunRow failed = Begin({1, 4});
  failed.message = "exit code 1";
  EXPECT_TRUE(Take(failed, {}, RunStatus::kFailed));
  ASSERT_EQ(Journal().size(), 2U);
  EXPECT_EQ(Journal()[1].status, RunStatus::kFailed);
  EXPECT_EQ(Journal()[1].message, "exit code 1");
}

TEST_F(AcceptTest, ARunWithoutItsResultHasFailed) {
  backplane::Run run;
  run.status = RunStatus::kOk;
  const Sealed sealed = Seal({run, {.records = {Seen("m")}, .refused = {}, .complete = true}});
  EXPECT_TRUE(sealed.SaysSomething());
  const Sealed without = WithoutResult(sealed, "too large");
  EXPECT_EQ(without.run.status, RunStatus::kFailed);
  EXPECT_EQ(without.run.taken, 0);
  EXPECT_EQ(without.entry.message, "too large");
  EXPECT_EQ(without.entry.body, "");
  EXPECT_FALSE(without.entry.complete);
  EXPECT_TRUE(without.SaysSomething());  // an event tells of it
}

TEST_F(AcceptTest, KeepsTheFirstRefusalsShort) {
  Batch batch;
  for (int i = 0; i < 200; ++i) batch.refused.push_back({"line " + std::to_string(i), std::string(5000, 'x')});
  const RunRow run = Begin({1, 1});
  ASSERT_TRUE(Take(run, batch));
  EXPECT_EQ(Stored(run.id).refused, 200);
  EXPECT_THAT(Stored(run.id).refusals, HasSubstr("line 49"));
  EXPECT_THAT(Stored(run.id).refusals, ::testing::Not(HasSubstr("line 50")));
  EXPECT_LT(Stored(run.id).refusals.size(), 50 * 600U);
}

}  // namespace
}  // namespace backplane::ingest
