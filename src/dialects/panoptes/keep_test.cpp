// What is wrong with a site for a moment takes no plugin out of the catalog.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_folder.h"
#include "dialects/panoptes/panoptes.h"
#include "plugin/catalog.h"

namespace backplane::panoptes {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr const char* kSite =
    "[main]\nsites = local,\n[discovery]\nplugins_paths = d,\n[enrichment]\nplugins_paths = e,\n"
    "[polling]\nplugins_paths = p,\n";
constexpr const char* kDefinition =
    "[Core]\nName = A\nModule = module\n[Documentation]\nVersion = 0.1\n[main]\nexecute_frequency = 60\n"
    "resource_filter = resource_class = \"system\"\n";

// Three plugins called A, one of each type.
class Keep : public testing::Test {
 protected:
  Keep() {
    dialects_.push_back(std::make_unique<Panoptes>());
    site_.folders = {{.path = folder_.path() / "panoptes.ini", .dialect = ""}};
    Write("panoptes.ini", kSite);
    for (const std::string type : {"d", "e", "p"}) {
      fs::create_directory(folder_.path() / type);
      Write(type + "/a.panoptes-plugin", kDefinition);
      Write(type + "/module.py", "");
    }
    catalog_ = Catalog::Load(site_, dialects_);
  }
  void Write(const std::string& name, const std::string& text) { std::ofstream(folder_.path() / name) << text; }
  std::vector<std::string> Rescanned() {
    catalog_ = Catalog::Load(site_, dialects_, &catalog_);
    std::vector<std::string> kinds;
    for (const Plugin& plugin : catalog_.plugins()) kinds.push_back(plugin.manifest.kind);
    return kinds;
  }
  auto All() const { return UnorderedElementsAre("discovery", "enrichment", "polling"); }

  TestFolder folder_;
  config::Site site_;
  DialectList dialects_;
  Catalog catalog_;
};

TEST_F(Keep, ASiteFileThatIsBeingEdited) {
  for (const std::string text : {"", "[main\n", "[main]\nsites = local\n"}) {
    Write("panoptes.ini", text);
    EXPECT_THAT(Rescanned(), All()) << text;
  }
  fs::remove(folder_.path() / "panoptes.ini");
  EXPECT_THAT(Rescanned(), All());
  Write("panoptes.ini", kSite);
  EXPECT_THAT(Rescanned(), All());
  EXPECT_THAT(catalog_.findings(), IsEmpty());
}

TEST_F(Keep, OneTypeThatIsWrong) {
  Write("panoptes.ini", std::string(kSite) + "plugin_scan_interval = 1\n");
  EXPECT_THAT(Rescanned(), All());
}

TEST_F(Keep, AFolderThatIsAway) {
  fs::rename(folder_.path() / "p", folder_.path() / "away");
  EXPECT_THAT(Rescanned(), All());
}

TEST_F(Keep, AModuleThatIsAway) {
  fs::rename(folder_.path() / "p/module.py", folder_.path() / "p/away.py");
  EXPECT_THAT(Rescanned(), All());
}

TEST_F(Keep, NotAPluginThatWasDeletedOrTakenOut) {
  fs::remove(folder_.path() / "p/a.panoptes-plugin");
  EXPECT_THAT(Rescanned(), UnorderedElementsAre("discovery", "enrichment"));
  std::string site = kSite;
  Write("panoptes.ini", site.replace(site.find(" e,"), 3, " d,"));
  Write("d/a.panoptes-plugin", "[Core]\n");
  fs::remove(folder_.path() / "e/a.panoptes-plugin");
  EXPECT_THAT(Rescanned(), UnorderedElementsAre("discovery"));
}

}  // namespace
}  // namespace backplane::panoptes
