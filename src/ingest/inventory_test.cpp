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
  EXPECT_THAT(journal_.NewEvents(), ElementsAre(R"(device.new {"name":"printer","ip":"10.0.0.1"})"));
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
  EXPECT_EQ(journal_.NewEvents(second).size(), 1U);
}

TEST(DeviceEdit, ReadsBackWhatItWrites) {
  const DeviceEdit edit{
      .device = 3, .set = {{"name", "x"}, {"owner", std::nullopt}}, .lock = {"name"}, .unlock = {"ip"}};
  const auto back = DecodeEdit(EncodeEdit(edit));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->device, 3);
  EXPECT_EQ(back->set, edit.set);
  EXPECT_EQ(back->lock, edit.lock);
  EXPECT_EQ(back->unlock, edit.unlock);
}

TEST(DeviceEdit, RefusalsNameTheField) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"set":{"nmae":"x"}})", "set.nmae"}, {R"({"set":{"name":5}})", "set.name"}, {R"({"set":[]})", "set"},
      {R"({"lock":["nmae"]})", "lock"},        {R"({"unlock":[1]})", "unlock"},       {R"({"lock":"name"})", "lock"},
      {R"({"device":"1"})", "device"},         {R"({"other":1})", "other"},           {"[]", ""},
  };
  for (const auto& [text, where] : cases) {
    const auto edit = DecodeEdit(*ParseJson(text));
    ASSERT_FALSE(edit) << text;
    EXPECT_EQ(edit.error().code, Errc::kInvalid) << text;
    EXPECT_EQ(edit.error().where, where) << text;
  }
  EXPECT_FALSE(DecodeEdit({{"set", {{"name", std::string(4097, 'x')}}}}));
  EXPECT_TRUE(DecodeEdit({{"set", {{"name", std::string(4096, 'x')}}}}));
}

}  // namespace
}  // namespace backplane::ingest
