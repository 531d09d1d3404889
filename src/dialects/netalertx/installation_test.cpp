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
  for (const char* sign : {"1000000 WHERE name = 'entry'", "value + 1 WHERE name = 'store'"}) {
    // Whoever its devices are, ours keep their names.
    WriteAsAnother(fmt::format("UPDATE Backplane_Marks SET value = {}; UPDATE Devices SET devName = 'x'", sign));
    Report({Seen(next)});
    EXPECT_THAT(Query("SELECT DISTINCT length(devMac) FROM Devices"), ElementsAre("17")) << sign;
    EXPECT_THAT(Query("SELECT DISTINCT devName FROM Devices"), ElementsAre("(unknown)")) << sign;
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
