// An installation of its own, with a store and a plugin CASE, and another who reads and writes its files.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/files.h"
#include "dialects/netalertx/app_db.h"
#include "dialects/netalertx/app_db_query.h"
#include "dialects/netalertx/app_db_snapshots.h"
#include "dialects/netalertx/app_files.h"
#include "dialects/netalertx/installation.h"
#include "dialects/netalertx/netalertx.h"
#include "dialects/netalertx/test_plugin.h"
#include "ingest/core_fold.h"
#include "ingest/folder.h"
#include "ingest/test_journal.h"
#include "plugin/catalog.h"

namespace backplane::netalertx {

namespace fs = std::filesystem;

inline constexpr Millis kLong{60'000};
inline constexpr const char* kMac = "aa:00:00:00:00:01";

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
    entry.began = entry.at;
    if (complete) entry.every = Millis(60'000);
    entry.defaults = defaults_;
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

  /// As scripts do: with their triggers.
  void WriteAsAnother(const std::string& sql) {
    store::SqliteConnection(app_db_, store::SqliteConnection::Mode::kReadWrite).Script(sql);
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
  std::map<std::string, std::string> defaults_;  // of devices that become known
};

}  // namespace backplane::netalertx
