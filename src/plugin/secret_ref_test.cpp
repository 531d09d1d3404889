#include "plugin/secret_ref.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "plugin/codec.h"

namespace backplane {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Json Parse(const char* text) { return ParseJson(text).value(); }

TEST(SecretRef, IsAnObjectWithThatOneKey) {
  EXPECT_TRUE(IsSecretRef(Parse(R"({"secret": "snmp/site1"})")));
  EXPECT_TRUE(IsSecretRef(Parse(R"({"secret": ""})")));
  for (const char* other : {R"("secret")", R"(["secret"])", R"({})", R"({"secret": 1})", R"({"Secret": "a"})",
                            R"({"secret": "a", "b": 1})", R"({"secret": {"secret": "a"}})", "null"})
    EXPECT_FALSE(IsSecretRef(Parse(other))) << other;
}

Result<std::vector<Secret>> ValuesOf(const std::vector<std::string>& names) {
  std::vector<Secret> values;
  for (const std::string& name : names) values.emplace_back("value of " + name);
  return values;
}

TEST(SecretRef, IsReplacedWhereverAValueStands) {
  const Settings settings = {{"plain", "text"},
                             {"password", Parse(R"({"secret": "b"})")},
                             {"list", Parse(R"(["x", {"secret": "a"}, {"secret": "b"}])")},
                             {"table", Parse(R"({"user": "u", "login": {"secret": "c"}})")},
                             {"wrapped", Parse(R"({"secret": {"secret": "d"}})")}};
  EXPECT_THAT(SecretNames(settings), ElementsAre("a", "b", "c", "d"));
  const auto opened = OpenSettings(settings, {}, ValuesOf);
  ASSERT_TRUE(opened);
  const Settings expected = {{"plain", "text"},
                             {"password", "value of b"},
                             {"list", Parse(R"(["x", "value of a", "value of b"])")},
                             {"table", Parse(R"({"user": "u", "login": "value of c"})")},
                             {"wrapped", Parse(R"({"secret": "value of d"})")}};
  EXPECT_EQ(opened->own, expected);
  EXPECT_THAT(opened->secrets, ElementsAre("value of a", "value of b", "value of c", "value of d"));
}

TEST(SecretRef, OfOthersNobodyIsTold) {
  const Settings own = {{"mine", Parse(R"({"secret": "a"})")}};
  const Settings all = {{"mine", Parse(R"({"secret": "a"})")}, {"other", Parse(R"([{"secret": "b"}, 1])")}};
  std::vector<std::string> asked;
  const auto opened = OpenSettings(own, all, [&](const std::vector<std::string>& names) {
    asked = names;
    return ValuesOf(names);
  });
  ASSERT_TRUE(opened);
  EXPECT_THAT(asked, ElementsAre("a"));
  EXPECT_EQ(opened->all, (Settings{{"mine", "value of a"}, {"other", Parse(R"(["", 1])")}}));
}

TEST(SecretRef, WithoutReferencesNobodyIsAsked) {
  const Settings settings = {{"a", 1}, {"b", Json::array()}, {"c", nullptr}, {"d", true}};
  const auto opened = OpenSettings(settings, settings, [](const auto&) -> Result<std::vector<Secret>> {
    ADD_FAILURE() << "asked";
    return std::vector<Secret>();
  });
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->own, settings);
  EXPECT_EQ(opened->all, settings);
  EXPECT_THAT(opened->secrets, IsEmpty());
}

TEST(SecretRef, WhatCannotBeReadIsTold) {
  const auto opened =
      OpenSettings({{"a", Parse(R"({"secret": "x"})")}}, {},
                   [](const auto&) -> Result<std::vector<Secret>> { return Fail(Errc::kNotFound, "no secret x"); });
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message, "no secret x");
}

TEST(MaskSecrets, LeavesNothingOfThem) {
  EXPECT_EQ(MaskSecrets("-p hunter2 hunter", {"hunter", "hunter2", ""}), "-p *** ***");
  EXPECT_EQ(MaskSecrets("login aHVudGVyMg== x", {"hunter2"}), "login *** x");
  EXPECT_EQ(MaskSecrets("nothing here", {"hunter2"}), "nothing here");
  EXPECT_EQ(MaskSecrets("", {}), "");
}

}  // namespace
}  // namespace backplane
