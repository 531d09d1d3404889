#include "store/inventory.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/test_store.h"

namespace backplane::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const TimePoint kNoon = FromMillis(1'787'400'000'000);

class InventoryTest : public StoreTest {
 protected:
  template <typename Function>
  auto With(Function work, OrgId org = kDefaultOrg) {
    return store_.Write([&](Connection& c) {
      Inventory inventory(c, org);
      return work(inventory);
    });
  }
  EntityId Add(const std::map<std::string, std::string>& fields, OrgId org = kDefaultOrg) {
    return With(
        [&](Inventory& inventory) {
          Entity entity;
          entity.id = inventory.Create("device", kNoon);
          entity.first_seen = entity.last_seen = kNoon;
          for (const auto& [field, value] : fields) entity.fields[*FieldIndex(field)] = value;
          inventory.Save(entity, 1);
          return entity.id;
        },
        org);
  }
  static Sighting Sight(const std::string& source, EntryId entry, std::int64_t told = 0) {
    return {.source = source, .plugin = "d:scan", .first_at = kNoon, .last_at = kNoon, .entry = entry, .told = told};
  }
  std::vector<EntityId> Ids(const DeviceFilter& filter, OrgId org = kDefaultOrg) {
    std::vector<EntityId> ids;
    for (const Entity& entity : With([&](Inventory& inventory) { return inventory.List(filter); }, org))
      ids.push_back(entity.id);
    return ids;
  }
};

TEST_P(InventoryTest, AnEntityIsFoundByAnyOfItsNames) {
  const EntityId id = With([](Inventory& inventory) {
    const EntityId made = inventory.Create("device", kNoon);
    EXPECT_TRUE(inventory.AddIdentifier(made, {"mac", "aa:bb"}));
    EXPECT_TRUE(inventory.AddIdentifier(made, {"ip", "10.0.0.1"}));
    return made;
  });
  With([&](Inventory& inventory) {
    EXPECT_EQ(inventory.Find({"mac", "aa:bb"}), id);
    EXPECT_EQ(inventory.Find({"ip", "10.0.0.1"}), id);
    EXPECT_EQ(inventory.Find({"ip", "aa:bb"}), std::nullopt);
    EXPECT_THAT(inventory.Identifiers(id), ElementsAre(Identifier{"ip", "10.0.0.1"}, Identifier{"mac", "aa:bb"}));
    const EntityId other = inventory.Create("device", kNoon);
    EXPECT_FALSE(inventory.AddIdentifier(other, {"mac", "aa:bb"}));  // a name belongs to one
    EXPECT_EQ(inventory.Find({"mac", "aa:bb"}), id);
    EXPECT_THAT(inventory.Identifiers(other), IsEmpty());
  });
}

TEST_P(InventoryTest, EveryFieldIsSaved) {
  With([](Inventory& inventory) {
    Entity entity;
    entity.id = inventory.Create("device", kNoon);
    for (std::size_t i = 0; i < kDeviceFields.size(); ++i)
      entity.fields[i] = std::string("value of ") + kDeviceFields[i];
    entity.first_seen = kNoon + Millis(4);
    entity.last_seen = kNoon + Millis(5);
    entity.revision = 3;
    inventory.Save(entity, 1);
    const auto back = inventory.Get(entity.id);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->kind, "device");
    EXPECT_EQ(back->fields, entity.fields);
    EXPECT_EQ(back->first_seen, kNoon + Millis(4));
    EXPECT_EQ(back->last_seen, kNoon + Millis(5));
    EXPECT_EQ(back->revision, 3);
    EXPECT_FALSE(inventory.Get(entity.id + 1));
    EXPECT_EQ(inventory.Count(), 1);
  });
}

TEST_P(InventoryTest, PresenceAndAddressesAreSaved) {
  With([](Inventory& inventory) {
    Entity entity;
    entity.id = inventory.Create("device", kNoon);
    entity.present = false;
    entity.since = kNoon + Millis(1);
    entity.down = true;
    entity.notified = kNoon + Millis(2);
    entity.came = 7;
    entity.ip4 = "10.0.0.1";
    entity.ip6 = "2001:db8::1";
    inventory.Save(entity, 1);
    const auto back = inventory.Get(entity.id);
    EXPECT_FALSE(back->present);
    EXPECT_EQ(back->since, entity.since);
    EXPECT_TRUE(back->down);
    EXPECT_EQ(back->notified, entity.notified);
    EXPECT_EQ(back->came, 7);
    EXPECT_EQ(back->ip4, "10.0.0.1");
    EXPECT_EQ(back->ip6, "2001:db8::1");
    inventory.SetNotified(entity.id, kNoon + Millis(3), 2);
    EXPECT_EQ(inventory.Get(entity.id)->notified, kNoon + Millis(3));
  });
}

TEST_P(InventoryTest, TouchMovesLastSeenOnly) {
  const EntityId id = Add({});
  With([&](Inventory& inventory) {
    inventory.Touch(id, kNoon + Millis(9), 2);
    EXPECT_EQ(inventory.Get(id)->last_seen, kNoon + Millis(9));
    EXPECT_EQ(inventory.Get(id)->first_seen, kNoon);
  });
}

TEST_P(InventoryTest, ANameLeadsToWhatItsSourceSaidLast) {
  const EntityId id = Add({});
  With([&](Inventory& inventory) {
    EXPECT_FALSE(inventory.Find({"mac", "aa"}, "scan"));
    inventory.AddIdentifier(id, {"mac", "aa"});
    auto known = inventory.Find({"mac", "aa"}, "scan");
    ASSERT_TRUE(known);
    EXPECT_EQ(known->id, id);
    EXPECT_EQ(known->last_seen, kNoon);
    EXPECT_EQ(known->plugin, "");
    EXPECT_EQ(known->told, 0);
    inventory.SawIt(id, Sight("scan", 4, 77));
    inventory.SawIt(id, Sight("dns", 4, 88));
    known = inventory.Find({"mac", "aa"}, "scan");
    EXPECT_EQ(known->plugin, "d:scan");
    EXPECT_EQ(known->told, 77);
    inventory.JudgeAgain(id);
    EXPECT_EQ(inventory.Find({"mac", "aa"}, "scan")->told, 0);
    EXPECT_EQ(inventory.Find({"mac", "aa"}, "dns")->told, 0);
  });
}

TEST_P(InventoryTest, FindsWhoIsAtAnAddressOrCalledSo) {
  const EntityId one = Add({{"ip", "10.0.0.1"}, {"name", "Printer"}});
  const EntityId other = Add({{"ip", "10.0.0.1"}, {"fqdn", "PRINTER"}});
  const EntityId third = Add({{"ip", "10.0.0.1"}, {"name", "printer"}, {"fqdn", "printer"}});
  With([&](Inventory& inventory) {
    EXPECT_THAT(inventory.AtAddress("10.0.0.1"), ElementsAre(one, other));  // who asks wants to know of one or several
    EXPECT_THAT(inventory.Called("pRinter"), ElementsAre(one, other));
    EXPECT_THAT(inventory.AtAddress("10.0.0.2"), IsEmpty());
    for (const EntityId gone : {one, other}) {
      Entity entity = *inventory.Get(gone);
      entity.present = false;
      inventory.Save(entity, 2);
    }
    EXPECT_THAT(inventory.AtAddress("10.0.0.1"), ElementsAre(third));
    EXPECT_THAT(inventory.Called("printer"), ElementsAre(third));
    EXPECT_FALSE(inventory.HasIdentifier(third, "mac"));
    inventory.AddIdentifier(third, {"mac", "aa"});
    EXPECT_TRUE(inventory.HasIdentifier(third, "mac"));
  });
}

TEST_P(InventoryTest, CardsHangOnAnyAddressOfTheirDevice) {
  const EntityId host = Add({}), one = Add({{"parent", "AA"}, {"parent_relation", "nic"}}),
                 other = Add({{"parent", "bb"}, {"parent_relation", "nic"}});
  Add({{"parent", "aa"}, {"parent_relation", "uplink"}});
  Add({{"parent", "cc"}, {"parent_relation", "nic"}});
  With([&](Inventory& inventory) {
    inventory.AddIdentifier(host, {"mac", "aa"});
    inventory.AddIdentifier(host, {"mac", "bb"});
    std::vector<EntityId> ids;
    for (const Entity& card : inventory.Cards(host)) ids.push_back(card.id);
    EXPECT_THAT(ids, ElementsAre(one, other));
    EXPECT_THAT(inventory.Cards(one), IsEmpty());
  });
}

TEST_P(InventoryTest, KnowsWhatAPluginSawLast) {
  const EntityId a = Add({}), b = Add({}), c = Add({});
  const EntityId foreign = Add({}, store_.AddOrganisation("second"));
  const auto text = [](const std::vector<LastSight>& sights) {
    std::vector<std::string> texts;
    for (const LastSight& sight : sights)
      texts.push_back(fmt::format("{} by {} came {}", sight.entity, sight.entry, sight.came));
    return texts;
  };
  With([&](Inventory& inventory) {
    Entity entity = *inventory.Get(a);
    entity.came = 5;
    inventory.Save(entity, 5);
    inventory.SawIt(a, Sight("one tag", 6));
    inventory.SawIt(a, Sight("another tag", 7));
    Sighting others = Sight("dns", 9);
    others.plugin = "d:dns";
    inventory.SawIt(a, others);
    inventory.SawIt(c, Sight("one tag", 3));
    inventory.SawIt(foreign, Sight("one tag", 3));
    EXPECT_THAT(text(inventory.SeenBy("d:scan", 0, 10)),
                ElementsAre("1 by 7 came 5", "3 by 3 came 0", "4 by 3 came 0"));  // of another organisation none came
    EXPECT_THAT(text(inventory.SeenBy("d:scan", 0, 1)), ElementsAre("1 by 7 came 5"));
    EXPECT_THAT(text(inventory.SeenBy("d:scan", a, 1)), ElementsAre("3 by 3 came 0"));
    EXPECT_THAT(text(inventory.SeenByAnybody(0, 10)), ElementsAre("1 by 9 came 5", "2 by 0 came 0", "3 by 3 came 0"));
    EXPECT_THAT(text(inventory.SeenByAnybody(a, 1)), ElementsAre("2 by 0 came 0"));
    inventory.Touch(a, kNoon, 9);
    EXPECT_TRUE(inventory.AnySeenAfter(8));
    EXPECT_FALSE(inventory.AnySeenAfter(9));
  });
  EXPECT_NE(b, c);
}

TEST_P(InventoryTest, AScannerIsItsLastRun) {
  const OrgId second = store_.AddOrganisation("second");
  With([](Inventory& inventory) {
    inventory.SaveScanner({"d:b", Millis(60'000), kNoon, kNoon + Millis(5), 1});
    inventory.SaveScanner({"d:a", Millis(0), kNoon, kNoon + Millis(5), 2});
    inventory.SaveScanner({"d:b", Millis(30'000), kNoon + Millis(10), kNoon + Millis(15), 3});
    const auto scanners = inventory.Scanners();
    ASSERT_EQ(scanners.size(), 2U);
    EXPECT_EQ(scanners[0].plugin, "d:a");
    EXPECT_EQ(scanners[1].every, Millis(30'000));
    EXPECT_EQ(scanners[1].began, kNoon + Millis(10));
    EXPECT_EQ(scanners[1].at, kNoon + Millis(15));
    EXPECT_EQ(scanners[1].entry, 3);
  });
  EXPECT_THAT(With([](Inventory& inventory) { return inventory.Scanners(); }, second), IsEmpty());
}

TEST_P(InventoryTest, CountsDevicesOfEachKind) {
  Add({});
  Add({{"archived", "1"}});
  Add({{"archived", "0"}}, store_.AddOrganisation("second"));
  With([](Inventory& inventory) {
    Entity entity = *inventory.Get(1);
    entity.present = false;
    entity.down = true;
    inventory.Save(entity, 1);
    const EntityCounts counts = inventory.Counts();
    EXPECT_EQ(counts.all, 2);
    EXPECT_EQ(counts.present, 1);
    EXPECT_EQ(counts.down, 1);
    EXPECT_EQ(counts.archived, 1);
  });
}

TEST_P(InventoryTest, KnowsWhatWasChangedAndWhatWasOnlySeenSince) {
  const EntityId one = Add({}), other = Add({});
  const EntityId foreign = Add({}, store_.AddOrganisation("second"));
  With([&](Inventory& inventory) {
    EXPECT_THAT(inventory.ChangedSince(-1), ElementsAre(one, other));
    EXPECT_THAT(inventory.SeenSince(-1), IsEmpty());
    inventory.Touch(other, kNoon + Millis(9), 7);
    EXPECT_THAT(inventory.ChangedSince(6), IsEmpty());
    ASSERT_EQ(inventory.SeenSince(6).size(), 1U);
    EXPECT_EQ(inventory.SeenSince(6)[0].id, other);
    EXPECT_EQ(inventory.SeenSince(6)[0].last_seen, kNoon + Millis(9));
    EXPECT_THAT(inventory.SeenSince(7), IsEmpty());
    inventory.Save(*inventory.Get(one), 8);
    EXPECT_THAT(inventory.ChangedSince(6), ElementsAre(one));
  });
  EXPECT_NE(foreign, one);
}

TEST_P(InventoryTest, TellsEverythingOfWhatWasTouched) {
  const EntityId none = Add({}), full = Add({{"name", "x"}}), old = Add({}), late = Add({});
  With([&](Inventory& inventory) {
    inventory.Touch(old, kNoon, 0);
    inventory.AddIdentifier(full, {"mac", "aa"});
    inventory.AddIdentifier(full, {"ip", "10.0.0.1"});
    inventory.SaveClaim(full, {"name", "scan", "x", kNoon, true});
    inventory.Lock(full, "name");
    inventory.SawIt(full, Sight("scan", 1));
    const auto facts = inventory.ChangedSince(-1, none, late);
    ASSERT_EQ(facts.size(), 4U);
    EXPECT_EQ(facts[0].entity.id, none);
    EXPECT_THAT(facts[0].claims, IsEmpty());
    EXPECT_EQ(facts[1].entity.fields[*FieldIndex("name")], "x");
    EXPECT_EQ(facts[1].identifiers, inventory.Identifiers(full));
    EXPECT_EQ(facts[1].claims, inventory.Claims(full));
    EXPECT_THAT(facts[1].locks, ElementsAre("name"));
    ASSERT_EQ(facts[1].sightings.size(), 1U);
    EXPECT_EQ(facts[1].sightings[0].source, "scan");
    EXPECT_EQ(facts[3].entity.id, late);
    EXPECT_EQ(inventory.ChangedSince(-1, full, full).size(), 1U);
  });
}

TEST_P(InventoryTest, OneClaimPerFieldAndSource) {
  const EntityId id = Add({});
  const EntityId other = Add({});
  With([&](Inventory& inventory) {
    inventory.SaveClaim(id, {"name", "scan", "a", kNoon, true});
    inventory.SaveClaim(id, {"name", "dns", "b", kNoon, false});
    inventory.SaveClaim(id, {"name", "scan", "c", kNoon + Millis(1), false});
    inventory.SaveClaim(other, {"name", "scan", "x", kNoon, true});
    const auto claims = inventory.Claims(id);
    ASSERT_EQ(claims.size(), 2U);
    EXPECT_EQ(claims[0].source, "dns");
    EXPECT_EQ(claims[1].source, "scan");
    EXPECT_EQ(claims[1].value, "c");
    EXPECT_EQ(claims[1].at, kNoon + Millis(1));
    EXPECT_FALSE(claims[1].wins);
    inventory.DropClaim(id, "name", "scan");
    EXPECT_EQ(inventory.Claims(id).size(), 1U);
    EXPECT_EQ(inventory.Claims(other).size(), 1U);
  });
}

TEST_P(InventoryTest, LocksAreASet) {
  const EntityId id = Add({});
  With([&](Inventory& inventory) {
    inventory.Lock(id, "name");
    inventory.Lock(id, "name");
    inventory.Lock(id, "ip");
    EXPECT_THAT(inventory.Locks(id), ElementsAre("ip", "name"));
    inventory.Unlock(id, "name");
    inventory.Unlock(id, "mac");
    EXPECT_THAT(inventory.Locks(id), ElementsAre("ip"));
  });
}

TEST_P(InventoryTest, ASightingKeepsItsFirstTime) {
  const EntityId id = Add({});
  With([&](Inventory& inventory) {
    inventory.SawIt(id, Sight("scan", 1, 77));
    Sighting later = Sight("scan", 2, 78);
    later.first_at = later.last_at = kNoon + Millis(5);
    inventory.SawIt(id, later);
    inventory.SawIt(id, Sight("dns", 2));
    const auto sightings = inventory.Sightings(id);
    ASSERT_EQ(sightings.size(), 2U);
    EXPECT_EQ(sightings[1].source, "scan");
    EXPECT_EQ(sightings[1].first_at, kNoon);
    EXPECT_EQ(sightings[1].last_at, kNoon + Millis(5));
    EXPECT_EQ(sightings[1].entry, 2);
    EXPECT_EQ(sightings[1].told, 78);
    inventory.SawItAgain(id, "scan", kNoon + Millis(9), 3);
    const auto again = inventory.Sightings(id).at(1);
    EXPECT_EQ(again.last_at, kNoon + Millis(9));
    EXPECT_EQ(again.entry, 3);
    EXPECT_EQ(again.told, 78);
  });
}

TEST_P(InventoryTest, SearchLooksIntoFiveFieldsWithoutRegardToCase) {
  for (const char* field : {"name", "mac", "ip", "vendor", "fqdn"}) Add({{field, "xNeedleY"}});
  Add({{"owner", "needle"}});
  EXPECT_THAT(Ids({.search = "nEEDLE"}), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(Ids({.search = "needles"}), IsEmpty());
}

TEST_P(InventoryTest, SearchTakesEveryCharacterLiterally) {
  const EntityId percent = Add({{"name", "100% busy"}});
  const EntityId underscore = Add({{"name", "a_b"}});
  const EntityId backslash = Add({{"name", "a\\b"}});
  Add({{"name", "100 busy a b axb"}});
  EXPECT_THAT(Ids({.search = "%"}), ElementsAre(percent));
  EXPECT_THAT(Ids({.search = "a_b"}), ElementsAre(underscore));
  EXPECT_THAT(Ids({.search = "a\\b"}), ElementsAre(backslash));
  EXPECT_THAT(Ids({.search = "\\"}), ElementsAre(backslash));
  EXPECT_THAT(Ids({.search = "' OR '1'='1"}), IsEmpty());
  EXPECT_THAT(Ids({.search = "0% b"}), ElementsAre(percent));
}

TEST_P(InventoryTest, ListFiltersByFieldAndPages) {
  for (int i = 0; i < 6; ++i) Add({{"vendor", i % 2 == 0 ? "even" : "odd"}, {"site", i < 4 ? "a" : "b"}});
  EXPECT_THAT(Ids({}), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(Ids({.equals = {{"vendor", "odd"}}}), ElementsAre(2, 4, 6));
  EXPECT_THAT(Ids({.equals = {{"vendor", "odd"}, {"site", "a"}}}), ElementsAre(2, 4));
  EXPECT_THAT(Ids({.equals = {{"vendor", "ODD"}}}), IsEmpty());
  EXPECT_THAT(Ids({.after = 2, .limit = 2}), ElementsAre(3, 4));
  EXPECT_THAT(Ids({.search = "odd", .equals = {{"site", "b"}}}), ElementsAre(6));
}

TEST_P(InventoryTest, FieldsAreKnownByName) {
  EXPECT_EQ(FieldIndex("name"), 0U);
  for (std::size_t i = 0; i < kDeviceFields.size(); ++i) EXPECT_EQ(FieldIndex(kDeviceFields[i]), i);
  for (const char* name : {"", "Name", "id", "name = '' OR 1"}) EXPECT_EQ(FieldIndex(name), std::nullopt) << name;
}

TEST_P(InventoryTest, AnotherOrganisationSeesAndChangesNothing) {
  const OrgId second = store_.AddOrganisation("second");
  const EntityId mine = Add({{"name", "mine"}});
  With([&](Inventory& inventory) { inventory.AddIdentifier(mine, {"mac", "aa"}); });
  With(
      [&](Inventory& inventory) {
        EXPECT_FALSE(inventory.Find({"mac", "aa"}));
        EXPECT_FALSE(inventory.Get(mine));
        EXPECT_EQ(inventory.Count(), 0);
        EXPECT_THAT(inventory.List({}), IsEmpty());
        EXPECT_THAT(inventory.List({.search = "mine"}), IsEmpty());
        EXPECT_THAT(inventory.List({.equals = {{"name", "mine"}}}), IsEmpty());
        Entity changed;
        changed.id = mine;
        changed.fields[0] = "theirs";
        inventory.Save(changed, 1);
        inventory.Touch(mine, kNoon + Millis(99), 2);
        const EntityId theirs = inventory.Create("device", kNoon);
        EXPECT_TRUE(inventory.AddIdentifier(theirs, {"mac", "aa"}));  // the same name is another one there
        EXPECT_EQ(inventory.Find({"mac", "aa"}), theirs);
      },
      second);
  With([&](Inventory& inventory) {
    EXPECT_EQ(inventory.Get(mine)->fields[0], "mine");
    EXPECT_EQ(inventory.Get(mine)->last_seen, kNoon);
    EXPECT_EQ(inventory.Find({"mac", "aa"}), mine);
    EXPECT_EQ(inventory.Count(), 1);
  });
}

BACKPLANE_OVER_BACKENDS(InventoryTest);

}  // namespace
}  // namespace backplane::store
