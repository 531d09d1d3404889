#include "store/device_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/test_store.h"

namespace backplane::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const TimePoint kNoon = FromMillis(1'787'400'000'000);

class DeviceEventsTest : public StoreTest {
 protected:
  template <typename Function>
  auto With(Function work, OrgId org = kDefaultOrg) {
    return store_.Write([&](Connection& c) {
      DeviceEvents events(c, org);
      return work(events);
    });
  }
  static DeviceEvent Of(EntityId entity, DeviceEventKind kind, int at, bool pending = false) {
    return {.entity = entity,
            .kind = kind,
            .at = kNoon + Millis(at),
            .mac = "aa",
            .ip = "10.0.0.1",
            .info = "i",
            .pending = pending};
  }
  static std::vector<std::int64_t> Ids(const std::vector<DeviceEvent>& events) {
    std::vector<std::int64_t> ids;
    for (const DeviceEvent& event : events) ids.push_back(event.id);
    return ids;
  }
};

TEST_P(DeviceEventsTest, AnEventComesBackAsItWas) {
  With([](DeviceEvents& events) {
    for (const DeviceEventKind kind : kDeviceEventKinds) {
      DeviceEvent event = Of(3, kind, 5, true);
      event.id = events.Append(event, 7);
      EXPECT_EQ(events.Get(event.id), event);
      EXPECT_EQ(ParseDeviceEventKind(DeviceEventKindName(kind)), kind);
    }
    EXPECT_EQ(events.Get(99), std::nullopt);
    EXPECT_EQ(ParseDeviceEventKind("gone"), std::nullopt);
  });
}

TEST_P(DeviceEventsTest, APairKnowsEachOther) {
  With([](DeviceEvents& events) {
    const auto came = events.Append(Of(1, DeviceEventKind::kConnected, 1), 1);
    const auto went = events.Append(Of(1, DeviceEventKind::kDown, 2), 2);
    events.Pair(came, went, 3);
    EXPECT_EQ(events.Get(came)->pair, went);
    EXPECT_EQ(events.Get(went)->pair, came);
    EXPECT_THAT(Ids(events.TouchedSince(2, 0, 10)), ElementsAre(came, went));
  });
}

TEST_P(DeviceEventsTest, WhatIsSettledIsNotPending) {
  With([](DeviceEvents& events) {
    const auto one = events.Append(Of(4, DeviceEventKind::kNew, 1, true), 1);
    const auto other = events.Append(Of(5, DeviceEventKind::kNew, 2, true), 1);
    events.Append(Of(6, DeviceEventKind::kNew, 3), 1);
    EXPECT_THAT(Ids(events.Pending()), ElementsAre(one, other));
    EXPECT_EQ(events.Settle(one, 2), 4);
    EXPECT_EQ(events.Settle(one, 3), std::nullopt);
    EXPECT_EQ(events.Settle(99, 3), std::nullopt);
    EXPECT_THAT(Ids(events.Pending()), ElementsAre(other));
    EXPECT_THAT(Ids(events.TouchedSince(1, 0, 10)), ElementsAre(one));
    EXPECT_THAT(Ids(events.TouchedSince(0, one, 1)), ElementsAre(other));
  });
}

TEST_P(DeviceEventsTest, TheLatestOfAKind) {
  With([](DeviceEvents& events) {
    events.Append(Of(1, DeviceEventKind::kConnected, 1), 1);
    const auto second = events.Append(Of(1, DeviceEventKind::kReconnected, 2), 1);
    events.Append(Of(1, DeviceEventKind::kIpChanged, 3), 1);
    events.Append(Of(2, DeviceEventKind::kConnected, 4), 1);
    const auto latest = events.Latest(1, {DeviceEventKind::kConnected, DeviceEventKind::kReconnected});
    ASSERT_TRUE(latest);
    EXPECT_EQ(latest->id, second);
    EXPECT_EQ(events.Latest(1, {DeviceEventKind::kDown}), std::nullopt);
  });
}

TEST_P(DeviceEventsTest, ListsAreFilteredAndNewestFirst) {
  With([](DeviceEvents& events) {
    for (int i = 1; i <= 6; ++i)
      events.Append(Of(i % 2 + 1, i < 4 ? DeviceEventKind::kNew : DeviceEventKind::kDown, i, i == 6), 1);
    EXPECT_THAT(Ids(events.List({})), ElementsAre(6, 5, 4, 3, 2, 1));
    EXPECT_THAT(Ids(events.List({.entity = 1})), ElementsAre(6, 4, 2));
    EXPECT_THAT(Ids(events.List({.entity = 1, .kind = DeviceEventKind::kDown})), ElementsAre(6, 4));
    EXPECT_THAT(Ids(events.List({.from = kNoon + Millis(3), .upto = kNoon + Millis(4)})), ElementsAre(4, 3));
    EXPECT_THAT(Ids(events.List({.pending = true})), ElementsAre(6));
    EXPECT_THAT(Ids(events.List({.before = 5, .limit = 2})), ElementsAre(4, 3));
  });
}

TEST_P(DeviceEventsTest, OldEventsAndSessionsAreForgottenUnlessTheyArePending) {
  With([](DeviceEvents& events) {
    for (int i = 1; i <= 5; ++i) events.Append(Of(1, DeviceEventKind::kNew, i, i == 1), 1);
    for (int i = 1; i <= 3; ++i) {
      events.Begin({.entity = i, .began = kNoon, .began_by = DeviceEventKind::kNew}, 1);
      if (i > 1) events.End(i, kNoon + Millis(i * 10), DeviceEventKind::kDown, 1);
    }
    EXPECT_EQ(events.Forget(kNoon + Millis(5), 2), 2);
    EXPECT_EQ(events.Forget(kNoon + Millis(5), 2), 1);
    EXPECT_THAT(Ids(events.List({})), ElementsAre(5, 1));
    EXPECT_EQ(events.Forget(kNoon + Millis(21), 10), 1);
    EXPECT_EQ(events.Sessions(1, 0, 10).size(), 1U);  // it lasts
    EXPECT_EQ(events.Sessions(2, 0, 10).size(), 0U);
    EXPECT_EQ(events.Sessions(3, 0, 10).size(), 1U);
  });
}

TEST_P(DeviceEventsTest, ASessionLastsUntilItIsEnded) {
  With([](DeviceEvents& events) {
    EXPECT_EQ(events.Open(1), std::nullopt);
    events.Begin({.entity = 1, .mac = "aa", .ip = "10.0.0.1", .began = kNoon, .began_by = DeviceEventKind::kConnected},
                 1);
    const auto open = events.Open(1);
    ASSERT_TRUE(open);
    EXPECT_EQ(open->began, kNoon);
    EXPECT_EQ(open->began_by, DeviceEventKind::kConnected);
    EXPECT_EQ(open->ended_by, std::nullopt);
    events.End(open->id, kNoon + Millis(5), DeviceEventKind::kDown, 2);
    EXPECT_EQ(events.Open(1), std::nullopt);
    const auto ended = events.SessionsTouchedSince(1, 0, 10);
    ASSERT_EQ(ended.size(), 1U);
    EXPECT_EQ(ended[0].ended, kNoon + Millis(5));
    EXPECT_EQ(ended[0].ended_by, DeviceEventKind::kDown);
    events.Begin({.entity = 1, .ended = kNoon + Millis(9), .ended_by = DeviceEventKind::kDisconnected}, 3);
    EXPECT_EQ(events.Open(1), std::nullopt);
    const auto sessions = events.Sessions(1, 0, 10);
    ASSERT_EQ(sessions.size(), 2U);
    EXPECT_EQ(sessions[0].began, std::nullopt);
    EXPECT_EQ(events.Sessions(1, sessions[0].id, 10).size(), 1U);
  });
}

TEST_P(DeviceEventsTest, AnotherDeviceTakesThemOver) {
  With([](DeviceEvents& events) {
    events.Append(Of(1, DeviceEventKind::kNew, 1), 1);
    events.Append(Of(2, DeviceEventKind::kNew, 2), 1);
    events.Begin({.entity = 1, .began = kNoon, .began_by = DeviceEventKind::kNew}, 1);
    events.Move(1, 2, 5);
    EXPECT_THAT(Ids(events.List({.entity = 2})), ElementsAre(2, 1));
    EXPECT_EQ(events.Sessions(2, 0, 10).size(), 1U);
    EXPECT_THAT(Ids(events.TouchedSince(4, 0, 10)), ElementsAre(1));
    EXPECT_EQ(events.SessionsTouchedSince(4, 0, 10).size(), 1U);
  });
}

TEST_P(DeviceEventsTest, AnotherOrganisationSeesAndChangesNothing) {
  const OrgId second = store_.AddOrganisation("second");
  With([](DeviceEvents& events) {
    events.Append(Of(1, DeviceEventKind::kNew, 1, true), 1);
    events.Begin({.entity = 1, .began = kNoon, .began_by = DeviceEventKind::kNew}, 1);
  });
  With(
      [](DeviceEvents& events) {
        EXPECT_THAT(events.List({}), IsEmpty());
        EXPECT_THAT(events.Pending(), IsEmpty());
        EXPECT_THAT(events.TouchedSince(-1, 0, 10), IsEmpty());
        EXPECT_EQ(events.Get(1), std::nullopt);
        EXPECT_EQ(events.Latest(1, {DeviceEventKind::kNew}), std::nullopt);
        EXPECT_EQ(events.Settle(1, 2), std::nullopt);
        EXPECT_EQ(events.Open(1), std::nullopt);
        EXPECT_THAT(events.Sessions(1, 0, 10), IsEmpty());
        events.Move(1, 2, 2);
        EXPECT_EQ(events.Forget(kNoon + Millis(99), 10), 0);
      },
      second);
  With([](DeviceEvents& events) { EXPECT_TRUE(events.Get(1)->pending); });
}

BACKPLANE_OVER_BACKENDS(DeviceEventsTest);

}  // namespace
}  // namespace backplane::store
