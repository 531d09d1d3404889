// What becomes of objects: status, times, history and reports.
#include "ingest/objects.h"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/test_journal.h"

namespace backplane::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ObjectsFoldTest : public ::testing::Test {
 protected:
  // A whole report at minute `minute`, in which each object has the time of the second after it.
  void Report(const std::vector<ObjectRecord>& things, bool complete = true) {
    std::vector<Record> records;
    for (ObjectRecord thing : things) {
      thing.at = kNoon + std::chrono::minutes(minute_) + Millis(1'000);
      records.emplace_back(std::move(thing));
    }
    store::Entry entry = Entry(records, minute_ * 60'000);
    entry.complete = complete;
    entry.run = minute_;
    entry.reported = reported_;
    journal_->AppendAndFold(entry);
    ++minute_;
  }
  store::Object Object(std::int64_t id = 1) {
    return journal_->store().Read(
        [&](store::Connection& c) { return store::Objects(c, kDefaultOrg).Get(id).value_or(store::Object{}); });
  }
  // "primary id status run" of each line, oldest first.
  std::vector<std::string> Lines(store::ObjectLogKind kind) {
    std::vector<std::string> texts;
    for (const auto& line : Log(kind))
      texts.insert(texts.begin(), line.object.record.primary + " " + ObjectStatusName(line.object.status) + " " +
                                      std::to_string(line.run));
    return texts;
  }
  std::vector<store::LoggedObject> Log(store::ObjectLogKind kind) {
    return journal_->store().Read([&](store::Connection& c) {
      return store::ObjectLog(c, kDefaultOrg, kind).OfPlugin("d:scan", {}, 1000).items;
    });
  }
  std::vector<std::string> History() { return Lines(store::ObjectLogKind::kHistory); }
  std::vector<std::string> Reports() { return Lines(store::ObjectLogKind::kReports); }
  static TimePoint Minute(int minute, int second = 0) {
    return kNoon + std::chrono::minutes(minute) + std::chrono::seconds(second);
  }

  std::unique_ptr<TestJournal> journal_ = std::make_unique<TestJournal>();
  int minute_ = 1;
  std::vector<ObjectStatus> reported_;
};

// ---- status and values

TEST_F(ObjectsFoldTest, ANewObjectIsAsOldAsItsRow) {
  Report({Thing("k")});
  EXPECT_EQ(Object().status, ObjectStatus::kNew);
  EXPECT_EQ(Object().created, Minute(1, 1));
  EXPECT_EQ(Object().changed, Minute(1, 1));
}

TEST_F(ObjectsFoldTest, UnchangedKeepsTheTimeOfItsChangeAndTakesEveryOtherValue) {
  Report({Thing("k")});
  ObjectRecord thing = Thing("k");
  thing.watched = {"a", "b", "c", "d"};  // none of them watched
  thing.extra = "e";
  thing.foreign_key = "f";
  thing.help = {"1", "2", "3", "4"};
  Report({thing});
  EXPECT_EQ(Object().status, ObjectStatus::kUnchanged);
  EXPECT_EQ(Object().created, Minute(1, 1));
  EXPECT_EQ(Object().changed, Minute(1, 1));
  thing.at = Object().record.at;
  EXPECT_EQ(Object().record, thing);
}

TEST_F(ObjectsFoldTest, ChangedTakesTheTimeOfItsRow) {
  Report({Thing("k")});
  Report({Thing("k", "other")});
  EXPECT_EQ(Object().status, ObjectStatus::kChanged);
  EXPECT_EQ(Object().created, Minute(1, 1));
  EXPECT_EQ(Object().changed, Minute(2, 1));
  Report({Thing("k", "other")});
  EXPECT_EQ(Object().status, ObjectStatus::kUnchanged);
  EXPECT_EQ(Object().changed, Minute(2, 1));
}

TEST_F(ObjectsFoldTest, MissingTakesTheTimeOfTheFirstRunWithoutIt) {
  Report({Thing("k"), Thing("l")});
  Report({Thing("l")});
  EXPECT_EQ(Object().status, ObjectStatus::kMissing);
  EXPECT_EQ(Object().changed, Minute(2));
  Report({Thing("l")});
  EXPECT_EQ(Object().changed, Minute(2));
}

TEST_F(ObjectsFoldTest, BackAsItWasItKeepsTheTimeItWentMissing) {
  Report({Thing("k"), Thing("l")});
  Report({Thing("l")});
  Report({Thing("k"), Thing("l")});
  EXPECT_EQ(Object().status, ObjectStatus::kUnchanged);
  EXPECT_EQ(Object().created, Minute(1, 1));
  EXPECT_EQ(Object().changed, Minute(2));
}

TEST_F(ObjectsFoldTest, BackWithOtherValuesItHasChanged) {
  Report({Thing("k"), Thing("l")});
  Report({Thing("l")});
  Report({Thing("k", "other"), Thing("l")});
  EXPECT_EQ(Object().status, ObjectStatus::kChanged);
  EXPECT_EQ(Object().changed, Minute(3, 1));
}

// ---- history: only what happened

TEST_F(ObjectsFoldTest, NewObjectsAreHistory) {
  Report({Thing("a")});
  EXPECT_THAT(History(), ElementsAre("pa new 1"));
}

TEST_F(ObjectsFoldTest, UnchangedObjectsAreNone) {
  Report({Thing("a")});
  Report({Thing("a")});
  EXPECT_THAT(History(), ElementsAre("pa new 1"));
  EXPECT_EQ(Object().status, ObjectStatus::kUnchanged);  // though the object was updated
}

TEST_F(ObjectsFoldTest, ChangedObjectsAreHistory) {
  Report({Thing("a")});
  Report({Thing("a", "other")});
  EXPECT_THAT(History(), ElementsAre("pa new 1", "pa changed 2"));
}

TEST_F(ObjectsFoldTest, GoingMissingIsHistoryAndBeingMissingIsNot) {
  Report({Thing("a"), Thing("b")});
  Report({Thing("b")});
  Report({Thing("b")});
  EXPECT_THAT(History(), ElementsAre("pa new 1", "pb new 1", "pa missing 2"));
}

TEST_F(ObjectsFoldTest, ComingBackIsHistory) {
  Report({Thing("a"), Thing("b")});
  Report({Thing("b")});
  Report({Thing("a"), Thing("b")});
  EXPECT_THAT(History(), ElementsAre("pa new 1", "pb new 1", "pa missing 2", "pa unchanged 3"));
}

TEST_F(ObjectsFoldTest, OfAMixedReportWhatHappenedIsHistory) {
  Report({Thing("same"), Thing("changes"), Thing("goes"), Thing("gone")});
  Report({Thing("same"), Thing("changes"), Thing("goes")});
  Report({Thing("fresh"), Thing("same"), Thing("changes", "other")});
  auto last = History();
  last.erase(last.begin(), last.begin() + 5);
  EXPECT_THAT(last, ElementsAre("pfresh new 3", "pchanges changed 3", "pgoes missing 3"));
}

TEST_F(ObjectsFoldTest, AnIncompleteReportSaysNothingOfTheRest) {
  Report({Thing("a"), Thing("b")});
  reported_ = {ObjectStatus::kMissing};
  Report({Thing("b")}, false);
  EXPECT_THAT(History(), ElementsAre("pa new 1", "pb new 1"));
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(ObjectsFoldTest, ALineHasEveryValueThen) {
  ObjectRecord thing = Thing("a");
  thing.watched = {"1", "2", "3", "4"};
  thing.help = {"a", "b", "c", "d"};
  thing.extra = "e";
  thing.foreign_key = "f";
  Report({thing, Thing("b")});
  Report({Thing("b")});
  const auto line = Log(store::ObjectLogKind::kHistory).front();
  EXPECT_EQ(line.object.id, 1);
  EXPECT_EQ(line.at, Minute(2));
  EXPECT_EQ(line.object.changed, Minute(2));
  EXPECT_EQ(line.object.created, Minute(1, 1));
  EXPECT_EQ(line.object.record.watched, thing.watched);
  EXPECT_EQ(line.object.record.help, thing.help);
  EXPECT_EQ(line.object.record.extra, "e");
  EXPECT_EQ(line.object.record.foreign_key, "f");
}

// ---- reports

TEST_F(ObjectsFoldTest, NobodyIsToldUnlessThePluginWantsIt) {
  Report({Thing("a"), Thing("b")});
  Report({Thing("a", "other")});
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(ObjectsFoldTest, EachStatusIsReportedIfListed) {
  const std::vector<std::pair<ObjectStatus, std::vector<std::string>>> expected = {
      {ObjectStatus::kNew, {"pn new 2"}},
      {ObjectStatus::kChanged, {"pc changed 2"}},
      {ObjectStatus::kUnchanged, {"ps unchanged 2"}},
      {ObjectStatus::kMissing, {"pm missing 2"}}};
  for (const auto& [status, lines] : expected) {
    journal_ = std::make_unique<TestJournal>();
    minute_ = 1;
    reported_ = {status};
    Report({Thing("s"), Thing("c"), Thing("m")});
    Report({Thing("n"), Thing("s"), Thing("c", "other")});
    auto reports = Reports();
    std::erase_if(reports, [](const std::string& line) { return line.ends_with(" 1"); });
    EXPECT_EQ(reports, lines);
  }
}

TEST_F(ObjectsFoldTest, WhatStaysMissingIsReportedEachTime) {
  reported_ = {ObjectStatus::kMissing};
  Report({Thing("a"), Thing("b")});
  for (int i = 0; i < 3; ++i) Report({Thing("b")});
  EXPECT_THAT(Reports(), ElementsAre("pa missing 2", "pa missing 3", "pa missing 4"));
  EXPECT_EQ(History().size(), 3U);
}

TEST_F(ObjectsFoldTest, AReportTellsOfTheFinalStatus) {
  reported_ = {ObjectStatus::kUnchanged};
  Report({Thing("a"), Thing("b")});
  Report({Thing("b")});
  Report({Thing("a"), Thing("b")});  // a is back, as it was
  EXPECT_THAT(Reports(), ElementsAre("pb unchanged 2", "pa unchanged 3", "pb unchanged 3"));
}

TEST_F(ObjectsFoldTest, WhatIsThrownAwayIsNewWhenItIsReportedAgain) {
  Report({Thing("a"), Thing("b")});
  journal_->NewEvents();
  journal_->AppendAndFold(Entry({ObjectGone{1}, ObjectGone{99}}, 90'000, "d:other"));
  EXPECT_THAT(journal_->Objects(), ElementsAre("b new"));
  EXPECT_THAT(journal_->NewEvents(), ElementsAre(R"(object.removed {"object":1,"primary":"pa","secondary":"s"})"));
  EXPECT_EQ(History().size(), 2U);
  Report({Thing("a"), Thing("b")});
  EXPECT_THAT(journal_->Objects(), ElementsAre("b unchanged", "a new"));
}

}  // namespace
}  // namespace backplane::ingest
