#include "package/registry.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/test_folder.h"
#include "plugin/test_codec.h"
#include "store/audit.h"
#include "store/test_store.h"

namespace backplane::package {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RegistryTest : public ::testing::Test {
 protected:
  RegistryTest() {
    dialects_.push_back(std::make_unique<TestCodec>("t"));
    site_.folders = {{.path = source_, .dialect = "t"}};
    Lies({"scan how=ok"});
    Open();
  }
  void Open(bool trust = false) {
    registry_.reset();
    registry_ = std::make_unique<Registry>(
        RegistryParts{.database = *store_, .clock = clock_, .folder = folder_.path() / "plugins", .trust = trust});
  }
  void Lies(const std::vector<std::string>& plugins) { TestCodec::WriteFolder(source_, "t", plugins); }
  void Write(const std::string& name, const std::string& text) {
    fs::create_directories((source_ / name).parent_path());
    std::ofstream(source_ / name) << text;
  }
  Catalog Load() {
    config::Site site = site_;
    site.folders = registry_->Folders(site_).value();
    return Catalog::Load(site, dialects_, nullptr, registry_->AsGate());
  }
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
  std::string Newest(const std::string& plugin = "t:scan") { return registry_->View(plugin)->version.hash; }
  void Approve(const std::string& plugin = "t:scan") {
    ASSERT_TRUE(registry_->Approve(plugin, Newest(plugin), "user:alice"));
  }
  std::vector<std::string> Audit() {
    std::vector<std::string> lines;
    for (const store::AuditEntry& entry :
         store_.Read([](store::Connection& c) { return store::Audit(c, kDefaultOrg).List({}); }))
      lines.push_back(entry.actor + " " + entry.action + " " + entry.subject);
    return lines;
  }

  const SystemClock clock_;
  TestFolder folder_;
  const fs::path source_ = folder_.path() / "site" / "plugins";
  store::TestStore store_;
  DialectList dialects_;
  config::Site site_;
  std::unique_ptr<Registry> registry_;
};

TEST_F(RegistryTest, NothingRunsThatNobodyApproved) {
  const Catalog before = Load();
  EXPECT_THAT(Ids(before), IsEmpty());
  EXPECT_THAT(Messages(before), ElementsAre(HasSubstr("t:scan waits for approval")));
  EXPECT_FALSE(IsError(before.findings()[0]));
  Approve();
  const Catalog after = Load();
  EXPECT_THAT(Ids(after), ElementsAre("t:scan"));
  EXPECT_THAT(Messages(after), IsEmpty());
  EXPECT_THAT(Audit(), ElementsAre("user:alice plugin.approve t:scan"));
  // It runs from a copy of ours.
  const Plugin& plugin = after.plugins()[0];
  EXPECT_THAT(plugin.manifest.folder, HasSubstr((folder_.path() / "plugins" / "copies").string()));
  EXPECT_EQ(plugin.source, (source_ / "t.list").string());
  ASSERT_NE(plugin.files, nullptr);
  EXPECT_TRUE(plugin.files->PutBack());
}

TEST_F(RegistryTest, WhatChangesWaitsAndTheApprovedRunsOn) {
  Load();
  Approve();
  Lies({"scan how=ok,evil"});
  const Catalog catalog = Load();
  ASSERT_THAT(Ids(catalog), ElementsAre("t:scan"));
  EXPECT_EQ(catalog.plugins()[0].manifest.document["how"], "ok");
  EXPECT_THAT(Messages(catalog), ElementsAre(HasSubstr("what lies there now")));
  const auto view = registry_->View("t:scan");
  ASSERT_TRUE(view);
  EXPECT_EQ(view->version.state, store::VersionState::kWaiting);
  EXPECT_EQ(registry_->Diff(*view).value(),
            "--- t.list\n+++ t.list\n@@ -1,1 +1,1 @@\n-scan how=ok\n+scan how=ok,evil\n");
  Approve();
  EXPECT_EQ(Load().plugins().at(0).manifest.document["how"], "ok,evil");
}

TEST_F(RegistryTest, AFileThatComesBesideItWaitsToo) {
  Load();
  Approve();
  Write("lib/helper.py", "evil\n");
  EXPECT_THAT(Messages(Load()), ElementsAre(HasSubstr("waits for approval")));
  fs::remove_all(source_ / "lib");
  EXPECT_THAT(Messages(Load()), IsEmpty());  // as it was
}

TEST_F(RegistryTest, WhatItAsksForIsApprovedToo) {
  Load();
  Approve();
  const std::string hash = Newest();
  Lies({"scan how=ok wants=raw_network"});
  EXPECT_THAT(Messages(Load()), ElementsAre(HasSubstr("waits for approval")));
  EXPECT_NE(Newest(), hash);
  EXPECT_THAT(registry_->View("t:scan")->version.asks, HasSubstr("raw_network"));
}

TEST_F(RegistryTest, TheOldOneThatComesBackIsApprovedOnce) {
  Load();
  Approve();
  Lies({"scan how=ok,two"});
  Load();
  Approve();
  Lies({"scan how=ok"});
  const Catalog catalog = Load();
  EXPECT_EQ(catalog.plugins().at(0).manifest.document["how"], "ok,two");
  EXPECT_EQ(registry_->View("t:scan")->version.state, store::VersionState::kWaiting);
}

TEST_F(RegistryTest, OneApprovesWhatOneHasSeen) {
  Load();
  const std::string seen = Newest();
  Lies({"scan how=ok,newer"});
  Load();
  EXPECT_EQ(registry_->Approve("t:scan", seen.substr(0, 12), "a").error().code, Errc::kInvalid);
  ASSERT_TRUE(registry_->Approve("t:scan", seen, "a"));
  EXPECT_EQ(Load().plugins().at(0).manifest.document["how"], "ok");
  EXPECT_EQ(registry_->Approve("t:scan", "0000", "a").error().code, Errc::kNotFound);
  EXPECT_EQ(registry_->Approve("t:none", seen, "a").error().code, Errc::kNotFound);
}

TEST_F(RegistryTest, ADisabledPluginDoesNotRun) {
  Load();
  Approve();
  ASSERT_TRUE(registry_->SetEnabled("t:scan", false, "user:alice"));
  const Catalog disabled = Load();
  EXPECT_THAT(Ids(disabled), IsEmpty());
  EXPECT_THAT(Messages(disabled), ElementsAre(HasSubstr("is disabled")));
  ASSERT_TRUE(registry_->SetEnabled("t:scan", true, "user:alice"));
  ASSERT_TRUE(registry_->SetEnabled("t:scan", true, "user:alice"));  // and that is no news
  EXPECT_THAT(Ids(Load()), ElementsAre("t:scan"));
  EXPECT_EQ(Audit().size(), 3U);
}

TEST_F(RegistryTest, WhatIsRemovedWaitsAgainAndLeavesNothing) {
  Load();
  Approve();
  Load();
  ASSERT_TRUE(registry_->Remove("t:scan", "user:alice"));
  EXPECT_TRUE(fs::is_empty(folder_.path() / "plugins" / "copies"));
  EXPECT_THAT(Ids(Load()), IsEmpty());
  EXPECT_EQ(registry_->View("t:scan")->version.state, store::VersionState::kWaiting);
  EXPECT_EQ(registry_->Remove("t:none", "a").error().code, Errc::kNotFound);
}

TEST_F(RegistryTest, WithTrustEverythingRunsAndIsWrittenDown) {
  Open(true);
  EXPECT_THAT(Ids(Load()), ElementsAre("t:scan"));
  Lies({"scan how=ok,two"});
  EXPECT_EQ(Load().plugins().at(0).manifest.document["how"], "ok,two");
  EXPECT_THAT(Audit(), ElementsAre("auto plugin.approve t:scan", "auto plugin.approve t:scan"));
  // What waited before trust was given is approved by it.
  Open();
  Lies({"scan how=ok,three"});
  Load();
  Open(true);
  EXPECT_EQ(Load().plugins().at(0).manifest.document["how"], "ok,three");
}

TEST_F(RegistryTest, DecisionsOutliveTheDaemon) {
  Load();
  Approve();
  Open();
  ASSERT_TRUE(registry_->Sweep());
  EXPECT_THAT(Ids(Load()), ElementsAre("t:scan"));
}

TEST_F(RegistryTest, AddedPathsAreReadToo) {
  const fs::path other = folder_.path() / "other";
  TestCodec::WriteFolder(other, "t", {"more"});
  ASSERT_TRUE(registry_->AddSource(other, "", "user:alice"));
  EXPECT_TRUE(registry_->Folders(site_)->back().installed);
  Load();
  Approve("t:more");
  EXPECT_THAT(Ids(Load()), ElementsAre("t:more"));
  ASSERT_TRUE(registry_->Remove("t:more", "user:alice"));
  EXPECT_THAT(Messages(Load()), ElementsAre(HasSubstr("t:scan waits")));  // the path is forgotten
}

TEST_F(RegistryTest, TwoPluginsOfTheSameFilesDoNotDisturbEachOther) {
  Lies({"scan", "other"});
  Load();
  Approve();
  Approve("t:other");
  const Catalog catalog = Load();
  ASSERT_EQ(catalog.plugins().size(), 2U);
  const PluginFiles& one = *catalog.plugins()[0].files;
  const PluginFiles& other = *catalog.plugins()[1].files;
  const auto running = one.PutBack();
  ASSERT_TRUE(running);
  ASSERT_TRUE(other.PutBack());
  EXPECT_TRUE(one.Unchanged(*running));
}

TEST_F(RegistryTest, ADamagedContentIsNotApproved) {
  Load();
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path() / "plugins" / "contents"))
    if (entry.is_regular_file()) {
      fs::permissions(entry.path(), fs::perms::owner_all);
      std::ofstream(entry.path()) << "evil";
    }
  EXPECT_EQ(registry_->Approve("t:scan", Newest(), "a").error().code, Errc::kInternal);
}

TEST_F(RegistryTest, OldVersionsGo) {
  for (int i = 0; i < 15; ++i) {
    Lies({"scan how=ok," + std::to_string(i)});
    Load();
    if (i == 0) Approve();
  }
  const auto versions =
      store_.Read([](store::Connection& c) { return store::Plugins(c, kDefaultOrg).Versions("t:scan"); });
  EXPECT_LE(versions.size(), 11U);
  EXPECT_EQ(Load().plugins().at(0).manifest.document["how"], "ok,0");  // whatever came since
  ASSERT_TRUE(registry_->Sweep());
  EXPECT_EQ(Load().plugins().size(), 1U);
}

}  // namespace
}  // namespace backplane::package
