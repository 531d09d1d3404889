#include "dialects/netalertx/app_conf.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "dialects/netalertx/python_literal.h"
#include "dialects/netalertx/test_plugin.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// The value as JSON, or "error".
std::string Read(std::string_view text) {
  const auto value = ParseLiteral(text);
  return value ? DumpJson(*value) : "error";
}

// What ast.literal_eval() of Python 3.11 makes of the same texts.
TEST(PythonLiteral, AgreesWithPython) {
  const std::vector<std::pair<std::string_view, std::string_view>> table = {
      {R"('a "b"')", R"("a \"b\"")"},
      {R"("it's")", R"("it's")"},
      {R"('a\'b\\c\n\t\x41\101\u00e9\U0001F600\d')", R"("a'b\\c\n\tAAé😀\\d")"},
      {"'a\\\nb'", R"("ab")"},
      {R"(r'\d+\'')", R"("\\d+\\'")"},
      {R"(u'a' "b" '''c
d''')",
       R"("abc\nd")"},
      {R"("""a"b""c""")", R"("a\"b\"\"c")"},
      {"''", R"("")"},
      {R"('\0')", R"("\u0000")"},
      {R"('\7771')", R"("ǿ1")"},
      {"-5", "-5"},
      {"+ 1_000", "1000"},
      {"0x_fF", "255"},
      {"0b101", "5"},
      {"0o17", "15"},
      {"00", "0"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"1.5e3", "1500.0"},
      {".5", "0.5"},
      {"1.", "1.0"},
      {"1e-400", "0.0"},
      {"True", "true"},
      {"None", "null"},
      {"[]", "[]"},
      {"[1, 'a', [False],]", R"([1,"a",[false]])"},
      {"(1)", "1"},
      {"(1,)", "[1]"},
      {"()", "[]"},
      {"1, 2", "[1,2]"},
      {"[ # first\n 'a'\n 'b', # both\n]", R"(["ab"])"},
      {R"({'b': 1, "a": {}, 'b': 2})", R"({"b":2,"a":{}})"},
      {" \t'a'", R"("a")"},
  };
  for (const auto& [text, value] : table) EXPECT_EQ(Read(text), value) << text;
}

TEST(PythonLiteral, RefusesWhatPythonRefuses) {
  for (const std::string_view text : {"",
                                      "'a",
                                      "'a\nb'",
                                      "\"\"\"a\"\"",
                                      R"('\x4')",
                                      R"('\u12')",
                                      R"('\U00110000')",
                                      "09",
                                      "1__0",
                                      "1_",
                                      "0x",
                                      "0b2",
                                      "1e",
                                      ".",
                                      "[1",
                                      "[1 2]",
                                      "[,]",
                                      "[1,,2]",
                                      "(,)",
                                      "{1}}",
                                      "{'a'}: 1",
                                      "{'a' 1}",
                                      "a",
                                      "true",
                                      "f()",
                                      "'a' + 'b'",
                                      "'a'.upper()",
                                      "'a' % 1",
                                      "[x for x in y]",
                                      "__import__('os')",
                                      "1 if 1 else 2",
                                      "lambda: 1",
                                      "[1][0]",
                                      "not 1",
                                      "- 'a'",
                                      "'a' 1",
                                      "1\n2",
                                      "$"})
    EXPECT_EQ(Read(text), "error") << text;
}

// Python takes these, but JSON has nothing for them, or nobody writes them.
TEST(PythonLiteral, RefusesWhatCannotBeKept) {
  for (const std::string_view text : {"b'a'", "f'a'", "rb'a'", "1j", "{1, 2}", "{1: 2}", "9223372036854775808", "1e400",
                                      R"('\ud83d\ude00')", R"('\N{BULLET}')", "..."})
    EXPECT_EQ(Read(text), "error") << text;
  EXPECT_EQ(Read("'\xff'"), "error");
  EXPECT_EQ(Read(std::string_view("'\0'", 3)), "error");
}

TEST(PythonLiteral, IsNestedSoDeepAtMost) {
  EXPECT_NE(Read(std::string(64, '[') + std::string(64, ']')), "error");
  EXPECT_EQ(Read(std::string(65, '[') + std::string(65, ']')), "error");
  EXPECT_EQ(Read(std::string(100'000, '[')), "error");
}

/// "KEY=VALUE@LINE" of each assignment, by key.
std::vector<std::string> Lines(const AppConf& conf) {
  std::vector<std::string> lines;
  for (const auto& [key, value] : conf.values)
    lines.push_back(key + "=" + DumpJson(value.value) + "@" + std::to_string(value.line));
  return lines;
}
/// "WHERE: MESSAGE" of each finding.
std::vector<std::string> Findings(const AppConf& conf) {
  std::vector<std::string> findings;
  for (const Finding& finding : conf.findings) {
    EXPECT_EQ(finding.file, "app.conf");
    EXPECT_TRUE(IsError(finding));
    findings.push_back(finding.where + ": " + finding.message);
  }
  return findings;
}

TEST(AppConf, IsReadAsItIsWritten) {
  const AppConf conf = ParseAppConf(
      "\xEF\xBB\xBF#----- GENERATED -----#\r\n"
      "\r\n"
      "  # a remark\n"
      "A='a'  # use 'b' instead\n"
      "B = [ 'x',\n"
      "  # and\n"
      "  'y',\n"
      "]\n"
      "C=1; D=True;\n"
      "E={'k': (1, 2)}\n"
      "A = 'again'\n"
      "F='''two\nlines'''\n"
      "G = \\\n  None",
      "app.conf");
  EXPECT_THAT(Findings(conf), IsEmpty());
  EXPECT_THAT(Lines(conf), ElementsAre("A=\"again\"@11", "B=[\"x\",\"y\"]@5", "C=1@9", "D=true@9", "E={\"k\":[1,2]}@10",
                                       "F=\"two\\nlines\"@12", "G=null@14"));
}

TEST(AppConf, NothingIsExecutedAndTheRestCounts) {
  const AppConf conf = ParseAppConf(
      "import os\n"
      "A = os.system('touch /tmp/x')\n"
      "B = 1\n"
      "C = [open('/etc/passwd').read(),\n"
      "     'D = 4']\n"
      "D = 2 * 3\n"
      "def f():\n"
      "  E = 5\n"
      "F += 1\n"
      "G == 1\n"
      "H = 'no end\n"
      "I = 7\n"
      "J = 8; K = x; L = 9\n"
      "M = 10\n",
      "app.conf");
  EXPECT_THAT(Lines(conf), ElementsAre("B=1@3", "I=7@12", "J=8@13", "M=10@14"));
  EXPECT_THAT(Findings(conf),
              ElementsAre("line 1: is no assignment, KEY = VALUE", HasSubstr("line 2, A: a word is no literal"),
                          HasSubstr("line 4, C: a word is no literal"),
                          "line 6, D: is more than one literal: nothing is executed",
                          "line 7: is no assignment, KEY = VALUE", "line 8: is indented: an assignment begins its line",
                          "line 9: is no assignment, KEY = VALUE", "line 10: is no assignment, KEY = VALUE",
                          "line 11, H: the text has no closing quote", HasSubstr("line 13, K: a word is no literal")));
}

TEST(AppConf, WhatIsWrongIsNotQuoted) {
  for (const char* line :
       {"A_PASSWORD = hunter2\n", "A_PASSWORD = hunter2'\n", "A_PASSWORD = hunter2 'x'\n", "hunter2'\n", "hunter2\n",
        "A_PASSWORD = 'a' hunter2\n", "A_PASSWORD = hunter2'x'\n", "A_PASSWORD = {hunter2: 1}\n"}) {
    const AppConf conf = ParseAppConf(line, "app.conf");
    ASSERT_EQ(conf.findings.size(), 1U) << line;
    EXPECT_EQ(Findings(conf)[0].find("hunter2"), std::string::npos) << Findings(conf)[0];
  }
}

TEST(AppConf, ABracketThatIsNeverClosedTakesItsLineOnly) {
  const AppConf conf = ParseAppConf("A = [1,\nB = 2\nC = ['x'\n", "app.conf");
  EXPECT_THAT(Lines(conf), ElementsAre("B=2@2"));
  EXPECT_EQ(conf.findings.size(), 2U);
}

TEST(AppConf, AfterAHundredErrorsTheRestIsNotRead) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "A = [\n";
  const AppConf conf = ParseAppConf(text + "B = 1\n", "app.conf");
  EXPECT_THAT(conf.values, IsEmpty());
  ASSERT_EQ(conf.findings.size(), 101U);
  EXPECT_THAT(conf.findings.back().message, HasSubstr("the rest is not read"));
}

TEST(AppConf, NamesOfEarlierReleasesAreThoseOfToday) {
  const AppConf conf = ParseAppConf(
      "REPORT_TO='a@example.org'\n"
      "SYNC_api_token='t_1'\n"
      "X_WATCH=['Watched_Value1', 'Watched_Value12']\n"
      "X_SQL='SELECT Object_PrimaryID FROM p WHERE DateTimeChanged > 1'\n"
      "X_CMD='python3 /app/front/plugins/x/script.py {s-quote}a{s-quote}'\n"
      "X_CMD__metadata='it is {broken'' [\n"
      "X_RUN__metadata={'a': 1}\n"
      "Y=1\n",
      "app.conf");
  EXPECT_THAT(Findings(conf), IsEmpty());
  EXPECT_THAT(Lines(conf), ElementsAre("API_TOKEN=\"t_1\"@2", "SMTP_REPORT_TO=\"a@example.org\"@1",
                                       "X_CMD=\"python3 /app/front/plugins/x/script.py 'a'\"@5",
                                       "X_SQL=\"SELECT objectPrimaryId FROM p WHERE dateTimeChanged > 1\"@4",
                                       "X_WATCH=[\"watchedValue1\",\"Watched_Value12\"]@3", "Y=1@8"));
}

class OwnConfigTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_.path() / name).parent_path());
    std::ofstream(folder_.path() / name) << text;
    fs::permissions(folder_.path() / name, fs::perms(0644));
  }
  TemporaryFolder folder_;
};

TEST_F(OwnConfigTest, HasTheFileAndTheOverrideBesideIt) {
  Write("config/app.conf", "\nA='a'\nAPI_TOKEN=''\nSYNC_node_name=''\n");
  Write("config/app_conf_override.json", R"({"A": "b", "B": ["x", "it's"], "C": true, "D": 5})");
  for (const fs::path& config : {folder_.path() / "config", folder_.path() / "config/app.conf", folder_.path()}) {
    const OwnConfig own = ReadOwnConfig(folder_.path() / "elsewhere", config);
    EXPECT_THAT(own.findings, IsEmpty());
    ASSERT_EQ(own.base.size(), 1U);
    EXPECT_EQ(own.base.at("A").value, "a");
    EXPECT_EQ(own.base.at("A").source, "app.conf");
    EXPECT_EQ(own.base.at("A").place, (folder_.path() / "config/app.conf").string() + ":2");
    EXPECT_EQ(own.overrides.at("A").value, "b");
    EXPECT_EQ(own.overrides.at("B").value, R"(['x', 'it\'s'])");
    EXPECT_EQ(own.overrides.at("C").value, "True");
    EXPECT_EQ(own.overrides.at("D").value, "5");
    EXPECT_EQ(own.overrides.at("D").layer, SettingLayer::kOverride);
  }
}

TEST_F(OwnConfigTest, LiesInTheUsualPlacesOfAnInstallation) {
  Write("data/config/app.conf", "A=1\n");
  EXPECT_THAT(ReadOwnConfig(folder_.path(), {}).base, IsEmpty());  // a folder of plugins
  fs::create_directories(folder_.path() / "server/plugins");
  EXPECT_EQ(ReadOwnConfig(folder_.path(), {}).base.size(), 1U);
}

TEST_F(OwnConfigTest, SaysWhatIsWrong) {
  EXPECT_EQ(ReadOwnConfig({}, folder_.path()).findings.at(0).message, "holds no app.conf");
  EXPECT_TRUE(IsError(ReadOwnConfig({}, folder_.path() / "absent").findings.at(0)));
  Write("app.conf", "A=1\nB\n");
  Write("app_conf_override.json", "[]");
  const OwnConfig own = ReadOwnConfig({}, folder_.path());
  EXPECT_EQ(own.base.size(), 1U);
  ASSERT_EQ(own.findings.size(), 2U);
  EXPECT_EQ(own.findings[0].file, (folder_.path() / "app.conf").string());
  EXPECT_EQ(own.findings[1].message, "is not a JSON object");
}

TEST_F(OwnConfigTest, WhatOthersMayWriteDoesNotCount) {
  Write("app.conf", "A=1\n");
  Write("app_conf_override.json", R"({"B": 1})");
  const fs::path conf = folder_.path() / "app.conf", override = folder_.path() / "app_conf_override.json";
  fs::permissions(conf, fs::perms(0664));
  OwnConfig own = ReadOwnConfig({}, folder_.path());
  EXPECT_EQ(own.base.size(), 1U);
  ASSERT_EQ(own.findings.size(), 1U);
  EXPECT_FALSE(IsError(own.findings[0]));
  EXPECT_THAT(own.findings[0].message, HasSubstr("its group may write it"));

  fs::permissions(conf, fs::perms(0646));
  fs::permissions(override, fs::perms(0646));
  own = ReadOwnConfig({}, folder_.path());
  EXPECT_THAT(own.base, IsEmpty());
  EXPECT_THAT(own.overrides, IsEmpty());
  ASSERT_EQ(own.findings.size(), 2U);
  for (const Finding& finding : own.findings) {
    EXPECT_TRUE(IsError(finding));
    EXPECT_THAT(finding.message, HasSubstr("every user of this machine"));
  }
}

TEST_F(OwnConfigTest, WhatIsSomebodyElsesDoesNotCount) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  fs::create_directories(folder_.path() / "server/plugins");
  Write("app.conf", "A=1\n");
  ASSERT_EQ(chown((folder_.path() / "app.conf").c_str(), 12345, 12345), 0);
  EXPECT_TRUE(ReadOwnConfig({}, folder_.path()).base.contains("A")) << "the site names it";
  const OwnConfig own = ReadOwnConfig(folder_.path(), {});
  EXPECT_THAT(own.base, IsEmpty());
  ASSERT_EQ(own.findings.size(), 1U);
  EXPECT_TRUE(IsError(own.findings[0]));
  EXPECT_THAT(own.findings[0].message, HasSubstr("belongs to user 12345"));
}

TEST_F(OwnConfigTest, ABrokenOverrideIsNotQuoted) {
  Write("app.conf", "");
  Write("app_conf_override.json", "{\n\"A_PASSWORD\": hunter2}");
  const OwnConfig own = ReadOwnConfig({}, folder_.path());
  ASSERT_EQ(own.findings.size(), 1U);
  EXPECT_THAT(own.findings[0].where, testing::StartsWith("line 2, column"));
  EXPECT_EQ(own.findings[0].message, "is not JSON: nothing of it counts");
}

// The catalog leaves it out; as a text it would not know it.
TEST_F(OwnConfigTest, AReferenceInAnOverrideStaysOne) {
  Write("app.conf", "");
  Write("app_conf_override.json", R"({"A": {"secret": "x"}, "B": [{"secret": "x"}]})");
  const OwnConfig own = ReadOwnConfig({}, folder_.path());
  EXPECT_EQ(own.overrides.at("A").value, (Json{{"secret", "x"}}));
  EXPECT_EQ(own.overrides.at("B").value, Json::array({{{"secret", "x"}}}));
}

}  // namespace
}  // namespace backplane::netalertx
