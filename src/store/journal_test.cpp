#include "store/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/events.h"
#include "store/test_store.h"

namespace backplane::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const TimePoint kNoon = FromMillis(1'787'400'000'000);

class JournalTest : public StoreTest {
 protected:
  EntryId Append(const Entry& entry) {
    return store_.Write([&](Connection& c) { return AppendEntry(c, entry); });
  }
  std::vector<EntryId> Ids(EntryId after, int limit, std::size_t bytes) {
    std::vector<EntryId> ids;
    for (const Entry& entry : store_.Read([&](Connection& c) { return ReadEntries(c, after, limit, bytes); }))
      ids.push_back(entry.id);
    return ids;
  }
};

TEST_P(JournalTest, AnEntryComesBackAsItWasAppended) {
  const Entry batch{.at = kNoon,
                    .plugin = "d:scan",
                    .run = 7,
                    .status = RunStatus::kFailed,
                    .message = "exit code 1",
                    .complete = true,
                    .reported = {ObjectStatus::kNew, ObjectStatus::kMissing},
                    .body = "[1]\n"};
  const Entry edit{.kind = EntryKind::kEdit, .at = kNoon + Millis(1), .base = {1, 5}, .body = "{}"};
  EXPECT_EQ(Append(batch), 1);
  EXPECT_EQ(Append(edit), 2);
  const auto entries = store_.Read([](Connection& c) { return ReadEntries(c, 0, 10, 1 << 20); });
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].id, 1);
  EXPECT_EQ(entries[0].org, kDefaultOrg);
  EXPECT_EQ(entries[0].kind, EntryKind::kBatch);
  EXPECT_EQ(entries[0].at, kNoon);
  EXPECT_EQ(entries[0].plugin, "d:scan");
  EXPECT_EQ(entries[0].run, 7);
  EXPECT_EQ(entries[0].status, RunStatus::kFailed);
  EXPECT_EQ(entries[0].message, "exit code 1");
  EXPECT_TRUE(entries[0].complete);
  EXPECT_THAT(entries[0].reported, ElementsAre(ObjectStatus::kNew, ObjectStatus::kMissing));
  EXPECT_EQ(entries[0].body, "[1]\n");
  EXPECT_EQ(entries[1].kind, EntryKind::kEdit);
  EXPECT_EQ(entries[1].base, (Watermark{1, 5}));
  EXPECT_FALSE(entries[1].complete);
  EXPECT_THAT(entries[1].reported, IsEmpty());
  const auto edits = store_.Read(ReadEdits);
  ASSERT_EQ(edits.size(), 1U);
  EXPECT_EQ(edits[0].id, 2);
  EXPECT_EQ(store_.Read(LastEntry), 2);
}

TEST_P(JournalTest, ReadsInPortions) {
  EXPECT_EQ(store_.Read(LastEntry), 0);
  for (int i = 0; i < 5; ++i) Append({.at = kNoon, .body = std::string(100, 'x')});
  EXPECT_THAT(Ids(0, 100, 1 << 20), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(Ids(2, 2, 1 << 20), ElementsAre(3, 4));
  EXPECT_THAT(Ids(0, 100, 150), ElementsAre(1, 2));
  EXPECT_THAT(Ids(0, 100, 1), ElementsAre(1));  // one that is larger than the portion still comes
  EXPECT_THAT(Ids(5, 100, 1 << 20), IsEmpty());
}

TEST_P(JournalTest, ForgetsWhatIsFoldedAndOldOldestFirst) {
  for (int i = 1; i <= 6; ++i) Append({.at = kNoon + Millis(i)});
  const auto forget = [this](EntryId upto, int before, int limit) {
    return store_.Write([&](Connection& c) { return ForgetEntries(c, upto, kNoon + Millis(before), limit); });
  };
  EXPECT_EQ(forget(5, 100, 2), 2);
  EXPECT_THAT(Ids(0, 100, 1 << 20), ElementsAre(3, 4, 5, 6));
  EXPECT_EQ(forget(5, 4, 100), 1);
  EXPECT_EQ(forget(5, 100, 100), 2);
  EXPECT_THAT(Ids(0, 100, 1 << 20), ElementsAre(6));
  EXPECT_EQ(forget(6, 100, 100), 1);
  EXPECT_EQ(Append({.at = kNoon}), 7);  // numbers are never used twice
}

TEST_P(JournalTest, EachFoldHasItsOwnWatermark) {
  const auto get = [this](const std::string& fold) {
    return store_.Read([&](Connection& c) { return GetWatermark(c, fold); });
  };
  EXPECT_EQ(get("core"), Watermark{});
  store_.Write([](Connection& c) {
    SetWatermark(c, "core", {3, 4});
    SetWatermark(c, "other", {1, 0});
    SetWatermark(c, "core", {5, 0});
  });
  EXPECT_EQ(get("core"), (Watermark{5, 0}));
  EXPECT_EQ(get("other"), (Watermark{1, 0}));
  EXPECT_LT((Watermark{5, 9}), (Watermark{6, 0}));
}

class EventsTest : public StoreTest {
 protected:
  template <typename Function>
  auto With(Function work, OrgId org = kDefaultOrg) {
    return store_.Write([&](Connection& c) {
      Events events(c, org);
      return work(events);
    });
  }
  EventSeq Append(const std::string& topic, int at = 0, OrgId org = kDefaultOrg) {
    return With([&](Events& events) { return events.Append({0, topic, kNoon + Millis(at), "d:scan", 3, 4, "{}"}); },
                org);
  }
  std::vector<EventSeq> After(EventSeq after, int limit, const std::string& topic, OrgId org = kDefaultOrg) {
    std::vector<EventSeq> seqs;
    for (const Event& event : With([&](Events& events) { return events.After(after, limit, topic); }, org))
      seqs.push_back(event.seq);
    return seqs;
  }
};

TEST_P(EventsTest, AnEventComesBackAsItWasAppended) {
  EXPECT_EQ(Append("device.new", 5), 1);
  const auto events = With([](Events& all) { return all.After(0, 10, ""); });
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].topic, "device.new");
  EXPECT_EQ(events[0].at, kNoon + Millis(5));
  EXPECT_EQ(events[0].plugin, "d:scan");
  EXPECT_EQ(events[0].entity, 3);
  EXPECT_EQ(events[0].run, 4);
  EXPECT_EQ(events[0].body, "{}");
}

TEST_P(EventsTest, AfterGoesOnInOrderByTopic) {
  for (const char* topic : {"device.new", "device.changed", "devices", "object.new", "device.new"}) Append(topic);
  EXPECT_THAT(After(0, 100, ""), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(After(2, 2, ""), ElementsAre(3, 4));
  EXPECT_THAT(After(0, 100, "device."), ElementsAre(1, 2, 5));
  EXPECT_THAT(After(0, 100, "device"), ElementsAre(1, 2, 3, 5));
  EXPECT_THAT(After(1, 100, "device.new"), ElementsAre(5));
  EXPECT_THAT(After(0, 100, "%"), IsEmpty());
  EXPECT_THAT(After(5, 100, ""), IsEmpty());
}

TEST_P(EventsTest, ForgetsTheOldestButNeverTheNewest) {
  const auto first = [this] { return With([](Events& events) { return events.First(); }); };
  const auto last = [this] { return With([](Events& events) { return events.Last(); }); };
  EXPECT_EQ(first(), 0);
  EXPECT_EQ(last(), 0);
  for (int i = 1; i <= 5; ++i) Append("t", i);
  const auto forget = [this](int before, int limit) {
    return With([&](Events& events) { return events.Forget(kNoon + Millis(before), limit); });
  };
  EXPECT_EQ(forget(4, 2), 2);
  EXPECT_EQ(first(), 3);
  EXPECT_EQ(forget(4, 100), 1);
  EXPECT_EQ(first(), 4);
  EXPECT_EQ(forget(1000, 100), 1);
  EXPECT_EQ(forget(1000, 100), 0);
  EXPECT_EQ(first(), 5);
  EXPECT_EQ(last(), 5);
}

TEST_P(EventsTest, OrganisationsHaveStreamsOfTheirOwn) {
  const OrgId second = store_.AddOrganisation("second");
  Append("mine", 1);
  Append("mine", 2);
  const EventSeq theirs = Append("theirs", 3, second);
  EXPECT_THAT(After(0, 100, "", second), ElementsAre(theirs));
  EXPECT_THAT(After(0, 100, ""), ElementsAre(1, 2));
  EXPECT_EQ(With([](Events& events) { return events.Last(); }), 2);
  EXPECT_EQ(With([](Events& events) { return events.First(); }, second), theirs);
  // The newest of each stays, whatever others did later.
  EXPECT_EQ(With([](Events& events) { return events.Forget(kNoon + Millis(1000), 100); }), 1);
  EXPECT_THAT(After(0, 100, ""), ElementsAre(2));
  EXPECT_THAT(After(0, 100, "", second), ElementsAre(theirs));
}

BACKPLANE_OVER_BACKENDS(JournalTest);
BACKPLANE_OVER_BACKENDS(EventsTest);

}  // namespace
}  // namespace backplane::store
