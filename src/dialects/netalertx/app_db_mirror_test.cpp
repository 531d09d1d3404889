#include "dialects/netalertx/installation_fixture.h"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "dialects/netalertx/app_db_rows.h"

namespace backplane::netalertx {
namespace {

using ingest::kNoon;
using ingest::Seen;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_F(InstallationTest, ADeviceHasEveryValueAndWhoSaidIt) {
  Report({Seen(kMac, {{"mac", kMac}, {"name", "007"}, {"ip", "10.0.0.1"}, {"vendor", "acme"}, {"parent_port", "07"}},
               1500, "ARPSCAN")});
  EXPECT_EQ(Device("devName"), "007");
  EXPECT_EQ(Device("typeof(devName)"), "text");
  EXPECT_EQ(Device("devLastIP"), "10.0.0.1");
  EXPECT_EQ(Device("devPrimaryIPv4"), "10.0.0.1");
  EXPECT_EQ(Device("devPrimaryIPv6"), "");
  EXPECT_EQ(Device("devVendor"), "acme");
  EXPECT_EQ(Device("devOwner"), "(unknown)");
  EXPECT_EQ(Device("devParentPort"), "07");
  EXPECT_EQ(Device("devSourcePlugin"), "ARPSCAN");
  EXPECT_EQ(Device("devNameSource"), "ARPSCAN");
  EXPECT_EQ(Device("devMacSource"), "ARPSCAN");
  EXPECT_EQ(Device("devSSIDSource"), "NEWDEV");
  EXPECT_EQ(Device("devFirstConnection"), FormatSeconds(kNoon + Millis(1500)));
  EXPECT_EQ(Device("devLastConnection"), FormatSeconds(kNoon + Millis(1500)));
  EXPECT_EQ(Device("devPresentLastScan"), "1");
  EXPECT_EQ(Device("devIsNew"), "1");
  EXPECT_EQ(Device("devParentRelType"), "default");
  EXPECT_EQ(Device("length(devGUID)"), "36");
}

TEST_F(InstallationTest, EveryColumnIsAFieldOrWorkedOut) {
  std::vector<std::string> ours = DevicesTable().columns;
  std::sort(ours.begin(), ours.end());
  CatchUp();
  std::vector<std::string> columns;
  store::SqliteConnection reader(app_db_, store::SqliteConnection::Mode::kReadOnly);
  store::Rows rows = reader.Query("SELECT name FROM pragma_table_info('Devices') ORDER BY name");
  while (rows.Next()) columns.push_back(rows.Text(0));
  EXPECT_EQ(columns, ours);
  EXPECT_EQ(kFieldColumns.size() + 1, kDeviceFields.size());  // the MAC address is the key
}

TEST_F(InstallationTest, WhatNobodySaysOfADeviceIsWhatItHadAtFirst) {
  defaults_ = {{"owner", "house"}, {"alert_down", "1"}, {"scan", "0"}, {"favorite", "7"}};
  Report({Seen(kMac, {{"vendor", "acme"}})});
  EXPECT_EQ(Device("devName"), "(unknown)");
  EXPECT_EQ(Device("devOwner"), "house");
  EXPECT_EQ(Device("devAlertDown"), "1");
  EXPECT_EQ(Device("devScan"), "0");
  EXPECT_EQ(Device("devFavorite"), "0");  // a flag is 0 or 1
  EXPECT_EQ(Device("devLastNotification IS NULL"), "1");
  EXPECT_EQ(Device("devVendorSource"), "scan");
  EXPECT_EQ(Device("devNameSource"), "NEWDEV");
}

TEST_F(InstallationTest, WhatAPersonSetsStandsInItsColumn) {
  Report({Seen(kMac)});
  const std::map<std::string, std::string> set = {
      {"favorite", "1"},          {"archived", "1"},          {"is_new", "0"},
      {"skip_repeated", "8"},     {"force_status", "online"}, {"icon", "PGk+"},
      {"parent_relation", "nic"}, {"custom", "W10="}};
  ingest::DeviceEdit edit{.device = 1, .set = {}, .lock = {}, .unlock = {}};
  for (const auto& [field, value] : set) edit.set[field] = value;
  ASSERT_TRUE(fold_.Change(kDefaultOrg, edit, "person"));
  CatchUp();
  EXPECT_EQ(
      Device("devFavorite || devIsArchived || devIsNew || ' ' || devSkipRepeated || ' ' || devForceStatus || ' ' || "
             "devIcon || ' ' || devParentRelType || ' ' || devParentRelTypeSource || ' ' || devCustomProps"),
      "110 8 online PGk+ nic USER W10=");
}

TEST_F(InstallationTest, WhoWasOnlySeenAgainWasSeenAgain) {
  Report({Seen(kMac, {{"name", "a"}}), Seen("aa:00:00:00:00:02")});
  WriteAsAnother("DROP TRIGGER Backplane_Devices_update; UPDATE Devices SET devComments = 'theirs'");
  Report({Seen(kMac, {{"name", "a"}}, 5000)}, false, "netalertx:CASE", 5000);
  EXPECT_EQ(Device("devLastConnection"), FormatSeconds(ingest::kNoon + Millis(5000)));
  EXPECT_EQ(Device("devComments"), "theirs");  // the rest of the row was not even looked at
}

TEST_F(InstallationTest, ADeviceThatIsDeletedOrMergedHasNoRow) {
  Report({Seen(kMac), Seen("aa:00:00:00:00:02"), Seen("aa:00:00:00:00:03")});
  ASSERT_TRUE(fold_.Change(kDefaultOrg, ingest::DeviceDelete{1}, "person"));
  CatchUp();
  EXPECT_THAT(Query("SELECT devMac FROM Devices ORDER BY devMac"),
              ElementsAre("aa:00:00:00:00:02", "aa:00:00:00:00:03"));
  ASSERT_TRUE(fold_.Change(kDefaultOrg, ingest::DeviceMerge{2, 3}, "person"));
  CatchUp();
  EXPECT_EQ(Query("SELECT devMac FROM Devices").size(), 1U);
}

TEST_F(InstallationTest, APersonsWordAndALockAreSeenAtOnce) {
  Report({Seen(kMac, {{"name", "scanned"}, {"vendor", "acme"}})});
  ASSERT_TRUE(fold_.Change(
      kDefaultOrg, ingest::DeviceEdit{.device = 1, .set = {{"name", "printer"}}, .lock = {"vendor"}, .unlock = {}},
      "local"));
  CatchUp();
  EXPECT_EQ(Device("devName"), "printer");
  EXPECT_EQ(Device("devNameSource"), "USER");
  EXPECT_EQ(Device("devVendorSource"), "LOCKED");
}

TEST_F(InstallationTest, DevicesWithoutAnAddressHaveAKeyAllTheSame) {
  Observation line{
      .source = "INTRNT", .identifiers = {{"netalertx", "internet"}}, .claims = {{"ip", "192.0.2.1"}}, .at = kNoon};
  Observation host{.source = "PING", .identifiers = {{"ip", "10.0.0.9"}}, .claims = {{"name", "host"}}, .at = kNoon};
  Report({line, host});
  EXPECT_EQ(Device("devLastIP", "internet"), "192.0.2.1");
  EXPECT_EQ(Device("devParentMAC", "internet"), "null");
  EXPECT_EQ(Value("SELECT devMac FROM Devices WHERE devName = 'host'"), "fa:ce:00:00:00:02");
  // Its row goes on when its address becomes known.
  const std::string guid = Value("SELECT devGUID FROM Devices WHERE devName = 'host'");
  host.identifiers = {{"mac", kMac}, {"ip", "10.0.0.9"}};
  Report({host}, true, "netalertx:OTHER");
  EXPECT_EQ(Value("SELECT devMac FROM Devices WHERE devName = 'host'"), kMac);
  EXPECT_EQ(Device("devGUID"), guid);
}

TEST_F(InstallationTest, PresentIsWhoTheCoreThinksIsThere) {
  const std::string other = "aa:00:00:00:00:02";
  Report({Seen(kMac), Seen(other)});
  Report({Seen(kMac, {}, 60'000)}, false, "netalertx:CASE", 60'000);  // cut short: says nothing of the others
  EXPECT_EQ(Device("devPresentLastScan", other), "1");
  Report({Seen(kMac, {}, 120'000)}, true, "netalertx:CASE", 120'000);
  EXPECT_EQ(Device("devPresentLastScan"), "1");
  EXPECT_EQ(Device("devPresentLastScan", other), "0");
}

TEST_F(InstallationTest, ObjectsHaveTheOriginalsWords) {
  ObjectRecord one = ingest::Thing("a"), two = ingest::Thing("b");
  one.watched = {"w1", "w2", "null", "null"};
  Report({one, two});
  EXPECT_EQ(Value("SELECT \"status\" FROM Plugins_Objects WHERE \"index\" = 1"), "new");
  EXPECT_EQ(Value("SELECT plugin || ' ' || objectPrimaryId || ' ' || watchedValue2 || ' ' || userData || ' ' || "
                  "objectGuid FROM Plugins_Objects WHERE \"index\" = 1"),
            "CASE pa w2 null ae20ba16-0bff-1522-4c05-3725b53b366b");
  one.watch_key = "other";
  Report({one});
  EXPECT_THAT(Query("SELECT \"status\" FROM Plugins_Objects ORDER BY \"index\""),
              ElementsAre("watched-changed", "missing-in-last-scan"));
  Report({one, two});
  EXPECT_THAT(Query("SELECT \"status\" FROM Plugins_Objects ORDER BY \"index\""),
              ElementsAre("watched-not-changed", "watched-not-changed"));
  EXPECT_THAT(
      Query("SELECT objectPrimaryId || ' ' || \"status\" FROM Plugins_History ORDER BY \"index\""),
      ElementsAre("pa new", "pb new", "pa watched-changed", "pb missing-in-last-scan", "pb watched-not-changed"));
  // Only the plugins of this dialect are known to it.
  Report({ingest::Thing("x")}, true, "other:CASE");
  EXPECT_EQ(Value("SELECT COUNT(*) FROM Plugins_Objects"), "2");
}

TEST_F(InstallationTest, LinesOfTheLogsComeAndGo) {
  const auto append = [&](int at) {
    store::Entry entry = ingest::Entry({ingest::Thing("a", std::to_string(at))}, at, "netalertx:CASE");
    entry.reported = {ObjectStatus::kChanged};
    store_.Write([&](store::Connection& c) { store::AppendEntry(c, entry); });
    CatchUp();
  };
  for (int at = 1; at <= 4; ++at) append(at);
  EXPECT_EQ(Value("SELECT COUNT(*) FROM Plugins_History"), "4");
  EXPECT_EQ(Value("SELECT COUNT(*) FROM Plugins_Events"), "3");
  store_.Write([](store::Connection& c) {
    store::ObjectLog(c, kDefaultOrg, store::ObjectLogKind::kHistory).Forget("netalertx:CASE", 2, 100);
    store::ObjectLog(c, kDefaultOrg, store::ObjectLogKind::kReports).Forget("netalertx:CASE", 0, 100);
  });
  append(5);
  EXPECT_THAT(Query("SELECT \"index\" FROM Plugins_History ORDER BY 1"), ElementsAre("3", "4", "5"));
  EXPECT_THAT(Query("SELECT \"status\" FROM Plugins_Events"), ElementsAre("watched-changed"));
}

}  // namespace
}  // namespace backplane::netalertx
