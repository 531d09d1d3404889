#include "dialects/netalertx/installation.h"

#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/files.h"
#include "dialects/netalertx/app_db.h"
#include "dialects/netalertx/app_db_query.h"
#include "dialects/netalertx/app_db_snapshots.h"
#include "dialects/netalertx/app_files.h"
#include "dialects/netalertx/netalertx.h"
#include "dialects/netalertx/test_plugin.h"
#include "ingest/core_fold.h"
#include "ingest/test_journal.h"
#include "plugin/catalog.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;
using ingest::kNoon;
using ingest::Seen;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr Millis kLong{60'000};
constexpr const char* kMac = "aa:00:00:00:00:01";

class InstallationTest : public testing::Test {
 protected:
  InstallationTest() {
    dialects_.push_back(std::make_unique<NetAlertX>());
    Json document = TestManifest("CASE");
    AddSetting(document, "list", "array", Json::array({"a", "b"}));
    AddSetting(document, "password", "string", "");
    document["settings"].back()["type"]["elements"][0]["elementOptions"] = Json::array({{{"type", "password"}}});
    WritePlugin("case", document);
    site_.folders = {{.path = folder_.path() / "plugins", .dialect = "netalertx"}};
    site_.settings["netalertx"]["CASE_password"] = "hunter2";
    Open();
  }

  void WritePlugin(const std::string& name, const Json& document) {
    fs::create_directories(folder_.path() / "plugins" / name);
    std::ofstream(folder_.path() / "plugins" / name / "config.json") << document.dump();
  }
  void Open() {
    auto opened = OpenInstallation(
        {.database = *store_, .folder = fold_, .clock = clock_, .home = home_, .share = BACKPLANE_SOURCE_DIR});
    ASSERT_TRUE(opened) << opened.error().message;
    installation_ = *std::move(opened);
    SetCatalog();
  }
  void SetCatalog() { installation_->SetCatalog(std::make_shared<const Catalog>(Catalog::Load(site_, dialects_))); }

  EntryId Append(const std::vector<Record>& records, bool complete = true, const std::string& plugin = "netalertx:CASE",
                 int at = 0) {
    store::Entry entry = ingest::Entry(records, at, plugin);
    entry.complete = complete;
    return store_.Write([&](store::Connection& c) { return store::AppendEntry(c, entry); });
  }
  void CatchUp() {
    const Status status = installation_->CatchUp(kLong);
    EXPECT_TRUE(status) << status.error().message;
  }
  void Report(const std::vector<Record>& records, bool complete = true, const std::string& plugin = "netalertx:CASE",
              int at = 0) {
    Append(records, complete, plugin, at);
    CatchUp();
  }

  void WriteAsAnother(const std::string& sql) {
    AppDb other(app_db_);
    const Status status = other.Write([&]() -> Status { return other.connection().Script(sql), Status(); });
    EXPECT_TRUE(status) << status.error().message;
  }
  /// Spoils every page but the first, where they lie.
  void Damage() {
    store::SqliteConnection(app_db_, store::SqliteConnection::Mode::kReadWrite)
        .Script("INSERT INTO Parameters VALUES (random(), ''); PRAGMA wal_checkpoint(TRUNCATE)");
    std::fstream file(app_db_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(fs::file_size(app_db_) - 4096, 'x');
  }

  /// The first column of each row.
  std::vector<std::string> Query(const std::string& sql) {
    const auto rows = QueryFirstColumn(app_db_, sql);
    EXPECT_TRUE(rows) << rows.error().message;
    return rows.value_or(std::vector<std::string>());
  }
  std::string Value(const std::string& sql) {
    const auto rows = Query(sql);
    return rows.size() == 1 ? rows[0] : fmt::format("{} rows", rows.size());
  }
  std::string Device(const std::string& column, const std::string& mac = kMac) {
    return Value(fmt::format("SELECT {} FROM Devices WHERE devMac = '{}'", column, mac));
  }
  fs::path File(const std::string& name) const { return AppFolders(home_).api / name; }
  Json Snapshot(const std::string& name) {
    auto content = ReadFile(File(name), 1 << 24);
    auto json = ParseJson(content.value_or("absent"));
    EXPECT_TRUE(json) << name << ": " << json.error().message;
    return json.value_or(Json());
  }
  static std::string Written(const fs::path& file) {
    struct stat info{};
    stat(file.c_str(), &info);
    return fmt::format("{} {}.{}", info.st_ino, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  }

  TestFolder folder_;
  const fs::path home_ = folder_.path() / "home";
  const fs::path app_db_ = home_ / "data" / "db" / "app.db";
  DialectList dialects_;
  config::Site site_;
  SystemClock clock_;
  store::TestStore store_;
  ingest::CoreFold core_;
  ingest::Folder fold_{*store_, core_, clock_, [] {}};
  std::unique_ptr<dispatch::Installation> installation_;
};

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

TEST_F(InstallationTest, WhatNobodySaysOfADeviceComesFromNewdev) {
  Json document = TestManifest("NEWDEV");
  AddSetting(document, "devOwner", "string", "house");
  AddSetting(document, "devAlertDown", "integer", 1);
  AddSetting(document, "devScan", "integer", 0);
  AddSetting(document, "devFavorite", "integer", 7);
  WritePlugin("newdev", document);
  SetCatalog();
  Report({Seen(kMac)});
  EXPECT_EQ(Device("devName"), "(unknown)");
  EXPECT_EQ(Device("devOwner"), "house");
  EXPECT_EQ(Device("devAlertDown"), "1");
  EXPECT_EQ(Device("devScan"), "0");
  EXPECT_EQ(Device("devFavorite"), "0");  // the column takes 0 and 1 only
}

TEST_F(InstallationTest, APersonsWordAndALockAreSeenAtOnce) {
  Report({Seen(kMac, {{"name", "scanned"}, {"vendor", "acme"}})});
  ASSERT_TRUE(fold_.Edit(kDefaultOrg, {.device = 1, .set = {{"name", "printer"}}, .lock = {"vendor"}, .unlock = {}}));
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

TEST_F(InstallationTest, PresentIsWhoeverASourceSawInItsLastCompleteBatch) {
  const std::string other = "aa:00:00:00:00:02";
  Report({Seen(kMac), Seen(other)});
  Report({Seen(kMac)}, false);  // cut short: says nothing of the others
  EXPECT_EQ(Device("devPresentLastScan", other), "1");
  Report({Seen(kMac)});
  EXPECT_EQ(Device("devPresentLastScan"), "1");
  EXPECT_EQ(Device("devPresentLastScan", other), "0");
  Report({Seen(other, {}, 0, "import")}, true, "netalertx:IMPORT");
  EXPECT_EQ(Device("devPresentLastScan", other), "1");
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

TEST_F(InstallationTest, SettingsAreThereAndSecretsAreNot) {
  CatchUp();
  EXPECT_EQ(Value("SELECT setValue FROM Settings WHERE setKey = 'CASE_list'"), "['a', 'b']");
  EXPECT_EQ(Value("SELECT setGroup FROM Settings WHERE setKey = 'CASE_list'"), "CASE");
  EXPECT_EQ(Value("SELECT setValue FROM Settings WHERE setKey = 'CASE_password'"), "");
  EXPECT_THAT(Value("SELECT setValue FROM Settings WHERE setKey = 'CASE_list__metadata'"),
              HasSubstr("\"function\":\"list\""));
  EXPECT_EQ(Value("SELECT setValue FROM Settings WHERE setKey = 'TIMEZONE'"), "UTC");
  EXPECT_EQ(Value("SELECT stringValue FROM Plugins_Language_Strings WHERE stringKey = 'CASE_RUN_name'"), "RUN");
  EXPECT_EQ(Value("SELECT stringValue FROM Plugins_Language_Strings WHERE stringKey = 'CASE_display_name'"), "Case");
  for (const std::string& name : SnapshotNames())
    EXPECT_THAT(ReadFile(File(name), 1 << 24).value_or("absent"), Not(HasSubstr("hunter2"))) << name;
  EXPECT_THAT(ReadFile(app_db_, 1 << 24).value_or("hunter2"), Not(HasSubstr("hunter2")));
  const Json plugins = Snapshot("plugins.json");
  EXPECT_EQ(plugins["data"][0]["unique_prefix"], "CASE");
  EXPECT_EQ(plugins["data"][0]["settings"][4]["value"], Json::array({"a", "b"}));
}

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
  EXPECT_EQ(Snapshot("table_events.json")["data"].size(), 0U);
}

TEST_F(InstallationTest, WhatScriptsWriteIsSeenInTheSnapshots) {
  CatchUp();
  WriteAsAnother("INSERT INTO Notifications (guid, \"status\") VALUES ('g', 'new')");
  CatchUp();
  EXPECT_EQ(Snapshot("table_notifications.json")["data"][0]["guid"], "g");
}

TEST_F(InstallationTest, WhatOthersWroteIntoARowStaysIfTheCoreDoesNotKnowIt) {
  Report({Seen(kMac)});
  WriteAsAnother("UPDATE Devices SET devFavorite = 1, devName = 'mine'");
  Report({Seen(kMac, {{"vendor", "acme"}}, 2000)});
  EXPECT_EQ(Device("devFavorite"), "1");
  EXPECT_EQ(Device("devName"), "(unknown)");
}

TEST_F(InstallationTest, ADamagedFileIsPutAside) {
  Report({Seen(kMac)});
  installation_.reset();
  std::ofstream(app_db_) << std::string(100'000, 'x');
  Open();
  CatchUp();
  EXPECT_EQ(Device("devMac"), kMac);
  EXPECT_EQ(fs::file_size(app_db_.string() + ".aside"), 100'000U);
}

TEST_F(InstallationTest, DamageIsNoticedWhileTheFileIsOpen) {
  Report({Seen(kMac)});
  Damage();
  Report({Seen("aa:00:00:00:00:02")});  // while following
  EXPECT_EQ(Value("SELECT COUNT(*) FROM Devices"), "2");
  Damage();
  CatchUp();  // in the snapshots
  EXPECT_EQ(Value("SELECT COUNT(*) FROM Devices"), "2");
  EXPECT_EQ(Snapshot("table_devices.json")["data"].size(), 2U);
}

TEST_F(InstallationTest, WhatFailsHalfwayIsUndone) {
  Report({Seen(kMac, {{"name", "a"}})});
  WriteAsAnother("DROP TABLE Plugins_Objects");
  Append({Seen(kMac, {{"name", "b"}}), ingest::Thing("a")}, true);
  EXPECT_FALSE(installation_->CatchUp(kLong));
  EXPECT_EQ(Device("devName"), "a");
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
  WriteAsAnother("DROP TABLE AppEvents; ALTER TABLE Away RENAME TO AppEvents");
  CatchUp();
}

TEST_F(InstallationTest, ACatalogThatSaysTheSameChangesNothing) {
  Report({Seen(kMac)});
  WriteAsAnother("UPDATE Settings SET setValue = 'theirs'; UPDATE Devices SET devName = 'theirs'");
  SetCatalog();
  CatchUp();
  EXPECT_EQ(Device("devName"), "theirs");
  EXPECT_THAT(Query("SELECT DISTINCT setValue FROM Settings"), ElementsAre("theirs"));
  site_.settings["netalertx"]["SYNC_node_name"] = "hub";
  SetCatalog();
  CatchUp();
  EXPECT_EQ(Device("devName"), "(unknown)");
  EXPECT_EQ(Device("devSyncHubNode"), "hub");
}

TEST_F(InstallationTest, ADeletedFileIsMadeAnew) {
  Report({Seen(kMac), ingest::Thing("a")});
  fs::remove(app_db_);
  CatchUp();
  EXPECT_EQ(Device("devMac"), kMac);
  EXPECT_EQ(Value("SELECT COUNT(*) FROM Plugins_Objects"), "1");
  EXPECT_EQ(Value("SELECT setValue FROM Settings WHERE setKey = 'TIMEZONE'"), "UTC");
}

TEST_F(InstallationTest, AFileOfAnotherStoreIsPutAside) {
  Report({Seen(kMac)});
  std::string next = "aa:00:00:00:00:02";
  for (const char* sign : {"entry = 1000000", "store = store + 1"}) {
    WriteAsAnother(fmt::format("UPDATE Backplane_Mirror SET {}; UPDATE Devices SET devMac = devMac || 'x'", sign));
    Report({Seen(next)});
    EXPECT_THAT(Query("SELECT DISTINCT length(devMac) FROM Devices"), ElementsAre("17")) << sign;
    next.back() += 1;
  }
  EXPECT_EQ(Value("SELECT COUNT(*) FROM Devices"), "3");
}

TEST_F(InstallationTest, ItGoesOnWhereItWas) {
  Report({Seen(kMac)});
  installation_.reset();
  Append({Seen("aa:00:00:00:00:02")}, false);
  WriteAsAnother("UPDATE Devices SET devFavorite = 1");
  Open();
  CatchUp();
  EXPECT_THAT(Query("SELECT devFavorite FROM Devices ORDER BY devMac"), ElementsAre("1", "0"));
}

TEST_F(InstallationTest, ALockIsWaitedForAndThenSaid) {
  CatchUp();
  AppDb other(app_db_);
  Append({Seen(kMac)});
  const Status undone = other.Write([&] { return installation_->CatchUp(Millis(50)); });
  ASSERT_FALSE(undone);
  EXPECT_THAT(undone.error().message, HasSubstr("app.db"));
  CatchUp();
  EXPECT_EQ(Device("devMac"), kMac);
}

TEST_F(InstallationTest, AReaderHoldsNobodyUp) {
  Report({Seen(kMac)});
  store::SqliteConnection reader(app_db_, store::SqliteConnection::Mode::kReadOnly);
  reader.Script("BEGIN");
  store::Rows rows = reader.Query("SELECT COUNT(*) FROM Devices");
  ASSERT_TRUE(rows.Next());
  Report({Seen("aa:00:00:00:00:02")});
  EXPECT_EQ(Value("SELECT COUNT(*) FROM Devices"), "2");
  EXPECT_EQ(rows.Int(0), 1);
}

}  // namespace
}  // namespace backplane::netalertx
