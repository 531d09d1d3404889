// Outcomes and objects; devices are in inventory_test.cpp.
#include "ingest/core_fold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/test_journal.h"
#include "store/notifications.h"
#include "store/runs.h"

namespace backplane::ingest {
namespace {

using RunRow = Run;  // a test has a Run() of its own

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CoreFoldTest : public ::testing::Test {
 protected:
  void Report(const std::vector<Record>& records, bool complete = false, const std::string& plugin = "d:scan") {
    store::Entry entry = Entry(records, ++at_, plugin);
    entry.complete = complete;
    journal_.AppendAndFold(entry);
  }

  TestJournal journal_;
  int at_ = 0;
};

TEST_F(CoreFoldTest, ARunThatDidNotGoWellIsAnEvent) {
  for (const auto status : {RunStatus::kOk, RunStatus::kFailed, RunStatus::kTimeout}) {
    store::Entry entry = Entry({});
    entry.status = status;
    entry.message = "why \"so\"";
    journal_.AppendAndFold(entry);
  }
  EXPECT_THAT(journal_.NewEvents(), ElementsAre(R"(run.failed {"status":"failed","message":"why \"so\""})",
                                                R"(run.failed {"status":"timeout","message":"why \"so\""})"));
}

TEST_F(CoreFoldTest, TheOutcomeComesBeforeTheRecords) {
  store::Entry entry = Entry({Seen("m"), Thing("k")});
  entry.status = RunStatus::kFailed;
  journal_.AppendAndFold(entry);
  const auto events = journal_.NewEvents();
  ASSERT_EQ(events.size(), 4U);
  EXPECT_THAT(events[0], ::testing::StartsWith("run.failed"));
  EXPECT_THAT(events[1], ::testing::StartsWith("device.new"));
  EXPECT_THAT(events[2], ::testing::StartsWith("device.connected"));
  EXPECT_THAT(events[3], ::testing::StartsWith("object.new"));
}

TEST_F(CoreFoldTest, AnObjectGoesThroughItsStates) {
  Report({Thing("k")});
  EXPECT_THAT(journal_.Objects(), ElementsAre("k new"));
  EXPECT_THAT(journal_.NewEvents(), ElementsAre(R"(object.new {"object":1,"primary":"pk","secondary":"s"})"));
  Report({Thing("k")});
  EXPECT_THAT(journal_.Objects(), ElementsAre("k unchanged"));
  EXPECT_THAT(journal_.NewEvents(), IsEmpty());
  Report({Thing("k", "other")});
  EXPECT_THAT(journal_.Objects(), ElementsAre("k changed"));
  EXPECT_THAT(journal_.NewEvents(), ElementsAre(R"(object.changed {"object":1,"primary":"pk","secondary":"s"})"));
  Report({}, true);
  EXPECT_THAT(journal_.Objects(), ElementsAre("k missing"));
  EXPECT_THAT(journal_.NewEvents(), ElementsAre(R"(object.missing {"object":1,"primary":"pk","secondary":"s"})"));
  Report({}, true);  // missing already
  EXPECT_THAT(journal_.NewEvents(), IsEmpty());
  Report({Thing("k", "other")}, true);
  EXPECT_THAT(journal_.Objects(), ElementsAre("k unchanged"));
  EXPECT_THAT(journal_.NewEvents(), ElementsAre(R"(object.changed {"object":1,"primary":"pk","secondary":"s"})"));
}

TEST_F(CoreFoldTest, OnlyACompleteReportMakesObjectsMissing) {
  Report({Thing("a"), Thing("b")});
  Report({Thing("a")});
  EXPECT_THAT(journal_.Objects(), ElementsAre("a unchanged", "b new"));
  Report({Thing("a")}, true);
  EXPECT_THAT(journal_.Objects(), ElementsAre("a unchanged", "b missing"));
}

TEST_F(CoreFoldTest, ObjectsBelongToTheirPlugin) {
  Report({Thing("a")});
  Report({Thing("a", "other")}, true, "d:other");
  EXPECT_THAT(journal_.Objects(), ElementsAre("a new", "a new"));
  Report({}, true, "d:other");
  EXPECT_THAT(journal_.Objects(), ElementsAre("a new", "a missing"));
}

TEST_F(CoreFoldTest, OneObjectTwiceInAReportIsOneObject) {
  Report({Thing("a"), Thing("a", "other")}, true);
  EXPECT_THAT(journal_.Objects(), ElementsAre("a changed"));
}

TEST_F(CoreFoldTest, TheRunLearnsHowMuchChanged) {
  RunRow run;
  run.lane = {kDefaultOrg, "d:scan", ""};
  run.token = {1, 1};
  run.started = kNoon;
  run.id = journal_.store().Write([&](store::Connection& c) { return store::Runs(c, kDefaultOrg).Begin(run); });
  store::Entry entry = Entry(
      {Seen("m", {{"name", "a"}}), Seen("m", {{"name", "a"}}), Seen("m", {{"name", "b"}}), Thing("k"), Thing("k")});
  entry.run = run.id;
  journal_.Append(entry);
  journal_.Fold([] { return std::int64_t{1}; });  // counts add up over slices
  const auto changed = [&] {
    return journal_.store().Read(
        [&](store::Connection& c) { return store::Runs(c, kDefaultOrg).Get(run.id)->changed; });
  };
  EXPECT_EQ(changed(), 3);
  entry.body = "";
  entry.complete = true;
  journal_.AppendAndFold(entry);
  EXPECT_EQ(changed(), 4);
}

TEST_F(CoreFoldTest, ANotificationWaitsForItsRound) {
  Report({NotificationRecord{.source = "d:scan",
                             .level = NotificationLevel::kAlert,
                             .title = "fire",
                             .text = "in the hall",
                             .html = "<b>in the hall</b>",
                             .data = "{}",
                             .at = kNoon}});
  EXPECT_THAT(journal_.NewEvents(),
              ElementsAre(R"(notification.raised {"notification":1,"level":"alert","title":"fire"})"));
  const auto waiting = journal_.store().Read(
      [](store::Connection& c) { return store::Notifications(c, kDefaultOrg).In(store::NotificationState::kWaiting); });
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting[0].record.text, "in the hall");
}

TEST_F(CoreFoldTest, AnEditInTheJournalIsNotAppliedAgain) {
  Report({Seen("m", {{"name", "a"}})});
  const auto before = State(*journal_.store());
  journal_.AppendAndFold({.kind = store::EntryKind::kEdit, .at = kNoon, .body = R"({"device":1,"set":{"name":"x"}})"});
  EXPECT_EQ(State(*journal_.store()), before);
}

TEST_F(CoreFoldTest, MissingObjectsAreFoundAcrossEverySliceSize) {
  for (const std::int64_t steps : {1, 7, 199, 200, 201}) {
    TestJournal journal;
    std::vector<Record> all;
    std::vector<Record> some;
    for (int i = 0; i < 405; ++i) {
      all.push_back(Thing(std::to_string(i)));
      if (i % 3 == 0) some.push_back(all.back());
    }
    journal.AppendAndFold(Entry(all));
    store::Entry entry = Entry(some);
    entry.complete = true;
    journal.Append(entry);
    journal.Fold([&] { return steps; });
    int missing = 0;
    for (const std::string& object : journal.Objects()) missing += object.ends_with(" missing") ? 1 : 0;
    EXPECT_EQ(missing, 270) << steps;
  }
}

// However the work is cut, the state is the same.
TEST_F(CoreFoldTest, SlicesOfAnySizeGiveTheSameState) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    const auto entries = RandomEntries(seed, 12);
    TestJournal whole;
    TestJournal sliced;
    for (const store::Entry& entry : entries) {
      whole.AppendAndFold(entry);
      sliced.Append(entry);
    }
    Rng rng(seed);
    const std::uint64_t most = 1 + rng.Below(9);
    sliced.Fold([&] { return static_cast<std::int64_t>(1 + rng.Below(most)); });
    const auto expected = State(*whole.store());
    ASSERT_GT(expected.size(), 20U);
    ASSERT_EQ(State(*sliced.store()), expected) << "seed " << seed;
  }
}

TEST_F(CoreFoldTest, TheSameJournalGivesTheSameState) {
  const auto entries = RandomEntries(99, 30);
  TestJournal first;
  TestJournal second;
  for (const store::Entry& entry : entries) {
    first.AppendAndFold(entry);
    second.AppendAndFold(entry);
  }
  EXPECT_EQ(State(*first.store()), State(*second.store()));
}

}  // namespace
}  // namespace backplane::ingest
