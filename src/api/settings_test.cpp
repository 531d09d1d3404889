// /settings: values that people set, checked as their type says and stored; secrets apart.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/api_fixture.h"
#include "dispatch/setting_store.h"
#include "store/audit.h"

namespace backplane::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class SettingsApiTest : public ::testing::Test {
 protected:
  http::Response Send(const std::string& method, const std::string& path, const std::string& body = "") {
    http::Request request = f_.NewRequest(method, "/api/v1" + path);
    request.body = body;
    auto response = f_.Send(request);
    EXPECT_THAT(response.body, Not(HasSubstr("hunter2"))) << method << " " << path;
    return response;
  }
  /// What the next catalog would be told.
  GivenSettings Stored() {
    auto stored = dispatch::SettingStore(*f_.host().store, f_.vault, f_.host().clock).Load();
    EXPECT_TRUE(stored);
    return (*stored)["t"];
  }
  std::vector<std::string> Secrets() {
    std::vector<std::string> names;
    const Json answer = f_.GetJson("/api/v1/secrets");
    for (const Json& secret : answer["secrets"]) names.push_back(secret["name"]);
    return names;
  }
  /// "action subject detail" of each entry, oldest first.
  std::vector<std::string> AuditLog() {
    std::vector<std::string> log;
    for (const auto& entry :
         f_.host().store.Read([](store::Connection& c) { return store::Audit(c, kDefaultOrg).List({}); }))
      log.insert(log.begin(), entry.action + " " + entry.subject + " " + entry.detail);
    return log;
  }

  ApiFixture f_{{"scan", "poll"}};
};

TEST_F(SettingsApiTest, AreListedWithTheirSource) {
  const Json all = f_.GetJson("/api/v1/settings")["settings"];
  ASSERT_EQ(all.size(), 6U);
  EXPECT_EQ(all[0]["key"], "site_name");
  EXPECT_TRUE(all[0]["plugin"].is_null());
  const Json level = f_.GetJson("/api/v1/settings/t/scan_level");
  EXPECT_EQ(level["plugin"], "t:scan");
  EXPECT_EQ(level["type"], "integer");
  EXPECT_EQ(level["default"], 1);
  EXPECT_EQ(level["value"], 1);
  EXPECT_EQ(level["source"], "default");
  const Json secret = f_.GetJson("/api/v1/settings/t/scan_password");
  EXPECT_EQ(secret["set"], false);
  EXPECT_FALSE(secret.contains("value"));
  EXPECT_FALSE(secret.contains("default"));
  EXPECT_EQ(f_.GetJson("/api/v1/settings", {{"plugin", "scan"}})["settings"].size(), 2U);
  EXPECT_EQ(f_.GetJson("/api/v1/settings", {{"key", "poll_level"}})["settings"].size(), 1U);
  EXPECT_EQ(f_.Get("/api/v1/settings", {{"dialect", "x"}}).status, 404);
}

TEST_F(SettingsApiTest, AValueIsCheckedStoredAndInForce) {
  const auto wrong = Send("PUT", "/settings/t/scan_level", R"({"value": "much"})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(wrong.body, HasSubstr("scan_level: is not a whole number"));
  EXPECT_EQ(f_.rescans, 0);
  EXPECT_THAT(Stored(), IsEmpty());
  EXPECT_EQ(Send("PUT", "/settings/t/scan_level", R"({"value": 7})").status, 200);
  EXPECT_EQ(f_.rescans, 1);
  EXPECT_EQ(Stored().at("scan_level"), (GivenValue{7, SettingLayer::kSet, "set by local", ""}));
  EXPECT_EQ(Send("DELETE", "/settings/t/scan_level").status, 200);
  EXPECT_EQ(f_.rescans, 2);
  EXPECT_THAT(Stored(), IsEmpty());
  EXPECT_EQ(Send("DELETE", "/settings/t/scan_level").status, 404);
  EXPECT_THAT(AuditLog(), ElementsAre("setting.set t/scan_level {\"value\":7}", "setting.unset t/scan_level {}"));
}

TEST_F(SettingsApiTest, ACommonValueIsCheckedToo) {
  EXPECT_EQ(Send("PUT", "/settings/t/site_name", R"({"value": 5})").status, 400);
  EXPECT_EQ(Send("PUT", "/settings/t/site_name", R"({"value": "here"})").status, 200);
  EXPECT_EQ(Stored().at("site_name").value, "here");
}

TEST_F(SettingsApiTest, UnknownOnesAreNamedWithTheNearest) {
  const auto unknown = Send("PUT", "/settings/t/scan_levle", R"({"value": 7})");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(unknown.body, HasSubstr("no setting scan_levle; did you mean scan_level?"));
  EXPECT_THAT(f_.Get("/api/v1/settings", {{"key", "Scan_Level"}}).body, HasSubstr("did you mean scan_level?"));
  EXPECT_EQ(Send("PUT", "/settings/u/scan_level", R"({"value": 7})").status, 404);
  EXPECT_EQ(Send("DELETE", "/settings/u/scan_level").status, 404);
}

TEST_F(SettingsApiTest, ASecretGoesIntoTheVault) {
  EXPECT_EQ(Send("PUT", "/settings/t/scan_password", R"({"value": "hunter2"})").status, 200);
  const Json reference = {{"secret", "settings/t/scan_password"}};
  EXPECT_EQ(Stored().at("scan_password").value, reference);
  EXPECT_THAT(Secrets(), ElementsAre("settings/t/scan_password"));
  const auto read = f_.vault.Read({.org = kDefaultOrg, .actor = "test"}, {"settings/t/scan_password"});
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)[0].Reveal(), "hunter2");
  // A reference to another secret stays one, and what was there before goes.
  EXPECT_EQ(Send("PUT", "/secrets/shared", R"({"value": "hunter2"})").status, 200);
  EXPECT_EQ(Send("PUT", "/settings/t/scan_password", R"({"value": {"secret": "shared"}})").status, 200);
  EXPECT_THAT(Secrets(), ElementsAre("shared"));
  EXPECT_EQ(Send("DELETE", "/settings/t/scan_password").status, 200);
  EXPECT_THAT(Secrets(), ElementsAre("shared"));
  for (const std::string& line : AuditLog()) EXPECT_THAT(line, Not(HasSubstr("hunter2")));
}

TEST_F(SettingsApiTest, ASecretThatIsNoTextIsRefusedAndNotQuoted) {
  for (const char* value : {"1234567", "true", "null", R"({"pin": "1234567"})", R"(["hunter2", 1234567])"}) {
    const auto refused = Send("PUT", "/settings/t/scan_password", fmt::format(R"({{"value": {}}})", value));
    EXPECT_EQ(refused.status, 400) << value;
    EXPECT_THAT(refused.body, HasSubstr("scan_password: is a secret: give a text"));
    EXPECT_THAT(refused.body, Not(HasSubstr("1234567")));
  }
  EXPECT_THAT(Stored(), IsEmpty());
  EXPECT_THAT(Secrets(), IsEmpty());
  EXPECT_EQ(Send("PUT", "/settings/t/scan_password", R"({"value": ["hunter2", "hunter3"]})").status, 200);
  EXPECT_EQ(Stored().at("scan_password").value.size(), 2U);
  EXPECT_EQ(Secrets().size(), 2U);
}

TEST_F(SettingsApiTest, AWrongBodyIsRefusedAndNotQuoted) {
  for (const char* body : {"", "{}", "hunter2", R"({"value":"hunter2)", R"({"value":"hunter2","x":1})"})
    EXPECT_EQ(Send("PUT", "/settings/t/scan_password", body).status, 400) << body;
  EXPECT_EQ(Send("PUT", "/settings/t/site_name", "{\"value\":\"" + std::string(70'000, 'x') + "\"}").status, 400);
  EXPECT_THAT(Stored(), IsEmpty());
}

TEST_F(SettingsApiTest, WhatIsNeededAndNotGivenIsMadeUpOnceAndKept) {
  dispatch::SettingStore store(*f_.host().store, f_.vault, f_.host().clock);
  const auto catalog = f_.host().host->catalog();
  EXPECT_EQ(store.KeepFresh(*catalog).value(), false);  // no plugin needs it
  f_.host().SetPlugins({"scan", "asks reads=site_key"});
  const auto asking = f_.host().host->catalog();
  ASSERT_EQ(store.KeepFresh(*asking).value(), true);
  const GivenValue kept = Stored().at("site_key");
  EXPECT_EQ(kept.layer, SettingLayer::kKept);
  EXPECT_EQ(kept.value, (Json{{"secret", "settings/t/site_key"}}));
  EXPECT_THAT(Secrets(), ElementsAre("settings/t/site_key"));
  EXPECT_THAT(AuditLog(), ElementsAre("secret.set settings/t/site_key {}", "setting.set t/site_key {}"));
}

}  // namespace
}  // namespace backplane::api
