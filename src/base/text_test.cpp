#include "base/text.h"

#include <array>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/result.h"
#include "base/rng.h"

namespace backplane {
namespace {

using ::testing::ElementsAre;

TEST(Text, SplitsAtEverySeparator) {
  EXPECT_THAT(Split("a||b", '|'), ElementsAre("a", "", "b"));
  EXPECT_THAT(Split("", '|'), ElementsAre(""));
  EXPECT_THAT(Split("|", '|'), ElementsAre("", ""));
}

TEST(Text, TrimsWhiteSpaceAtTheEndsOnly) {
  EXPECT_EQ(Trim(" \t\r\n a b \n"), "a b");
  EXPECT_EQ(Trim(" \n "), "");
  EXPECT_EQ(Trim(""), "");
  EXPECT_EQ(Trim("\x0b"
                 "a"),
            "\x0b"
            "a");
}

TEST(Text, LowersAsciiAndLeavesTheRest) { EXPECT_EQ(ToLower("AZ[\xc3\x84Q9"), "az[\xc3\x84q9"); }

TEST(Text, ReplacesWithoutLookingAtWhatItWrote) {
  EXPECT_EQ(ReplaceAll("aaa", "a", "aa"), "aaaaaa");
  EXPECT_EQ(ReplaceAll("abab", "ab", ""), "");
  EXPECT_EQ(ReplaceAll("x", "ab", "c"), "x");
}

TEST(Text, ShortensAtACharacter) {
  EXPECT_EQ(Shorten("hello", 5), "hello");
  EXPECT_EQ(Shorten("hello", 4), "hell...");
  EXPECT_EQ(Shorten("a\xe2\x82\xac"
                    "b",
                    2),
            "a...");
  EXPECT_EQ(Shorten("a\xe2\x82\xac"
                    "b",
                    3),
            "a...");
  EXPECT_EQ(Shorten("a\xe2\x82\xac"
                    "b",
                    4),
            "a\xe2\x82\xac...");
  EXPECT_EQ(Shorten("\xbf\xbf", 1), "...");
}

TEST(Text, HashesAreTheStandardOnes) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(StableHash(""), 0xcbf29ce484222325ULL);
  EXPECT_EQ(StableHash("a"), 0xaf63dc4c8601ec8cULL);
  EXPECT_EQ(StableHash("foobar"), 0x85944171f73967e8ULL);
}

TEST(Text, SecretsAreEqualOrNot) {
  EXPECT_TRUE(EqualSecret("abc", "abc"));
  EXPECT_TRUE(EqualSecret("", ""));
  for (const char* other : {"abd", "ab", "abcd", "", "ABC"}) EXPECT_FALSE(EqualSecret("abc", other)) << other;
}

TEST(Rng, ASeedGivesTheSameStream) {
  Rng a(7);
  Rng b(7);
  Rng c(8);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const auto value = a.Next();
    EXPECT_EQ(value, b.Next());
    differs = differs || value != c.Next();
  }
  EXPECT_TRUE(differs);
}

TEST(Rng, BelowCoversItsRange) {
  Rng rng(1);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(rng.Below(5));
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(rng.Below(1), 0U);
  EXPECT_FALSE(rng.Chance(0));
  EXPECT_TRUE(rng.Chance(1));
}

TEST(Rng, SecretsAreHexAndDoNotRepeat) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string secret = SecretHex(16);
    EXPECT_EQ(secret.size(), 32U);
    EXPECT_EQ(secret.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_TRUE(seen.insert(secret).second);
  }
  EXPECT_EQ(SecretHex(0), "");
}

Result<int> Half(int value) {
  if (value % 2 != 0) return Fail(Errc::kInvalid, "odd", "value");
  return value / 2;
}
Result<std::string> Quarter(int value) {
  BACKPLANE_ASSIGN(const int half, Half(value));
  BACKPLANE_TRY(Half(half));
  return std::to_string(half / 2);
}

TEST(Result, AnErrorPassesThroughWhole) {
  EXPECT_EQ(Quarter(8), "2");
  for (const int value : {7, 6}) {
    const auto result = Quarter(value);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::kInvalid);
    EXPECT_EQ(result.error().message, "odd");
    EXPECT_EQ(result.error().where, "value");
  }
}

TEST(Result, EveryKindHasANameAndAStatus) {
  const std::map<Errc, std::pair<std::string, int>> expected = {
      {Errc::kInvalid, {"invalid", 400}},   {Errc::kNotFound, {"not_found", 404}},
      {Errc::kConflict, {"conflict", 409}}, {Errc::kDenied, {"denied", 403}},
      {Errc::kTimeout, {"timeout", 504}},   {Errc::kUnavailable, {"unavailable", 503}},
      {Errc::kInternal, {"internal", 500}}};
  for (const auto& [code, what] : expected) {
    EXPECT_EQ(ErrcName(code), what.first);
    EXPECT_EQ(HttpStatus(code), what.second);
  }
}

TEST(Text, Utf8IsCheckedAndMended) {
  EXPECT_TRUE(IsUtf8("plain \xC3\xA9 \xF0\x9F\x98\x80"));
  for (const char* bad : {"\xFF", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xC3"}) {
    EXPECT_FALSE(IsUtf8(bad));
    EXPECT_TRUE(IsUtf8(ToUtf8(bad)));
  }
  EXPECT_EQ(ToUtf8("a\xFFz"), "a\xEF\xBF\xBDz");
}

TEST(Text, TheNearestWordIsNear) {
  constexpr std::array<std::string_view, 3> kWords = {"schedule", "once", "disabled"};
  EXPECT_EQ(Nearest("SHCEDULE", kWords), "schedule");
  EXPECT_EQ(Nearest("onse", kWords), "once");
  EXPECT_EQ(Nearest("never", kWords), "");
  EXPECT_EQ(Nearest("", kWords), "");
}

TEST(Text, HexReadsBack) {
  const std::string odd("\0\xff\x0a~", 4);
  EXPECT_EQ(ToHex(odd), "00ff0a7e");
  EXPECT_EQ(FromHex("00fF0a7E"), odd);
  EXPECT_EQ(FromHex(""), "");
  for (const char* wrong : {"0", "0g", "g0", " 0", "-1", "0x00"}) EXPECT_EQ(FromHex(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace backplane
