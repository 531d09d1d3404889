#include "dialects/panoptes/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace backplane::panoptes {
namespace {

using ::testing::HasSubstr;

Resource Router() {
  return {.site = "dc1",
          .class_name = "network",
          .subclass = "router",
          .type = "cisco",
          .id = "r1",
          .endpoint = "r1.example",
          .plugin = "discovery",
          .metadata = {{"model", "ASA5505"}, {"os", "9"}}};
}

bool Matches(const std::string& text, const Resource& resource, OrRule rule = OrRule::kOriginal) {
  const auto filter = ParseFilter(text, rule);
  EXPECT_TRUE(filter) << text << ": " << (filter ? "" : filter.error().message);
  return filter && filter->targets->matches(resource);
}
bool Matches(const std::string& text) { return Matches(text, Router()); }

std::string Refused(const std::string& text) {
  const auto filter = ParseFilter(text, OrRule::kOriginal);
  return filter ? "accepted" : filter.error().message;
}

TEST(Filter, EveryFieldCanBeCompared) {
  for (const char* text : {R"(resource_site = "dc1")", R"(resource_class="network")", R"(resource_subclass = "router")",
                           R"(resource_type = "cisco")", R"(resource_id = "r1")", R"(resource_endpoint = "r1.example")",
                           R"(resource_metadata.model = "ASA5505")"})
    EXPECT_TRUE(Matches(text)) << text;
}

TEST(Filter, WordsAndFieldsAreCaseInsensitiveValuesAreNot) {
  EXPECT_TRUE(Matches(R"(RESOURCE_CLASS = "network" and Resource_Type In ("cisco"))"));
  EXPECT_FALSE(Matches(R"(resource_class = "Network")"));
  EXPECT_FALSE(Matches(R"(resource_class IN ("Network"))"));
}

TEST(Filter, NamesOfMetadataAreLowerCased) {
  EXPECT_TRUE(Matches(R"(resource_metadata.MODEL = "ASA5505")"));
  Resource resource = Router();
  resource.metadata = {{"Model", "ASA5505"}};
  EXPECT_FALSE(Matches(R"(resource_metadata.Model = "ASA5505")", resource));
}

TEST(Filter, WhiteSpaceIsFree) {
  EXPECT_TRUE(Matches("  resource_metadata \n.\t model=\"ASA5505\"AND resource_site\nIN(\"dc1\" ,\"dc2\") \n"));
}

TEST(Filter, WordOperatorsAreTheSigns) {
  EXPECT_TRUE(Matches(R"(resource_class eq "network" AND resource_class NE "system")"));
  EXPECT_FALSE(Matches(R"(resource_class Ne "network")"));
  EXPECT_TRUE(Matches(R"(resource_class != "system")"));
}

TEST(Filter, LikeIsThatOfSqlite) {
  for (const char* pattern : {"asa%", "ASA____", "%5505", "%a%5%5", "%", "%%%", "a%0_"})
    EXPECT_TRUE(Matches("resource_metadata.model LIKE \"" + std::string(pattern) + "\"")) << pattern;
  for (const char* pattern : {"", "asa", "ASA_____", "%6%", "_", "asa5505_", "%5505_"})
    EXPECT_FALSE(Matches("resource_metadata.model like \"" + std::string(pattern) + "\"")) << pattern;
  EXPECT_TRUE(Matches(R"(resource_type NOT LIKE "x%")"));
  EXPECT_FALSE(Matches(R"(resource_type not like "C%")"));
}

TEST(Filter, LikeCountsCharactersAndFoldsOnlyAscii) {
  Resource resource = Router();
  resource.endpoint = "k\xC3\xBC.x";
  EXPECT_TRUE(Matches(R"(resource_endpoint LIKE "K_.X")", resource));
  EXPECT_FALSE(Matches("resource_endpoint LIKE \"k\xC3\x9C.x\"", resource));
  EXPECT_FALSE(Matches(R"(resource_endpoint LIKE "%_____")", resource));
}

TEST(Filter, LikeWithManyWildcardsIsNotSlow) {
  Resource resource = Router();
  resource.endpoint = std::string(20'000, 'a');
  std::string pattern;
  for (int i = 0; i < 40; ++i) pattern += "a%";
  EXPECT_FALSE(Matches("resource_endpoint LIKE \"" + pattern + "b\"", resource));
}

TEST(Filter, InTakesAListAndNotTurnsItRound) {
  EXPECT_TRUE(Matches(R"(resource_site IN ("b", "dc1", "a"))"));
  EXPECT_FALSE(Matches(R"(resource_site NOT IN ("b","dc1","a"))"));
  EXPECT_TRUE(Matches(R"(resource_site not in ("b"))"));
}

TEST(Filter, ANegatedConditionOnMetadataNeedsTheKey) {
  EXPECT_TRUE(Matches(R"(resource_metadata.os != "8")"));
  for (const char* text : {R"(resource_metadata.none != "8")", R"(resource_metadata.none NOT LIKE "8")",
                           R"(resource_metadata.none NOT IN ("8"))"})
    EXPECT_FALSE(Matches(text)) << text;
}

TEST(Filter, ValuesAreOnlyValues) {
  Resource resource = Router();
  resource.type = "id";
  resource.metadata = {{"model", "value"}, {"quote", "a\"b\\c"}};
  EXPECT_TRUE(Matches(R"(resource_type = "id" AND resource_metadata.model = "value")", resource));
  EXPECT_FALSE(Matches(R"(resource_site = "resource_site")", resource));
  EXPECT_TRUE(Matches(R"(resource_metadata.quote = "a\"b\\c")", resource));
  EXPECT_FALSE(Matches(R"(resource_type = "")", resource));
}

TEST(Filter, AndBindsTighterThanOr) {
  Resource resource = Router();
  const std::string text = R"(resource_site = "dc3" OR resource_site = "dc1" AND resource_subclass = "router")";
  EXPECT_TRUE(Matches(text, resource));
  resource.subclass = "switch";
  EXPECT_FALSE(Matches(text, resource));
  resource.site = "dc3";
  EXPECT_TRUE(Matches(text, resource));
}

// The truth of a filter over conditions that hold or do not: fields "a" and "b", metadata "m", "n"
// and "o", each of which holds if its letter is in `holding`.
bool Truth(std::string text, const std::string& holding, OrRule rule) {
  text = ReplaceAll(text, "A", R"(resource_site = "a")");
  text = ReplaceAll(text, "B", R"(resource_type = "b")");
  for (const char letter : {'M', 'N', 'O'})
    text = ReplaceAll(text, std::string(1, letter), "resource_metadata." + std::string(1, letter) + " = \"1\"");
  text = ReplaceAll(ReplaceAll(text, "&", " AND "), "|", " OR ");
  Resource resource = Router();
  resource.metadata.clear();
  for (const char letter : holding) {
    if (letter == 'a') resource.site = "a";
    if (letter == 'b') resource.type = "b";
    resource.metadata[std::string(1, letter)] = "1";
  }
  return Matches(text, resource, rule);
}

TEST(Filter, TheFirstConditionOnMetadataNarrowsWhateverItsWord) {
  for (const char* text : {"A|M", "A&M"}) {
    EXPECT_TRUE(Truth(text, "am", OrRule::kOriginal));
    EXPECT_FALSE(Truth(text, "a", OrRule::kOriginal));
    EXPECT_FALSE(Truth(text, "m", OrRule::kOriginal));
  }
  EXPECT_TRUE(Truth("A|M", "a", OrRule::kLogical));
  EXPECT_TRUE(Truth("A|M", "m", OrRule::kLogical));
  EXPECT_FALSE(Truth("A&M", "a", OrRule::kLogical));
}

TEST(Filter, ItNarrowsAllConditionsOnFieldsTogether) {
  for (const char* text : {"A|B&M", "A&M|B", "A|M|B"}) {
    EXPECT_TRUE(Truth(text, "am", OrRule::kOriginal)) << text;
    EXPECT_TRUE(Truth(text, "bm", OrRule::kOriginal)) << text;
    for (const char* holding : {"", "a", "b", "ab", "m"})
      EXPECT_FALSE(Truth(text, holding, OrRule::kOriginal)) << text << holding;
  }
  EXPECT_TRUE(Truth("A|B&M", "a", OrRule::kLogical));
  EXPECT_FALSE(Truth("A|B&M", "b", OrRule::kLogical));
  EXPECT_TRUE(Truth("A&M|B", "b", OrRule::kLogical));
}

TEST(Filter, LaterMetadataIsUnitedFirstAndThenIntersected) {
  EXPECT_TRUE(Truth("A&M|N", "n", OrRule::kOriginal));
  EXPECT_FALSE(Truth("A&M&N", "am", OrRule::kOriginal));
  // (A and M, or O) and N: the OR stands last and is applied first.
  EXPECT_TRUE(Truth("A&M&N|O", "no", OrRule::kOriginal));
  EXPECT_FALSE(Truth("A&M&N|O", "o", OrRule::kOriginal));
  EXPECT_TRUE(Truth("A&M&N|O", "o", OrRule::kLogical));
  EXPECT_FALSE(Truth("A&M|N&O", "am", OrRule::kOriginal));
  EXPECT_TRUE(Truth("A&M|N&O", "am", OrRule::kLogical));
}

TEST(Filter, MetadataMayComeFirst) {
  EXPECT_TRUE(Matches(R"(resource_metadata.model LIKE "asa%" AND resource_class = "network")"));
  EXPECT_TRUE(Truth("M|A", "a", OrRule::kOriginal));
  EXPECT_TRUE(Truth("M|A", "m", OrRule::kOriginal));
  EXPECT_FALSE(Truth("M&A", "m", OrRule::kOriginal));
}

TEST(Filter, AReadingThatIsNotTheWrittenOneIsSaid) {
  const auto warned = [](const char* text, OrRule rule = OrRule::kOriginal) {
    return !ParseFilter(text, rule).value().warning.empty();
  };
  const char* a_or_m = R"(resource_site = "a" OR resource_metadata.m = "1")";
  EXPECT_TRUE(warned(a_or_m));
  EXPECT_FALSE(warned(a_or_m, OrRule::kLogical));
  EXPECT_TRUE(warned(R"(resource_site = "a" OR resource_type = "b" AND resource_metadata.m = "1")"));
  EXPECT_TRUE(warned(
      R"(resource_site = "a" AND resource_metadata.m = "1" OR resource_metadata.n = "1" AND resource_metadata.o = "1")"));
  EXPECT_FALSE(warned(R"(resource_site = "a" AND resource_metadata.m = "1" OR resource_metadata.n = "1")"));
  EXPECT_FALSE(warned(R"(resource_site = "a" OR resource_type = "b")"));
  EXPECT_FALSE(warned(R"(resource_metadata.m = "1" OR resource_type = "b")"));
}

TEST(Filter, TheTextIsKept) {
  EXPECT_EQ(ParseFilter(R"(Resource_Site = "a")", OrRule::kOriginal)->targets->text, R"(Resource_Site = "a")");
}

TEST(Filter, MistakesNameColumnAndWhatIsExpected) {
  EXPECT_EQ(Refused(""), "column 1: expected a field (resource_site, resource_metadata.NAME, ...), not the end");
  EXPECT_EQ(Refused("resource_class = network"), "column 18: expected a value in double quotes, not `network`");
  EXPECT_EQ(Refused(R"(resource_class = "a" XOR resource_id = "b")"),
            R"(column 22: expected AND, OR or the end, not `XOR resource_id = "b...`)");
  EXPECT_EQ(Refused(R"(resource_class NOT = "a")"), R"(column 20: expected LIKE or IN, not `= "a"`)");
  EXPECT_EQ(Refused(R"(resource_class IN "a")"), R"(column 19: expected (, not `"a"`)");
  EXPECT_EQ(Refused("resource_class = \"a\nb\""),
            "column 18: expected a value that ends with a double quote on the same line, not `\"a\nb\"`");
  EXPECT_EQ(Refused("resource_type = \"\xC3\xBC\" x"), "column 21: expected AND, OR or the end, not `x`");
}

TEST(Filter, WhatTheOriginalRefusesIsRefused) {
  for (const char* text :
       {R"(resource_class = 'network')", R"(resource_class == "x")", R"(resource_class IN ())",
        R"(NOT resource_class = "b")", R"((resource_class = "b"))", R"(resource_class = "b" AND)",
        R"(resource_plugin = "x")", R"(resources_site = "x")", R"(resource_metadata.a-b = "x")",
        R"(resource_metadata = "x")", R"(resource_site = "a" resource_site = "b")", R"(resource_site = "a)",
        R"(resource_site "a")", R"(resource_siteLIKE "a")", R"(resource_site LIKE)", R"(resource_site IN ("a",))",
        R"(resource_site IN ("a")", "resource_site = \"a\\", "AND"})
    EXPECT_THAT(Refused(text), HasSubstr("column ")) << text;
}

TEST(Filter, ConditionsAreBounded) {
  std::string text = R"(resource_site = "a")";
  for (int i = 0; i < 256; ++i) text += R"( OR resource_site = "a")";
  EXPECT_EQ(Refused(text), "has more than 256 conditions");
}

}  // namespace
}  // namespace backplane::panoptes
