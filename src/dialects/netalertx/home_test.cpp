#include "dialects/netalertx/home.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "dialects/netalertx/netalertx.h"
#include "dialects/netalertx/test_plugin.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class HomeTest : public testing::Test {
 protected:
  HomeTest() {
    dialects_.push_back(std::make_unique<NetAlertX>());
    site_.folders = {{.path = plugins_, .dialect = "netalertx"}};
  }
  void SetUp() override { ASSERT_TRUE(home_.Make(BACKPLANE_SOURCE_DIR)); }
  void Write(const std::string& name, Json document) {
    fs::create_directories(plugins_ / name);
    document["code_name"] = name;
    std::ofstream(plugins_ / name / "config.json") << document.dump();
  }
  void SetCatalog() {
    const Catalog catalog = Catalog::Load(site_, dialects_);
    home_.SetCatalog(catalog, catalog.DialectSettings("netalertx"));
  }
  fs::path Linked(const std::string& name) {
    std::error_code error;
    return fs::read_symlink(folder_.path() / "home/app/front/plugins" / name, error);
  }

  const TemporaryFolder folder_;
  const fs::path plugins_ = folder_.path() / "site";
  DialectList dialects_;
  config::Site site_;
  Home home_{folder_.path() / "home"};
};

TEST_F(HomeTest, AResultBelongsToExactlyOnePrefix) {
  Write("nmap", TestManifest("NMAP"));
  Write("nmapdev", TestManifest("NMAPDEV"));
  Json settings_only = TestManifest("UI");
  settings_only["data_source"] = "template";
  Write("ui", settings_only);
  SetCatalog();
  EXPECT_EQ(home_.PluginOf("last_result.NMAP.log"), "netalertx:NMAP");
  EXPECT_EQ(home_.PluginOf("last_result.NMAPDEV.log"), "netalertx:NMAPDEV");
  for (const char* other : {"last_result.NMA.log", "last_result.nmap.log", "last_result.UI.log"}) {
    const auto plugin = home_.PluginOf(other);
    ASSERT_FALSE(plugin) << other;
    EXPECT_THAT(plugin.error().message, HasSubstr("no plugin in force"));
  }
  for (const char* none : {"last_result.NMAP.log.part", "last_result..log", "last_result.log", "app.log",
                           "last_result.NMAP.encoded.node.1.log", "last_result.NMAP"})
    EXPECT_EQ(home_.PluginOf(none), "") << none;
}

TEST_F(HomeTest, HoldsThePluginsInForceBesideOurModules) {
  Write("one", TestManifest("ONE"));
  Write("two", TestManifest("TWO"));
  SetCatalog();
  EXPECT_EQ(Linked("one"), plugins_ / "one");
  EXPECT_EQ(Linked("two"), plugins_ / "two");
  EXPECT_TRUE(fs::is_regular_file(folder_.path() / "home/app/server/helper.py"));
  EXPECT_TRUE(fs::is_regular_file(folder_.path() / "home/app/server/plugins/plugin_helper.py"));
  EXPECT_THAT(ReadFile(folder_.path() / "home/data/config/app.conf", 1 << 20).value(), HasSubstr("ONE_RUN"));

  fs::remove_all(plugins_ / "two");
  SetCatalog();
  EXPECT_EQ(Linked("one"), plugins_ / "one");
  EXPECT_EQ(Linked("two"), "");
  EXPECT_FALSE(home_.PluginOf("last_result.TWO.log"));
  EXPECT_THAT(ReadFile(folder_.path() / "home/data/config/app.conf", 1 << 20).value(), Not(HasSubstr("TWO_RUN")));
}

TEST_F(HomeTest, HoldsTheTemplateThatAuthorsCopy) {
  SetCatalog();
  EXPECT_TRUE(fs::exists(folder_.path() / "home/app/front/plugins/__template/config.json"));
}

TEST_F(HomeTest, WhatAnUpdateDroppedGoes) {
  Write("one", TestManifest("ONE"));
  SetCatalog();
  const fs::path server = folder_.path() / "home/app/server";
  fs::create_directories(server / "gone/__pycache__");
  fs::create_directories(server / "__pycache__");
  for (const char* name : {"gone.py", "gone/__init__.py", "plugins/gone.py"}) std::ofstream(server / name) << "";
  ASSERT_TRUE(home_.Make(BACKPLANE_SOURCE_DIR));
  for (const char* name : {"gone.py", "gone", "plugins/gone.py"}) EXPECT_FALSE(fs::exists(server / name)) << name;
  EXPECT_TRUE(fs::exists(server / "helper.py"));
  EXPECT_EQ(Linked("one"), plugins_ / "one");
  EXPECT_TRUE(fs::exists(plugins_ / "one/config.json"));
}

TEST_F(HomeTest, IsMadeAnewWhereItWasChanged) {
  const fs::path module = folder_.path() / "home/app/server/helper.py";
  std::ofstream(module) << "broken";
  ASSERT_TRUE(home_.Make(BACKPLANE_SOURCE_DIR));
  EXPECT_EQ(ReadFile(module, 1 << 20).value(),
            ReadFile(fs::path(BACKPLANE_SOURCE_DIR) / "python/netalertx/server/helper.py", 1 << 20).value());
}

}  // namespace
}  // namespace backplane::netalertx
