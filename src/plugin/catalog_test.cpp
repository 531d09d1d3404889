#include "plugin/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_folder.h"
#include "plugin/test_codec.h"

namespace backplane {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CatalogTest : public ::testing::Test {
 protected:
  CatalogTest() {
    dialects_.push_back(std::make_unique<TestCodec>("one"));
    dialects_.push_back(std::make_unique<TestCodec>("two"));
  }
  // Makes a folder with plugins of a dialect: "name" or "name trigger".
  config::PluginFolder Folder(const std::string& name, const std::string& dialect,
                              const std::vector<std::string>& plugins) {
    const auto path = folder_.path() / name;
    TestCodec::WriteFolder(path, dialect, plugins);
    return {.path = path, .dialect = "", .run_at_start = false};
  }
  Catalog Load() const { return Catalog::Load(site_, dialects_); }
  static std::vector<std::string> Ids(const Catalog& catalog) {
    std::vector<std::string> ids;
    for (const Plugin& plugin : catalog.plugins()) ids.push_back(plugin.manifest.id);
    return ids;
  }
  static std::vector<std::string> Messages(const Catalog& catalog) {
    std::vector<std::string> messages;
    for (const Finding& finding : catalog.findings()) messages.push_back(finding.message);
    return messages;
  }

  TestFolder folder_;
  config::Site site_;
  DialectList dialects_;
};

TEST_F(CatalogTest, ReadsEachFolderByTheDialectThatKnowsIt) {
  site_.folders = {Folder("a", "one", {"x", "y"}), Folder("b", "two", {"z"})};
  const Catalog catalog = Load();
  EXPECT_THAT(Ids(catalog), ElementsAre("one:x", "one:y", "two:z"));
  EXPECT_THAT(Messages(catalog), IsEmpty());
  EXPECT_EQ(catalog.plugins()[2].codec, dialects_[1].get());
}

TEST_F(CatalogTest, ADialectThatIsNamedIsNotGuessed) {
  config::PluginFolder folder = Folder("a", "one", {"x"});
  folder.dialect = "two";
  site_.folders = {folder};
  EXPECT_THAT(Ids(Load()), ElementsAre("two:x"));
}

TEST_F(CatalogTest, SaysWhatCannotBeRead) {
  config::PluginFolder named = Folder("a", "one", {"x"});
  named.dialect = "three";
  std::filesystem::create_directory(folder_.path() / "empty");
  site_.folders = {
      {.path = folder_.path() / "gone", .dialect = ""}, named, {.path = folder_.path() / "empty", .dialect = ""}};
  site_.settings["four"]["k"] = "v";
  const Catalog catalog = Load();
  EXPECT_THAT(Ids(catalog), IsEmpty());
  EXPECT_THAT(Messages(catalog), ElementsAre("no such dialect", "no such file or folder", "no such dialect: three",
                                             "is not laid out as any dialect's plugins are"));
  EXPECT_EQ(catalog.findings()[0].where, "settings.four");
  EXPECT_EQ(catalog.findings()[1].file, (folder_.path() / "gone").string());
}

TEST_F(CatalogTest, TheFirstOfTwoEqualIdsStays) {
  site_.folders = {Folder("a", "one", {"x"}), Folder("b", "one", {"x", "y"})};
  const Catalog catalog = Load();
  EXPECT_THAT(Ids(catalog), ElementsAre("one:x", "one:y"));
  EXPECT_THAT(Messages(catalog), ElementsAre(HasSubstr("one:x is also in " + (folder_.path() / "a").string())));
  EXPECT_EQ(catalog.findings()[0].file, (folder_.path() / "b" / "one.list").string());
  EXPECT_EQ(catalog.FindById("one:x")->manifest.folder, (folder_.path() / "a").string());
}

TEST_F(CatalogTest, ACodecsFindingsArePassedOn) {
  site_.folders = {Folder("a", "one", {"x", "broken"})};
  const Catalog catalog = Load();
  EXPECT_THAT(Ids(catalog), ElementsAre("one:x"));
  EXPECT_THAT(Messages(catalog), ElementsAre("this plugin is broken"));
}

TEST_F(CatalogTest, ASettingThatDoesNotFitLeavesItsPluginOut) {
  site_.settings["one"]["x_level"] = "high";
  site_.folders = {Folder("a", "one", {"x", "y"})};
  const Catalog catalog = Load();
  EXPECT_THAT(Ids(catalog), ElementsAre("one:y"));
  ASSERT_EQ(catalog.findings().size(), 1U);
  EXPECT_EQ(catalog.findings()[0].where, "x_level");
}

TEST_F(CatalogTest, SettingsOfADialectAreThoseOfAllItsPlugins) {
  site_.settings["one"] = {{"x_level", 7}, {"site_wide", "s"}};
  site_.folders = {Folder("a", "one", {"x", "y"}), Folder("b", "two", {"z"})};
  const Catalog catalog = Load();
  EXPECT_EQ(catalog.FindById("one:x")->settings.at("x_level"), 7);
  EXPECT_EQ(catalog.FindById("one:y")->settings.at("y_level"), 1);
  EXPECT_EQ(catalog.DialectSettings("one"), (Settings{{"x_level", 7}, {"y_level", 1}, {"site_wide", "s"}}));
  EXPECT_EQ(catalog.DialectSettings("two"), (Settings{{"z_level", 1}}));
  EXPECT_TRUE(catalog.DialectSettings("three").empty());
}

TEST_F(CatalogTest, SettingsThatNothingDeclaresAreNamed) {
  site_.settings["one"] = {{"x_level", 7}, {"x_levle", 8}};
  site_.settings["two"] = {{"z_level", 1}};
  site_.folders = {Folder("a", "one", {"x"}), Folder("b", "two", {"z"})};
  const auto unknown = Load().UnknownSettings(site_, dialects_);
  ASSERT_EQ(unknown.size(), 1U);
  EXPECT_EQ(unknown[0].where, "settings.one.x_levle");
  EXPECT_FALSE(IsError(unknown[0]));
}

TEST_F(CatalogTest, RunAtStartAddsATriggerToWhatIsScheduled) {
  config::PluginFolder folder = Folder("a", "one", {"plain", "timed interval", "noon cron"});
  folder.run_at_start = true;
  site_.folders = {folder, Folder("b", "two", {"other interval"})};
  const Catalog catalog = Load();
  const auto kinds = [&](std::string_view id) {
    std::vector<TriggerKind> found;
    for (const Trigger& trigger : catalog.FindById(id)->manifest.triggers) found.push_back(trigger.kind);
    return found;
  };
  EXPECT_THAT(kinds("one:plain"), IsEmpty());
  EXPECT_THAT(kinds("one:timed"), ElementsAre(TriggerKind::kInterval, TriggerKind::kStart));
  EXPECT_THAT(kinds("one:noon"), ElementsAre(TriggerKind::kCron, TriggerKind::kStart));
  EXPECT_THAT(kinds("two:other"), ElementsAre(TriggerKind::kInterval));
}

TEST_F(CatalogTest, FindTakesAnIdOrAnUnambiguousName) {
  site_.folders = {Folder("a", "one", {"x", "same"}), Folder("b", "two", {"same"})};
  const Catalog catalog = Load();
  EXPECT_EQ(catalog.Find("one:x").value()->manifest.id, "one:x");
  EXPECT_EQ(catalog.Find("x").value()->manifest.id, "one:x");
  EXPECT_EQ(catalog.Find("two:same").value()->manifest.id, "two:same");
  const auto ambiguous = catalog.Find("same");
  ASSERT_FALSE(ambiguous);
  EXPECT_EQ(ambiguous.error().code, Errc::kConflict);
  EXPECT_THAT(ambiguous.error().message, HasSubstr("one:same or two:same"));
  for (const char* name : {"", "X", "one:", "nothing"}) {
    const auto missing = catalog.Find(name);
    ASSERT_FALSE(missing) << name;
    EXPECT_EQ(missing.error().code, Errc::kNotFound) << name;
  }
  EXPECT_EQ(catalog.FindById("x"), nullptr);
}

}  // namespace
}  // namespace backplane
