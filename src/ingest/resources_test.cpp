#include "ingest/resources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/test_journal.h"

namespace backplane::ingest {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ResourcesFoldTest : public ::testing::Test {
 protected:
  void Report(const std::vector<Record>& records, bool complete = true, int at = 0,
              const std::string& plugin = "d:scan") {
    store::Entry entry = Entry(records, at, plugin);
    entry.complete = complete;
    journal_.AppendAndFold(entry);
  }
  void ItIs(int at) { journal_.AppendAndFold({.kind = store::EntryKind::kTime, .at = kNoon + Millis(at)}); }
  std::vector<store::StoredResource> Stored() {
    return journal_.store().Read([](store::Connection& c) { return store::Resources(c, kDefaultOrg).List({}); });
  }
  std::vector<std::string> Ids() {
    std::vector<std::string> ids;
    for (const auto& stored : Stored()) ids.push_back(stored.resource.id);
    return ids;
  }
  std::vector<std::string> Topics() {
    std::vector<std::string> topics;
    for (const std::string& event : journal_.NewEvents())
      if (!event.starts_with("device.")) topics.push_back(event.substr(0, event.find(' ')));
    return topics;
  }
  std::vector<store::StoredEnrichment> Known(const std::string& id, const std::string& name_space, int at) {
    return journal_.store().Read([&](store::Connection& c) {
      return store::Enrichments(c, kDefaultOrg).Of(id, name_space, kNoon + Millis(at));
    });
  }

  TestJournal journal_;
};

TEST_F(ResourcesFoldTest, AResourceIsAnEntityOfTheInventory) {
  Report({ingest::Known("sw1")});
  ASSERT_THAT(Ids(), ElementsAre("sw1"));
  const EntityId entity = Stored()[0].entity;
  EXPECT_EQ(journal_.Field(entity, "name"), "sw1");
  EXPECT_EQ(journal_.Field(entity, "fqdn"), "sw1.example");
  EXPECT_EQ(journal_.Field(entity, "site"), "dc1");
  EXPECT_THAT(journal_.NewEvents(),
              ElementsAre(HasSubstr("device.new"), HasSubstr("device.connected"),
                          R"(resource.new {"resource":1,"key":"plugin|inventory|site|dc1|class|network|subclass|)"
                          R"(switch|type|acme|id|sw1|endpoint|sw1.example"})"));
}

TEST_F(ResourcesFoldTest, AnAddressIsAnAddress) {
  ResourceRecord record = ingest::Known("sw1");
  record.resource.endpoint = "2001:db8::1";
  Report({record});
  EXPECT_EQ(journal_.Field(Stored()[0].entity, "ip"), "2001:db8::1");
  EXPECT_EQ(journal_.Field(Stored()[0].entity, "fqdn"), "");
}

TEST_F(ResourcesFoldTest, AResourceIsTheOneDeviceAtItsAddress) {
  Report({Seen("aa:bb", {{"name", "core"}, {"ip", "10.0.0.1"}}), Seen("cc:dd", {{"ip", "10.0.0.2"}})}, false);
  ResourceRecord record = ingest::Known("sw1");
  record.resource.endpoint = "10.0.0.1";
  Report({record});
  ASSERT_EQ(Stored().size(), 1U);
  EXPECT_EQ(Stored()[0].entity, 1);
  EXPECT_EQ(journal_.Field(1, "name"), "core");
  EXPECT_EQ(journal_.Field(1, "type"), "acme");
  Report({Seen("aa:bb", {{"ip", "10.0.0.9"}})}, false);
  Report({record}, true, 1);  // it goes by its path now, wherever the device is
  EXPECT_EQ(Stored()[0].entity, 1);
  ResourceRecord second = ingest::Known("sw2");
  second.resource.endpoint = "10.0.0.9";
  Report({record, second}, true, 2);  // that is another thing behind the same address
  EXPECT_EQ(Stored()[1].entity, 3);
}

TEST_F(ResourcesFoldTest, AResourceIsTheOneDeviceThatIsCalledSo) {
  Report({Seen("aa", {{"name", "SW1.example"}}), Seen("bb", {{"fqdn", "sw2"}}), Seen("cc", {{"name", "sw3"}}),
          Seen("dd", {{"fqdn", "sw3.example"}})},
         false);
  Report({ingest::Known("sw1"), ingest::Known("sw2"), ingest::Known("sw3")});
  const auto stored = Stored();
  EXPECT_EQ(stored[0].entity, 1);
  EXPECT_EQ(stored[1].entity, 2);
  EXPECT_EQ(stored[2].entity, 5);  // two are called so
}

TEST_F(ResourcesFoldTest, NeitherSeveralDevicesNorOneThatIsGoneIsTheResource) {
  Report({Seen("aa", {{"ip", "10.0.0.1"}}), Seen("bb", {{"ip", "10.0.0.1"}}),
          Seen("cc", {{"ip", "10.0.0.2"}, {"force_status", "offline"}})},
         false);
  ResourceRecord one = ingest::Known("sw1"), other = ingest::Known("sw2");
  one.resource.endpoint = "10.0.0.1";
  other.resource.endpoint = "10.0.0.2";
  Report({one, other});
  EXPECT_EQ(Stored()[0].entity, 4);
  EXPECT_EQ(Stored()[1].entity, 5);
}

TEST_F(ResourcesFoldTest, AResourceThatIsScannedLaterIsOneDevice) {
  ResourceRecord record = ingest::Known("sw1");
  record.resource.endpoint = "10.0.0.1";
  Report({record});
  journal_.NewEvents();
  Report({Seen("aa:bb", {{"ip", "10.0.0.1"}, {"vendor", "acme"}})}, false);
  EXPECT_EQ(journal_.Device(2).id, 0);
  EXPECT_EQ(journal_.Field(1, "vendor"), "acme");
  EXPECT_THAT(journal_.NewEvents(), ElementsAre(HasSubstr("device.changed")));
  Report({Seen("cc:dd", {{"ip", "10.0.0.1"}})}, false);  // that one has a MAC address by now
  EXPECT_EQ(journal_.Device(2).id, 2);
  Report({record}, true, 5);
  EXPECT_EQ(Stored()[0].entity, 1);
}

TEST_F(ResourcesFoldTest, TwoEndpointsOfOneThingAreTwoResourcesOfOneEntity) {
  ResourceRecord other = ingest::Known("sw1");
  other.resource.endpoint = "10.0.0.1";
  Report({ingest::Known("sw1"), other});
  const auto stored = Stored();
  ASSERT_EQ(stored.size(), 2U);
  EXPECT_EQ(stored[0].entity, stored[1].entity);
}

TEST_F(ResourcesFoldTest, AMappedResourceBelongsToItsDevice) {
  Report({Seen("aa:bb", {{"name", "router"}})}, false);
  ResourceRecord record = ingest::Known("r1");
  record.entity = 1;
  Report({record});
  EXPECT_EQ(Stored()[0].entity, 1);
  EXPECT_EQ(journal_.Field(1, "name"), "router");
}

TEST_F(ResourcesFoldTest, OnlyWhatDiffersIsAChange) {
  ResourceRecord record = ingest::Known("sw1");
  Report({record});
  Topics();
  Report({record}, true, 1000);
  EXPECT_THAT(Topics(), IsEmpty());
  record.resource.metadata["model"] = "X";
  Report({record}, true, 2000);
  EXPECT_THAT(Topics(), ElementsAre("resource.changed"));
  EXPECT_EQ(Stored()[0].resource.metadata.at("model"), "X");
}

TEST_F(ResourcesFoldTest, WhatACompleteReportLeavesOutEndsAtTheSitesItNames) {
  Report({ingest::Known("a"), ingest::Known("b"), ingest::Known("c", 0, "dc2")});
  Report({ingest::Known("other")}, true, 0, "d:other");
  Topics();
  Report({ingest::Known("a")}, false);
  EXPECT_THAT(Ids(), ElementsAre("a", "b", "c", "other"));
  Report({ingest::Known("a")});
  EXPECT_THAT(Ids(), ElementsAre("a", "c", "other"));
  EXPECT_THAT(Topics(), ElementsAre("resource.removed"));
  Report({});  // a source that knows nothing ends nothing
  EXPECT_THAT(Ids(), ElementsAre("a", "c", "other"));
}

TEST_F(ResourcesFoldTest, OnlyItsSourceTakesAResourceBack) {
  Report({ingest::Known("a")});
  const std::string key = ResourceKey(ingest::Known("a").resource);
  Report({ResourceGone{key}}, false, 0, "d:other");
  EXPECT_THAT(Ids(), ElementsAre("a"));
  Report({ResourceGone{key}, ResourceGone{"none"}}, false);
  EXPECT_THAT(Ids(), IsEmpty());
  EXPECT_THAT(journal_.NewEvents(), Contains(HasSubstr(R"("reason":"gone")")));
}

TEST_F(ResourcesFoldTest, ATimeToLiveEndsWhenTheJournalSaysSo) {
  Report({ingest::Known("short", 0, "dc1", 60), ingest::Known("long", 0, "dc1", 600), ingest::Known("ever")}, false);
  ItIs(59'999);
  EXPECT_EQ(Ids().size(), 3U);
  ItIs(60'000);
  EXPECT_THAT(Ids(), ElementsAre("long", "ever"));
  EXPECT_THAT(journal_.NewEvents(), Contains(HasSubstr(R"("reason":"expired")")));
  Report({ingest::Known("long", 500'000, "dc1", 600)}, false);  // reported again: it lives on
  ItIs(700'000);
  EXPECT_THAT(Ids(), ElementsAre("long", "ever"));
}

TEST_F(ResourcesFoldTest, ManyEndInSeveralSteps) {
  std::vector<Record> records;
  for (int i = 0; i < 250; ++i) {
    records.push_back(ingest::Known(std::to_string(i), 0, "dc1", 1));
    records.push_back(EnrichmentRecord{.resource_id = std::to_string(i),
                                       .name_space = "n",
                                       .body = "{}",
                                       .watch_key = "",
                                       .at = kNoon,
                                       .ttl = Millis(1'000)});
  }
  Report(records, false);
  ItIs(1'000);
  EXPECT_THAT(Ids(), IsEmpty());
  EXPECT_FALSE(
      journal_.store().Read([](store::Connection& c) { return store::AnythingExpired(c, kNoon + Millis(1'000'000)); }));
}

TEST_F(ResourcesFoldTest, EnrichmentsAreKeptByIdAndNamespaceUntilTheyExpire) {
  const auto report = [&](const std::string& name_space, const std::string& body, const std::string& watch, int at) {
    Report({EnrichmentRecord{.resource_id = "sw1",
                             .name_space = name_space,
                             .body = body,
                             .watch_key = watch,
                             .at = kNoon + Millis(at),
                             .ttl = Millis(10'000)}},
           false, at);
  };
  report("interface", R"({"a":1,"t":1})", "a1", 0);
  report("neighbor", "{}", "", 0);
  EXPECT_THAT(Topics(), ElementsAre("enrichment.changed", "enrichment.changed"));
  report("interface", R"({"a":1,"t":2})", "a1", 5'000);  // only its time differs
  EXPECT_THAT(Topics(), IsEmpty());
  ASSERT_EQ(Known("sw1", "", 9'000).size(), 2U);
  EXPECT_EQ(Known("sw1", "interface", 9'000).at(0).body, R"({"a":1,"t":2})");
  EXPECT_EQ(Known("sw1", "", 10'000).size(), 1U);
  EXPECT_THAT(Known("sw1", "interface", 15'000), IsEmpty());
  EXPECT_THAT(Known("sw2", "", 0), IsEmpty());
}

TEST_F(ResourcesFoldTest, MissingResourcesAreFoundAcrossEverySliceSize) {
  for (const std::int64_t steps : {1, 7, 199, 200, 201}) {
    TestJournal journal;
    std::vector<Record> all;
    std::vector<Record> some;
    for (int i = 0; i < 405; ++i) {
      all.push_back(ingest::Known(std::to_string(i)));
      if (i % 3 == 0) some.push_back(all.back());
    }
    journal.AppendAndFold(Entry(all));
    store::Entry entry = Entry(some);
    entry.complete = true;
    journal.Append(entry);
    journal.Fold([&] { return steps; });
    EXPECT_EQ(journal.store()
                  .Read([](store::Connection& c) { return store::Resources(c, kDefaultOrg).List({.limit = 1000}); })
                  .size(),
              135U)
        << steps;
  }
}

}  // namespace
}  // namespace backplane::ingest
