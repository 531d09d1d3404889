#include "store/notifications.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/test_store.h"

namespace backplane::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const TimePoint kNoon = FromMillis(1'787'400'000'000);

class NotificationsTest : public StoreTest {
 protected:
  template <typename Function>
  auto With(Function work) {
    return store_.Write([&](Connection& c) {
      Notifications notifications(c, kDefaultOrg);
      return work(notifications);
    });
  }
  std::int64_t Append(const std::string& title, EntryId entry = 1) {
    return With([&](Notifications& n) { return n.Append({.source = "t", .title = title, .at = kNoon}, entry); });
  }
  std::int64_t BeginRound() {
    return With([](Notifications& n) { return n.BeginRound(); });
  }
  void Deliver(std::int64_t round, const std::string& plugin, DeliveryState state, RunId run) {
    With([&](Notifications& n) {
      n.Deliver(round, {.plugin = plugin, .state = state, .run = run, .message = "m", .at = kNoon + Millis(5)});
    });
  }
  Notification Get(std::int64_t id) {
    return With([&](Notifications& n) { return n.Get(id).value_or(Notification{}); });
  }
  std::vector<std::int64_t> Ids(const NotificationFilter& filter) {
    std::vector<std::int64_t> ids;
    for (const Notification& one : With([&](Notifications& n) { return n.List(filter); })) ids.push_back(one.id);
    return ids;
  }
};

TEST_P(NotificationsTest, KeepsWhatWasRaised) {
  const NotificationRecord record{.source = "arp",
                                  .level = NotificationLevel::kAlert,
                                  .title = "a title",
                                  .text = "text",
                                  .html = "<b>html</b>",
                                  .data = R"({"a":1})",
                                  .at = kNoon};
  const auto id = With([&](Notifications& n) { return n.Append(record, 7); });
  const Notification one = Get(id);
  EXPECT_EQ(one.record.source, "arp");
  EXPECT_EQ(one.record.level, NotificationLevel::kAlert);
  EXPECT_EQ(one.record.title, "a title");
  EXPECT_EQ(one.record.text, "text");
  EXPECT_EQ(one.record.html, "<b>html</b>");
  EXPECT_EQ(one.record.data, R"({"a":1})");
  EXPECT_EQ(one.record.at, kNoon);
  EXPECT_EQ(one.state, NotificationState::kWaiting);
  EXPECT_EQ(one.round, 0);
  EXPECT_FALSE(one.finished);
  EXPECT_THAT(one.deliveries, IsEmpty());
  EXPECT_EQ(With([](Notifications& n) { return n.OfEntry(7)->id; }), id);
  EXPECT_FALSE(With([](Notifications& n) { return n.OfEntry(8); }));
  EXPECT_FALSE(With([](Notifications& n) { return n.Get(99); }));
}

TEST_P(NotificationsTest, ARoundIsWhatWaitedWhenItBegan) {
  EXPECT_EQ(BeginRound(), 0);
  Append("one"), Append("two");
  EXPECT_EQ(BeginRound(), 1);
  Append("three");
  EXPECT_EQ(With([](Notifications& n) { return n.OpenRound(); }), 1);
  Deliver(1, "mail", DeliveryState::kUncertain, 4);
  Deliver(1, "mail", DeliveryState::kSent, 5);  // takes its place
  Deliver(1, "chat", DeliveryState::kFailed, 6);
  With([](Notifications& n) { n.EndRound(1, kNoon + Millis(9)); });
  EXPECT_EQ(With([](Notifications& n) { return n.OpenRound(); }), 0);
  for (const std::int64_t id : {1, 2}) {
    const Notification one = Get(id);
    EXPECT_EQ(one.state, NotificationState::kDone);
    EXPECT_EQ(one.finished, kNoon + Millis(9));
    ASSERT_EQ(one.deliveries.size(), 2);
    EXPECT_EQ(one.deliveries[0].plugin, "chat");
    EXPECT_EQ(one.deliveries[0].state, DeliveryState::kFailed);
    EXPECT_EQ(one.deliveries[1].state, DeliveryState::kSent);
    EXPECT_EQ(one.deliveries[1].run, 5);
    EXPECT_EQ(one.deliveries[1].message, "m");
    EXPECT_EQ(one.deliveries[1].at, kNoon + Millis(5));
  }
  EXPECT_EQ(Get(3).state, NotificationState::kWaiting);
  EXPECT_THAT(Get(3).deliveries, IsEmpty());
  EXPECT_EQ(BeginRound(), 2);
}

TEST_P(NotificationsTest, OnlyWhatIsDoneIsSentAgain) {
  Append("one");
  const auto again = [&] { return With([](Notifications& n) { return n.SendAgain(1); }); };
  EXPECT_FALSE(again());
  EXPECT_EQ(BeginRound(), 1);
  EXPECT_FALSE(again());
  With([](Notifications& n) { n.EndRound(1, kNoon); });
  EXPECT_TRUE(again());
  EXPECT_EQ(Get(1).state, NotificationState::kWaiting);
  EXPECT_EQ(BeginRound(), 2);  // a round of its own: publishers of the first one are asked again
  EXPECT_FALSE(With([](Notifications& n) { return n.SendAgain(99); }));
}

TEST_P(NotificationsTest, ListsByStateAndPage) {
  Append("one"), Append("two");
  BeginRound();
  With([](Notifications& n) { n.EndRound(1, kNoon); });
  Append("three");
  EXPECT_THAT(Ids({}), ElementsAre(3, 2, 1));
  EXPECT_THAT(Ids({.state = {}, .before = 3, .limit = 1}), ElementsAre(2));
  EXPECT_THAT(Ids({.state = NotificationState::kWaiting}), ElementsAre(3));
  EXPECT_THAT(Ids({.state = NotificationState::kDone}), ElementsAre(2, 1));
  EXPECT_EQ(With([](Notifications& n) { return n.In(NotificationState::kDone).front().id; }), 1);
  EXPECT_EQ(With([](Notifications& n) { return n.Last(); }), 3);
}

TEST_P(NotificationsTest, ForgetsTheOldestThatAreDone) {
  Append("one"), Append("two"), Append("three");
  BeginRound();
  Deliver(1, "mail", DeliveryState::kSent, 1);
  With([](Notifications& n) { n.EndRound(1, kNoon); });
  With([](Notifications& n) { n.SendAgain(1); });  // waits again, so it stays
  Append("four");
  const auto forget = [&](int keep, int limit) {
    return With([&](Notifications& n) { return n.Forget(keep, limit); });
  };
  EXPECT_EQ(forget(1, 1), 1);
  EXPECT_THAT(Ids({}), ElementsAre(4, 3, 1));
  EXPECT_EQ(forget(1, 10), 1);
  EXPECT_EQ(forget(0, 10), 0);
  EXPECT_THAT(Ids({}), ElementsAre(4, 1));
  EXPECT_EQ(Get(1).deliveries.size(), 1);
}

TEST_P(NotificationsTest, AreThoseOfOneOrganisation) {
  const OrgId other = store_.AddOrganisation("other");
  Append("ours");
  store_.Write([&](Connection& c) {
    Notifications theirs(c, other);
    theirs.Append({.title = "theirs"}, 2);
    EXPECT_EQ(theirs.List({}).size(), 1);
    EXPECT_FALSE(theirs.Get(1));
    EXPECT_FALSE(theirs.OfEntry(1));
  });
  EXPECT_EQ(BeginRound(), 1);
  store_.Write([&](Connection& c) {
    EXPECT_EQ(Notifications(c, other).OpenRound(), 0);
    EXPECT_EQ(Notifications(c, other).In(NotificationState::kWaiting).size(), 1);
  });
}

BACKPLANE_OVER_BACKENDS(NotificationsTest);

}  // namespace
}  // namespace backplane::store
