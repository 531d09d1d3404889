#include "dialects/netalertx/read.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "dialects/netalertx/netalertx.h"
#include "dialects/netalertx/test_plugin.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

Manifest ReadOne(const Json& document, const Settings& site = {}) {
  auto read = ReadManifest(document.dump(), "config.json", "/plugins/case", site);
  for (const Finding& finding : read.findings)
    EXPECT_EQ(finding.severity, Finding::Severity::kWarning) << finding.message;
  return read.manifest.value_or(Manifest());
}

std::vector<std::string> NamesIn(const ReadResult& read) {
  std::vector<std::string> names;
  for (const Manifest& manifest : read.manifests) names.push_back(manifest.name);
  return names;
}

TEST(Read, FillsTheManifest) {
  Json document = TestManifest("CASE");
  document["display_name"] =
      Json::parse(R"([{"language_code":"de_de","string":"Fall"},{"language_code":"en_us","string":"Case"}])");
  const Manifest manifest = ReadOne(document);
  EXPECT_EQ(manifest.id, "netalertx:CASE");
  EXPECT_EQ(manifest.dialect, "netalertx");
  EXPECT_EQ(manifest.name, "CASE");
  EXPECT_EQ(manifest.title, "Case");
  EXPECT_EQ(manifest.kind, "device_scanner");
  EXPECT_EQ(manifest.runtime, "process");
  EXPECT_EQ(manifest.folder, "/plugins/case");
  EXPECT_EQ(manifest.limits.timeout, Millis(10'000));
  EXPECT_EQ(manifest.document, document);
  ASSERT_FALSE(manifest.settings.empty());
  EXPECT_EQ(manifest.settings[0].key, "CASE_RUN");
}

TEST(Read, TitleFallsBackToTheFirstLanguage) {
  Json document = TestManifest("CASE");
  document["display_name"] = Json::parse(R"([{"language_code":"de_de","string":"Fall"}])");
  EXPECT_EQ(ReadOne(document).title, "Fall");
}

TEST(Read, RunDecidesTheTrigger) {
  const auto trigger = [](const char* run) { return ReadOne(TestManifest("CASE"), {{"CASE_RUN", run}}).triggers; };
  EXPECT_THAT(trigger("once"), ElementsAre(Trigger{.kind = TriggerKind::kStart}));
  EXPECT_THAT(trigger("schedule"), ElementsAre(Trigger{.kind = TriggerKind::kCron, .cron = "*/5 * * * *"}));
  const std::map<const char*, const char*> phases = {{"always_after_scan", kAfterScanPhase},
                                                     {"on_new_device", kNewDevicePhase},
                                                     {"before_name_updates", kBeforeNamesPhase},
                                                     {"on_notification", kNotificationPhase},
                                                     {"before_config_save", kSettingsPhase}};
  for (const auto& [run, phase] : phases)
    EXPECT_THAT(trigger(run), ElementsAre(Trigger{.kind = TriggerKind::kPhase, .name = phase}));
  for (const char* none : {"disabled", "unused", ""}) EXPECT_TRUE(trigger(none).empty()) << none;
}

TEST(Read, WhatReportsDevicesScans) {
  Json document = TestManifest("CASE");
  EXPECT_FALSE(ReadOne(document).scans);
  document["mapped_to_table"] = "CurrentScan";
  EXPECT_TRUE(ReadOne(document).scans);
}

TEST(Read, AnUnknownRunIsRefusedWithTheChoices) {
  const auto read = ReadManifest(TestManifest("CASE").dump(), "config.json", "/x", {{"CASE_RUN", "shedule"}});
  EXPECT_FALSE(read.manifest);
  ASSERT_EQ(read.findings.size(), 1U);
  EXPECT_EQ(read.findings[0].where, "CASE_RUN");
  EXPECT_EQ(read.findings[0].message,
            "\"shedule\" is none of disabled, once, schedule, always_after_scan, before_name_updates, on_new_device, "
            "on_notification, before_config_save, unused; did you mean schedule?");
}

TEST(Read, ScheduleIsInUtc) {
  const auto triggers = ReadOne(TestManifest("CASE"), {{"CASE_RUN", "schedule"}, {"TIMEZONE", "Asia/Tokyo"}}).triggers;
  ASSERT_EQ(triggers.size(), 1U);
  EXPECT_EQ(triggers[0].zone, "");
}

TEST(Read, ADefaultThatWillNotDoIsToldOnceAtItsPlace) {
  Json document = TestManifest("CASE");
  document["settings"][0]["default_value"] = "schedule";
  document["settings"][1]["default_value"] = "61 * * * *";
  const auto read = ReadManifest(document.dump(), "config.json", "/x", {});
  EXPECT_FALSE(read.manifest);
  ASSERT_EQ(read.findings.size(), 1U);
  EXPECT_TRUE(IsError(read.findings[0]));
  EXPECT_EQ(read.findings[0].where, "settings[1].default_value");
}

TEST(Read, ScheduleIsCheckedOnlyWhereItIsUsed) {
  EXPECT_TRUE(ReadOne(TestManifest("CASE"), {{"CASE_RUN", "once"}, {"CASE_RUN_SCHD", "no cron"}}).triggers.size() == 1);
}

TEST(Read, TemplatesAndScriptsWithoutCommandNeverRun) {
  Json document = TestManifest("CASE");
  document["data_source"] = "template";
  EXPECT_EQ(ReadOne(document).runtime, "");
  EXPECT_EQ(ReadOne(TestManifest("CASE"), {{"CASE_CMD", " "}}).runtime, "");
  EXPECT_TRUE(ReadOne(TestManifest("CASE"), {{"CASE_CMD", ""}, {"CASE_RUN", "once"}}).triggers.empty());
}

TEST(Read, SqlSourcesRunInAProcess) {
  for (const char* source : {"app-db-query", "sqlite-db-query"}) {
    Json document = TestManifest("CASE");
    document["data_source"] = source;
    AddSetting(document, "DB_PATH", "string", "/etc/pihole/pihole-FTL.db");
    const auto read = ReadManifest(document.dump(), "config.json", "/x",
                                   {{"CASE_RUN", "once"}, {"CASE_CMD", "SELECT devMac FROM Devices"}});
    ASSERT_TRUE(read.manifest);
    EXPECT_EQ(read.manifest->runtime, "process");
    EXPECT_EQ(read.manifest->runs, "SELECT devMac FROM Devices");
    EXPECT_EQ(read.manifest->triggers.size(), 1U);
    EXPECT_TRUE(read.findings.empty());
  }
}

TEST(Read, TimeoutIsTenSecondsUnlessSet) {
  const auto timeout = [](const Json& value) {
    return ReadOne(TestManifest("CASE"), {{"CASE_RUN_TIMEOUT", value}}).limits.timeout;
  };
  EXPECT_EQ(timeout(42), Millis(42'000));
  EXPECT_EQ(timeout("42"), Millis(42'000));
  EXPECT_EQ(timeout(0), Millis(10'000));
  EXPECT_EQ(timeout(-5), Millis(10'000));
  EXPECT_EQ(timeout(INT64_MAX), std::chrono::hours(24));
}

TEST(Read, TimeoutIsMultipliedByTheItemsOfAList) {
  Json document = TestManifest("CASE");
  AddSetting(document, "nets", "array", Json::array({"one network"}));
  document["params"] = Json::parse(R"([{"name":"n","type":"setting","value":"CASE_nets","timeoutMultiplier":true}])");
  EXPECT_EQ(ReadOne(document).limits.timeout, Millis(10'000));
  EXPECT_EQ(ReadOne(document, {{"CASE_nets", Json::array({"a", "b", "c"})}}).limits.timeout, Millis(30'000));
  EXPECT_EQ(ReadOne(document, {{"CASE_nets", Json::array()}}).limits.timeout, Millis(10'000));
}

TEST(Read, TimeoutIsMultipliedByTheRowsOfAQuery) {
  Json document = TestManifest("CASE");
  document["params"] = Json::parse(R"([{"name":"ips","type":"sql","value":"SELECT 1","timeoutMultiplier":true}])");
  const auto timeout = [&](const std::map<std::string, std::size_t>& rows) {
    return RunTimeout(document, "CASE", {{"CASE_RUN_TIMEOUT", 5}}, {}, rows);
  };
  EXPECT_EQ(timeout({}), Millis(5'000));
  EXPECT_EQ(timeout({{"ips", 40}}), Millis(200'000));
  EXPECT_EQ(timeout({{"ips", 0}}), Millis(5'000));
  EXPECT_EQ(timeout({{"other", 40}}), Millis(5'000));
  EXPECT_EQ(timeout({{"ips", SIZE_MAX}}), Millis(50'000'000));
}

TEST(Read, AFormWithAPasswordIsSecret) {
  Json document = TestManifest("CASE");
  AddSetting(document, "imports", "array", Json::array());
  Json password = document["settings"][0];
  password["type"]["elements"][0]["elementOptions"] = Json::parse(R"([{"type":"password"}])");
  document["settings"].back()["type"]["elements"][0]["elementOptions"] =
      Json::array({{{"popupForm", Json::array({password})}}});
  EXPECT_TRUE(ReadOne(document).settings.back().secret);
}

TEST(Read, PasswordFieldsAreSecret) {
  Json document = TestManifest("CASE");
  AddSetting(document, "password", "string", "");
  document["settings"].back()["type"]["elements"][0]["elementOptions"] = Json::parse(R"([{"type":"password"}])");
  const Manifest manifest = ReadOne(document);
  EXPECT_TRUE(manifest.settings.back().secret);
  EXPECT_FALSE(manifest.settings.front().secret);
}

TEST(Read, OfARepeatedFunctionTheLastCounts) {
  Json document = TestManifest("CASE");
  AddSetting(document, "twice", "string", "first");
  AddSetting(document, "twice", "string", "second");
  const Manifest manifest = ReadOne(document);
  EXPECT_EQ(NetAlertX().Effective(manifest, {})->at("CASE_twice"), "second");
  EXPECT_EQ(manifest.settings.size(), document["settings"].size() - 1);
}

TEST(Read, FindingsAreBounded) {
  Json document = TestManifest("CASE");
  for (int i = 0; i < 1000; ++i) document["key" + std::to_string(i)] = i;
  const auto read = ReadManifest(document.dump(), "config.json", "/x", {});
  EXPECT_FALSE(read.manifest);
  EXPECT_EQ(read.findings.size(), 200U);
}

TEST(Read, DeepNestingIsRefused) {
  const auto read = ReadManifest(std::string(100'000, '['), "config.json", "/x", {});
  EXPECT_FALSE(read.manifest);
  EXPECT_EQ(read.findings.size(), 1U);
}

class ReadFoldersTest : public testing::Test {
 protected:
  void Plugin(const std::string& folder, Json document) {
    document["code_name"] = fs::path(folder).filename();
    Write(folder + "/config.json", document.dump());
  }
  void Write(const std::string& name, const std::string& text) {
    fs::create_directories((root_.path() / name).parent_path());
    std::ofstream(root_.path() / name) << text;
  }
  TemporaryFolder root_;
  const NetAlertX codec_;
};

TEST_F(ReadFoldersTest, ReadsAFolderOfPlugins) {
  Plugin("b_scan", TestManifest("B"));
  Plugin("a_scan", TestManifest("A"));
  Write("README.md", "about");
  EXPECT_TRUE(codec_.Recognises(root_.path()));
  EXPECT_THAT(NamesIn(codec_.Read(root_.path(), {})), ElementsAre("A", "B"));
}

TEST_F(ReadFoldersTest, PassesOverTemplatesAndIgnoredPlugins) {
  Plugin("__template", TestManifest("T"));
  Plugin("off", TestManifest("OFF"));
  Write("off/ignore_plugin", "");
  Plugin("on", TestManifest("ONE"));
  EXPECT_THAT(NamesIn(codec_.Read(root_.path(), {})), ElementsAre("ONE"));
  // Named itself, it is meant.
  EXPECT_THAT(NamesIn(codec_.Read(root_.path() / "__template", {})), ElementsAre("T"));
  EXPECT_THAT(NamesIn(codec_.Read(root_.path() / "off", {})), ElementsAre("OFF"));
}

TEST_F(ReadFoldersTest, FindsServerPluginsAndFrontPlugins) {
  Plugin("server/plugins/a", TestManifest("A"));
  Plugin("front/plugins/b", TestManifest("B"));
  EXPECT_TRUE(codec_.Recognises(root_.path()));
  EXPECT_THAT(NamesIn(codec_.Read(root_.path(), {})), ElementsAre("A", "B"));
}

TEST_F(ReadFoldersTest, ALinkedFrontFolderIsReadOnce) {
  Plugin("server/plugins/a", TestManifest("A"));
  fs::create_directory(root_.path() / "front");
  fs::create_symlink("../server/plugins", root_.path() / "front/plugins");
  const auto read = codec_.Read(root_.path(), {});
  EXPECT_THAT(NamesIn(read), ElementsAre("A"));
  EXPECT_TRUE(read.findings.empty());
}

TEST_F(ReadFoldersTest, ABadPluginHarmsNoOther) {
  Write("bad/config.json", "{");
  Write("big/config.json", std::string((1 << 20) + 1, ' '));
  Plugin("good", TestManifest("GOOD"));
  const auto read = codec_.Read(root_.path(), {});
  EXPECT_THAT(NamesIn(read), ElementsAre("GOOD"));
  ASSERT_EQ(read.findings.size(), 2U);
  EXPECT_EQ(read.findings[0].file, (fs::canonical(root_.path()) / "bad/config.json").string());
  EXPECT_THAT(read.findings[1].message, HasSubstr("larger than"));
}

TEST_F(ReadFoldersTest, WhatMayNotBeReadIsTold) {
  Plugin("locked", TestManifest("LOCKED"));
  Plugin("open", TestManifest("OPEN"));
  const fs::path locked = fs::canonical(root_.path()) / "locked";
  fs::permissions(locked, fs::perms::none);
  {
    const AsNobody nobody(root_.path());
    const auto read = codec_.Read(root_.path(), {});
    EXPECT_THAT(NamesIn(read), ElementsAre("OPEN"));
    ASSERT_EQ(read.findings.size(), 1U);
    EXPECT_EQ(Describe(read.findings[0]), locked.string() + "/config.json: Permission denied");
    EXPECT_TRUE(codec_.Recognises(locked));
  }
  fs::permissions(locked, fs::perms::owner_all);
}

TEST_F(ReadFoldersTest, APluginMayBeNamedByItsFile) {
  Plugin("mine", TestManifest("MINE"));
  EXPECT_TRUE(codec_.Recognises(root_.path() / "mine/config.json"));
  EXPECT_THAT(NamesIn(codec_.Read(root_.path() / "mine/config.json", {})), ElementsAre("MINE"));
  EXPECT_FALSE(codec_.Recognises(root_.path() / "other/config.json"));
}

TEST_F(ReadFoldersTest, APrefixBelongsToOnePlugin) {
  Plugin("a", TestManifest("SAME"));
  Plugin("b", TestManifest("SAME"));
  const auto read = codec_.Read(root_.path(), {});
  EXPECT_EQ(read.manifests.size(), 1U);
  ASSERT_EQ(read.findings.size(), 1U);
  EXPECT_THAT(read.findings[0].message, HasSubstr("is taken by"));
}

TEST_F(ReadFoldersTest, TheCodeNameIsThatOfTheFolder) {
  Write("mine/config.json", TestManifest("MINE").dump());
  const auto read = codec_.Read(root_.path(), {});
  EXPECT_THAT(NamesIn(read), ElementsAre("MINE"));
  ASSERT_EQ(read.findings.size(), 1U);
  EXPECT_EQ(read.findings[0].message, "\"case\" is not the name of the plugin's folder, mine");
}

TEST_F(ReadFoldersTest, ExecutionOrderComesBeforeTheName) {
  const std::vector<std::pair<std::string, std::string>> orders = {
      {"A", "Layer_N"}, {"B", "Layer_10"}, {"C", "Layer_2"}, {"E", "Layer_2"}};
  for (const auto& [prefix, order] : orders) {
    Json document = TestManifest(prefix);
    document["execution_order"] = order;
    Plugin(prefix, document);
  }
  Plugin("D", TestManifest("D"));
  EXPECT_THAT(NamesIn(codec_.Read(root_.path(), {})), ElementsAre("C", "E", "B", "A", "D"));
}

TEST_F(ReadFoldersTest, AnEmptyFolderIsNoPlugin) {
  EXPECT_FALSE(codec_.Recognises(root_.path()));
  EXPECT_FALSE(codec_.Recognises(root_.path() / "absent"));
  EXPECT_EQ(codec_.Read(root_.path(), {}).findings.size(), 1U);
}

}  // namespace
}  // namespace backplane::netalertx
