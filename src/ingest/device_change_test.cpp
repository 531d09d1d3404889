#include "ingest/device_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "ingest/folder.h"
#include "ingest/test_journal.h"
#include "store/device_events.h"

namespace backplane::ingest {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr int kHour = 3'600'000;

class DeviceChangeTest : public ::testing::Test {
 protected:
  // As the folder does it: in the journal, between two entries.
  Result<ChangedDevice> Do(const DeviceChange& change, int at = kHour, OrgId org = kDefaultOrg) {
    Result<ChangedDevice> done;
    journal_.store().Write([&](store::Connection& c) {
      store::Entry entry{.org = org, .kind = store::EntryKind::kEdit, .at = kNoon + Millis(at)};
      entry.base = store::GetWatermark(c, "core");
      entry.body = DumpJson(EncodeChange(change));
      entry.id = store::AppendEntry(c, entry);
      FoldContext context{c, entry, 0};
      done = ApplyChange(context, *DecodeChange(*ParseJson(entry.body)));
    });
    journal_.Fold();
    return done;
  }
  void See(const std::vector<Record>& records, int at = 0) { journal_.AppendAndFold(Entry(records, at)); }

  template <typename Function>
  auto Read(Function work) {
    return journal_.store().Read([&](store::Connection& c) {
      store::Inventory inventory(c, kDefaultOrg);
      return work(inventory);
    });
  }
  std::vector<std::string> Names(EntityId id) {
    std::vector<std::string> names;
    for (const Identifier& identifier : Read([&](store::Inventory& i) { return i.Identifiers(id); }))
      names.push_back(identifier.scheme + " " + identifier.value);
    return names;
  }
  std::vector<std::string> SeenBy(EntityId id) {
    std::vector<std::string> sources;
    for (const store::Sighting& sighting : Read([&](store::Inventory& i) { return i.Sightings(id); }))
      sources.push_back(sighting.source);
    return sources;
  }
  std::vector<EntityId> OwnersOfResources() {
    std::vector<EntityId> owners;
    journal_.store().Read([&](store::Connection& c) {
      for (const store::StoredResource& resource : store::Resources(c, kDefaultOrg).List({}))
        owners.push_back(resource.entity);
    });
    return owners;
  }
  int OpenSessions(EntityId id) {
    int open = 0;
    journal_.store().Read([&](store::Connection& c) {
      for (const store::DeviceSession& session : store::DeviceEvents(c, kDefaultOrg).Sessions(id, 0, 100))
        open += session.ended ? 0 : 1;
    });
    return open;
  }
  std::vector<store::DeviceEvent> History(EntityId id) {
    return journal_.store().Read(
        [&](store::Connection& c) { return store::DeviceEvents(c, kDefaultOrg).List({.entity = id}); });
  }
  void ExpectReplayIsTheSame() {
    store::TestStore target;
    CoreFold fold;
    ASSERT_TRUE(Replay(*journal_.store(), *target, fold));
    EXPECT_EQ(State(*target), State(*journal_.store()));
  }

  TestJournal journal_;
};

Observation Card(const std::string& mac, const std::string& ip, int at, const std::string& name = "") {
  return Seen(mac, {{"mac", mac}, {"ip", ip, ClaimPolicy::kAlways}, {"name", name}}, at);
}

TEST_F(DeviceChangeTest, ADeletedDeviceLeavesItsHistoryAndComesBackAsNew) {
  See({Card("a", "10.0.0.1", 0, "one"), Known("r1")});
  ASSERT_EQ(OwnersOfResources(), std::vector<EntityId>{2});
  journal_.NewEvents();
  ASSERT_TRUE(Do(DeviceDelete{1}));
  ASSERT_TRUE(Do(DeviceDelete{2}));
  EXPECT_THAT(journal_.NewEvents(), ElementsAre(StartsWith("device.deleted "), StartsWith("resource.removed "),
                                                StartsWith("device.deleted ")));
  EXPECT_THAT(OwnersOfResources(), IsEmpty());
  EXPECT_EQ(journal_.Device(1).id, 0);
  EXPECT_THAT(journal_.Claims(1), IsEmpty());
  EXPECT_THAT(History(1), Not(IsEmpty()));
  for (const store::DeviceEvent& event : History(1)) EXPECT_FALSE(event.pending);
  EXPECT_EQ(OpenSessions(1), 0);

  See({Card("a", "10.0.0.1", 2 * kHour, "one"), Known("r1", 2 * kHour)}, 2 * kHour);
  EXPECT_EQ(journal_.Field(3, "name"), "one");
  EXPECT_EQ(OwnersOfResources(), std::vector<EntityId>{4});
  EXPECT_THAT(journal_.NewEvents(), Contains(StartsWith("device.new ")));
  ExpectReplayIsTheSame();
}

TEST_F(DeviceChangeTest, AMergedDeviceGoesByBothNamesFromThenOn) {
  See({Card("a", "10.0.0.1", 0, "one"), Seen("b", {{"mac", "b"}, {"vendor", "Acme"}}, 1, "other"), Known("r1")});
  See({Card("a", "10.0.0.1", 5)}, 5);
  journal_.NewEvents();
  ASSERT_TRUE(Do(DeviceMerge{2, 1}));
  ASSERT_TRUE(Do(DeviceMerge{3, 1}));
  EXPECT_THAT(Names(1), UnorderedElementsAre("mac a", "mac b", StartsWith("resource ")));
  EXPECT_THAT(SeenBy(1), UnorderedElementsAre("scan", "other", "d:scan"));
  EXPECT_EQ(journal_.Field(1, "vendor"), "Acme");
  EXPECT_EQ(journal_.Field(1, "mac"), "a");
  EXPECT_THAT(journal_.Claims(1), Contains("vendor other=Acme*"));
  EXPECT_THAT(journal_.Claims(1), Contains("mac other=b"));
  EXPECT_EQ(journal_.Device(2).id, 0);
  EXPECT_EQ(OwnersOfResources(), std::vector<EntityId>{1});
  EXPECT_EQ(OpenSessions(1), 1);
  EXPECT_THAT(History(2), IsEmpty());
  const auto events = journal_.NewEvents();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_THAT(events[0], HasSubstr(R"("identifiers":[{"scheme":"mac","value":"b"}])"));
  EXPECT_THAT(events[0], HasSubstr(R"("fields":{"mac":"b","vendor":"Acme"})"));
  EXPECT_THAT(events[1], StartsWith("resource.changed "));

  // A scan and a discovery see it under each of its names.
  See({Card("a", "10.0.0.1", 9), Seen("b", {{"mac", "b"}, {"vendor", "Acme"}}, 9, "other"), Known("r1", 9)}, 9);
  EXPECT_THAT(journal_.NewEvents(), IsEmpty());
  EXPECT_EQ(OwnersOfResources(), std::vector<EntityId>{1});
  EXPECT_EQ(journal_.Device(4).id, 0);
  ExpectReplayIsTheSame();
}

// A machine with two cards, both seen by each scan.
TEST_F(DeviceChangeTest, NamesOfOneKindDoNotTakeTurns) {
  See({Card("a", "10.0.0.1", 0, "one"), Card("b", "10.0.0.2", 0, "two")});
  ASSERT_TRUE(Do(DeviceMerge{2, 1}));
  journal_.NewEvents();
  for (int scan = 1; scan < 4; ++scan) {
    See({Card("a", "10.0.0.1", scan, "one"), Card("b", "10.0.0." + std::to_string(2 + scan), scan, "two")}, scan);
    EXPECT_THAT(journal_.NewEvents(), IsEmpty());
    EXPECT_EQ(journal_.Field(1, "ip"), "10.0.0.1");
  }
  // Under its own name it may change.
  See({Card("a", "10.0.0.9", 5, "one")}, 5);
  EXPECT_EQ(journal_.Field(1, "ip"), "10.0.0.9");
  // What is empty may be filled.
  See({Seen("b", {{"type", "server"}}, 6)}, 6);
  EXPECT_EQ(journal_.Field(1, "type"), "server");
  ExpectReplayIsTheSame();
}

TEST_F(DeviceChangeTest, WhatAPersonSaidOfEitherStands) {
  See({Card("a", "10.0.0.1", 0, "one"), Card("b", "10.0.0.2", 0, "two"), Card("c", "10.0.0.3", 0, "three")});
  for (const EntityId id : {2, 3})
    ASSERT_TRUE(
        Do(DeviceEdit{.device = id, .set = {{"name", "mine" + std::to_string(id)}}, .lock = {"type"}, .unlock = {}}));
  ASSERT_TRUE(Do(DeviceMerge{2, 1}));
  EXPECT_EQ(journal_.Field(1, "name"), "mine2");
  EXPECT_THAT(journal_.Claims(1), Contains("name scan=one"));
  ASSERT_TRUE(Do(DeviceMerge{3, 1}));
  EXPECT_EQ(journal_.Field(1, "name"), "mine2");
  See({Seen("a", {{"type", "x"}}, 9)}, 9);
  EXPECT_EQ(journal_.Field(1, "type"), "");  // the lock came along
  ASSERT_TRUE(Do(DeviceEdit{.device = 1, .set = {{"name", std::nullopt}}, .lock = {}, .unlock = {}}));
  EXPECT_EQ(journal_.Field(1, "name"), "one");
  ExpectReplayIsTheSame();
}

TEST_F(DeviceChangeTest, TimesOfBothAreKept) {
  See({Card("a", "10.0.0.1", 1000, "one")}, 1000);
  See({Card("b", "10.0.0.2", 5000, "two")}, 5000);
  ASSERT_TRUE(Do(DeviceMerge{1, 2}));
  const store::Entity device = journal_.Device(2);
  EXPECT_EQ(device.first_seen, kNoon + Millis(1000));
  EXPECT_EQ(device.last_seen, kNoon + Millis(5000));
  EXPECT_TRUE(device.present);
}

TEST_F(DeviceChangeTest, ASplitDeviceIsTwoFromThenOn) {
  const std::string path = ResourcePath(Known("r1").resource);
  See({Card("a", "10.0.0.1", 0, "one"), Card("b", "10.0.0.2", 0), Known("r1")});
  ASSERT_TRUE(Do(DeviceMerge{2, 1}));
  ASSERT_TRUE(Do(DeviceMerge{3, 1}));
  journal_.NewEvents();
  const auto split = Do(DeviceSplit{1, {{"mac", "a"}, {"resource", path}}});
  ASSERT_TRUE(split) << split.error().message;
  const EntityId made = split->device.id;
  EXPECT_THAT(Names(made), UnorderedElementsAre("mac a", "resource " + path));
  EXPECT_THAT(Names(1), ElementsAre("mac b"));
  EXPECT_EQ(journal_.Field(made, "mac"), "a");
  EXPECT_EQ(journal_.Field(1, "mac"), "b");
  EXPECT_EQ(OwnersOfResources(), std::vector<EntityId>{made});
  EXPECT_TRUE(journal_.Device(made).present);
  EXPECT_EQ(OpenSessions(made), 1);
  EXPECT_THAT(journal_.NewEvents(), Contains(R"(device.split {"device":1,"identifiers":[{"scheme":"mac","value":"a"},)"
                                             R"({"scheme":"resource","value":")" +
                                             path + R"("}],"by":"user"})"));

  // A scan and a discovery see the two; each may change again, also under the name that was an alias.
  See({Card("a", "10.0.0.7", 9, "first"), Card("b", "10.0.0.8", 9), Known("r1", 9)}, 9);
  EXPECT_EQ(journal_.Field(made, "ip"), "10.0.0.7");
  EXPECT_EQ(journal_.Field(1, "ip"), "10.0.0.8");
  EXPECT_EQ(OwnersOfResources(), std::vector<EntityId>{made});
  EXPECT_EQ(journal_.Device(made + 1).id, 0);
  ExpectReplayIsTheSame();
}

TEST_F(DeviceChangeTest, AnAddressThatTwoShareDoesNotJoinThemAgain) {
  Observation both = Card("a", "10.0.0.1", 0);
  both.identifiers.push_back({"ip", "10.0.0.1"});
  See({both});
  const auto split = Do(DeviceSplit{1, {{"ip", "10.0.0.1"}}});
  ASSERT_TRUE(split);
  See({both}, 5);
  EXPECT_THAT(Names(1), ElementsAre("mac a"));
  EXPECT_THAT(Names(split->device.id), ElementsAre("ip 10.0.0.1"));
  ExpectReplayIsTheSame();
}

TEST_F(DeviceChangeTest, WhatCannotBeDoneSaysWhy) {
  See({Card("a", "10.0.0.1", 0)});
  const auto why = [&](const DeviceChange& change, OrgId org = kDefaultOrg) {
    const auto done = Do(change, kHour, org);
    return done ? std::string() : done.error().message;
  };
  EXPECT_EQ(why(DeviceDelete{9}), "no device 9");
  EXPECT_EQ(why(DeviceMerge{9, 1}), "no device 9");
  EXPECT_EQ(why(DeviceMerge{1, 9}), "no device 9");
  EXPECT_EQ(why(DeviceMerge{1, 1}), "device 1 cannot be merged into itself");
  EXPECT_EQ(why(DeviceSplit{1, {}}), "name the identifiers that leave device 1");
  EXPECT_EQ(why(DeviceSplit{1, {{"mac", "a"}}}), "at least one identifier stays with device 1");
  EXPECT_EQ(why(DeviceSplit{1, {{"mac", "z"}}}), "device 1 does not go by mac z");
  const OrgId second = journal_.store().AddOrganisation("second");
  EXPECT_EQ(why(DeviceDelete{1}, second), "no device 1");
  EXPECT_EQ(why(DeviceEdit{.device = 1, .set = {{"name", "x"}}, .lock = {}, .unlock = {}}, second), "no device 1");
}

TEST_F(DeviceChangeTest, AnEditSaysWhetherItChangedAnything) {
  See({Card("a", "10.0.0.1", 0)});
  const DeviceEdit edit{.device = 1, .set = {{"archived", "1"}}, .lock = {}, .unlock = {}};
  EXPECT_TRUE(Do(edit)->changed);
  EXPECT_FALSE(Do(edit)->changed);
}

TEST_F(DeviceChangeTest, WhatTheJournalHasOfADeletedDeviceIsPassedOver) {
  See({Card("a", "10.0.0.1", 0)});
  ASSERT_TRUE(Do(DeviceDelete{1}));
  ResourceRecord late = Known("r1");
  late.entity = 1;
  See({late});
  EXPECT_THAT(OwnersOfResources(), IsEmpty());
}

}  // namespace
}  // namespace backplane::ingest
