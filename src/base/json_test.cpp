#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace backplane {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
}

TEST(Json, KeepsTheOrderOfKeysAndTheSpellingOfNumbers) {
  const std::string text = R"({"z":1,"a":3.14,"m":[true,null,"x"],"b":1.0})";
  const auto json = ParseJson(text);
  ASSERT_TRUE(json);
  EXPECT_EQ(DumpJson(*json), text);
}

TEST(Json, SaysWhereATextIsNoJson) {
  const auto json = ParseJson("{\n  \"a\": 1,\n  \"b\": x\n}");
  ASSERT_FALSE(json);
  EXPECT_EQ(json.error().code, Errc::kInvalid);
  EXPECT_THAT(json.error().message, HasSubstr("line 3"));
  EXPECT_THAT(json.error().message, HasSubstr("column"));
  EXPECT_THAT(json.error().message, Not(HasSubstr("json.exception")));
}

TEST(Json, SaysWhatIsUsuallyBehindAMistake) {
  const auto message = [](const char* text) { return ParseJson(text).error().message; };
  for (const char* text : {"{\"a\": 1, }", "[1,]", "[1,,2]"})
    EXPECT_THAT(message(text), HasSubstr("a comma too many?")) << text;
  for (const char* text : {"{\"a\": 1 \"b\": 2}", "[1 2]"})
    EXPECT_THAT(message(text), HasSubstr("is a comma missing before it?")) << text;
  for (const char* text : {"{\"a\": [1", "{"}) EXPECT_THAT(message(text), HasSubstr("not closed?")) << text;
  for (const char* text : {"}", "[}"}) EXPECT_THAT(message(text), Not(HasSubstr("comma"))) << text;
  EXPECT_TRUE(IsUtf8(message("\"\xff\"")));
}

TEST(Json, RefusesWhatIsNoSingleDocument) {
  for (const char* text :
       {"", " ", "{", "[1,]", "{\"a\":1} x", "1 2", "nul", "'a'", "\"\x01\"", "\"\xff\"", "\"\xed\xa0\x80\""}) {
    const auto json = ParseJson(text);
    ASSERT_FALSE(json) << text;
    EXPECT_EQ(json.error().code, Errc::kInvalid) << text;
  }
}

TEST(Json, DepthIsBounded) {
  EXPECT_TRUE(ParseJson(Nested(64)));
  EXPECT_FALSE(ParseJson(Nested(65)));
  EXPECT_TRUE(ParseJson(Nested(3), 3));
  const auto deep = ParseJson(Nested(4), 3);
  ASSERT_FALSE(deep);
  EXPECT_THAT(deep.error().message, HasSubstr("deeper than 3"));
  EXPECT_FALSE(ParseJson(std::string(1'000'000, '[')));
}

TEST(Json, SiblingsDoNotAddToTheDepth) {
  EXPECT_TRUE(ParseJson("[[],[],[],{\"a\":[]}]", 3));
  EXPECT_FALSE(ParseJson("[[],[],[],{\"a\":[[]]}]", 3));
}

TEST(Json, KeysOfOneObjectAreBounded) {
  const auto object = [](int keys) {
    std::string text = "{";
    for (int i = 0; i < keys; ++i) text += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":0";
    return text + "}";
  };
  EXPECT_TRUE(ParseJson(object(10'000)));
  EXPECT_TRUE(ParseJson("[" + object(6'000) + "," + object(6'000) + "]"));
  const auto many = ParseJson(object(10'001));
  ASSERT_FALSE(many);
  EXPECT_THAT(many.error().message, HasSubstr("10000 keys"));
}

TEST(Json, DumpReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(DumpJson(Json("a\xff"
                          "b")),
            "\"a\xef\xbf\xbd"
            "b\"");
  EXPECT_EQ(DumpJson(Json("\xc3")), "\"\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace backplane
