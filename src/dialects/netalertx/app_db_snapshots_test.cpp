#include "dialects/netalertx/app_db_mirror.h"
#include "dialects/netalertx/installation_fixture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace backplane::netalertx {
namespace {

using ingest::Seen;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_F(InstallationTest, SnapshotsHaveTheRows) {
  Report({Seen("AA:00:00:00:00:01", {{"name", "a \"b\" \\ \x01 ü"}, {"type", "Router"}}), ingest::Thing("a")});
  const Json devices = Snapshot("table_devices.json")["data"];
  ASSERT_EQ(devices.size(), 1U);
  EXPECT_EQ(devices[0].size(), 53U);
  EXPECT_EQ(devices[0]["devMac"], kMac);
  EXPECT_EQ(devices[0]["devName"], "a \"b\" \\ \x01 ü");
  EXPECT_EQ(devices[0]["devPresentLastScan"], 1);
  EXPECT_EQ(devices[0]["devStatus"], "New");
  EXPECT_EQ(Snapshot("table_plugins_objects.json")["data"][0]["index"], 1);
  EXPECT_EQ(Snapshot("table_plugins_stats.json")["data"].size(), 2U);
  const Json tiles = Snapshot("table_devices_tiles.json")["data"][0];
  EXPECT_EQ(tiles["connected"], 1);
  EXPECT_EQ(tiles["down"], 0);
  EXPECT_EQ(tiles["all_devices"], 1);
  EXPECT_THAT(Snapshot("table_devices_filters.json").dump(),
              HasSubstr(R"({"columnName":"devType","columnValue":"Router","columnLabel":"Router"})"));
  EXPECT_EQ(Snapshot("app_state.json")["pluginsStates"]["CASE"]["totalObjects"], 1);
  EXPECT_EQ(Snapshot("user_notifications.json"), Json::array());
  for (const std::string& name : SnapshotNames()) Snapshot(name);
}

TEST_F(InstallationTest, TheCustomEndpointReadsAndNothingElse) {
  Report({Seen(kMac)});
  for (const auto& [sql, rows] : {std::pair("SELECT devMac FROM Devices", 1), std::pair("DELETE FROM Devices", 0),
                                  std::pair("SELECT nonsense", 0), std::pair("SELECT 1; SELECT 2", 0)}) {
    site_.settings["netalertx"]["API_CUSTOM_SQL"] = sql;
    SetCatalog();
    CatchUp();
    EXPECT_EQ(Snapshot("table_custom_endpoint.json")["data"].size(), rows) << sql;
  }
  EXPECT_EQ(Value("SELECT COUNT(*) FROM Devices"), "1");
}

TEST_F(InstallationTest, QueriesTakeNoMoreMemoryThanTheyMay) {
  CatchUp();
  for (const char* sql : {"SELECT length(zeroblob(20000000))", "SELECT hex(zeroblob(10000000))"}) {
    EXPECT_FALSE(QueryFirstColumn(app_db_, sql)) << sql;
    EXPECT_FALSE(QueryJson(app_db_, sql, kLongestQuery)) << sql;
  }
  const std::string many =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600000) SELECT i FROM n";
  EXPECT_FALSE(QueryFirstColumn(app_db_, many));
  EXPECT_EQ(CountRows(app_db_, many).value_or(0), 600'000U);
}

TEST_F(InstallationTest, WhatIsAsItWasIsNotWrittenAgain) {
  Report({Seen(kMac, {{"name", "a"}}), ingest::Thing("a")});
  Report({Seen(kMac, {{"name", "a"}}), ingest::Thing("a")});  // the object is no longer new
  store::SqliteConnection reader(app_db_, store::SqliteConnection::Mode::kReadOnly);
  const auto version = [&] {
    store::Rows rows = reader.Query("PRAGMA data_version");
    return rows.Next() ? rows.Int(0) : 0;
  };
  const std::int64_t before = version();
  std::map<std::string, std::string> files;
  for (const std::string& name : SnapshotNames()) files[name] = Written(File(name));
  Report({Seen(kMac, {{"name", "a"}}), ingest::Thing("a")});
  EXPECT_EQ(version(), before);
  SetCatalog();
  CatchUp();
  for (const std::string& name : SnapshotNames()) EXPECT_EQ(Written(File(name)), files[name]) << name;
  Report({Seen(kMac, {{"name", "b"}})}, false, "netalertx:CASE", 5);
  EXPECT_NE(version(), before);
  EXPECT_NE(Written(File("table_devices.json")), files["table_devices.json"]);
  EXPECT_EQ(Written(File("table_plugins_objects.json")), files["table_plugins_objects.json"]);
}

TEST_F(InstallationTest, ASnapshotThatSomebodySpoiltIsMended) {
  Report({Seen(kMac)});
  fs::remove(File("table_events.json"));
  fs::remove(File("table_devices.json"));
  std::ofstream(File("table_devices.json")) << "rubbish";
  CatchUp();
  EXPECT_EQ(Snapshot("table_devices.json")["data"].size(), 1U);
  EXPECT_EQ(Snapshot("table_events.json")["data"].size(), 2U);
}

TEST_F(InstallationTest, WhatScriptsWriteIsSeenInTheSnapshots) {
  CatchUp();
  WriteAsAnother("INSERT INTO AppEvents (guid) VALUES ('g')");
  CatchUp();
  EXPECT_EQ(Snapshot("table_appevents.json")["data"][0]["guid"], "g");
}

TEST_F(InstallationTest, ASnapshotThatCannotBeMadeHoldsNoOtherUp) {
  CatchUp();
  WriteAsAnother("ALTER TABLE AppEvents RENAME TO Away");
  const std::string before = Written(File("table_appevents.json"));
  for (const char* name : {"a", "b"}) {
    Append({Seen(kMac, {{"name", name, ClaimPolicy::kAlways}})});
    const Status status = installation_->CatchUp(kLong);
    ASSERT_FALSE(status);
    EXPECT_THAT(status.error().message, HasSubstr("table_appevents.json"));
    EXPECT_EQ(Snapshot("table_devices.json")["data"][0]["devName"], name);
  }
  EXPECT_EQ(Written(File("table_appevents.json")), before);
  WriteAsAnother("ALTER TABLE Away RENAME TO AppEvents");
  CatchUp();
}

TEST_F(InstallationTest, TimeAloneMakesOthersOfDevicesInTheSnapshot) {
  const AppFolders folders(folder_.path() / "alone");
  for (const auto& made : {folders.api, folders.database}) fs::create_directories(made);
  AppDb db(folders.database / kDatabaseFile);
  Snapshots files(folders.api, folders.database / kDatabaseFile);
  const CatalogRows catalog;
  WriteCatalog(db, catalog);
  db.connection().Script(
      "INSERT INTO Devices (devMac, devFirstConnection, devLastConnection, devLastIP) VALUES ('x', '', '', ''); "
      "INSERT INTO Events (eveMac, eveIp, eveDateTime, eveEventType) "
      "SELECT 'x', value, datetime('now', '-30 minutes'), 'Connected' FROM json_each('[1, 2, 3]')");
  const auto flapping = [&](unsigned tables, TimePoint now) {
    EXPECT_TRUE(files.Write(db, catalog, tables, now, kLong));
    const auto json = ParseJson(ReadFile(folders.api / "table_devices.json", 1 << 20).value_or(""));
    return json && (*json)["data"][0]["devFlapping"] == 1;
  };
  const TimePoint now = clock_.Now();
  EXPECT_TRUE(flapping(kAllTables, now));
  // As if an hour had passed: nobody has said that a table has changed.
  db.connection().Script("UPDATE Events SET eveDateTime = datetime('now', '-61 minutes')");
  EXPECT_TRUE(flapping(0, now));
  EXPECT_FALSE(flapping(0, now + std::chrono::minutes(31)));
}

}  // namespace
}  // namespace backplane::netalertx
