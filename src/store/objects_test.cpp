#include "store/objects.h"

#include <fmt/format.h>
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
    for (const Object& object : With([&](Objects& objects) { return objects.List(filter).items; }))
      ids.push_back(object.id);
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
    EXPECT_EQ(present->record, Record("k"));
    EXPECT_FALSE(objects.Find("d:b", "k"));
    EXPECT_FALSE(objects.Find("d:a", "K"));
    const auto all = objects.List({}).items;
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
    auto all = objects.List({}).items;
    EXPECT_EQ(all[0].record.primary, "P");
    EXPECT_THAT(all[0].record.watched, ElementsAre("5", "6", "7", "8"));
    EXPECT_THAT(all[0].record.help, ElementsAre("e", "f", "g", "h"));
    EXPECT_EQ(all[0].record.watch_key, "W");
    EXPECT_EQ(all[0].status, ObjectStatus::kUnchanged);
    EXPECT_EQ(all[0].changed, kNoon);
    objects.Update(id, next, ObjectStatus::kChanged, kNoon + Millis(50), 3);
    all = objects.List({}).items;
    EXPECT_EQ(all[0].status, ObjectStatus::kChanged);
    EXPECT_EQ(all[0].changed, kNoon + Millis(50));
    EXPECT_EQ(all[0].created, kNoon);
    EXPECT_EQ(objects.Walk("d:a", 0, 10)[0].entry, 3);
    objects.SetMissing(id, kNoon + Millis(60), 3);
    all = objects.List({}).items;
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

TEST_P(ObjectsTest, KnowsWhatWasTouchedSince) {
  With([](Objects& objects) {
    for (int i = 1; i <= 3; ++i) objects.Insert("d:a", Record(std::to_string(i)), 1);
    EXPECT_THAT(objects.TouchedSince(-1), ElementsAre(1, 2, 3));
    for (int i = 1; i <= 3; ++i) objects.Touch(i, 3);
    EXPECT_THAT(objects.TouchedSince(1), IsEmpty());
    objects.Update(1, Record("1", 9), ObjectStatus::kChanged, std::nullopt, 4);
    objects.SetMissing(3, kNoon, 5);
    EXPECT_THAT(objects.TouchedSince(2), ElementsAre(1, 3));
    EXPECT_THAT(objects.TouchedSince(4), ElementsAre(3));
    const auto within = objects.TouchedSince(2, 2, 3);
    ASSERT_EQ(within.size(), 1U);
    EXPECT_EQ(within[0].id, 3);
    EXPECT_EQ(within[0].status, ObjectStatus::kMissing);
  });
}

TEST_P(ObjectsTest, ListFiltersAndPages) {
  With([](Objects& objects) {
    for (int i = 1; i <= 6; ++i) objects.Insert(i <= 4 ? "d:a" : "d:b", Record(std::to_string(i)), 1);
    objects.SetMissing(2, kNoon, 3);
    objects.SetMissing(5, kNoon, 3);
  });
  EXPECT_THAT(Ids({.plugin = "d:a"}), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Ids({.status = ObjectStatus::kMissing}), ElementsAre(2, 5));
  EXPECT_THAT(Ids({.plugin = "d:a", .status = ObjectStatus::kNew}), ElementsAre(1, 3, 4));
  EXPECT_THAT(Ids({.after = 2, .limit = 3}), ElementsAre(3, 4, 5));
}

TEST_P(ObjectsTest, ListFindsByEveryFilter) {
  With([](Objects& objects) {
    for (int i = 1; i <= 4; ++i) {
      ObjectRecord record = Record(std::to_string(i), i);
      record.primary = i <= 2 ? "p" : "q";
      record.foreign_key = i % 2 == 0 ? "even" : "odd";
      record.help[3] = "100% " + std::to_string(i) + "_X";
      objects.Insert(i == 4 ? "d:b" : "d:a", record, 1);
    }
  });
  EXPECT_THAT(Ids({.primary = "p"}), ElementsAre(1, 2));
  EXPECT_THAT(Ids({.plugin = "d:a", .primary = "q"}), ElementsAre(3));
  EXPECT_THAT(Ids({.primary = "p", .secondary = "s2"}), ElementsAre(2));
  EXPECT_THAT(Ids({.secondary = "s2"}), ElementsAre(2));
  EXPECT_THAT(Ids({.foreign_key = "even"}), ElementsAre(2, 4));
  EXPECT_THAT(Ids({.plugin = "d:b", .primary = "q", .foreign_key = "even"}), ElementsAre(4));
  EXPECT_THAT(Ids({.plugin = "d:a", .primary = "q", .foreign_key = "even"}), IsEmpty());
  EXPECT_THAT(Ids({.search = "3_x"}), ElementsAre(3));
  EXPECT_THAT(Ids({.search = "100%"}), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Ids({.search = "1%0"}), IsEmpty());
  EXPECT_THAT(Ids({.foreign_key = "odd", .changed_since = kNoon + Millis(2)}), ElementsAre(3));
}

TEST_P(ObjectsTest, APageLooksAtSoManyAndGoesOn) {
  With([](Objects& objects) {
    for (int i = 1; i <= 10'001; ++i) objects.Insert("d:a", Record(std::to_string(i)), 1);
    const auto first = objects.List({.search = "s10001"});
    EXPECT_THAT(first.items, IsEmpty());
    ASSERT_EQ(first.next, 10'000);
    const auto second = objects.List({.search = "s10001", .after = *first.next});
    EXPECT_EQ(second.items.size(), 1U);
    EXPECT_EQ(second.next, std::nullopt);
    // What an index leads to has one page.
    EXPECT_EQ(objects.List({.primary = "p10001", .search = "s"}).next, std::nullopt);
  });
}

TEST_P(ObjectsTest, LargeValuesMakeShortPages) {
  With([](Objects& objects) {
    ObjectRecord large = Record("k");
    large.extra = std::string(3 << 20, 'x');
    for (int i = 1; i <= 3; ++i) {
      large.key = std::to_string(i);
      objects.Insert("d:a", large, 1);
    }
    const auto first = objects.List({});
    EXPECT_EQ(first.items.size(), 2U);
    EXPECT_EQ(first.next, 2);
    EXPECT_EQ(objects.List({.after = 2}).items.size(), 1U);
  });
}

TEST_P(ObjectsTest, AnotherOrganisationSeesAndChangesNothing) {
  const OrgId second = store_.AddOrganisation("second");
  const auto mine = With([](Objects& objects) { return objects.Insert("d:a", Record("k"), 1); });
  With(
      [&](Objects& objects) {
        EXPECT_FALSE(objects.Find("d:a", "k"));
        EXPECT_THAT(objects.Walk("d:a", 0, 10), IsEmpty());
        EXPECT_THAT(objects.List({}).items, IsEmpty());
        ObjectRecord changed = Record("k");
        changed.primary = "theirs";
        objects.Update(mine, changed, ObjectStatus::kChanged, kNoon + Millis(9), 9);
        objects.SetMissing(mine, kNoon + Millis(9), 3);
        EXPECT_NE(objects.Insert("d:a", Record("k"), 1), mine);
      },
      second);
  const auto all = With([](Objects& objects) { return objects.List({}).items; });
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].record.primary, "pk");
  EXPECT_EQ(all[0].status, ObjectStatus::kNew);
  EXPECT_EQ(all[0].changed, kNoon);
}

class ObjectLogTest : public StoreTest {
 protected:
  template <typename Function>
  auto With(Function work, OrgId org = kDefaultOrg) {
    return store_.Write([&](Connection& c) { return work(c, ObjectLog(c, org, ObjectLogKind::kHistory)); });
  }
  std::vector<std::int64_t> Ids(const std::string& plugin, OrgId org = kDefaultOrg) {
    std::vector<std::int64_t> ids;
    for (const auto& line : With([&](Connection&, ObjectLog log) { return log.OfPlugin(plugin, {}, 100).items; }, org))
      ids.push_back(line.id);
    return ids;
  }
  // An object of each plugin, and `lines` lines of each in turn.
  void Fill(int lines, OrgId org = kDefaultOrg) {
    With(
        [&](Connection& c, ObjectLog log) {
          const auto a = Objects(c, org).Insert("d:a", Record("k"), 1);
          const auto b = Objects(c, org).Insert("d:b", Record("k"), 1);
          for (int i = 1; i <= lines; ++i) {
            log.Append(a, i, kNoon + Millis(i));
            log.Append(b, i, kNoon + Millis(i));
          }
        },
        org);
  }
};

TEST_P(ObjectLogTest, ALineIsTheObjectAsItWas) {
  With([](Connection& c, ObjectLog log) {
    Objects objects(c, kDefaultOrg);
    const auto id = objects.Insert("d:a", Record("k"), 1);
    log.Append(id, 7, kNoon + Millis(5));
    ObjectRecord changed = Record("k", 9);
    changed.watched[0] = "new";
    objects.Update(id, changed, ObjectStatus::kChanged, kNoon + Millis(9), 2);
    log.Append(id, 8, kNoon + Millis(10));
    const auto lines = log.OfObject(id, {}, 10).items;
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].object.record.watched[0], "new");
    EXPECT_EQ(lines[0].object.status, ObjectStatus::kChanged);
    EXPECT_EQ(lines[0].object.changed, kNoon + Millis(9));
    EXPECT_EQ(lines[1].run, 7);
    EXPECT_EQ(lines[1].at, kNoon + Millis(5));
    EXPECT_EQ(lines[1].object.id, id);
    EXPECT_EQ(lines[1].object.plugin, "d:a");
    EXPECT_EQ(lines[1].object.status, ObjectStatus::kNew);
    EXPECT_EQ(lines[1].object.created, kNoon);
    ObjectRecord then = Record("k");
    then.key = then.watch_key = "";
    EXPECT_EQ(lines[1].object.record, then);
    EXPECT_THAT(ObjectLog(c, kDefaultOrg, ObjectLogKind::kReports).OfObject(id, {}, 10).items, IsEmpty());
  });
}

TEST_P(ObjectLogTest, PagesGoBackInTime) {
  Fill(3);
  With([](Connection&, ObjectLog log) {
    const auto first = log.OfPlugin("d:a", {}, 2);
    ASSERT_EQ(first.items.size(), 2U);
    EXPECT_EQ(first.items[0].run, 3);
    EXPECT_EQ(first.items[1].run, 2);
    const auto second = log.OfPlugin("d:a", first.next, 2);
    ASSERT_EQ(second.items.size(), 1U);
    EXPECT_EQ(second.items[0].run, 1);
    EXPECT_EQ(second.next, std::nullopt);
    EXPECT_EQ(log.OfObject(2, 6, 10).items.size(), 2U);
  });
}

TEST_P(ObjectLogTest, LinesOfAllPluginsAreFollowedFromOneToTheNext) {
  const OrgId second = store_.AddOrganisation("second");
  Fill(2);
  Fill(1, second);
  With([](Connection&, ObjectLog log) { log.Append(1, 3, kNoon); });
  const auto after = [&](std::int64_t line, int limit) {
    std::vector<std::string> lines;
    for (const auto& one : With([&](Connection&, ObjectLog log) { return log.After(line, limit); }))
      lines.push_back(fmt::format("{} {}", one.id, one.object.plugin));
    return lines;
  };
  EXPECT_THAT(after(1, 3), ElementsAre("2 d:b", "3 d:a", "4 d:b"));
  EXPECT_THAT(after(4, 3), ElementsAre("7 d:a"));
  EXPECT_THAT(after(7, 3), IsEmpty());
}

TEST_P(ObjectLogTest, TheOldestOfEachPluginAreForgotten) {
  Fill(6);  // d:a has the odd ids, d:b the even ones
  With([](Connection&, ObjectLog log) {
    EXPECT_EQ(log.Forget("d:a", 2, 3), 3);
    EXPECT_EQ(log.Count("d:a"), 3);
    EXPECT_EQ(log.Forget("d:a", 2, 3), 1);
    EXPECT_EQ(log.Forget("d:a", 2, 3), 0);
    EXPECT_EQ(log.Forget("d:b", 6, 3), 0);
  });
  EXPECT_THAT(Ids("d:a"), ElementsAre(11, 9));
  EXPECT_THAT(Ids("d:b"), ElementsAre(12, 10, 8, 6, 4, 2));
  EXPECT_EQ(With([](Connection&, ObjectLog log) { return log.Forget("d:b", 0, 100); }), 6);
}

TEST_P(ObjectLogTest, KnowsTheirPluginsAndKeepsOrganisationsApart) {
  const OrgId second = store_.AddOrganisation("second");
  Fill(1);
  Fill(2, second);
  std::vector<std::string> plugins;
  With([&](Connection& c, ObjectLog) {
    for (const auto& [org, plugin] : PluginsInLog(c, ObjectLogKind::kHistory))
      plugins.push_back(std::to_string(org) + " " + plugin);
    EXPECT_THAT(PluginsInLog(c, ObjectLogKind::kReports), IsEmpty());
  });
  EXPECT_THAT(plugins, ElementsAre("1 d:a", "1 d:b", "2 d:a", "2 d:b"));
  With([](Connection&, ObjectLog log) { EXPECT_EQ(log.Forget("d:a", 0, 100), 1); });
  EXPECT_THAT(Ids("d:a", second), ElementsAre(5, 3));
  With([](Connection&, ObjectLog log) {
    EXPECT_THAT(log.OfObject(3, {}, 10).items, IsEmpty());  // theirs
    log.Append(3, 9, kNoon);
  });
  EXPECT_THAT(Ids("d:a"), IsEmpty());
}

BACKPLANE_OVER_BACKENDS(ObjectsTest);
BACKPLANE_OVER_BACKENDS(ObjectLogTest);

}  // namespace
}  // namespace backplane::store
