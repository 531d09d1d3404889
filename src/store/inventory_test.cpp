#include "store/inventory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/journal.h"
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
          entity.last_seen = kNoon;
          for (const auto& [field, value] : fields) entity.fields[*FieldIndex(field)] = value;
          inventory.Save(entity, 1);
          return entity.id;
        },
        org);
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
    entity.last_seen = kNoon + Millis(5);
    entity.revision = 3;
    inventory.Save(entity, 1);
    const auto back = inventory.Get(entity.id);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->kind, "device");
    EXPECT_EQ(back->fields, entity.fields);
    EXPECT_EQ(back->first_seen, kNoon);
    EXPECT_EQ(back->last_seen, kNoon + Millis(5));
    EXPECT_EQ(back->revision, 3);
    EXPECT_FALSE(inventory.Get(entity.id + 1));
    EXPECT_EQ(inventory.Count(), 1);
  });
}

TEST_P(InventoryTest, TouchOnlyMovesForward) {
  const EntityId id = Add({});
  With([&](Inventory& inventory) {
    inventory.Touch(id, kNoon + Millis(9), 2);
    inventory.Touch(id, kNoon + Millis(3), 2);
    EXPECT_EQ(inventory.Get(id)->last_seen, kNoon + Millis(9));
    EXPECT_EQ(inventory.Get(id)->first_seen, kNoon);
  });
}

TEST_P(InventoryTest, KnowsWhatWasTouchedSince) {
  const EntityId one = Add({}), other = Add({});
  const EntityId foreign = Add({}, store_.AddOrganisation("second"));
  With([&](Inventory& inventory) {
    EXPECT_THAT(inventory.TouchedSince(-1), ElementsAre(one, other));
    inventory.Touch(other, kNoon, 7);
    EXPECT_THAT(inventory.TouchedSince(6), ElementsAre(other));
    EXPECT_THAT(inventory.TouchedSince(7), IsEmpty());
    inventory.Save(*inventory.Get(one), 8);
    EXPECT_THAT(inventory.TouchedSince(6), ElementsAre(one, other));
  });
  EXPECT_NE(foreign, one);
}

TEST_P(InventoryTest, PresentIsWhomASourceSawInItsLastCompleteBatchOrSince) {
  const EntityId a = Add({}), b = Add({}), c = Add({});
  const OrgId second = store_.AddOrganisation("second");
  const EntityId foreign = Add({}, second);
  const auto batch = [&](bool complete, const std::string& source, const std::vector<EntityId>& seen) {
    store_.Write([&](Connection& connection) {
      const EntryId entry = AppendEntry(connection, {.at = kNoon, .complete = complete});
      for (const EntityId id : seen) Inventory(connection, kDefaultOrg).SawIt(id, source, kNoon, entry, complete);
    });
  };
  const auto present = [&] { return With([](Inventory& inventory) { return inventory.Present(); }); };
  batch(false, "poll", {c});
  batch(false, "poll", {a});
  EXPECT_THAT(present(), ElementsAre(a, c));  // whose batches are never complete says nothing of who is gone
  batch(true, "scan", {a, b});
  batch(true, "scan", {b});
  batch(false, "scan", {});
  EXPECT_THAT(present(), ElementsAre(a, b, c));
  batch(true, "poll", {c});
  EXPECT_THAT(present(), ElementsAre(b, c));
  batch(false, "scan", {a});
  EXPECT_THAT(present(), ElementsAre(a, b, c));
  batch(true, "scan", {foreign});  // of another organisation's
  EXPECT_THAT(present(), ElementsAre(a, b, c));
  EXPECT_THAT(With([](Inventory& inventory) { return inventory.Present(); }, second), ElementsAre(foreign));
}

TEST_P(InventoryTest, WhatWasCompleteIsKnownWithoutTheJournal) {
  const EntityId a = Add({}), b = Add({});
  With([&](Inventory& inventory) {
    inventory.SawIt(a, "scan", kNoon, 1, true);
    inventory.SawIt(b, "scan", kNoon, 1, true);
    inventory.SawIt(a, "scan", kNoon, 2, false);
    EXPECT_THAT(inventory.Present(), ElementsAre(a, b));
    inventory.SawIt(a, "scan", kNoon, 3, true);
    EXPECT_THAT(inventory.Present(), ElementsAre(a));
  });
}

TEST_P(InventoryTest, TellsEverythingOfWhatWasTouched) {
  const EntityId none = Add({}), full = Add({{"name", "x"}}), old = Add({}), late = Add({});
  With([&](Inventory& inventory) {
    inventory.Touch(old, kNoon, 0);
    inventory.AddIdentifier(full, {"mac", "aa"});
    inventory.AddIdentifier(full, {"ip", "10.0.0.1"});
    inventory.SaveClaim(full, {"name", "scan", "x", kNoon, true});
    inventory.Lock(full, "name");
    inventory.SawIt(full, "scan", kNoon, 1, true);
    const auto facts = inventory.TouchedSince(0, none, late);
    ASSERT_EQ(facts.size(), 3U);
    EXPECT_EQ(facts[0].entity.id, none);
    EXPECT_THAT(facts[0].claims, IsEmpty());
    EXPECT_EQ(facts[1].entity.fields[*FieldIndex("name")], "x");
    EXPECT_EQ(facts[1].identifiers, inventory.Identifiers(full));
    EXPECT_EQ(facts[1].claims, inventory.Claims(full));
    EXPECT_THAT(facts[1].locks, ElementsAre("name"));
    ASSERT_EQ(facts[1].sightings.size(), 1U);
    EXPECT_EQ(facts[1].sightings[0].source, "scan");
    EXPECT_EQ(facts[2].entity.id, late);
    EXPECT_EQ(inventory.TouchedSince(0, full, full).size(), 1U);
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
    inventory.SawIt(id, "scan", kNoon, 1, true);
    inventory.SawIt(id, "scan", kNoon + Millis(5), 2, true);
    inventory.SawIt(id, "dns", kNoon + Millis(1), 2, true);
    const auto sightings = inventory.Sightings(id);
    ASSERT_EQ(sightings.size(), 2U);
    EXPECT_EQ(sightings[1].source, "scan");
    EXPECT_EQ(sightings[1].first_at, kNoon);
    EXPECT_EQ(sightings[1].last_at, kNoon + Millis(5));
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
