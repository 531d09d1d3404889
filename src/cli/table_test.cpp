#include "cli/table.h"

#include <gtest/gtest.h>

namespace backplane::cli {
namespace {

template <typename Function>
std::string Printed(Function print) {
  ::testing::internal::CaptureStdout();
  print();
  return ::testing::internal::GetCapturedStdout();
}

TEST(Table, ColumnsAreAsWideAsTheirContent) {
  EXPECT_EQ(Printed([] { PrintTable({"ID", "NAME", "X"}, {{"1", "printer", "a"}, {"22", "\xc3\xa4", "b"}}); }),
            "ID  NAME     X\n"
            "1   printer  a\n"
            "22  \xc3\xa4        b\n");
  EXPECT_EQ(Printed([] { PrintTable({"ID"}, {}); }), "ID\n");
}

TEST(Table, WhatAPluginFoundDoesNotDriveTheTerminal) {
  const std::string evil =
      "\x1b[31mred\x1b[0m\r\n\x07\x7f\t\xc2\x9b"
      "1m";
  const std::string harmless = "?[31mred?[0m??????1m";
  for (const char* heading : {"NAME", "STATUS"}) {
    const std::string out = Printed([&] { PrintTable({heading, "B"}, {{evil, evil}}); });
    EXPECT_EQ(out.find('\x1b'), std::string::npos) << heading;
    EXPECT_EQ(out.find("\xc2\x9b"), std::string::npos) << heading;
    EXPECT_NE(out.find(harmless + "  " + harmless + "\n"), std::string::npos) << out;
  }
  EXPECT_EQ(Printed([&] { PrintFields({{"name", evil}, {"status", evil}}); }),
            "name:    " + harmless + "\nstatus:  " + harmless + "\n");
  EXPECT_EQ(Printed([] { PrintTable({"\x1b[1mX"}, {}); }), "?[1mX\n");
}

TEST(Table, HarmlessLeavesOtherTextAlone) {
  EXPECT_EQ(Harmless("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 ~"), "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 ~");
  EXPECT_EQ(Harmless("\xc2\xa0"), "\xc2\xa0");
  EXPECT_EQ(Harmless(std::string("a\0b", 3)), "a?b");
  EXPECT_EQ(Harmless("\xc2"), "\xc2");
}

TEST(Table, EmptyFieldsAreLeftOut) {
  EXPECT_EQ(Printed([] { PrintFields({{"a", "1"}, {"long name", ""}, {"bcd", "2"}}); }), "a:    1\nbcd:  2\n");
  EXPECT_EQ(Printed([] { PrintFields({}); }), "");
}

TEST(Table, JsonIsIndentedAndAlwaysText) {
  EXPECT_EQ(Printed([] { PrintJson({{"a", 1}}); }), "{\n  \"a\": 1\n}\n");
  EXPECT_EQ(Printed([] { PrintJson("\xff"); }), "\"\xef\xbf\xbd\"\n");
}

TEST(Table, MembersAsText) {
  const Json object = {{"text", "x"}, {"number", 1.5}, {"flag", true}, {"null", nullptr}};
  EXPECT_EQ(Text(object, "text"), "x");
  EXPECT_EQ(Text(object, "number"), "1.5");
  EXPECT_EQ(Text(object, "flag"), "true");
  EXPECT_EQ(Text(object, "null"), "");
  EXPECT_EQ(Text(object, "none"), "");
}

TEST(Table, TimesAreShort) {
  EXPECT_EQ(ShortTime("2026-08-22T10:00:00.123Z"), "2026-08-22 10:00:00");
  EXPECT_EQ(ShortTime(""), "");
  EXPECT_EQ(ShortTime("soon"), "soon");
}

}  // namespace
}  // namespace backplane::cli
