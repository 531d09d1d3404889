#include "plugin/catalog.h"

#include <fstream>

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

TEST_F(CatalogTest, TheStrongestLayerOfAValueCounts) {
  site_.folders = {Folder("a", "one", {"v", "w", "x", "y", "z"})};
  const auto own = folder_.path() / "own";
  std::filesystem::create_directory(own);
  std::ofstream(own / "base.json") << R"({"w_level": 2, "x_level": 2, "y_level": 2, "z_level": 2, "site_name": "own"})";
  std::ofstream(own / "override.json") << R"({"z_level": 5})";
  site_.settings["one"] = {{"x_level", 3}, {"y_level", 3}, {"z_level", 3}};
  StoredSettings stored;
  for (const char* key : {"y_level", "z_level"}) stored["one"][key] = {4, SettingLayer::kSet, "set by eve", ""};
  stored["one"]["w_level"] = {9, SettingLayer::kKept, "kept", ""};
  const auto values = [&](const Catalog& catalog) {
    std::vector<std::string> found;
    for (const Plugin& plugin : catalog.plugins()) {
      const std::string key = plugin.manifest.name + "_level";
      const auto given = catalog.Given("one").find(key);
      found.push_back(plugin.settings.at(key).dump() + " " +
                      (given == catalog.Given("one").end() ? "default" : given->second.source));
    }
    return found;
  };
  const Catalog catalog = Catalog::Load(site_, dialects_, nullptr, {}, stored);
  EXPECT_THAT(values(catalog), ElementsAre("1 default", "2 base", "3 site", "4 set by eve", "5 override"));
  EXPECT_EQ(catalog.DialectSettings("one").at("site_name"), "own");
  // In another folder of the dialect the same file counts again, unless that folder names one of its own.
  const auto other = folder_.path() / "other";
  std::filesystem::create_directory(other);
  std::ofstream(other / "base.json") << R"({"v_level": 6, "w_level": 6})";
  site_.folders.push_back(Folder("b", "one", {"q"}));
  site_.folders.back().config = other;
  EXPECT_THAT(values(Catalog::Load(site_, dialects_, nullptr, {}, stored)),
              ElementsAre("6 base", "2 base", "3 site", "4 set by eve", "5 override", "1 default"));
}

TEST_F(CatalogTest, AWrongValueIsNamedWithItsPlaceAndOthersAreRead) {
  site_.folders = {Folder("a", "one", {"x", "y"})};
  const auto own = folder_.path() / "own";
  std::filesystem::create_directory(own);
  std::ofstream(own / "base.json") << R"({"x_level": "much", "site_name": 5})";
  std::ofstream(own / "override.json") << R"({"y_levle": 5})";
  const Catalog catalog = Load();
  EXPECT_THAT(Ids(catalog), ElementsAre("one:y"));
  const std::string file = own / "base.json";
  ASSERT_EQ(catalog.findings().size(), 2U);
  EXPECT_EQ(Describe(catalog.findings()[0]), file + ": site_name: site_name: is not a text; the default counts");
  EXPECT_EQ(catalog.findings()[1].message, "x_level: is not a whole number (given in " + file + ")");
  EXPECT_FALSE(catalog.DialectSettings("one").contains("site_name"));
  const auto unknown = catalog.UnknownSettings(dialects_);
  ASSERT_EQ(unknown.size(), 1U);
  EXPECT_EQ(unknown[0].file, (own / "override.json").string());
  EXPECT_EQ(unknown[0].where, "y_levle");
}

TEST_F(CatalogTest, ACatalogIsAnotherWhenAValueOfNoPluginIs) {
  site_.folders = {Folder("a", "one", {"x"})};
  const Catalog before = Load();
  EXPECT_TRUE(before == Load());
  site_.settings["one"] = {{"site_name", "there"}};
  EXPECT_FALSE(before == Load());
}

TEST_F(CatalogTest, AForeignSecretIsKnownToWhoAsksForIt) {
  const Json secret = {{"secret", "s"}};
  site_.settings["one"] = {{"site_key", secret}, {"site_name", "there"}};
  site_.folders = {Folder("a", "one", {"x reads=site_key reads=site_name", "y"})};
  const Catalog catalog = Load();
  EXPECT_EQ(catalog.FindById("one:x")->settings, (Settings{{"x_level", 1}, {"site_key", secret}}));
  EXPECT_EQ(catalog.FindById("one:y")->settings, (Settings{{"y_level", 1}}));
}

TEST_F(CatalogTest, WhatWasInstalledSaysNothingOfOthers) {
  site_.folders = {Folder("a/plugins", "one", {"x"}), Folder("b/plugins", "one", {"y"})};
  for (const char* name : {"base", "override"}) {
    const auto file = folder_.path() / "b/own" / (std::string(name) + ".json");
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << R"({"x_level": 6})";
  }
  EXPECT_EQ(Load().FindById("one:x")->settings.at("x_level"), 6);
  site_.folders.back().installed = true;
  EXPECT_EQ(Load().FindById("one:x")->settings.at("x_level"), 1);
  EXPECT_THAT(Ids(Load()), ElementsAre("one:x", "one:y"));
}

TEST_F(CatalogTest, AnEcosystemsFileWithAnErrorSaysWhatItSaidBefore) {
  site_.folders = {Folder("a", "one", {"x"})};
  const auto own = folder_.path() / "own";
  std::filesystem::create_directory(own);
  std::ofstream(own / "base.json") << R"({"x_level": 6})";
  const Catalog before = Load();
  std::ofstream(own / "base.json") << R"({"x_lev)";
  const Catalog now = Catalog::Load(site_, dialects_, &before);
  EXPECT_EQ(now.FindById("one:x")->settings.at("x_level"), 6);
  ASSERT_EQ(now.findings().size(), 1U);
  EXPECT_THAT(now.findings()[0].message, testing::HasSubstr("what was read before counts"));
  EXPECT_EQ(Load().FindById("one:x")->settings.at("x_level"), 1) << "there was nothing before";
  std::ofstream(own / "base.json") << R"({"x_level": 7})";
  EXPECT_EQ(Catalog::Load(site_, dialects_, &now).FindById("one:x")->settings.at("x_level"), 7);
}

TEST_F(CatalogTest, AnEcosystemsOwnFilesCannotReferToSecrets) {
  site_.folders = {Folder("a", "one", {"x"})};
  const auto own = folder_.path() / "own";
  std::filesystem::create_directory(own);
  std::ofstream(own / "base.json") << R"({"x_password": {"secret": "s"}, "site_name": "own"})";
  std::ofstream(own / "override.json") << R"({"site_key": [{"secret": "s"}]})";
  const Catalog catalog = Load();
  EXPECT_FALSE(catalog.Given("one").contains("x_password"));
  EXPECT_FALSE(catalog.Given("one").contains("site_key"));
  EXPECT_TRUE(catalog.Given("one").contains("site_name"));
  ASSERT_EQ(catalog.findings().size(), 2U);
  EXPECT_EQ(catalog.findings()[0].where, "x_password");
  EXPECT_EQ(catalog.findings()[0].file, (own / "base.json").string());
  EXPECT_EQ(catalog.findings()[1].where, "site_key");
  EXPECT_THAT(catalog.findings()[1].message, HasSubstr("refers to a secret"));
}

TEST_F(CatalogTest, SettingsThatNothingDeclaresAreNamed) {
  site_.settings["one"] = {{"x_level", 7}, {"x_levle", 8}};
  site_.settings["two"] = {{"z_level", 1}};
  site_.folders = {Folder("a", "one", {"x"}), Folder("b", "two", {"z"})};
  const auto unknown = Load().UnknownSettings(dialects_);
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

// Reads what it is told to.
class TableCodec final : public TestCodec {
 public:
  using TestCodec::TestCodec;
  ReadResult Read(const std::filesystem::path&, const Settings&, const std::filesystem::path&) const override {
    return next;
  }
  void Declares(const std::string& name, const std::filesystem::path& file) {
    Manifest manifest;
    manifest.id = "table:" + name;
    manifest.dialect = "table";
    manifest.name = name;
    manifest.file = file.string();
    next.manifests.push_back(std::move(manifest));
  }
  void Complains(const std::filesystem::path& file) {
    next.findings.push_back({Finding::Severity::kError, file.string(), "", "is wrong"});
  }

  ReadResult next;
};

// A site folder is read twice, and something is wrong the second time.
class CatalogKeeps : public CatalogTest {
 protected:
  CatalogKeeps() {
    auto codec = std::make_unique<TableCodec>("table");
    codec_ = codec.get();
    dialects_.push_back(std::move(codec));
    site_.folders = {{.path = folder_.path() / "site", .dialect = "table"}};
    for (const auto& [name, file] : {std::pair("a", A()), {"b", B()}}) {
      std::filesystem::create_directories(file.parent_path());
      std::ofstream(file) << name;
      codec_->Declares(name, file);
    }
    before_ = Load();
    codec_->next = {};
  }
  std::filesystem::path A() const { return folder_.path() / "site/deep/a"; }
  std::filesystem::path B() const { return folder_.path() / "site/b"; }
  std::vector<std::string> Now(const Gate& gate = {}) {
    now_ = Catalog::Load(site_, dialects_, &before_, gate);
    return Ids(now_);
  }

  TableCodec* codec_ = nullptr;
  Catalog before_;
  Catalog now_;
};

TEST_F(CatalogKeeps, WhatAnErrorInItsFileIsAbout) {
  codec_->Declares("b", B());
  codec_->Complains(A());
  EXPECT_THAT(Now(), ElementsAre("table:b", "table:a"));
  EXPECT_THAT(Messages(now_), ElementsAre("is wrong; table:a stays as it was read before"));
}

TEST_F(CatalogKeeps, WhatWasNotReadBecauseOfAFolderAboveIt) {
  codec_->Declares("b", B());
  codec_->Complains(A().parent_path());
  EXPECT_THAT(Now(), ElementsAre("table:b", "table:a"));
  codec_->next.findings.clear();
  codec_->Complains(folder_.path() / "site/de");
  EXPECT_THAT(Now(), ElementsAre("table:b"));
}

TEST_F(CatalogKeeps, EverythingOfASiteFolderThatIsWrong) {
  codec_->Complains(site_.folders[0].path);
  EXPECT_THAT(Now(), ElementsAre("table:a", "table:b"));
  EXPECT_THAT(Messages(now_), ElementsAre("is wrong; 2 plugins stay as they were read before"));
}

TEST_F(CatalogKeeps, EverythingOfASiteFolderThatIsAway) {
  std::filesystem::rename(folder_.path() / "site", folder_.path() / "away");
  EXPECT_THAT(Now(), ElementsAre("table:a", "table:b"));
  EXPECT_THAT(Messages(now_), ElementsAre(HasSubstr("no such file or folder; 2 plugins stay")));
}

TEST_F(CatalogKeeps, WhatASiteFileLedTo) {
  // The site names a file: what it leads to lies elsewhere.
  site_.folders[0].path = folder_.path() / "site/file.ini";
  std::ofstream(site_.folders[0].path) << "x";
  codec_->Declares("a", A());
  before_ = Load();
  codec_->next = {};
  codec_->Complains(site_.folders[0].path);
  std::filesystem::remove_all(A().parent_path());
  EXPECT_THAT(Now(), ElementsAre("table:a"));
}

TEST_F(CatalogKeeps, NothingThatWasDeletedOrIsNotDeclaredAnyMore) {
  EXPECT_THAT(Now(), IsEmpty());
  // Also while something else is wrong.
  codec_->Complains(site_.folders[0].path);
  codec_->Declares("renamed", A());
  std::filesystem::remove(B());
  EXPECT_THAT(Now(), ElementsAre("table:renamed"));
  EXPECT_THAT(Messages(now_), ElementsAre("is wrong"));
}

TEST_F(CatalogKeeps, NothingForAWarningOrAnotherFoldersError) {
  codec_->next.findings.push_back({Finding::Severity::kWarning, A().string(), "", "is odd"});
  codec_->Complains(folder_.path() / "other");
  codec_->Complains(folder_.path() / "site/dee");
  EXPECT_THAT(Now(), IsEmpty());
}

TEST_F(CatalogKeeps, WhatTheGateFailedOnButNotWhatItDenies) {
  codec_->Complains(site_.folders[0].path);
  codec_->Declares("a", A());
  codec_->Declares("b", B());
  const Gate gate = [](const Codec&, const Manifest& found) -> Result<Admitted> {
    return Fail(found.name == "a" ? Errc::kUnavailable : Errc::kDenied, "no");
  };
  EXPECT_THAT(Now(gate), ElementsAre("table:a"));
  EXPECT_THAT(Messages(now_), ElementsAre("is wrong", "no; table:a stays as it was read before", "no"));
}

TEST_F(CatalogKeeps, WhatHasASettingThatDoesNotFitAnyMore) {
  codec_->Declares("a", A());
  codec_->Declares("b", B());
  site_.settings["table"]["a_level"] = "high";
  EXPECT_THAT(Now(), ElementsAre("table:b", "table:a"));
}

}  // namespace
}  // namespace backplane
