#include "dialects/netalertx/condition.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dialects/netalertx/like.h"

namespace backplane::netalertx {
namespace {

using testing::HasSubstr;

bool Holds(const char* text) {
  static const std::map<std::string, std::string, std::less<>> row = {
      {"devName", "Bob's phone"},   {"eveMac", "AA:00:00:00:00:01"},
      {"devVendor", "Acme"},        {"eveIp", "10.0.0.7"},
      {"devComments", ""},          {"devFavorite", "1"},
      {"eveEventType", "Connected"}};
  const auto condition = Condition::Parse(text);
  EXPECT_TRUE(condition) << text << ": " << condition.error().message;
  return condition && condition->Holds([](std::string_view column) {
    const auto at = row.find(column);
    return at == row.end() ? std::string() : at->second;
  });
}

TEST(Condition, EachOperatorHoldsAndDoesNot) {
  for (const char* holds :
       {"", "  ", "AND devVendor = 'Acme'", "AND devVendor != 'Other'", "AND devVendor <> 'Other'",
        "AND devVendor > 'Aa'", "AND devVendor < 'B'", "AND devVendor >= 'Acme'", "AND devVendor <= 'Acme'",
        "AND devVendor LIKE 'ac%'", "AND devVendor NOT LIKE '%x%'", "AND eveIp IN ('10.0.0.8', '10.0.0.7')",
        "AND eveIp NOT IN ('10.0.0.8')", "AND devComments IS NULL", "AND devVendor IS NOT NULL",
        "AND devFavorite = '1'", "AND devFavorite = 1", "AND devFavorite < '10'"})
    EXPECT_TRUE(Holds(holds)) << holds;
  for (const char* not_so : {"AND devVendor = 'acme'", "AND devVendor != 'Acme'", "AND devVendor > 'Acme'",
                             "AND devVendor < 'Acme'", "AND devVendor >= 'B'", "AND devVendor <= 'A'",
                             "AND devVendor LIKE 'cme'", "AND devVendor NOT LIKE 'a%'", "AND eveIp IN ('10.0.0.8')",
                             "AND eveIp NOT IN ('10.0.0.7')", "AND devComments IS NOT NULL", "AND devVendor IS NULL"})
    EXPECT_FALSE(Holds(not_so)) << not_so;
}

TEST(Condition, AndBindsCloserThanOr) {
  EXPECT_TRUE(Holds("AND devVendor = 'x' AND eveIp = 'x' OR devFavorite = '1'"));
  EXPECT_FALSE(Holds("AND devFavorite = '1' AND eveIp = 'x' OR devVendor = 'x'"));
  EXPECT_TRUE(Holds("and devFavorite = '1' and devVendor like 'A%'"));
}

TEST(Condition, ALeadingAndMeansNothingAndALeadingOrLetsAllPass) {
  EXPECT_FALSE(Holds("devVendor = 'x'"));
  EXPECT_TRUE(Holds("devVendor = 'Acme'"));
  EXPECT_FALSE(Holds("devVendor = 'Acme' AND eveIp = 'x'"));
  EXPECT_TRUE(Holds("OR devVendor = 'x'"));
}

TEST(Condition, QuotesAndWordsInValues) {
  EXPECT_TRUE(Holds("AND devName = 'Bob''s phone'"));
  EXPECT_TRUE(Holds("AND devVendor = {s-quote}Acme{s-quote}"));
  EXPECT_FALSE(Holds("AND devName = 'a OR b AND c'"));
}

TEST(Condition, AddressesAreComparedWhateverTheirCase) { EXPECT_TRUE(Holds("AND eveMac = 'aa:00:00:00:00:01'")); }

TEST(Condition, WhatIsNoneIsRefusedWithItsPlace) {
  for (const char* bad :
       {"AND", "AND devVendor", "AND devVendor = ", "AND devVendor = Acme", "AND devVendor = 'Acme", "AND nobody = 'x'",
        "AND (devVendor = 'Acme')", "AND devVendor IN 'x'", "AND devVendor IN ('x'",
        "AND devVendor = 'x' devName = 'y'", "AND devVendor = 'x'; DROP TABLE Devices", "AND devVendor IS 'x'",
        "AND devVendor BETWEEN '1' AND '2'", "AND 1=1", "AND devVendor = 'x' --"})
    EXPECT_FALSE(Condition::Parse(bad)) << bad;
  EXPECT_THAT(Condition::Parse("AND devName = 'x' XOR eveIp = 'y'").error().message, HasSubstr("XOR eveIp"));
  EXPECT_FALSE(Condition::Parse("AND devName = '" + std::string(5'000, 'x') + "'"));
}

TEST(Like, PercentIsAnyTextAndUnderscoreOneCharacter) {
  for (const auto& [text, pattern] : {std::pair("abc", "abc"),
                                      {"ABC", "abc"},
                                      {"abc", "%"},
                                      {"", "%"},
                                      {"abc", "a%"},
                                      {"abc", "%b%"},
                                      {"abc", "___"},
                                      {"äbc", "_bc"},
                                      {"aXbXc", "a%b%c"},
                                      {"aab", "%ab"}})
    EXPECT_TRUE(IsLike(text, pattern)) << text << " " << pattern;
  for (const auto& [text, pattern] :
       {std::pair("abc", "ab"), {"abc", ""}, {"abc", "____"}, {"abc", "%d"}, {"a.c", "a%b"}, {"", "_"}})
    EXPECT_FALSE(IsLike(text, pattern)) << text << " " << pattern;
}

TEST(Like, ManyPercentsTakeNoLongTime) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "%a";
  EXPECT_FALSE(IsLike(std::string(10'000, 'a'), pattern + "b"));
}

}  // namespace
}  // namespace backplane::netalertx
