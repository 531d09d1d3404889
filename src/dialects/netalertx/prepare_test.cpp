#include "dialects/netalertx/prepare.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "dialects/netalertx/app_db.h"
#include "dialects/netalertx/app_db_snapshots.h"
#include "dialects/netalertx/app_files.h"
#include "dialects/netalertx/netalertx.h"
#include "dialects/netalertx/read.h"
#include "dialects/netalertx/test_plugin.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class Prepare : public testing::Test {
 protected:
  Prepare() {
    fs::create_directories(root_.path() / "plugins" / "case");
    std::ofstream(root_.path() / "plugins/case/script.py") << "";
    context_.work = root_.path() / "work";
    context_.share = BACKPLANE_SOURCE_DIR;
    context_.python = "/opt/python/bin/python3.11";
    context_.all_settings = &all_;
  }

  Result<Invocation> Run(const Json& document, const Settings& site = {}) {
    auto read = ReadManifest(document.dump(), "config.json", root_.path() / "plugins" / "case", site);
    if (!read.manifest) return Fail(Errc::kInternal, read.findings.empty() ? "" : read.findings[0].message);
    const NetAlertX codec;
    BACKPLANE_ASSIGN(const Settings settings, codec.Effective(*read.manifest, site));
    // Each run has an empty folder of its own.
    fs::remove_all(context_.work);
    fs::create_directory(context_.work);
    return codec.Prepare(*read.manifest, {}, settings, context_);
  }
  Result<Invocation> RunCommand(const std::string& command) {
    return Run(TestManifest("CASE"), {{"CASE_CMD", command}});
  }
  /// An installation with two devices.
  void Install() {
    const AppFolders folders(Installed());
    fs::create_directories(folders.database);
    AppDb db(folders.database / kDatabaseFile);
    db.connection().Script(
        "INSERT INTO Devices (devMac, devName, devLastIP, devFirstConnection, devLastConnection) "
        "VALUES ('aa:00:00:00:00:01', 'one', '10.0.0.1', '', ''), ('aa:00:00:00:00:02', 'two', '10.0.0.2', '', '')");
    context_.installation = Installed();
  }
  fs::path Installed() const { return root_.path() / "installation"; }
  std::string App() const { return context_.work / "app"; }
  std::string Written(const char* name) const { return ReadFile(context_.work / name, 1 << 20).value_or("absent"); }

  TemporaryFolder root_;
  RunContext context_;
  Settings all_;
};

TEST_F(Prepare, SecretsAreNotShown) {
  Json document = TestManifest("CASE");
  AddSetting(document, "password", "string", "hunter2");
  document["settings"].back()["type"]["elements"][0]["elementOptions"] = Json::array({{{"type", "password"}}});
  document["params"] =
      Json::array({{{"name", "pw"}, {"type", "setting"}, {"value", "CASE_password"}},
                   {{"name", "b"}, {"type", "setting"}, {"value", "CASE_password"}, {"base64", true}}});
  const auto run = Run(document, {{"CASE_CMD", "python3 /app/x.py pass={pw} b64={b}"}});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->argv[2], "pass=hunter2");
  const std::string shown = DisplayCommand(*run);
  EXPECT_THAT(shown, HasSubstr("pass=*** b64=***"));
  EXPECT_EQ(shown.find("hunter2"), std::string::npos);
}

TEST_F(Prepare, SecretsOfOthersAndItemsOfListsAreNotShown) {
  Json other = TestManifest("OTHER");
  AddSetting(other, "TOKEN", "string", "default token");
  AddSetting(other, "KEY", "string", "public");
  const auto read = ReadManifest(other.dump(), "config.json", "/plugins/other", {});
  Json document = TestManifest("CASE");
  AddSetting(document, "passwords", "array", Json::array());
  document["settings"].back()["type"]["elements"][0]["elementOptions"] = Json::array({{{"type", "password"}}});
  document["params"] = Json::parse(R"([{"name":"list","type":"setting","value":"CASE_passwords"},
                                       {"name":"list64","type":"setting","value":"CASE_passwords","base64":true},
                                       {"name":"core","type":"setting","value":"API_TOKEN"},
                                       {"name":"token","type":"setting","value":"OTHER_TOKEN"},
                                       {"name":"token64","type":"setting","value":"OTHER_TOKEN","base64":true},
                                       {"name":"key","type":"setting","value":"OTHER_KEY"}])");
  all_ = {{"API_TOKEN", "t_12345"}, {"OTHER_TOKEN", "hunter2"}, {"OTHER_KEY", "public"}};
  const GivenSettings given = {{"API_TOKEN", {"t_12345"}}, {"OTHER_TOKEN", {"hunter2"}}};
  context_.given = &given;
  context_.manifests = {&*read.manifest};
  const auto run = Run(document, {{"CASE_CMD", "python3 {list} {list64} one={list} {core} {token} {token64} {key} no"},
                                  {"CASE_passwords", Json::array({"first", "it's", "no"})}});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->argv[1], "first,its,no");
  // What is a default is known to all, and what is very short is a part of other words.
  EXPECT_EQ(DisplayCommand(*run), context_.python + " *** *** one=*** *** *** *** public no");
  // A script may show an item by itself.
  EXPECT_EQ(MaskSecrets("first", run->secrets), "***");
}

TEST_F(Prepare, TheCommandIsMappedIntoThePrivateInstallation) {
  const auto run = Run(TestManifest("CASE"));
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->runtime, "process");
  EXPECT_THAT(run->argv, ElementsAre(context_.python, App() + "/server/plugins/case/script.py"));
  EXPECT_EQ(run->working_folder, App());
  EXPECT_TRUE(fs::exists(run->argv[1]));
  EXPECT_TRUE(fs::equivalent(run->argv[1], root_.path() / "plugins/case/script.py"));
}

TEST_F(Prepare, FrontPluginsIsTheSameFolder) {
  const auto run = RunCommand("python3 /app/front/plugins/case/script.py");
  ASSERT_TRUE(run);
  EXPECT_TRUE(fs::equivalent(run->argv[1], root_.path() / "plugins/case/script.py"));
  // As the ecosystem's guide starts it by hand, from the root.
  EXPECT_TRUE(fs::exists(run->working_folder / "front/plugins/case/script.py"));
}

TEST_F(Prepare, NothingIsWrittenIntoThePluginsFolder) {
  ASSERT_TRUE(Run(TestManifest("CASE")));
  const auto entries = std::distance(fs::directory_iterator(root_.path() / "plugins/case"), fs::directory_iterator());
  EXPECT_EQ(entries, 1);
}

TEST_F(Prepare, AnotherPluginThatTheCommandNamesIsThere) {
  fs::create_directories(root_.path() / "plugins" / "other");
  const auto run = RunCommand("python3 /app/server/plugins/other/tool.py --config=/app/server/plugins/case/x");
  ASSERT_TRUE(run);
  EXPECT_TRUE(fs::exists(App() + "/server/plugins/other"));
  EXPECT_EQ(run->argv[2], "--config=" + App() + "/server/plugins/case/x");
}

TEST_F(Prepare, OnlyWherePathsBeginTheyAreMapped) {
  const auto run = RunCommand("python3 /srv/app/x /app/y a=/app/z,/app/ /application/q");
  ASSERT_TRUE(run);
  EXPECT_THAT(run->argv, ElementsAre(context_.python, "/srv/app/x", App() + "/y", "a=" + App() + "/z," + App() + "/",
                                     "/application/q"));
}

TEST_F(Prepare, PythonIsTheHostsInterpreter) {
  for (const char* python : {"python", "python3", "/usr/bin/python3", "/opt/venv/bin/python"})
    EXPECT_EQ(RunCommand(python + std::string(" x"))->argv[0], context_.python) << python;
}

TEST_F(Prepare, OtherProgramsAreLookedUp) {
  EXPECT_THAT(RunCommand("sh -c x")->argv[0], testing::EndsWith("/sh"));
  EXPECT_EQ(RunCommand("no-such-program x")->argv[0], "no-such-program");
}

TEST_F(Prepare, WordsAreSplitBeforeValuesArePutIn) {
  Json document = TestManifest("CASE");
  AddSetting(document, "title", "string", "two words; $(none) {other}");
  AddSetting(document, "other", "string", "other's");
  AddSetting(document, "nets", "array", Json::array({"10.0.0.0/8 --interface=eth0", "b"}));
  document["params"] = Json::parse(R"([{"name":"title","type":"setting","value":"CASE_title"},
                                       {"name":"other","type":"setting","value":"CASE_other"},
                                       {"name":"nets","type":"setting","value":"CASE_nets"},
                                       {"name":"nets64","type":"setting","value":"CASE_nets","base64":true}])");
  const auto run =
      Run(document, {{"CASE_CMD", "python3  x {title}\tn={nets} {s-quote}{other}{s-quote} {nets64} {unknown}"}});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_THAT(run->argv,
              ElementsAre(context_.python, "x", "two words; $(none) {other}", "n=10.0.0.0/8 --interface=eth0,b",
                          "'other's'", "MTAuMC4wLjAvOCAtLWludGVyZmFjZT1ldGgwLGI=", "{unknown}"));
}

TEST_F(Prepare, ParametersMayNameCoreAndForeignSettings) {
  all_ = {{"SCAN_SUBNETS", Json::array({"192.168.7.0/24"})}, {"OTHER_key", "value"}};
  Json document = TestManifest("CASE");
  document["params"] = Json::parse(R"([{"name":"a","type":"setting","value":"SCAN_SUBNETS"},
                                       {"name":"b","type":"setting","value":"OTHER_key"}])");
  const auto run = Run(document, {{"CASE_CMD", "python3 {a} {b}"}});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_THAT(run->argv, ElementsAre(context_.python, "192.168.7.0/24", "value"));
}

TEST_F(Prepare, AnUnknownSettingIsNamed) {
  Json document = TestManifest("CASE");
  document["params"] = Json::parse(R"([{"name":"a","type":"setting","value":"NOBODY_has"}])");
  const auto run = Run(document, {{"CASE_CMD", "python3 {a}"}});
  ASSERT_FALSE(run);
  EXPECT_THAT(run.error().message, HasSubstr("NOBODY_has"));
  EXPECT_EQ(run.error().where, "params[0].value");
}

TEST_F(Prepare, ParametersMayBeQueries) {
  Install();
  Json document = TestManifest("CASE");
  document["params"] = Json::parse(
      R"([{"name":"ips","type":"sql","value":"SELECT devLastIP FROM Devices ORDER BY devMac","timeoutMultiplier":true},
                      {"name":"names","type":"sql","value":"SELECT ' it''s ' || devName, 1 FROM Devices ORDER BY devMac"},
                      {"name":"coded","type":"sql","base64":true,"value":"SELECT 'a' UNION ALL SELECT 5 UNION ALL SELECT NULL;"},
                      {"name":"none","type":"sql","value":"SELECT devMac FROM Devices WHERE 0","timeoutMultiplier":true},
                      {"name":"unused","type":"sql","value":"SELECT nonsense"}])");
  const auto run = Run(document, {{"CASE_CMD", "python3 x ips={ips} {names} {coded} [{none}]"}});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_THAT(run->argv, ElementsAre(context_.python, "x", "ips=10.0.0.1,10.0.0.2", "its one,its two",
                                     "YSw1LE5vbmU=" /* a,5,None */, "[]"));
  // Two rows; none is no reason to leave no time at all.
  EXPECT_EQ(run->limits.timeout, Millis(20'000));
}

TEST_F(Prepare, QueriesOfParametersCanOnlyRead) {
  Install();
  for (const char* sql :
       {"DELETE FROM Devices", "INSERT INTO Parameters VALUES ('a', 'b')", "PRAGMA journal_mode = DELETE",
        "ATTACH '/tmp/other.db' AS other", "VACUUM INTO '/tmp/other.db'", "CREATE TABLE a (b)",
        "SELECT load_extension('x')", "SELECT 1; DELETE FROM Devices", "SELECT nonsense FROM Devices", "",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"}) {
    Json document = TestManifest("CASE");
    document["params"] = Json::array({{{"name", "rows"}, {"type", "sql"}, {"value", sql}}});
    const auto run = Run(document, {{"CASE_CMD", "python3 {rows}"}});
    ASSERT_FALSE(run) << sql;
    EXPECT_EQ(run.error().code, Errc::kInvalid);
    EXPECT_THAT(run.error().message, testing::StartsWith("CASE: parameter \"rows\": ")) << sql;
    EXPECT_EQ(run.error().where, "params[0].value");
  }
  Json document = TestManifest("CASE");
  document["params"] = Json::parse(R"([{"name":"count","type":"sql","value":"SELECT COUNT(*) FROM Devices"}])");
  EXPECT_EQ(Run(document, {{"CASE_CMD", "python3 {count}"}})->argv[1], "2");
}

TEST_F(Prepare, ADatabaseQueryIsRunByOurProgram) {
  Install();
  Json document = TestManifest("CASE");
  document["data_source"] = "app-db-query";
  AddSetting(document, "title", "string", "o'clock");
  document["params"] = Json::parse(R"([{"name":"title","type":"setting","value":"CASE_title"}])");
  const std::string database = fs::canonical(Installed() / "data/db/app.db");
  const Settings site = {{"CASE_CMD", "SELECT devMac, {s-quote}{title}{s-quote}  FROM Devices -- two  blanks"}};
  const auto run = Run(document, site);
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_THAT(run->argv, ElementsAre(context_.python, context_.share / "python/netalertx/run_query.py", "--database",
                                     database, "--result", context_.work / "tmp/log/plugins/last_result.CASE.log",
                                     "--sql-file", context_.work / "query.sql"));
  EXPECT_TRUE(fs::exists(run->argv[1]));
  EXPECT_EQ(Written("query.sql"), "SELECT devMac, 'o'clock'  FROM Devices -- two  blanks");
  EXPECT_EQ(run->result_files.at(0), run->argv[5]);

  document["data_source"] = "sqlite-db-query";
  const auto without = Run(document, site);
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().where, "CASE_DB_PATH");
  AddSetting(document, "DB_PATH", "string", "/etc/other.db");
  const auto with = Run(document, site);
  ASSERT_TRUE(with) << with.error().message;
  EXPECT_THAT(std::vector(with->argv.end() - 4, with->argv.end()),
              ElementsAre("--attach", "/etc/other.db", "--name", "EXTERNAL_CASE"));
}

TEST_F(Prepare, TheDatabaseAndTheSnapshotsAreTheInstallations) {
  Install();
  ASSERT_TRUE(Run(TestManifest("CASE")));
  EXPECT_TRUE(fs::equivalent(context_.work / "data/db/app.db", Installed() / "data/db/app.db"));
  for (const std::string& name : SnapshotNames()) {
    const fs::path file = context_.work / "tmp/api" / name;
    if (name == "table_settings.json")
      EXPECT_FALSE(fs::is_symlink(file));
    else
      EXPECT_EQ(fs::read_symlink(file), Installed() / "tmp/api" / name);
  }
}

TEST_F(Prepare, AScriptStartsWhereTheDatabaseCouldNotBeMade) {
  Install();
  fs::remove(Installed() / "data/db/app.db");
  Json document = TestManifest("CASE");
  ASSERT_TRUE(Run(document));
  document["params"] = Json::parse(R"([{"name":"a","type":"sql","value":"SELECT 1"}])");
  const auto run = Run(document, {{"CASE_CMD", "python3 {a}"}});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, Errc::kUnavailable);
}

TEST_F(Prepare, WithoutAnInstallationTheyAreMade) {
  Json document = TestManifest("CASE");
  document["params"] = Json::parse(R"([{"name":"a","type":"sql","value":"SELECT COUNT(*) FROM Devices"},
      {"name":"b","type":"sql","value":"SELECT setValue FROM Settings WHERE setKey = 'CASE_RUN'"}])");
  const auto run = Run(document, {{"CASE_CMD", "python3 {a} {b}"}, {"CASE_RUN", "once"}});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_THAT(run->argv, ElementsAre(context_.python, "0", "once"));
  for (const std::string& name : SnapshotNames()) EXPECT_TRUE(ParseJson(Written(("tmp/api/" + name).c_str()))) << name;
}

TEST_F(Prepare, AnEmptyCommandIsAnError) {
  for (const char* command : {"", "  ", "\f", "\v\n\t"}) {
    const auto run = RunCommand(command);
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().where, "CASE_CMD");
  }
}

TEST_F(Prepare, WhatIsInForceIsLoadedUnlessSomebodySaysSo) {
  const auto sync = ReadManifest(TestManifest("SYNC").dump(), "config.json", "/plugins/sync", {});
  const auto other = ReadManifest(TestManifest("CASE").dump(), "config.json", "/plugins/case", {});
  context_.manifests = {&*sync.manifest, &*other.manifest};
  ASSERT_TRUE(Run(TestManifest("CASE")));
  EXPECT_THAT(Written("data/config/app.conf"), HasSubstr("LOADED_PLUGINS=['SYNC', 'CASE']\n"));
  all_ = {{"LOADED_PLUGINS", Json::array({"NMAP"})}};
  ASSERT_TRUE(Run(TestManifest("CASE")));
  EXPECT_THAT(Written("data/config/app.conf"), HasSubstr("LOADED_PLUGINS=['NMAP']\n"));
}

TEST_F(Prepare, TheEnvironmentIsCompleteAndPrivate) {
  const auto run = Run(TestManifest("CASE"));
  ASSERT_TRUE(run);
  const std::string work = context_.work;
  const std::map<std::string, std::string> expected = {
      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
      {"HOME", work},
      {"TMPDIR", work + "/tmp"},
      {"LANG", "C.UTF-8"},
      {"PYTHONUNBUFFERED", "1"},
      {"PYTHONDONTWRITEBYTECODE", "1"},
      {"PYTHONPATH", App() + ":" + App() + "/server:" + App() + "/server/plugins"},
      {"NETALERTX_APP", App()},
      {"NETALERTX_DATA", work + "/data"},
      {"NETALERTX_CONFIG", work + "/data/config"},
      {"NETALERTX_DB", work + "/data/db"},
      {"NETALERTX_TMP", work + "/tmp"},
      {"NETALERTX_API", work + "/tmp/api"},
      {"NETALERTX_LOG", work + "/tmp/log"},
      {"NETALERTX_PLUGINS_LOG", work + "/tmp/log/plugins"}};
  EXPECT_EQ(run->environment, expected);
  for (const char* folder : {"NETALERTX_CONFIG", "NETALERTX_DB", "NETALERTX_API", "NETALERTX_PLUGINS_LOG"})
    EXPECT_TRUE(fs::is_directory(run->environment.at(folder))) << folder;
}

TEST_F(Prepare, TheResultFileIsOnePrivateFileOfExactlyThatName) {
  const auto run = Run(TestManifest("NMAP"), {{"NMAP_CMD", "python3 x"}});
  ASSERT_TRUE(run);
  EXPECT_THAT(run->result_files, ElementsAre(context_.work / "tmp/log/plugins/last_result.NMAP.log",
                                             context_.work / "tmp/log/plugins/last_result.*"));
}

TEST_F(Prepare, AppConfIsOneAssignmentPerSetting) {
  all_ = {{"OTHER_text", "it's\nimport os"}, {"not a name", 1}};
  ASSERT_TRUE(Run(TestManifest("CASE"), {{"CASE_RUN", "once"}}));
  const std::string conf = Written("data/config/app.conf");
  EXPECT_THAT(conf, HasSubstr("CASE_RUN='once'\n"));
  EXPECT_THAT(conf, HasSubstr("CASE_RUN_TIMEOUT=10\n"));
  EXPECT_THAT(conf, HasSubstr("TIMEZONE='UTC'\n"));
  EXPECT_THAT(conf, HasSubstr("DISCOVER_PLUGINS=True\n"));
  EXPECT_THAT(conf, HasSubstr("OTHER_text='it\\'s\\x0aimport os'\n"));
  EXPECT_THAT(conf, testing::Not(HasSubstr("not a name")));
}

TEST_F(Prepare, TheSettingsSnapshotIsThereBeforeTheScript) {
  all_ = {{"OTHER_list", Json::array({"a", "b"})}, {"TIMEZONE", "Asia/Tokyo"}};
  ASSERT_TRUE(Run(TestManifest("CASE")));
  const auto table = ParseJson(Written("tmp/api/table_settings.json"));
  ASSERT_TRUE(table);
  std::map<std::string, Json> rows;
  for (const Json& row : (*table)["data"]) rows[row["setKey"]] = row;
  EXPECT_EQ(rows["OTHER_list"]["setValue"], "['a', 'b']");
  EXPECT_THAT(rows["OTHER_list"]["setType"].get<std::string>(), HasSubstr(R"("dataType":"array")"));
  EXPECT_EQ(rows["TIMEZONE"]["setValue"], "Asia/Tokyo");
  EXPECT_EQ(rows["CASE_RUN_TIMEOUT"]["setValue"], "10");
  EXPECT_EQ(rows["DISCOVER_PLUGINS"]["setValue"], "True");
  EXPECT_TRUE(rows.contains("LOG_LEVEL"));
}

TEST_F(Prepare, SettingsOfTheRunWinOverTheShared) {
  all_ = {{"CASE_RUN_TIMEOUT", 99}};
  const auto run = Run(TestManifest("CASE"), {{"CASE_RUN_TIMEOUT", 7}});
  ASSERT_TRUE(run);
  EXPECT_EQ(run->limits.timeout, Millis(7000));
  EXPECT_THAT(Written("data/config/app.conf"), HasSubstr("CASE_RUN_TIMEOUT=7\n"));
}

TEST_F(Prepare, MissingModulesAreUnavailable) {
  context_.share = root_.path() / "absent";
  const auto run = Run(TestManifest("CASE"));
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, Errc::kUnavailable);
}

}  // namespace
}  // namespace backplane::netalertx
