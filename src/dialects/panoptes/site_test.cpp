#include "dialects/panoptes/site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dialects/panoptes/configobj.h"

namespace backplane::panoptes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kPaths =
    "[discovery]\nplugins_paths = d,\n[polling]\nplugins_paths = p, q\n[enrichment]\nplugins_paths = e,\n";

// "is malformed", or the items of the list in brackets, or the text.
std::string Value(const std::string& written) {
  const ConfigFile config = ParseConfigFile("[s]\nk = " + written + "\n", "x.ini");
  if (!config.findings.empty()) return config.findings[0].message;
  const auto value = Interpolated(config.root, *config.root.Find("s"), "k");
  if (!value) return value.error().message;
  if (!value->list) return value->items[0];
  std::string out = "[";
  for (const std::string& item : value->items) out += item + "|";
  return out + "]";
}

TEST(ConfigObj, ValuesAreTextsOrLists) {
  EXPECT_EQ(Value("a b"), "a b");
  EXPECT_EQ(Value(""), "");
  EXPECT_EQ(Value("a,"), "[a|]");
  EXPECT_EQ(Value(","), "[]");
  EXPECT_EQ(Value("a b , c"), "[a b|c|]");
  EXPECT_EQ(Value("\"\" ,"), "[|]");
  EXPECT_EQ(Value("a=b"), "a=b");
}

TEST(ConfigObj, QuotesAreRemovedAndProtect) {
  EXPECT_EQ(Value("'a, b'"), "a, b");
  EXPECT_EQ(Value("\"a # b\" # c"), "a # b");
  EXPECT_EQ(Value("'a','b'"), "[a|b|]");
  EXPECT_EQ(Value("a'b"), "a'b");
  EXPECT_EQ(Value("\"a\"b\""), "a\"b");
  EXPECT_EQ(Value("\"\"\"x\"\"\""), "x");
  EXPECT_EQ(Value("'''x\ny''' # z"), "x\ny");
}

TEST(ConfigObj, CommentsMayFollow) {
  EXPECT_EQ(Value("a # b"), "a");
  EXPECT_EQ(Value("a#b"), "a");
  EXPECT_EQ(Value("a, b # c, d"), "[a|b|]");
  EXPECT_EQ(Value("# a"), "");
}

TEST(ConfigObj, MalformedValuesAreRefused) {
  for (const char* bad : {"a,,b", "a, ,b", "\"a", "\"a\"b,c", "'''a", "'''a''' b"})
    EXPECT_EQ(Value(bad), "the value of k is malformed: check its quotes and commas") << bad;
}

TEST(ConfigObj, SectionsNest) {
  const ConfigFile config =
      ParseConfigFile("[a]\nx = 1\n[[ b ]]\nx = 2\n  [[[c]]] # d\n  x = 3\n[[d]]\nx = 4\n[\"e]f\"]\nx = 5\n", "x.ini");
  EXPECT_THAT(config.findings, IsEmpty());
  const ConfigSection& a = *config.root.Find("a");
  EXPECT_EQ(a.FindValue("x")->items[0], "1");
  EXPECT_EQ(a.Find("b")->FindValue("x")->items[0], "2");
  EXPECT_EQ(a.Find("b")->Find("c")->FindValue("x")->items[0], "3");
  EXPECT_EQ(a.Find("d")->FindValue("x")->items[0], "4");
  EXPECT_EQ(a.Find("d")->FindValue("x")->line, 8);
  EXPECT_EQ(config.root.Find("e]f")->FindValue("x")->items[0], "5");
  EXPECT_EQ(config.root.Find("b"), nullptr);
}

TEST(ConfigObj, MistakesNameTheLine) {
  const ConfigFile config =
      ParseConfigFile("[a]\nx = 1\nx = 2\nwords\n[a]\n[[[deep]]]\n[odd]]\n= 3\n\"k = 4\nb = \"\n", "x.ini");
  std::vector<std::string> found;
  for (const Finding& finding : config.findings) found.push_back(finding.where + ": " + finding.message);
  EXPECT_THAT(found, ElementsAre("line 3: x is there twice", "line 4: \"words\" is neither a [section] nor key = value",
                                 "line 5: [a] is there twice", "line 6: [deep] is nested too deep",
                                 "line 7: the brackets of the section do not match",
                                 "line 8: \"= 3\" is neither a [section] nor key = value",
                                 "line 9: \"\"k = 4\" is neither a [section] nor key = value",
                                 "line 10: the value of b is malformed: check its quotes and commas"));
}

TEST(ConfigObj, NamesArePutIn) {
  const ConfigFile config = ParseConfigFile(
      "top = /srv\n[DEFAULT]\nshared = s\n[s]\nhome = $top/panoptes\nk = ${home}/a, $shared$$, $1 $\n"
      "loop = $loop\nmissing = $nothing\nlist = $k\n",
      "x.ini");
  const ConfigSection& section = *config.root.Find("s");
  EXPECT_THAT(Interpolated(config.root, section, "k")->items, ElementsAre("/srv/panoptes/a", "s$", "$1 $"));
  EXPECT_EQ(Interpolated(config.root, section, "loop").error().message, "refers to ${loop}, which refers to itself");
  EXPECT_EQ(Interpolated(config.root, section, "missing").error().message, "refers to ${nothing}, which is not there");
  EXPECT_EQ(Interpolated(config.root, section, "list").error().message, "refers to ${k}, which is a list");
  EXPECT_EQ(Interpolated(config.root, section, "none").error().code, Errc::kNotFound);
}

TEST(ConfigObj, WhatReferencesMakeIsBounded) {
  std::string text = "[s]\na0 = xxxxxxxxxx\n";
  for (int i = 1; i < 15; ++i) {
    text += "a" + std::to_string(i) + " = ";
    for (int j = 0; j < 10; ++j) text += "${a" + std::to_string(i - 1) + "}";
    text += "\n";
  }
  const ConfigFile config = ParseConfigFile(text, "x.ini");
  EXPECT_EQ(Interpolated(config.root, *config.root.Find("s"), "a14").error().message,
            "refers to too many or too long values");
}

struct Read {
  bool usable = false;
  Site site;
  std::vector<Finding> findings;
};

Read ReadText(const std::string& text, Site site = {}) {
  Read read{.site = std::move(site)};
  read.usable = ReadSite(text, "/conf/panoptes.ini", read.site, read.findings);
  return read;
}

TEST(Site, HasDefaults) {
  std::vector<Finding> findings;
  const Site site = SiteFromSettings({}, findings);
  EXPECT_THAT(findings, IsEmpty());
  EXPECT_THAT(site.sites, ElementsAre("local"));
  EXPECT_EQ(site.extension, "panoptes-plugin");
  EXPECT_EQ(site.skew, 1);
  EXPECT_EQ(site.or_rule, OrRule::kOriginal);
  EXPECT_EQ(site.snmp, ParseJson(R"({"connection_factory_module": "yahoo_panoptes.plugins.helpers.snmp_connections",
      "connection_factory_class": "PanoptesSNMPConnectionFactory", "community": "public", "timeout": 5, "retries": 1,
      "non_repeaters": 0, "max_repetitions": 25, "port": 161, "proxy_port": 10161,
      "community_string_key": "snmp_community_string"})"));
  EXPECT_EQ(site.x509["x509_cert_filename"], "panoptes.pem");
  EXPECT_EQ(site.x509["x509_secured_requests"], 0);
}

TEST(Site, SettingsStandOverDefaults) {
  std::vector<Finding> findings;
  const Site site = SiteFromSettings({{"sites", {"dc1", "dc2"}},
                                      {"plugins_extension", "ini2"},
                                      {"plugins_skew", 0},
                                      {"filter_or", "logical"},
                                      {"memory_mib", 64}},
                                     findings);
  EXPECT_THAT(findings, IsEmpty());
  EXPECT_THAT(site.sites, ElementsAre("dc1", "dc2"));
  EXPECT_EQ(site.extension, "ini2");
  EXPECT_EQ(site.skew, 0);
  EXPECT_EQ(site.or_rule, OrRule::kLogical);
  EXPECT_EQ(site.memory_mib, 64);
}

TEST(Site, ASettingThatDoesNotFitIsNamed) {
  std::vector<Finding> findings;
  const Site site = SiteFromSettings(
      {{"sites", "dc1"}, {"plugins_extension", ""}, {"plugins_skew", 61}, {"filter_or", "x"}, {"memory_mib", 63}},
      findings);
  ASSERT_EQ(findings.size(), 5U);
  EXPECT_EQ(findings[0].where, "settings.panoptes.sites");
  EXPECT_EQ(findings[0].message, "needs a list of texts, at least one");
  EXPECT_EQ(findings[2].message, "needs a whole number of seconds from 0 to 60");
  EXPECT_EQ(findings[4].message, "needs a whole number of MiB from 64 to 1048576");
  EXPECT_EQ(site.skew, 1);
  EXPECT_EQ(site.memory_mib, 1024);
}

TEST(Site, AFileIsRead) {
  const Read read = ReadText(std::string("[main]\nsites = dc1, dc2\nplugins_skew = 5\nplugins_extension = plug\n") +
                             kPaths + "[snmp]\nport = 1161\nown = a\nmany = a, b\n[x509]\nx509_secured_requests = 2\n");
  EXPECT_TRUE(read.usable);
  EXPECT_THAT(read.findings, IsEmpty());
  EXPECT_THAT(read.site.sites, ElementsAre("dc1", "dc2"));
  EXPECT_EQ(read.site.skew, 5);
  EXPECT_EQ(read.site.extension, "plug");
  EXPECT_EQ(read.site.snmp["port"], 1161);
  EXPECT_EQ(read.site.snmp["timeout"], 5);
  EXPECT_EQ(read.site.snmp["own"], "a");
  EXPECT_EQ(read.site.snmp["many"], Json::array({"a", "b"}));
  EXPECT_EQ(read.site.x509["x509_secured_requests"], 2);
  std::vector<std::string> paths;
  for (const PluginsPath& path : read.site.paths) paths.push_back(path.type + " " + path.path + " " + path.where);
  EXPECT_THAT(
      paths,
      ElementsAre("discovery d [discovery] plugins_paths, line 6", "enrichment e [enrichment] plugins_paths, line 10",
                  "polling p [polling] plugins_paths, line 8", "polling q [polling] plugins_paths, line 8"));
}

TEST(Site, WhatAFileDoesNotSayStays) {
  const Read read = ReadText(std::string("[main]\nsites = dc1,\n") + kPaths,
                             Site{.sites = {"x"}, .extension = "plug", .skew = 7, .snmp = {}, .x509 = {}, .paths = {}});
  EXPECT_TRUE(read.usable);
  EXPECT_EQ(read.site.skew, 7);
  EXPECT_EQ(read.site.extension, "plug");
  EXPECT_THAT(read.site.sites, ElementsAre("dc1"));
}

TEST(Site, OtherSectionsAreLeftAlone) {
  const Read read =
      ReadText(std::string("[main]\nsites = a,\n[redis]\n[[default]]\nnamespace = panoptes\n[[[shards]]]\n"
                           "[[[[0]]]]\nhost = localhost\n[kafka]\n[[brokers]]\n[[[b]]]\nhost = $x\n"
                           "[zookeeper]\n[log]\nconfig_file = x\n[unknown]\na = b\n") +
               kPaths);
  EXPECT_TRUE(read.usable);
  EXPECT_THAT(read.findings, IsEmpty());
}

TEST(Site, AListOfOneNeedsAComma) {
  const Read read = ReadText(std::string("[main]\nsites = local\n") + kPaths);
  EXPECT_FALSE(read.usable);
  ASSERT_EQ(read.findings.size(), 1U);
  EXPECT_EQ(Describe(read.findings[0]),
            "/conf/panoptes.ini: [main] sites, line 2: Error parsing the configuration file: The \"sites\" key in "
            "section \"main\" failed validation: needs a list; a list of one ends with a comma, `local,`");
}

TEST(Site, ValuesHaveTypesAndRanges) {
  for (const char* line : {"[main]\nsites = ,", "[main]\nplugins_skew = 61\nsites = a,", "[main]\nsites = $x,",
                           "[main]\nsites = a,\nplugins_extension = ''", "[main]\nsites = a,\n[snmp]\nport = 0",
                           "[main]\nsites = a,\n[snmp]\nport = x", "[main]\nsites = a,\n[snmp]\ncommunity = a, b",
                           "[main]\nsites = a,\n[x509]\nx509_secured_requests = 3", "[main]\n", "", "words"}) {
    const Read read = ReadText(std::string(line) + "\n" + kPaths);
    EXPECT_FALSE(read.usable) << line;
    EXPECT_EQ(read.findings.size(), 1U) << line;
  }
}

TEST(Site, AMistakeInOneTypeLeavesTheOthers) {
  const Read read = ReadText(
      "[main]\nsites = a,\n[discovery]\nplugins_paths = d\n[polling]\nplugins_paths = p,\nplugin_scan_interval = 59\n"
      "[enrichment]\nplugins_paths = e,\n");
  EXPECT_TRUE(read.usable);
  ASSERT_EQ(read.findings.size(), 2U);
  EXPECT_THAT(read.findings[0].message, HasSubstr("The \"plugins_paths\" key in section \"discovery\" failed"));
  EXPECT_THAT(read.findings[1].message, HasSubstr("The \"plugin_scan_interval\" key in section \"polling\" failed "
                                                  "validation: needs a whole number from 60 to 86400"));
  ASSERT_EQ(read.site.paths.size(), 1U);
  EXPECT_EQ(read.site.paths[0].type, "enrichment");
}

TEST(Site, AMissingTypeIsSaid) {
  const Read read = ReadText("[main]\nsites = a,\n[polling]\nplugins_paths = p,\n");
  EXPECT_TRUE(read.usable);
  ASSERT_EQ(read.findings.size(), 2U);
  EXPECT_EQ(read.findings[0].where, "[discovery] plugins_paths");
  EXPECT_THAT(read.findings[0].message, HasSubstr("it is missing"));
}

}  // namespace
}  // namespace backplane::panoptes
