#include "dialects/netalertx/app_db_inbox.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "dialects/netalertx/installation_fixture.h"
#include "store/notifications.h"

namespace backplane::netalertx {
namespace {

using ingest::Seen;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class InboxTest : public InstallationTest {
 protected:
  /// Journal entries that others' writing has become.
  std::size_t Entries() {
    std::size_t count = 0;
    for (const store::Entry& entry :
         store_.Read([](store::Connection& c) { return store::ReadEntries(c, 0, 10'000, 1 << 24); }))
      count += entry.plugin == kInboxPlugin ? 1U : 0U;
    return count;
  }
  std::string Field(const std::string& field, EntityId id = 1) {
    return store_.Read([&](store::Connection& c) {
      const auto entity = store::Inventory(c, kDefaultOrg).Get(id);
      return entity ? entity->fields[*store::FieldIndex(field)] : std::string("no such device");
    });
  }
  std::string Left() { return Value("SELECT COUNT(*) FROM Backplane_Inbox"); }
};

TEST_F(InboxTest, AValueThatAScriptWritesTakesTheField) {
  Report({Seen(kMac, {{"name", "scanned", ClaimPolicy::kAlways}})});
  WriteAsAnother("UPDATE Devices SET devName = 'written', devFavorite = 1, devIsNew = 0, devSkipRepeated = 4");
  CatchUp();
  EXPECT_EQ(Field("name"), "written");
  EXPECT_EQ(Field("favorite"), "1");
  EXPECT_EQ(Field("is_new"), "0");
  EXPECT_EQ(Device("devName || ' ' || devNameSource || ' ' || devFavorite || devIsNew || devSkipRepeated"),
            "written app.db 104");
  EXPECT_EQ(Left(), "0");
  // The scanner that says something new has its turn again, and so has the script.
  Report({Seen(kMac, {{"name", "scanned anew", ClaimPolicy::kAlways}}, 1000)}, true, "netalertx:CASE", 1000);
  EXPECT_EQ(Device("devName"), "scanned anew");
  WriteAsAnother("UPDATE Devices SET devName = 'written'");
  CatchUp();
  EXPECT_EQ(Device("devName"), "written");
}

TEST_F(InboxTest, APersonsWordAndALockStand) {
  Report({Seen(kMac, {{"name", "scanned"}, {"vendor", "acme"}})});
  const ingest::DeviceEdit edit{.device = 1, .set = {{"name", "mine"}}, .lock = {"vendor"}, .unlock = {}};
  ASSERT_TRUE(fold_.Change(kDefaultOrg, edit, "person"));
  CatchUp();
  for (int i = 0; i < 2; ++i) {  // the second time it says nothing that it has not said before
    WriteAsAnother("UPDATE Devices SET devName = 'theirs', devVendor = 'theirs'");
    CatchUp();
    EXPECT_EQ(Device("devName || ' ' || devVendor"), "mine acme");
  }
}

TEST_F(InboxTest, WhatTheCoreWorksOutIsPutBack) {
  Report({Seen(kMac)});
  const std::string guid = Device("devGUID");
  WriteAsAnother(
      "UPDATE Devices SET devPresentLastScan = 0, devFirstConnection = '1999-01-01', devMac = 'other', "
      "devFavorite = NULLIF(1, 1) IS NULL, devComments = ''");
  CatchUp();
  EXPECT_EQ(Device("devPresentLastScan"), "1");
  EXPECT_EQ(Device("devFirstConnection"), FormatSeconds(ingest::kNoon));
  EXPECT_EQ(Device("devGUID"), guid);
  EXPECT_EQ(Value("SELECT COUNT(*) FROM Devices"), "1");
}

TEST_F(InboxTest, ASourceLocksAndUnlocks) {
  Report({Seen(kMac, {{"name", "scanned"}, {"vendor", "acme"}})});
  WriteAsAnother("UPDATE Devices SET devName = 'kept', devNameSource = 'LOCKED', devVendorSource = 'USER'");
  CatchUp();
  EXPECT_EQ(Device("devName || ' ' || devNameSource || ' ' || devVendor || ' ' || devVendorSource"),
            "kept LOCKED acme USER");
  Report({Seen(kMac, {{"name", "other", ClaimPolicy::kAlways}, {"vendor", "other", ClaimPolicy::kAlways}}, 1000)});
  EXPECT_EQ(Device("devName || ' ' || devVendor"), "kept acme");
  WriteAsAnother("UPDATE Devices SET devNameSource = '', devVendorSource = ''");
  CatchUp();
  EXPECT_EQ(Device("devName || ' ' || devNameSource || ' ' || devVendor || ' ' || devVendorSource"),
            "kept USER acme app.db");
  Report({Seen(kMac, {{"vendor", "another", ClaimPolicy::kAlways}}, 2000)});
  EXPECT_EQ(Device("devVendor"), "another");
}

TEST_F(InboxTest, ARowThatAScriptInsertsIsADeviceThatIsNotThere) {
  defaults_ = {};
  site_.settings["netalertx"]["NEWDEV_devOwner"] = "house";
  SetCatalog();
  CatchUp();
  WriteAsAnother(
      "INSERT INTO Devices (devMac, devName, devFirstConnection, devLastConnection, devLastIP, devPresentLastScan, "
      "devGUID) "
      "VALUES ('AA-00-00-00-00-09', 'node', '2020-01-01', '2020-01-01', '10.0.0.9', 1, 'theirs')");
  CatchUp();
  EXPECT_EQ(Field("name"), "node");
  EXPECT_EQ(Field("ip"), "10.0.0.9");
  EXPECT_EQ(Value("SELECT COUNT(*) FROM Devices"), "1");
  EXPECT_EQ(Device("devPresentLastScan || ' ' || devName || ' ' || length(devGUID)", "aa:00:00:00:00:09"), "0 node 36");
  EXPECT_NE(Device("devGUID", "aa:00:00:00:00:09"), "theirs");
  EXPECT_THAT(Query("SELECT eveEventType FROM Events"), ElementsAre("New Device"));
  // When somebody sees it, it is the same one.
  Report({Seen("aa:00:00:00:00:09", {}, 1000)});
  EXPECT_EQ(Value("SELECT devPresentLastScan FROM Devices"), "1");
}

TEST_F(InboxTest, ARowOverOursIsWhatItSays) {
  Report({Seen(kMac, {{"name", "scanned"}, {"ip", "10.0.0.1"}})});
  WriteAsAnother(
      "INSERT OR REPLACE INTO Devices (devMac, devName, devFirstConnection, devLastConnection, devLastIP) "
      "VALUES ('AA:00:00:00:00:01', 'replaced', '2020-01-01', '2020-01-01', '10.0.0.1')");
  CatchUp();
  EXPECT_EQ(Field("name"), "replaced");
  EXPECT_EQ(Device("devName || ' ' || devLastIPSource"), "replaced scan");
  WriteAsAnother(
      "INSERT INTO Devices (devMac, devName, devFirstConnection, devLastConnection, devLastIP) VALUES "
      "('aa:00:00:00:00:01', 'upserted', '', '', '') ON CONFLICT (devMac) DO UPDATE SET devName = excluded.devName");
  CatchUp();
  EXPECT_EQ(Field("name"), "upserted");
  EXPECT_EQ(Value("SELECT COUNT(*) FROM Devices"), "1");
}

TEST_F(InboxTest, ARowThatIsNoDeviceStaysARow) {
  Report({Seen(kMac)});
  WriteAsAnother(
      "INSERT INTO Devices (devMac, devFirstConnection, devLastConnection, devLastIP) VALUES ('rubbish', '', '', '')");
  CatchUp();
  CatchUp();
  EXPECT_THAT(Query("SELECT devMac FROM Devices ORDER BY devMac"), ElementsAre(kMac, "rubbish"));
}

TEST_F(InboxTest, DevicesThatAScriptDeletesAreDeleted) {
  Report({Seen(kMac), Seen("aa:00:00:00:00:02"), Seen("aa:00:00:00:00:03")});
  WriteAsAnother("DELETE FROM Devices WHERE devMac <> 'aa:00:00:00:00:03'");
  CatchUp();
  EXPECT_EQ(Field("name", 1), "no such device");
  EXPECT_EQ(Field("name", 3), "");
  EXPECT_THAT(Query("SELECT devMac FROM Devices"), ElementsAre("aa:00:00:00:00:03"));
  // Seen again, it is new.
  Report({Seen(kMac, {}, 1000), Seen("aa:00:00:00:00:03", {}, 1000)}, true, "netalertx:CASE", 1000);
  EXPECT_EQ(Value("SELECT COUNT(*) FROM Devices"), "2");
}

TEST_F(InboxTest, ADeletedObjectIsNewWhenItIsReportedAgain) {
  Report({ingest::Thing("a"), ingest::Thing("b")});
  Report({ingest::Thing("a"), ingest::Thing("b")});
  WriteAsAnother("DELETE FROM Plugins_Objects WHERE objectPrimaryId = 'pa'");
  CatchUp();
  EXPECT_THAT(Query("SELECT objectPrimaryId FROM Plugins_Objects"), ElementsAre("pb"));
  Report({ingest::Thing("a"), ingest::Thing("b")});
  EXPECT_THAT(Query("SELECT objectPrimaryId || ' ' || \"status\" FROM Plugins_Objects ORDER BY 1"),
              ElementsAre("pa new", "pb watched-not-changed"));
}

TEST_F(InboxTest, ANotificationOfAScriptIsOneOfTheCores) {
  CatchUp();
  WriteAsAnother(
      "INSERT INTO Notifications (guid, \"status\", \"text\", html, \"json\") VALUES ('g', 'new', 'first\nsecond', "
      "'<b>', '{}')");
  CatchUp();
  EXPECT_THAT(Query("SELECT guid FROM Notifications"), IsEmpty());  // it waits for its round
  const auto waiting = store_.Read(
      [](store::Connection& c) { return store::Notifications(c, kDefaultOrg).In(store::NotificationState::kWaiting); });
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting[0].record.title, "first");
  EXPECT_EQ(waiting[0].record.text, "first\nsecond");
  EXPECT_EQ(waiting[0].record.html, "<b>");
  EXPECT_EQ(waiting[0].record.source, kInboxSource);
}

TEST_F(InboxTest, WhatWasTakenIsNotTakenAgain) {
  Report({Seen(kMac)});
  WriteAsAnother("UPDATE Devices SET devName = 'once'");
  {
    // Taken, but its line cannot be forgotten.
    store::SqliteConnection other(app_db_, store::SqliteConnection::Mode::kReadWrite);
    other.Script("BEGIN IMMEDIATE");
    EXPECT_FALSE(installation_->CatchUp(Millis(50)));
    other.Script("ROLLBACK");
  }
  EXPECT_EQ(Entries(), 1U);
  EXPECT_EQ(Left(), "1");
  installation_.reset();
  Open();
  CatchUp();
  EXPECT_EQ(Entries(), 1U);
  EXPECT_EQ(Left(), "0");
  EXPECT_EQ(Device("devName"), "once");
}

TEST_F(InboxTest, AnotherFileBeginsFromTheFront) {
  Report({Seen(kMac)});
  WriteAsAnother("UPDATE Devices SET devName = 'first'; UPDATE Devices SET devName = 'second'");
  CatchUp();
  fs::remove(app_db_);
  CatchUp();
  WriteAsAnother("UPDATE Devices SET devName = 'third'");
  CatchUp();
  EXPECT_EQ(Device("devName"), "third");
}

TEST_F(InboxTest, ManyRowsAreOneEntry) {
  std::vector<Record> records;
  for (int i = 0; i < 500; ++i) records.push_back(Seen(fmt::format("aa:00:00:00:{:02x}:{:02x}", i / 256, i % 256)));
  Report(records);
  WriteAsAnother("UPDATE Devices SET devLocation = 'cellar'");
  CatchUp();
  EXPECT_EQ(Entries(), 1U);
  EXPECT_EQ(Value("SELECT COUNT(*) FROM Devices WHERE devLocation = 'cellar'"), "500");
  EXPECT_EQ(Field("location", 500), "cellar");
}

TEST_F(InboxTest, WhatWeWriteOurselvesIsNoNews) {
  Report({Seen(kMac, {{"name", "a"}}), ingest::Thing("a")});
  Report({Seen(kMac, {{"name", "b", ClaimPolicy::kAlways}}, 1000)}, true, "netalertx:CASE", 1000);
  EXPECT_EQ(Left(), "0");
  EXPECT_EQ(Entries(), 0U);
}

TEST_F(InboxTest, OthersLooksAreTheirOwnAffair) {
  Report({Seen(kMac)});
  WriteAsAnother("UPDATE Devices SET devName = 'x'; REINDEX; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE); VACUUM");
  Report({Seen("aa:00:00:00:00:02")}, false);
  EXPECT_EQ(Device("devName"), "x");
  EXPECT_EQ(Value("SELECT COUNT(*) FROM Devices"), "2");
}

}  // namespace
}  // namespace backplane::netalertx
