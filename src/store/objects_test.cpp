#include "store/objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/test_store.h"

namespace backplane::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const TimePoint kNoon = FromMillis(1'787'400'000'000);

ObjectRecord Record(const std::string& key, int at = 0) {
  return {.key = key,
          .primary = "p" + key,
          .secondary = "s" + key,
          .at = kNoon + Millis(at),
          .watched = {"1", "2", "3", "4"},
          .extra = "x",
          .foreign_key = "f",
          .help = {"a", "b", "c", "d"},
          .watch_key = "w"};
}

class ObjectsTest : public StoreTest {
 protected:
  template <typename Function>
  auto With(Function work, OrgId org = kDefaultOrg) {
    return store_.Write([&](Connection& c) {
      Objects objects(c, org);
      return work(objects);
    });
  }
  std::vector<std::int64_t> Ids(const ObjectFilter& filter) {
    std::vector<std::int64_t> ids;
    for (const Object& object : With([&](Objects& objects) { return objects.List(filter); })) ids.push_back(object.id);
    return ids;
  }
};

TEST_P(ObjectsTest, AnObjectComesBackAsItWasInserted) {
  With([](Objects& objects) {
    const auto id = objects.Insert("d:a", Record("k"), 7);
    const auto present = objects.Find("d:a", "k");
    ASSERT_TRUE(present);
    EXPECT_EQ(present->id, id);
    EXPECT_EQ(present->status, ObjectStatus::kNew);
    EXPECT_EQ(present->watch_key, "w");
    EXPECT_FALSE(objects.Find("d:b", "k"));
    EXPECT_FALSE(objects.Find("d:a", "K"));
    const auto all = objects.List({});
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].plugin, "d:a");
    EXPECT_EQ(all[0].record.key, "k");
    EXPECT_EQ(all[0].record.primary, "pk");
    EXPECT_EQ(all[0].record.secondary, "sk");
    EXPECT_THAT(all[0].record.watched, ElementsAre("1", "2", "3", "4"));
    EXPECT_EQ(all[0].record.extra, "x");
    EXPECT_EQ(all[0].record.foreign_key, "f");
    EXPECT_THAT(all[0].record.help, ElementsAre("a", "b", "c", "d"));
    EXPECT_EQ(all[0].created, kNoon);
    EXPECT_EQ(all[0].changed, kNoon);
  });
}

TEST_P(ObjectsTest, UpdateTakesEveryValueAndTheTimeIfGiven) {
  With([](Objects& objects) {
    const auto id = objects.Insert("d:a", Record("k"), 1);
    ObjectRecord next = Record("k", 50);
    next.primary = "P";
    next.watched = {"5", "6", "7", "8"};
    next.help = {"e", "f", "g", "h"};
    next.watch_key = "W";
    objects.Update(id, next, ObjectStatus::kUnchanged, std::nullopt, 2);
    auto all = objects.List({});
    EXPECT_EQ(all[0].record.primary, "P");
    EXPECT_THAT(all[0].record.watched, ElementsAre("5", "6", "7", "8"));
    EXPECT_THAT(all[0].record.help, ElementsAre("e", "f", "g", "h"));
    EXPECT_EQ(all[0].record.watch_key, "W");
    EXPECT_EQ(all[0].status, ObjectStatus::kUnchanged);
    EXPECT_EQ(all[0].changed, kNoon);
    objects.Update(id, next, ObjectStatus::kChanged, kNoon + Millis(50), 3);
    all = objects.List({});
    EXPECT_EQ(all[0].status, ObjectStatus::kChanged);
    EXPECT_EQ(all[0].changed, kNoon + Millis(50));
    EXPECT_EQ(all[0].created, kNoon);
    EXPECT_EQ(objects.Walk("d:a", 0, 10)[0].entry, 3);
    objects.SetMissing(id, kNoon + Millis(60));
    all = objects.List({});
    EXPECT_EQ(all[0].status, ObjectStatus::kMissing);
    EXPECT_EQ(all[0].changed, kNoon + Millis(60));
  });
}

TEST_P(ObjectsTest, WalkGoesOnAfterAnId) {
  With([](Objects& objects) {
    for (int i = 1; i <= 7; ++i) objects.Insert(i == 3 ? "d:b" : "d:a", Record(std::to_string(i)), i);
    std::vector<std::int64_t> seen;
    for (int i = 0; i < 3; ++i)
      for (const auto& stored : objects.Walk("d:a", seen.empty() ? 0 : seen.back(), 2)) seen.push_back(stored.id);
    EXPECT_THAT(seen, ElementsAre(1, 2, 4, 5, 6, 7));
    const auto one = objects.Walk("d:b", 0, 10);
    ASSERT_EQ(one.size(), 1U);
    EXPECT_EQ(one[0].entry, 3);
    EXPECT_EQ(one[0].primary, "p3");
    EXPECT_EQ(one[0].secondary, "s3");
    EXPECT_EQ(one[0].status, ObjectStatus::kNew);
  });
}

TEST_P(ObjectsTest, ListFiltersAndPages) {
  With([](Objects& objects) {
    for (int i = 1; i <= 6; ++i) objects.Insert(i <= 4 ? "d:a" : "d:b", Record(std::to_string(i)), 1);
    objects.SetMissing(2, kNoon);
    objects.SetMissing(5, kNoon);
  });
  EXPECT_THAT(Ids({.plugin = "d:a"}), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Ids({.status = "missing"}), ElementsAre(2, 5));
  EXPECT_THAT(Ids({.plugin = "d:a", .status = "new"}), ElementsAre(1, 3, 4));
  EXPECT_THAT(Ids({.after = 2, .limit = 3}), ElementsAre(3, 4, 5));
  EXPECT_THAT(Ids({.status = "none such"}), IsEmpty());
}

TEST_P(ObjectsTest, AnotherOrganisationSeesAndChangesNothing) {
  const OrgId second = store_.AddOrganisation("second");
  const auto mine = With([](Objects& objects) { return objects.Insert("d:a", Record("k"), 1); });
  With(
      [&](Objects& objects) {
        EXPECT_FALSE(objects.Find("d:a", "k"));
        EXPECT_THAT(objects.Walk("d:a", 0, 10), IsEmpty());
        EXPECT_THAT(objects.List({}), IsEmpty());
        ObjectRecord changed = Record("k");
        changed.primary = "theirs";
        objects.Update(mine, changed, ObjectStatus::kChanged, kNoon + Millis(9), 9);
        objects.SetMissing(mine, kNoon + Millis(9));
        EXPECT_NE(objects.Insert("d:a", Record("k"), 1), mine);
      },
      second);
  const auto all = With([](Objects& objects) { return objects.List({}); });
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].record.primary, "pk");
  EXPECT_EQ(all[0].status, ObjectStatus::kNew);
  EXPECT_EQ(all[0].changed, kNoon);
}

BACKPLANE_OVER_BACKENDS(ObjectsTest);

}  // namespace
}  // namespace backplane::store
