#include "ingest/inventory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "ingest/test_journal.h"
#include "store/runs.h"

namespace backplane::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class InventoryFoldTest : public ::testing::Test {
 protected:
  void Report(const Observation& observation) { journal_.AppendAndFold(Entry({observation}, ++at_)); }

  TestJournal journal_;
  int at_ = 0;
};

TEST_F(InventoryFoldTest, ANewDeviceIsAnEvent) {
  Report(Seen("aa", {{"name", "printer"}, {"ip", "10.0.0.1"}, {"vendor", ""}}, 5));
  EXPECT_THAT(journal_.NewEvents(),
              ElementsAre(R"(device.new {"name":"printer","ip":"10.0.0.1"})",
                          R"(device.connected {"event":2,"name":"printer","mac":"","ip":"10.0.0.1"})"));
  const store::Entity device = journal_.Device(1);
  EXPECT_EQ(device.kind, "device");
  EXPECT_EQ(device.first_seen, kNoon + Millis(5));
  EXPECT_EQ(device.last_seen, kNoon + Millis(5));
  EXPECT_EQ(device.revision, 1);
  EXPECT_THAT(journal_.Claims(1), ElementsAre("ip scan=10.0.0.1*", "name scan=printer*"));
}

TEST_F(InventoryFoldTest, SeenAgainIsNoEvent) {
  Report(Seen("aa", {{"name", "printer"}}, 5));
  journal_.NewEvents();
  Report(Seen("aa", {{"name", "printer"}}, 9));
  Report(Seen("aa", {{"name", ""}}, 7));
  EXPECT_THAT(journal_.NewEvents(), IsEmpty());
  EXPECT_EQ(journal_.Device(1).last_seen, kNoon + Millis(9));
  EXPECT_EQ(journal_.Device(1).revision, 1);
  EXPECT_EQ(journal_.Field(1, "name"), "printer");
}

TEST_F(InventoryFoldTest, AChangeNamesBothValues) {
  Report(Seen("aa", {{"name", "a"}, {"ip", "1"}}));
  journal_.NewEvents();
  Report(Seen("aa", {{"name", "b"}, {"ip", "1"}}));
  EXPECT_THAT(journal_.NewEvents(),
              ElementsAre(R"(device.changed {"name":"b","changes":{"name":{"from":"a","to":"b"}}})"));
  EXPECT_EQ(journal_.Device(1).revision, 2);
}

TEST_F(InventoryFoldTest, WeakerClaimsAreKeptBeside) {
  Report(Seen("aa", {{"name", "a"}}));
  Report(Seen("aa", {{"name", "b"}}, 1, "dns"));
  Report(Seen("aa", {{"name", "c", ClaimPolicy::kIfEmpty}}, 2, "import"));
  EXPECT_THAT(journal_.Claims(1), ElementsAre("name dns=b", "name import=c", "name scan=a*"));
  EXPECT_EQ(journal_.Field(1, "name"), "a");
  journal_.NewEvents();
  Report(Seen("aa", {{"name", "d", ClaimPolicy::kAlways}}, 3, "dns"));
  EXPECT_THAT(journal_.Claims(1), ElementsAre("name dns=d*", "name import=c", "name scan=a"));
  EXPECT_EQ(journal_.NewEvents().size(), 1U);
}

TEST_F(InventoryFoldTest, AFieldMayBeFilledBySomebodyElse) {
  Report(Seen("aa", {{"name", "a"}}));
  Report(Seen("aa", {{"vendor", "v", ClaimPolicy::kIfEmpty}}, 1, "dns"));
  Report(Seen("aa", {{"vendor", "w", ClaimPolicy::kIfEmpty}}, 2, "dns"));
  EXPECT_EQ(journal_.Field(1, "vendor"), "v");
  EXPECT_THAT(journal_.Claims(1), ElementsAre("name scan=a*", "vendor dns=v*"));
}

TEST_F(InventoryFoldTest, ANewDeviceHasTheDefaultsWhereNobodySaysAnything) {
  store::Entry entry = Entry({Seen("aa", {{"name", "a"}, {"owner", ""}})});
  entry.defaults = {{"name", "(unknown)"}, {"owner", "me"}, {"alert_down", "1"}, {"favorite", "maybe"}, {"none", "x"}};
  journal_.AppendAndFold(entry);
  EXPECT_EQ(journal_.Field(1, "name"), "a");
  EXPECT_EQ(journal_.Field(1, "owner"), "me");
  EXPECT_EQ(journal_.Field(1, "alert_down"), "1");
  EXPECT_EQ(journal_.Field(1, "favorite"), "");  // that is no flag
  EXPECT_THAT(journal_.Claims(1), ElementsAre("name scan=a*"));
  entry.defaults = {{"owner", "you"}, {"vendor", "v"}};
  journal_.AppendAndFold(entry);  // it is not new any more
  EXPECT_EQ(journal_.Field(1, "owner"), "me");
  EXPECT_EQ(journal_.Field(1, "vendor"), "");
  Report(Seen("aa", {{"owner", "b", ClaimPolicy::kIfEmpty}}, 1, "dns"));
  Report(Seen("aa", {{"owner", "c"}}, 2, "import"));
  EXPECT_EQ(journal_.Field(1, "owner"), "me");
  Report(Seen("aa", {{"owner", "d", ClaimPolicy::kAlways}}, 3, "import"));
  EXPECT_EQ(journal_.Field(1, "owner"), "d");
}

TEST_F(InventoryFoldTest, AClaimThatIsNoValueOfItsFieldDoesNotCount) {
  Report(Seen("aa", {{"favorite", "yes"}, {"skip_repeated", "-1"}, {"force_status", "up"}, {"alert_down", "1"}}));
  EXPECT_THAT(journal_.Claims(1), ElementsAre("alert_down scan=1*"));
}

TEST_F(InventoryFoldTest, WhatIsKnownWithoutSeeingIsNoSighting) {
  Report(Seen("aa", {{"name", "a"}}, 5));
  journal_.NewEvents();
  const auto know = [&](EntityId entity, std::vector<Claim> claims) {
    journal_.AppendAndFold(Entry(
        {ClaimsRecord{.entity = entity, .source = "names", .claims = std::move(claims), .at = kNoon + Millis(9)}}));
  };
  know(1, {{"name", "b"}, {"fqdn", "a.example"}});
  EXPECT_EQ(journal_.Field(1, "fqdn"), "a.example");
  EXPECT_THAT(journal_.Claims(1), ElementsAre("fqdn names=a.example*", "name names=b", "name scan=a*"));
  EXPECT_EQ(journal_.Device(1).last_seen, kNoon + Millis(5));
  EXPECT_EQ(journal_.NewEvents().size(), 1U);
  know(1, {{"name", "b"}, {"fqdn", "a.example"}});
  know(7, {{"name", "nobody"}});
  EXPECT_THAT(journal_.NewEvents(), IsEmpty());
  EXPECT_EQ(journal_.Device(1).revision, 2);
}

// The shortcut for a source that says the same again must not outlive what it was judged by.
TEST_F(InventoryFoldTest, WhoIsKnownByNameOnlyIsNotThere) {
  store::Entry entry = Entry({ClaimsRecord{.entity = 0,
                                           .source = "list",
                                           .claims = {{"name", "a"}},
                                           .at = kNoon,
                                           .identifiers = {{"mac", "m1"}, {"ip", "i1"}}}});
  entry.defaults = {{"owner", "house"}, {"name", "unused"}};
  journal_.AppendAndFold(entry);
  const store::Entity device = journal_.Device(1);
  EXPECT_FALSE(device.present);
  EXPECT_EQ(device.Field("name"), "a");
  EXPECT_EQ(device.Field("owner"), "house");
  // The second time it is the same one, whichever name it is called by.
  journal_.AppendAndFold(Entry({ClaimsRecord{.entity = 0,
                                             .source = "list",
                                             .claims = {{"vendor", "v"}},
                                             .at = kNoon,
                                             .identifiers = {{"mac", "m2"}, {"ip", "i1"}}}}));
  EXPECT_EQ(journal_.Field(1, "vendor"), "v");
  journal_.AppendAndFold(Entry({Seen("m1")}, 1000));
  EXPECT_TRUE(journal_.Device(1).present);
  EXPECT_EQ(journal_.Device(2).id, 0);
}

TEST_F(InventoryFoldTest, WhatIsSaidAnewCountsAgain) {
  const auto say = [&](bool anew) {
    journal_.AppendAndFold(Entry({ClaimsRecord{.entity = 1,
                                               .source = "list",
                                               .claims = {{"name", "mine", ClaimPolicy::kAlways}},
                                               .at = kNoon,
                                               .identifiers = {},
                                               .anew = anew}}));
  };
  journal_.AppendAndFold(Entry({Seen("m1")}));
  say(false);
  journal_.AppendAndFold(Entry({Seen("m1", {{"name", "theirs", ClaimPolicy::kAlways}})}));
  say(false);
  EXPECT_EQ(journal_.Field(1, "name"), "theirs");
  say(true);
  EXPECT_EQ(journal_.Field(1, "name"), "mine");
  // Whoever follows looks at it again, even if it is all the same.
  const auto changed = [&] {
    return journal_.store().Read([](store::Connection& c) {
      return store::Inventory(c, kDefaultOrg).ChangedSince(store::LastEntry(c) - 1).size();
    });
  };
  say(true);
  EXPECT_EQ(changed(), 1U);
  say(false);
  EXPECT_EQ(changed(), 0U);
}

TEST_F(InventoryFoldTest, TheSameIsJudgedAgainWhereItMayCountNow) {
  const Observation weak = Seen("aa", {{"name", "b", ClaimPolicy::kIfEmpty}}, 1);
  Report(Seen("aa", {{"name", "a", ClaimPolicy::kIfEmpty}}));
  Report(weak);
  Report(weak);
  EXPECT_EQ(journal_.Field(1, "name"), "a");
  Report(Seen("aa", {{"name", "b", ClaimPolicy::kAlways}}, 2));  // by another policy
  EXPECT_EQ(journal_.Field(1, "name"), "b");

  const Observation always = Seen("aa", {{"vendor", "v", ClaimPolicy::kAlways}}, 3, "oui");
  ASSERT_TRUE(journal_.Edit({.device = 1, .set = {}, .lock = {"vendor"}, .unlock = {}}));
  Report(always);
  Report(always);
  EXPECT_EQ(journal_.Field(1, "vendor"), "");
  ASSERT_TRUE(journal_.Edit({.device = 1, .set = {}, .lock = {}, .unlock = {"vendor"}}));
  Report(always);
  EXPECT_EQ(journal_.Field(1, "vendor"), "v");
}

TEST_F(InventoryFoldTest, ALockedFieldStays) {
  Report(Seen("aa", {{"name", "a"}}));
  ASSERT_TRUE(journal_.Edit({.device = 1, .set = {}, .lock = {"name"}, .unlock = {}}));
  journal_.NewEvents();
  Report(Seen("aa", {{"name", "b", ClaimPolicy::kAlways}}, 1, "dns"));
  Report(Seen("aa", {{"name", "b"}}, 2));
  EXPECT_EQ(journal_.Field(1, "name"), "a");
  EXPECT_THAT(journal_.NewEvents(), IsEmpty());
  ASSERT_TRUE(journal_.Edit({.device = 1, .set = {}, .lock = {}, .unlock = {"name"}}));
  Report(Seen("aa", {{"name", "c", ClaimPolicy::kAlways}}, 3, "dns"));
  EXPECT_EQ(journal_.Field(1, "name"), "c");
}

TEST_F(InventoryFoldTest, AfterUnlockingWhatSourcesSayCountsAgain) {
  Report(Seen("aa", {{"name", "a"}}));
  ASSERT_TRUE(journal_.Edit({.device = 1, .set = {}, .lock = {"name"}, .unlock = {}}));
  Report(Seen("aa", {{"name", "b", ClaimPolicy::kAlways}}, 1, "dns"));
  EXPECT_EQ(journal_.Field(1, "name"), "a");
  ASSERT_TRUE(journal_.Edit({.device = 1, .set = {}, .lock = {}, .unlock = {"name"}}));
  Report(Seen("aa", {{"name", "b", ClaimPolicy::kAlways}}, 2, "dns"));
  EXPECT_EQ(journal_.Field(1, "name"), "b");
}

TEST_F(InventoryFoldTest, SettingWhatIsSetChangesNothing) {
  Report(Seen("aa", {{"name", "a"}}));
  const DeviceEdit edit{.device = 1, .set = {{"name", "mine"}}, .lock = {"name"}, .unlock = {}};
  ASSERT_TRUE(journal_.Edit(edit));
  journal_.NewEvents();
  const auto again = journal_.Edit(edit);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->revision, 2);
  EXPECT_THAT(journal_.NewEvents(), IsEmpty());
}

TEST_F(InventoryFoldTest, APersonsValueStandsUntilItIsTakenBack) {
  Report(Seen("aa", {{"name", "a"}}));
  journal_.NewEvents();
  const auto edited = journal_.Edit({.device = 1, .set = {{"name", "mine"}}, .lock = {}, .unlock = {}});
  ASSERT_TRUE(edited);
  EXPECT_EQ(edited->revision, 2);
  EXPECT_THAT(journal_.NewEvents(),
              ElementsAre(R"(device.changed {"name":"mine","by":"user","changes":{"name":{"from":"a","to":"mine"}}})"));
  Report(Seen("aa", {{"name", "b", ClaimPolicy::kAlways}}, 5, "dns"));
  Report(Seen("aa", {{"name", "c"}}, 3));
  EXPECT_EQ(journal_.Field(1, "name"), "mine");
  EXPECT_THAT(journal_.Claims(1), ElementsAre("name dns=b", "name scan=c", "name user=mine*"));
  ASSERT_TRUE(journal_.Edit({.device = 1, .set = {{"name", std::nullopt}}, .lock = {}, .unlock = {}}));
  EXPECT_EQ(journal_.Field(1, "name"), "b");  // the latest of the others
  EXPECT_THAT(journal_.Claims(1), ElementsAre("name dns=b*", "name scan=c"));
}

TEST_F(InventoryFoldTest, APersonMayEmptyAField) {
  Report(Seen("aa", {{"name", "a"}}));
  ASSERT_TRUE(journal_.Edit({.device = 1, .set = {{"name", ""}}, .lock = {}, .unlock = {}}));
  Report(Seen("aa", {{"name", "b", ClaimPolicy::kAlways}}, 5));
  EXPECT_EQ(journal_.Field(1, "name"), "");
}

TEST_F(InventoryFoldTest, TakingBackWhatWasNeverSetChangesNothing) {
  Report(Seen("aa", {{"name", "a"}}));
  Report(Seen("aa", {{"name", "b"}}, 9, "dns"));  // later, and weaker
  ASSERT_TRUE(journal_.Edit(
      {.device = 1, .set = {{"name", std::nullopt}, {"vendor", std::nullopt}}, .lock = {}, .unlock = {}}));
  EXPECT_EQ(journal_.Field(1, "name"), "a");
  EXPECT_THAT(journal_.Claims(1), ElementsAre("name dns=b", "name scan=a*"));
}

TEST_F(InventoryFoldTest, AFieldWithoutOtherClaimsIsEmptyAgain) {
  Report(Seen("aa"));
  ASSERT_TRUE(journal_.Edit({.device = 1, .set = {{"owner", "me"}}, .lock = {}, .unlock = {}}));
  ASSERT_TRUE(journal_.Edit({.device = 1, .set = {{"owner", std::nullopt}}, .lock = {}, .unlock = {}}));
  EXPECT_EQ(journal_.Field(1, "owner"), "");
  EXPECT_THAT(journal_.Claims(1), IsEmpty());
}

TEST_F(InventoryFoldTest, EditingNobodyIsNotFound) {
  const auto edited = journal_.Edit({.device = 4, .set = {{"name", "x"}}, .lock = {}, .unlock = {}});
  ASSERT_FALSE(edited);
  EXPECT_EQ(edited.error().code, Errc::kNotFound);
  EXPECT_THAT(State(*journal_.store()), IsEmpty());
}

TEST_F(InventoryFoldTest, AnyKnownNameFindsTheDevice) {
  Report(Seen("aa", {{"name", "a"}}));
  Observation both = Seen("aa", {}, 1);
  both.identifiers.push_back({"ip", "10.0.0.1"});
  Report(both);
  Observation by_ip = Seen("", {{"name", "b"}}, 2);
  by_ip.identifiers = {{"uuid", "new"}, {"ip", "10.0.0.1"}};
  Report(by_ip);
  EXPECT_EQ(journal_.Field(1, "name"), "b");
  EXPECT_EQ(journal_.Device(2).id, 0);
  Observation by_uuid = Seen("", {{"name", "c"}}, 3);
  by_uuid.identifiers = {{"uuid", "new"}};
  Report(by_uuid);
  EXPECT_EQ(journal_.Field(1, "name"), "c");
}

TEST_F(InventoryFoldTest, AnObservationOfNothingSaysNothing) {
  Report(Observation{});
  Report({.source = "scan", .identifiers = {}, .claims = {{"name", "ghost"}}, .at = kNoon});
  EXPECT_THAT(State(*journal_.store()), IsEmpty());
}

TEST_F(InventoryFoldTest, UnknownFieldsAreNotTaken) {
  Report(Seen("aa", {{"name", "a"}, {"no_such_field", "x"}}));
  EXPECT_THAT(journal_.Claims(1), ElementsAre("name scan=a*"));
}

TEST_F(InventoryFoldTest, OrganisationsDoNotShareDevices) {
  const OrgId second = journal_.store().AddOrganisation("second");
  Report(Seen("aa", {{"name", "mine"}}));
  store::Entry theirs = Entry({Seen("aa", {{"name", "theirs"}})});
  theirs.org = second;
  journal_.AppendAndFold(theirs);
  EXPECT_EQ(journal_.Field(1, "name"), "mine");
  EXPECT_EQ(journal_.Device(2).id, 0);
  EXPECT_EQ(journal_.Device(2, second).fields[0], "theirs");
  EXPECT_EQ(journal_.NewEvents(second).size(), 2U);
}

}  // namespace
}  // namespace backplane::ingest
