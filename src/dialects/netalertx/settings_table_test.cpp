#include "dialects/netalertx/settings_table.h"

#include <map>

#include <gtest/gtest.h>

#include "dialects/netalertx/core_settings.h"
#include "dialects/netalertx/read.h"
#include "dialects/netalertx/settings.h"
#include "dialects/netalertx/test_plugin.h"

namespace backplane::netalertx {
namespace {

class SettingsTable : public ::testing::Test {
 protected:
  SettingsTable() {
    Json document = TestManifest("CASE");
    AddSetting(document, "LIST", "array", Json::array({"a"}));
    document["settings"].back()["options"] = Json::array({"a", "it's"});
    document["settings"].back()["events"] = Json::array({"run"});
    AddSetting(document, "REGEX", "array", Json::array());
    document["settings"].back()["type"]["elements"][0]["transformers"] = Json::array({"base64"});
    AddSetting(document, "PASS", "string", "");
    document["settings"].back()["type"]["elements"][0]["transformers"] = Json::array({"prefix|base64"});
    manifest_ = *ReadManifest(document.dump(), "config.json", "/plugins/case", {}).manifest;
    for (const SettingRow& row : SettingRows({&manifest_}, values_, &given_)) rows_[row.key] = row;
  }

  const Settings values_ = {{"CASE_LIST", Json::array({"a", "it's"})},
                            {"CASE_REGEX", Json::array({"^x"})},
                            {"CASE_PASS", "s\"cret\n"},
                            {"CASE_RUN_TIMEOUT", 5},
                            {"SCAN_SUBNETS", Json::array({"10.0.0.0/8"})},
                            {"UI_LANG", "English (en_us)"},
                            {"not declared", true}};
  const GivenSettings given_ = {{"CASE_LIST", {"x", SettingLayer::kOverride, "override", ""}},
                                {"CASE_PASS", {"x", SettingLayer::kOwn, "app.conf", ""}}};
  Manifest manifest_;
  std::map<std::string, SettingRow> rows_;
};

TEST_F(SettingsTable, ARowIsAsTheManifestAndThePersonSay) {
  const SettingRow& list = rows_["CASE_LIST"];
  EXPECT_EQ(list.name, "LIST");
  EXPECT_EQ(list.type,
            "{'dataType': 'array', 'elements': [{'elementType': 'select', 'elementOptions': [], 'transformers': []}]}");
  EXPECT_EQ(list.options, R"(['a', 'it\'s'])");
  EXPECT_EQ(list.events, "['run']");
  EXPECT_EQ(list.group, "CASE");
  EXPECT_EQ(list.value, R"(['a', 'it\'s'])");
  EXPECT_TRUE(list.overridden);
  EXPECT_FALSE(rows_["CASE_PASS"].overridden);
  EXPECT_EQ(rows_["CASE_RUN_TIMEOUT"].value, "5");
  EXPECT_EQ(rows_["SCAN_SUBNETS"].group, "General");
  EXPECT_EQ(rows_["SCAN_SUBNETS"].value, "['10.0.0.0/8']");
  EXPECT_EQ(rows_["UI_LANG"].group, "UI");
  EXPECT_EQ(rows_["not declared"].value, "True");
}

TEST_F(SettingsTable, ValuesAreAsTheyAreStoredSoThatReadersReverseThemOnce) {
  EXPECT_EQ(rows_["CASE_REGEX"].value, "['Xng=']");
  EXPECT_EQ(rows_["CASE_PASS"].value, "base64:cyJjcmV0Cg==");
  for (const std::string key : {"CASE_REGEX", "CASE_PASS"})
    EXPECT_EQ(*EffectiveSettings(manifest_.document, "CASE", {{key, rows_[key].value}})->find(key), *values_.find(key));
}

TEST_F(SettingsTable, EachDeclaredSettingHasARowOfMetadata) {
  EXPECT_EQ(rows_["CASE_LIST__metadata"].value, DumpJson(manifest_.document["settings"][4]));
  EXPECT_TRUE(rows_["CASE_LIST__metadata"].overridden);
  EXPECT_EQ(rows_["UI_LANG__metadata"].value, "{}");
  EXPECT_FALSE(rows_.contains("not declared__metadata"));
}

TEST_F(SettingsTable, TheSnapshotIsJsonWhateverIsInIt) {
  const auto table = ParseJson(TableSettings({{"a\"\\\x01", "é", "", "", "", "", "", "", true}, {}}));
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ((*table)["data"][0]["setKey"], "a\"\\\x01");
  EXPECT_EQ((*table)["data"][0]["setName"], "é");
  EXPECT_EQ((*table)["data"][0]["setOverriddenByEnv"], 1);
  EXPECT_EQ((*table)["data"][1].size(), 9U);
  EXPECT_EQ(TableSettings({}), R"({"data":[]})");
}

TEST_F(SettingsTable, AppConfHasTheStoredValues) {
  const std::string text = AppConfText({&manifest_}, values_);
  EXPECT_NE(text.find("CASE_PASS='base64:cyJjcmV0Cg=='\n"), std::string::npos);
  EXPECT_EQ(text.find("not declared"), std::string::npos);
}

TEST(CoreSettings, AreTheOriginalsButForWhatIsItsAuthorsHome) {
  const Settings core = CoreSettings({});
  EXPECT_EQ(core.size(), 24U);
  EXPECT_EQ(core.at("DEV_HIST_TRACKED").size(), 29U);
  EXPECT_EQ(core.at("NETWORK_DEVICE_TYPES").size(), 13U);
  EXPECT_EQ(core.at("GRAPHQL_PORT"), 20212);
  const auto wrong = CoreValue("PLUGINS_KEEP_HIST", "many");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "PLUGINS_KEEP_HIST: expected a whole number");
}

TEST(CoreSettings, TheTokenIsASecretThatNobodyGuesses) {
  std::map<std::string, Setting> settings;
  for (const Setting& setting : CoreDeclarations()) settings[setting.key] = setting;
  EXPECT_TRUE(settings["API_TOKEN"].secret);
  const std::string token = settings["API_TOKEN"].fresh();
  EXPECT_EQ(token.substr(0, 2), "t_");
  EXPECT_EQ(token.size(), 22U);
  EXPECT_NE(token, settings["API_TOKEN"].fresh());
  EXPECT_EQ(settings["SYNC_node_name"].fresh().size(), 12U);
  EXPECT_FALSE(settings["SYNC_node_name"].secret);
  EXPECT_EQ(settings["TIMEZONE"].fresh, nullptr);
}

TEST(Secrets, AreKnownByTheirNameTooIfTheyAreTexts) {
  for (const char* name : {"PASSWORD", "password", "MT_PASS", "APP_TOKEN", "client_secret", "encryption_key", "apikey"})
    EXPECT_TRUE(IsSecretName(name)) << name;
  for (const char* name : {"", "USER", "RUN", "keys", "token_url", "PASSWORD_FILE", "monkey", "DEVICE_ID"})
    EXPECT_FALSE(IsSecretName(name)) << name;
  Json document = TestManifest("CASE");
  AddSetting(document, "TOKEN", "string", "");
  AddSetting(document, "enable_password", "boolean", false);
  const auto read = ReadManifest(document.dump(), "config.json", "/plugins/case", {});
  EXPECT_TRUE(read.manifest->settings[4].secret);
  EXPECT_FALSE(read.manifest->settings[5].secret);
}

TEST(Secrets, OfOthersAreKnownWhereTheCommandNeedsThem) {
  Json document = TestManifest("CASE");
  document["params"] = Json::array({{{"name", "a"}, {"type", "setting"}, {"value", "OTHER_TOKEN"}},
                                    {{"name", "b"}, {"type", "sql"}, {"value", "SELECT 1"}}});
  const auto read = [&] { return ReadManifest(document.dump(), "config.json", "/plugins/case", {}).manifest->reads; };
  EXPECT_EQ(read(), std::vector<std::string>{"OTHER_TOKEN"});
  document["plugin_type"] = "core";
  EXPECT_EQ(read(), (std::vector<std::string>{"OTHER_TOKEN", "API_TOKEN"}));
}

}  // namespace
}  // namespace backplane::netalertx
