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

TEST(SecretRef, IsFoundWhereverAValueStands) {
  const Settings settings = {{"plain", "text"},
                             {"password", Parse(R"({"secret": "b"})")},
                             {"list", Parse(R"(["x", {"secret": "a"}, {"secret": "b"}])")},
                             {"table", Parse(R"({"user": "u", "login": {"secret": "c"}})")},
                             {"wrapped", Parse(R"({"secret": {"secret": "d"}})")}};
  EXPECT_THAT(SecretNames(settings), ElementsAre("a", "b", "c", "d"));
  const Settings resolved = ResolveSecrets(settings, [](const std::string& name) { return "value of " + name; });
  const Settings expected = {{"plain", "text"},
                             {"password", "value of b"},
                             {"list", Parse(R"(["x", "value of a", "value of b"])")},
                             {"table", Parse(R"({"user": "u", "login": "value of c"})")},
                             {"wrapped", Parse(R"({"secret": "value of d"})")}};
  EXPECT_EQ(resolved, expected);
}

TEST(SecretRef, WithoutReferencesNothingChanges) {
  const Settings settings = {{"a", 1}, {"b", Json::array()}, {"c", nullptr}, {"d", true}};
  EXPECT_THAT(SecretNames(settings), IsEmpty());
  EXPECT_EQ(ResolveSecrets(settings, [](const std::string&) { return std::string("x"); }), settings);
}

// A value that looks like a reference is not looked up again.
TEST(SecretRef, AValueIsOnlyText) {
  const Settings settings = {{"a", Parse(R"({"secret": "a"})")}};
  const Settings resolved = ResolveSecrets(settings, [](const std::string&) { return R"({"secret": "b"})"; });
  EXPECT_THAT(SecretNames(resolved), IsEmpty());
}

TEST(MaskSecrets, LeavesNothingOfThem) {
  EXPECT_EQ(MaskSecrets("-p hunter2 hunter", {"hunter", "hunter2", ""}), "-p *** ***");
  EXPECT_EQ(MaskSecrets("login aHVudGVyMg== x", {"hunter2"}), "login *** x");
  EXPECT_EQ(MaskSecrets("nothing here", {"hunter2"}), "nothing here");
  EXPECT_EQ(MaskSecrets("", {}), "");
}

}  // namespace
}  // namespace backplane
