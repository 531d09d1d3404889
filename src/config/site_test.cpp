#include "config/site.h"

#include <cstdlib>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/test_folder.h"

namespace backplane::config {
namespace {

using ::testing::HasSubstr;

class NameCollector final : public OptionVisitor {
 public:
  void Text(std::string_view name, std::string&, std::string_view) override { names.emplace_back(name); }
  void Choice(std::string_view name, std::string&, const std::vector<std::string_view>&, std::string_view) override {
    names.emplace_back(name);
  }
  void Integer(std::string_view name, std::int64_t&, std::int64_t, std::int64_t, std::string_view) override {
    names.emplace_back(name);
  }
  void Duration(std::string_view name, Millis&, Millis, Millis, std::string_view) override { names.emplace_back(name); }
  std::vector<std::string> names;
};
std::vector<std::string> OptionNames() {
  Options options;
  NameCollector collector;
  Describe(options, collector);
  return collector.names;
}

class SiteTest : public ::testing::Test {
 protected:
  SiteTest() { ClearEnvironment(); }
  ~SiteTest() override { ClearEnvironment(); }

  Result<Site> Load(std::string_view text) const {
    std::ofstream(file_) << text;
    return LoadSite(file_);
  }
  // "line: message" without the file's name.
  std::string Refusal(std::string_view text) const {
    const auto site = Load(text);
    if (site) return "accepted";
    EXPECT_EQ(site.error().code, Errc::kInvalid);
    const std::string& message = site.error().message;
    return message.starts_with(file_.string() + ":") ? message.substr(file_.string().size() + 1) : message;
  }

  TestFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "backplane.toml";

 private:
  static void ClearEnvironment() {
    for (const std::string& name : OptionNames()) unsetenv(EnvironmentName(name).c_str());
  }
};

TEST_F(SiteTest, WithoutAFileThereAreDefaults) {
  const auto site = LoadSite("");
  ASSERT_TRUE(site);
  EXPECT_EQ(site->options.listen, "127.0.0.1:8700");
  EXPECT_EQ(site->options.workers, 8);
  EXPECT_TRUE(std::filesystem::path(site->options.data).is_absolute());
  EXPECT_TRUE(site->folders.empty());
}

TEST_F(SiteTest, ReadsEveryOption) {
  const auto site = Load(R"(
listen = "[::1]:0"
data = "/srv/data"
python = "/opt/python"
log_level = "debug"
[store]
synchronous = "full"
[runs]
workers = 3
keep = 4
keep_all = 5
[journal]
keep = "2h"
[events]
keep = "30d"
)");
  ASSERT_TRUE(site) << site.error().message;
  const Options& options = site->options;
  EXPECT_EQ(options.listen, "[::1]:0");
  EXPECT_EQ(options.data, "/srv/data");
  EXPECT_EQ(options.python, "/opt/python");
  EXPECT_EQ(options.log_level, "debug");
  EXPECT_EQ(options.synchronous, "full");
  EXPECT_EQ(options.workers, 3);
  EXPECT_EQ(options.runs_keep, 4);
  EXPECT_EQ(options.runs_keep_all, 5);
  EXPECT_EQ(options.journal_keep, std::chrono::hours(2));
  EXPECT_EQ(options.events_keep, std::chrono::hours(24 * 30));
}

TEST_F(SiteTest, TheEnvironmentWinsOverTheFile) {
  setenv("BACKPLANE_RUNS_WORKERS", "7", 1);
  setenv("BACKPLANE_JOURNAL_KEEP", "5m", 1);
  setenv("BACKPLANE_LOG_LEVEL", "error", 1);
  const auto site = Load("log_level = \"debug\"\nruns.workers = 3\njournal.keep = \"1h\"\nruns.keep = 9\n");
  ASSERT_TRUE(site) << site.error().message;
  EXPECT_EQ(site->options.workers, 7);
  EXPECT_EQ(site->options.journal_keep, std::chrono::minutes(5));
  EXPECT_EQ(site->options.log_level, "error");
  EXPECT_EQ(site->options.runs_keep, 9);
}

TEST_F(SiteTest, AWrongVariableIsNamed) {
  for (const char* value : {"", "x", "7 ", "0x7", "1.5", "0", "1025", "99999999999999999999"}) {
    setenv("BACKPLANE_RUNS_WORKERS", value, 1);
    EXPECT_THAT(Refusal(""), HasSubstr("BACKPLANE_RUNS_WORKERS: runs.workers")) << value;
  }
}

TEST_F(SiteTest, LimitsHoldAtBothEnds) {
  for (const char* good : {"runs.workers = 1", "runs.workers = 1024", "events.keep = \"1m\"", "journal.keep = \"0s\"",
                           "runs.keep = 100000"})
    EXPECT_EQ(Refusal(good), "accepted") << good;
  EXPECT_EQ(Refusal("\nruns.workers = 0"), "2: runs.workers: 0 is not between 1 and 1024");
  EXPECT_EQ(Refusal("runs.workers = 1025"), "1: runs.workers: 1025 is not between 1 and 1024");
  EXPECT_THAT(Refusal("events.keep = \"59s\""), HasSubstr("1: events.keep: 59s is not between 1m and 3650d"));
  EXPECT_THAT(Refusal("journal.keep = \"366d\""), HasSubstr("1: journal.keep: 366d is not between"));
}

TEST_F(SiteTest, WrongTypesAndTextsAreNamedWithTheirLine) {
  EXPECT_EQ(Refusal("\n\nruns.workers = \"3\""), "3: runs.workers: is not a whole number");
  EXPECT_EQ(Refusal("runs.workers = 3.5"), "1: runs.workers: is not a whole number");
  EXPECT_EQ(Refusal("listen = 8700"), "1: listen: is not a text");
  EXPECT_EQ(Refusal("log_level = \"loud\""), "1: log_level: \"loud\" is none of debug, info, warning, error");
  for (const char* text : {"5", "", "5 m", "-5m", "5w"})
    EXPECT_THAT(Refusal("journal.keep = \"" + std::string(text) + "\""), HasSubstr("is not a duration")) << text;
  EXPECT_THAT(Refusal("listen = \"example.org:80\""), HasSubstr("is no IP address"));
  EXPECT_THAT(Refusal("a = \nb"), ::testing::StartsWith("1:"));  // no TOML
}

TEST_F(SiteTest, UnknownKeysAreRefusedWhereverTheyAre) {
  EXPECT_THAT(Refusal("listen = \"127.0.0.1:1\"\nlisten_on = \"x\""), HasSubstr("2: listen_on: no such option"));
  EXPECT_THAT(Refusal("[runs]\nworkers = 1\n[run]\nworkers = 1"), HasSubstr("3: run: no such option"));
  EXPECT_THAT(Refusal("[runs]\nworkers = 1\nworker = 2"), HasSubstr("3: runs.worker: no such option"));
  EXPECT_THAT(Refusal("runs = 5"), HasSubstr("1: runs: no such option"));
  EXPECT_THAT(Refusal("[[plugins]]\npath = \"x\"\nfolder = \"y\""), HasSubstr("3: plugins.folder: unknown key"));
}

TEST_F(SiteTest, PluginFoldersAreRelativeToTheFile) {
  const auto site = Load(R"(
[[plugins]]
path = "plugins/../own"
[[plugins]]
path = "/opt/plugins"
dialect = "d"
run_at_start = true
config = "conf/../own.conf"
)");
  ASSERT_TRUE(site) << site.error().message;
  ASSERT_EQ(site->folders.size(), 2U);
  EXPECT_EQ(site->folders[0].path, folder_.path() / "own");
  EXPECT_EQ(site->folders[0].dialect, "");
  EXPECT_FALSE(site->folders[0].run_at_start);
  EXPECT_EQ(site->folders[1].path, "/opt/plugins");
  EXPECT_EQ(site->folders[1].dialect, "d");
  EXPECT_TRUE(site->folders[1].run_at_start);
  EXPECT_EQ(site->folders[0].config, "");
  EXPECT_EQ(site->folders[1].config, folder_.path() / "own.conf");
}

TEST_F(SiteTest, TheDataFolderIsRelativeToTheFileButNotToTheEnvironments) {
  const auto from_file = Load("data = \"state\"");
  ASSERT_TRUE(from_file);
  EXPECT_EQ(from_file->options.data, folder_.path() / "state");
  setenv("BACKPLANE_DATA", "elsewhere", 1);
  const auto from_environment = Load("data = \"state\"");
  ASSERT_TRUE(from_environment);
  EXPECT_EQ(from_environment->options.data, std::filesystem::current_path() / "elsewhere");
}

TEST_F(SiteTest, TheKeyOfTheSecretsIsOneFileOrAnother) {
  const auto by_default = Load("data = \"state\"");
  ASSERT_TRUE(by_default);
  EXPECT_EQ(by_default->options.key_file, folder_.path() / "state/secret.key");
  EXPECT_EQ(by_default->options.passphrase_file, "");
  const auto key = Load("secrets.key_file = \"keys/a\"");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->options.key_file, folder_.path() / "keys/a");
  const auto passphrase = Load("secrets.passphrase_file = \"/run/p\"");
  ASSERT_TRUE(passphrase);
  EXPECT_EQ(passphrase->options.key_file, "");
  EXPECT_EQ(passphrase->options.passphrase_file, "/run/p");
  EXPECT_THAT(Refusal("[secrets]\nkey_file = \"a\"\npassphrase_file = \"b\""), HasSubstr("only one of them"));
  setenv("BACKPLANE_SECRETS_KEY_FILE", "elsewhere", 1);
  EXPECT_EQ(Load("")->options.key_file, std::filesystem::current_path() / "elsewhere");
}

TEST_F(SiteTest, WrongPluginFoldersAreRefused) {
  EXPECT_THAT(Refusal("plugins = 5"), HasSubstr("1: plugins: write [[plugins]]"));
  EXPECT_THAT(Refusal("plugins = [5]"), HasSubstr("1: plugins: write [[plugins]]"));
  EXPECT_THAT(Refusal("\n[[plugins]]\ndialect = \"d\""), HasSubstr("plugins.path: is missing"));
  EXPECT_THAT(Refusal("[[plugins]]\npath = 5"), HasSubstr("2: plugins.path: unknown key or wrong type"));
  EXPECT_THAT(Refusal("[[plugins]]\npath = \"x\"\nrun_at_start = \"yes\""), HasSubstr("3: plugins.run_at_start"));
}

TEST_F(SiteTest, SettingsKeepTheirTypes) {
  const auto site = Load(R"(
[settings.d]
text = "x"
number = 5
real = 1.5
flag = true
list = ["a", 1]
table = { inside = "y" }
[settings.e]
text = "z"
)");
  ASSERT_TRUE(site) << site.error().message;
  const auto& values = site->settings.at("d");
  EXPECT_EQ(values.at("text"), "x");
  EXPECT_EQ(values.at("number"), 5);
  EXPECT_EQ(values.at("real"), 1.5);
  EXPECT_EQ(values.at("flag"), true);
  EXPECT_EQ(values.at("list"), Json::array({"a", 1}));
  EXPECT_EQ(values.at("table").at("inside"), "y");
  EXPECT_EQ(site->settings.at("e").at("text"), "z");
}

TEST_F(SiteTest, WrongSettingsAreRefused) {
  EXPECT_THAT(Refusal("settings = 1"), HasSubstr("1: settings: write [settings.<dialect>]"));
  EXPECT_THAT(Refusal("[settings]\nd = 1"), HasSubstr("2: settings.d: is not a table"));
  EXPECT_THAT(Refusal("[settings.d]\nday = 2026-01-01"), HasSubstr("2: dates are not used here"));
}

TEST_F(SiteTest, AFileThatIsNotThereIsNotFound) {
  const auto site = LoadSite(folder_.path() / "none.toml");
  ASSERT_FALSE(site);
  EXPECT_EQ(site.error().code, Errc::kNotFound);
  EXPECT_THAT(site.error().message, HasSubstr("none.toml"));
}

TEST(Options, EveryOneIsInTheReference) {
  const std::string reference = OptionReference();
  std::set<std::string> variables;
  for (const std::string& name : OptionNames()) {
    EXPECT_THAT(reference, HasSubstr("- `" + name + "` = "));
    EXPECT_THAT(reference, HasSubstr("`" + EnvironmentName(name) + "`"));
    EXPECT_TRUE(variables.insert(EnvironmentName(name)).second) << name;
  }
  EXPECT_EQ(EnvironmentName("store.synchronous"), "BACKPLANE_STORE_SYNCHRONOUS");
}

TEST(Address, IsHostAndPortAndWhetherOthersReachIt) {
  const std::tuple<const char*, const char*, int, bool> good[] = {
      {"127.0.0.1:8700", "127.0.0.1", 8700, true},
      {"[::1]:0", "::1", 0, true},
      {"localhost:65535", "127.0.0.1", 65535, true},
      {"127.9.9.9:1", "127.9.9.9", 1, true},
      {"::1:80", "::1", 80, true},
      {"0.0.0.0:80", "0.0.0.0", 80, false},
      {"[::]:80", "::", 80, false},
      {"10.0.0.1:80", "10.0.0.1", 80, false},
      {"[::ffff:127.0.0.1]:80", "::ffff:127.0.0.1", 80, false},
  };
  for (const auto& [text, host, port, loopback] : good) {
    const auto address = ParseAddress(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->host, host) << text;
    EXPECT_EQ(address->port, port) << text;
    EXPECT_EQ(address->loopback, loopback) << text;
  }
  for (const char* text : {"", "8700", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1",
                           "127.0.0.1:80x", ":80", "0127.1:80", "1.2.3:80", "[1.2.3.4:80", "example.org:80",
                           "localhost.example.org:80", "127.example.org:80", "127.0.0.1.example.org:80"}) {
    const auto address = ParseAddress(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, Errc::kInvalid) << text;
    EXPECT_EQ(address.error().where, "listen") << text;
  }
}

TEST_F(SiteTest, AMappingMakesResourcesOfDevices) {
  const auto site = Load(R"([[mapping]]
name = "linux hosts"
where = { vendor = "Dell*", name = "{hostname}" }
resource = { class = "system", subclass = "host", id = "{name}" }
metadata = { mac = "{mac}" })");
  ASSERT_TRUE(site) << site.error().message;
  ASSERT_EQ(site->mappings.size(), 1U);
  const Mapping& mapping = site->mappings[0];
  EXPECT_EQ(mapping.name, "linux hosts");
  EXPECT_EQ(mapping.where.at("vendor"), "Dell*");
  EXPECT_EQ(mapping.resource.at("site"), "local");
  EXPECT_EQ(mapping.resource.at("class"), "system");
  EXPECT_EQ(mapping.resource.at("id"), "{name}");
  EXPECT_EQ(mapping.resource.at("endpoint"), "{ip}");
  EXPECT_EQ(mapping.metadata.at("mac"), "{mac}");
}

TEST_F(SiteTest, AMappingThatIsWrongSaysWhereAndWhat) {
  const auto wrong = [&](const std::string& text) { return Load("[[mapping]]\n" + text).error().message; };
  EXPECT_THAT(wrong(""), HasSubstr("mapping.name: is missing"));
  EXPECT_THAT(wrong("name = 'a|b'"), HasSubstr(":2: mapping.name: unknown key or wrong type"));
  EXPECT_THAT(wrong("name = 'a'\nwhen = {}"), HasSubstr(":3: mapping.when: unknown key"));
  EXPECT_THAT(wrong("name = 'a'\nwhere = { colour = 'red' }"), HasSubstr("mapping.where.colour: unknown key"));
  EXPECT_THAT(wrong("name = 'a'\nwhere = { name = 1 }"), HasSubstr("is not a text"));
  EXPECT_THAT(wrong("name = 'a'\nresource = { id = '{colour}' }"), HasSubstr("in braces there can be name"));
  EXPECT_THAT(wrong("name = 'a'\nresource = { id = '{name' }"), HasSubstr("in braces there can be name"));
  EXPECT_THAT(wrong("name = 'a'\nwhere = { name = '{host}' }"), HasSubstr("there can be hostname only"));
  EXPECT_THAT(wrong("name = 'a'\nmetadata = { Model = '{type}' }"), HasSubstr("mapping.metadata.Model: a key is of"));
  EXPECT_THAT(wrong("name = 'a'\nresource = { id = '' }"), HasSubstr("mapping.resource.id: is empty"));
  EXPECT_THAT(wrong("name = 'a'\n[[mapping]]\nname = 'a'"), HasSubstr("there is another called a"));
  EXPECT_THAT(Load("mapping = 1").error().message, HasSubstr("write [[mapping]]"));
}

}  // namespace
}  // namespace backplane::config
