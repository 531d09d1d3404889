#include "dialects/netalertx/settings.h"

#include <gtest/gtest.h>

#include "dialects/netalertx/core_settings.h"
#include "dialects/netalertx/encoding.h"
#include "dialects/netalertx/test_plugin.h"

namespace backplane::netalertx {
namespace {

Json Typed(const char* type, const Json& value, std::vector<std::string> transformers = {}) {
  auto typed = TypedValue({type, std::move(transformers)}, value);
  return typed ? *typed : Json("invalid: " + typed.error().message);
}
bool Fits(const char* type, const Json& value) { return TypedValue({type, {}}, value).has_value(); }

TEST(Settings, TextStaysText) {
  EXPECT_EQ(Typed("string", "a 'b'"), "a 'b'");
  EXPECT_EQ(Typed("string", 5), "5");
  EXPECT_EQ(Typed("string", true), "True");
  EXPECT_EQ(Typed("string", nullptr), "");
  EXPECT_FALSE(Fits("string", Json::array()));
}

TEST(Settings, IntegersMayBeTextOrTruth) {
  EXPECT_EQ(Typed("integer", 5), 5);
  EXPECT_EQ(Typed("integer", " -5 "), -5);
  EXPECT_EQ(Typed("integer", "TRUE"), 1);
  EXPECT_EQ(Typed("integer", false), 0);
  for (const Json& bad : {Json(""), Json("5s"), Json("1e3"), Json(1.5), Json(nullptr), Json(UINT64_MAX)})
    EXPECT_FALSE(Fits("integer", bad)) << bad;
}

TEST(Settings, TruthIsTrueOrOne) {
  for (const Json& yes : {Json(true), Json("True"), Json("tRuE"), Json(1), Json("1")})
    EXPECT_EQ(Typed("boolean", yes), true);
  for (const Json& no : {Json(false), Json("yes"), Json(0), Json(""), Json(nullptr)})
    EXPECT_EQ(Typed("boolean", no), false);
}

TEST(Settings, ListsMayBePythonText) {
  const Json expected = Json::array({"a", "b"});
  EXPECT_EQ(Typed("array", expected), expected);
  EXPECT_EQ(Typed("array", "['a', 'b']"), expected);
  EXPECT_EQ(Typed("array", R"(["a", "b"])"), expected);
  EXPECT_EQ(Typed("array", R"(["it's"])"), Json::array({"it's"}));
  EXPECT_FALSE(Fits("array", "default"));
  EXPECT_FALSE(Fits("array", 5));
}

TEST(Settings, ObjectsMayBeText) {
  EXPECT_EQ(Typed("object", R"({"a": 1})"), (Json{{"a", 1}}));
  EXPECT_FALSE(Fits("object", "[]"));
}

TEST(Settings, OtherTypesAreLeftAlone) { EXPECT_EQ(Typed("none", Json::array({1})), Json::array({1})); }

TEST(Settings, ASecretStandsForATextOrAnItem) {
  const Json reference = {{"secret", "router/password"}};
  EXPECT_EQ(Typed("string", reference), reference);
  EXPECT_EQ(Typed("string", reference, {"base64"}), reference);
  EXPECT_EQ(Typed("array", Json::array({"a", reference})), Json::array({"a", reference}));
  EXPECT_FALSE(Fits("integer", reference));
  EXPECT_FALSE(Fits("string", Json{{"secret", "a"}, {"b", 1}}));
}

// Texts and manifests may be others' than the site's.
TEST(Settings, NoTextAndNoDefaultRefersToASecret) {
  EXPECT_FALSE(Fits("array", R"(["a", {"secret": "x"}])"));
  EXPECT_FALSE(Fits("array", "[{'secret': 'x'}]"));
  EXPECT_FALSE(Fits("object", R"({"a": {"secret": "x"}})"));
  EXPECT_FALSE(Fits("object", "{'secret': 'x'}"));
  Json document = TestManifest("CASE");
  AddSetting(document, "text", "string", Json{{"secret", "x"}});
  AddSetting(document, "list", "array", Json::array({{{"secret", "x"}}}));
  AddSetting(document, "table", "object", Json{{"a", {{"secret", "x"}}}});
  AddSetting(document, "other", "none", Json{{"secret", "x"}});
  const auto settings = EffectiveSettings(document, "CASE", {});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->at("CASE_list"), Json::array());
  for (const char* key : {"CASE_text", "CASE_table", "CASE_other"}) EXPECT_FALSE(settings->contains(key)) << key;
}

TEST(Settings, WhatRunsIsNoSecret) {
  const Json document = Json::parse(R"({"settings": [
      {"function": "CMD", "type": {"dataType": "string"}, "default_value": "python3 x.py"},
      {"function": "PASSWORD", "type": {"dataType": "string"}, "default_value": ""}]})");
  const Json reference = {{"secret", "a"}};
  const auto settings = EffectiveSettings(document, "X", {{"X_PASSWORD", reference}});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->at("X_PASSWORD"), reference);
  const auto refused = EffectiveSettings(document, "X", {{"X_CMD", reference}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().where, "X_CMD");
}

TEST(Settings, TransformersAreReversed) {
  EXPECT_EQ(Typed("string", "aGVsbG8=", {"base64"}), "hello");
  EXPECT_EQ(Typed("string", "base64:aGVsbG8=", {"prefix|base64"}), "hello");
  EXPECT_EQ(Typed("string", "aGVsbG8=", {"prefix|base64"}), "aGVsbG8=");
  EXPECT_EQ(Typed("array", Json::array({"aGVsbG8="}), {"base64"}), Json::array({"hello"}));
  EXPECT_EQ(Typed("string", "5e884898", {"sha256"}), "5e884898");
  EXPECT_EQ(Typed("string", "not base64!", {"base64"}), "not base64!");
  EXPECT_EQ(Typed("string", "/////w==", {"base64"}), "/////w==");  // bytes that are no text
}

TEST(Settings, TheMarkedElementHoldsTheValueElseTheLast) {
  const auto type = [](const char* elements) {
    return ReadType({{"type", {{"dataType", "string"}, {"elements", Json::parse(elements)}}}}).transformers;
  };
  EXPECT_EQ(type(R"([{"transformers":["a"]},{"transformers":["b"]}])"), std::vector<std::string>{"b"});
  EXPECT_EQ(type(R"([{"transformers":["a"],"elementHasInputValue":1},{"transformers":["b"]}])"),
            std::vector<std::string>{"a"});
  EXPECT_TRUE(type("[]").empty());
  EXPECT_TRUE(type("[5]").empty());
}

TEST(Settings, SiteOverlaysDefaults) {
  Json document = TestManifest("CASE");
  AddSetting(document, "list", "array", "default");
  AddSetting(document, "number", "integer", "");
  const auto defaults = EffectiveSettings(document, "CASE", {});
  ASSERT_TRUE(defaults);
  EXPECT_EQ(defaults->at("CASE_RUN"), "disabled");
  EXPECT_EQ(defaults->at("CASE_list"), Json::array());
  EXPECT_FALSE(defaults->contains("CASE_number"));

  const auto given =
      EffectiveSettings(document, "CASE", {{"CASE_RUN", "once"}, {"CASE_number", "7"}, {"OTHER_RUN", "x"}});
  ASSERT_TRUE(given);
  EXPECT_EQ(given->at("CASE_RUN"), "once");
  EXPECT_EQ(given->at("CASE_number"), 7);
  EXPECT_FALSE(given->contains("OTHER_RUN"));
}

TEST(Settings, AWrongSiteValueNamesItsKeyAndHidesItself) {
  const auto given = EffectiveSettings(TestManifest("CASE"), "CASE", {{"CASE_RUN_TIMEOUT", "hunter2"}});
  ASSERT_FALSE(given);
  EXPECT_EQ(given.error().where, "CASE_RUN_TIMEOUT");
  EXPECT_EQ(given.error().message.find("hunter2"), std::string::npos);
}

TEST(Settings, CoreSettingsHaveDefaults) {
  EXPECT_EQ(CoreSettings({}).at("TIMEZONE"), "UTC");
  EXPECT_EQ(CoreSettings({}).at("LOG_LEVEL"), "verbose");
  EXPECT_EQ(CoreSettings({{"DAYS_TO_KEEP_EVENTS", "5"}}).at("DAYS_TO_KEEP_EVENTS"), 5);
  EXPECT_EQ(CoreSettings({{"DAYS_TO_KEEP_EVENTS", "soon"}}).at("DAYS_TO_KEEP_EVENTS"), 90);
}

TEST(Settings, PythonTextUsesSingleQuotes) {
  EXPECT_EQ(PythonText("a'b"), "a'b");
  EXPECT_EQ(PythonText(Json::array({"a", 1, true, nullptr})), "['a', 1, True, None]");
  EXPECT_EQ(PythonText(Json{{"k", Json::array()}}), "{'k': []}");
}

TEST(Settings, PythonLiteralStaysOnOneLine) {
  EXPECT_EQ(PythonLiteral("a'b\\c\nd\re\x01"), R"('a\'b\\c\x0ad\x0de\x01')");
}

TEST(Settings, ParametersFlattenLists) {
  EXPECT_EQ(*ParamText(Json::array({"a", "b , c", "['d']"})), "a,b,c,d");
  EXPECT_EQ(*ParamText(Json::array()), "");
  EXPECT_EQ(*ParamText(true), "True");
  EXPECT_EQ(*ParamText("it's"), "it's");
  EXPECT_FALSE(ParamText(Json::object()));
}

TEST(Encoding, Base64GoesBothWays) {
  for (const std::string text : {"", "a", "ab", "abc", "abcd", "\xff\x01"})
    EXPECT_EQ(Base64Decode(Base64Encode(text)), text);
  EXPECT_EQ(Base64Encode("--localnet"), "LS1sb2NhbG5ldA==");
  for (const char* bad : {"a", "ab=c", "====", "aGVsbG8", "a b="}) EXPECT_FALSE(Base64Decode(bad)) << bad;
}

}  // namespace
}  // namespace backplane::netalertx
