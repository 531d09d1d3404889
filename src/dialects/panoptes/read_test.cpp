#include "dialects/panoptes/read.h"

#include <utime.h>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_folder.h"
#include "dialects/panoptes/find.h"
#include "dialects/panoptes/panoptes.h"

namespace backplane::panoptes {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ReadTest : public testing::Test {
 protected:
  fs::path Write(const std::string& name, const std::string& text = "") {
    const fs::path path = folder_.path() / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }

  static std::string Definition(const std::string& name, const std::string& module = "module") {
    return "[Core]\nName = " + name + "\nModule = " + module +
           "\n[Documentation]\nVersion = 0.1\n[main]\nexecute_frequency = 60\n"
           "resource_filter = resource_class = \"system\"\n";
  }

  // A polling plugin with its module.
  fs::path WritePlugin(const std::string& name) {
    Write("polling/module.py");
    return Write("polling/" + name + ".panoptes-plugin", Definition(name));
  }

  ReadResult Read(const std::string& path = "", const Settings& settings = {}) {
    return ReadPath(folder_.path() / path, settings);
  }

  std::vector<std::string> Names(const std::string& path = "", const Settings& settings = {}) {
    std::vector<std::string> names;
    for (const Manifest& manifest : Read(path, settings).manifests) names.push_back(manifest.name);
    return names;
  }

  TestFolder folder_;
};

TEST_F(ReadTest, OneFileIsAPlugin) {
  WritePlugin("A");
  WritePlugin("B");
  EXPECT_THAT(Names("polling/B.panoptes-plugin"), ElementsAre("B"));
}

TEST_F(ReadTest, TheNearestFolderSaysTheType) {
  Write("polling/enrichment/deep/a.panoptes-plugin", Definition("A"));
  Write("polling/enrichment/deep/module.py");
  Write("discovery_like/polling/b.panoptes-plugin", Definition("B"));
  Write("discovery_like/polling/module.py");
  const ReadResult read = Read();
  ASSERT_EQ(read.manifests.size(), 2U);
  EXPECT_EQ(read.manifests[0].id, "panoptes:enrichment:A");
  EXPECT_EQ(read.manifests[1].id, "panoptes:polling:B");
}

TEST_F(ReadTest, DiscoveriesScan) {
  for (const char* type : {"discovery", "enrichment", "polling"}) {
    Write(std::string(type) + "/a.panoptes-plugin", Definition("A"));
    Write(std::string(type) + "/module.py");
    const ReadResult read = Read(type);
    ASSERT_EQ(read.manifests.size(), 1U) << type;
    EXPECT_EQ(read.manifests[0].scans, type == std::string("discovery"));
  }
}

TEST_F(ReadTest, ANameBelongsToOnePluginOfItsType) {
  WritePlugin("Same");
  Write("enrichment/same.panoptes-plugin", Definition("Same"));
  Write("enrichment/module.py");
  Write("polling/z_later.panoptes-plugin", Definition("Same"));
  const ReadResult read = Read();
  EXPECT_EQ(read.manifests.size(), 2U);
  ASSERT_EQ(read.findings.size(), 1U);
  EXPECT_THAT(read.findings[0].file, HasSubstr("z_later"));
  EXPECT_THAT(read.findings[0].message, HasSubstr("\"Same\" is taken by"));
}

TEST_F(ReadTest, SeveralDefinitionsMayShareAModule) {
  WritePlugin("A");
  WritePlugin("B");
  const ReadResult read = Read();
  ASSERT_EQ(read.manifests.size(), 2U);
  EXPECT_EQ(read.manifests[0].document["module"], read.manifests[1].document["module"]);
  EXPECT_THAT(read.findings, IsEmpty());
}

TEST_F(ReadTest, AModuleIsAFileOrAPackage) {
  const std::string base = (folder_.path() / "polling").string();
  Write("polling/file.py");
  Write("polling/package/__init__.py");
  Write("polling/empty/readme");
  Write("elsewhere/far.v2.py");
  const auto module_of = [&](const std::string& written) {
    fs::remove(folder_.path() / "polling/x.panoptes-plugin");
    Write("polling/x.panoptes-plugin", Definition("X", written));
    const ReadResult read = Read();
    return read.manifests.empty() ? read.findings.at(0).message
                                  : read.manifests[0].document["module"].get<std::string>();
  };
  EXPECT_EQ(module_of("file"), base + "/file.py");
  EXPECT_EQ(module_of("file.py"), base + "/file.py");
  EXPECT_EQ(module_of("package"), base + "/package");
  EXPECT_EQ(module_of("package/"), base + "/package");
  EXPECT_EQ(module_of("package/__init__"), base + "/package");
  EXPECT_EQ(module_of("package/__init__.py"), base + "/package");
  const std::string far = (folder_.path() / "elsewhere/far.v2").string();
  EXPECT_EQ(module_of(far), far + ".py");
  EXPECT_EQ(module_of("../elsewhere/far.v2.py"), base + "/../elsewhere/far.v2.py");
  EXPECT_EQ(module_of("empty"), "the folder " + base + "/empty holds no __init__.py");
  // Beside a package of that name, what is written counts.
  Write("polling/package.py");
  EXPECT_EQ(module_of("package.py"), base + "/package.py");
  EXPECT_EQ(module_of("package"), base + "/package");
  EXPECT_EQ(module_of("none.py"), "there is neither " + base + "/none.py nor a folder of that name");
}

TEST_F(ReadTest, ThePathOfTheModuleIsInTheConfigurationAsWritten) {
  Write("polling/file.py");
  Write("polling/x.panoptes-plugin", Definition("X", "file.py"));
  EXPECT_EQ(Read().manifests.at(0).document["config"]["Core"]["module"], (folder_.path() / "polling/file.py").string());
}

TEST_F(ReadTest, ModifiedIsTheLaterOfDefinitionAndModule) {
  const fs::path definition = WritePlugin("A");
  const auto modified = [&](const fs::path& touched, std::time_t at) {
    const utimbuf times{at, at};
    EXPECT_EQ(utime(touched.c_str(), &times), 0);
    return ToMillis(Read().manifests.at(0).modified) / 1000;
  };
  modified(definition, 2'000);
  EXPECT_EQ(modified(folder_.path() / "polling/module.py", 1'000), 2'000);
  EXPECT_EQ(modified(folder_.path() / "polling/module.py", 3'000), 3'000);
  // Also if the module is written with its extension, and of a package its newest entry.
  Write("polling/A.panoptes-plugin", Definition("A", "module.py"));
  modified(definition, 2'000);
  EXPECT_EQ(modified(folder_.path() / "polling/module.py", 4'000), 4'000);
  Write("polling/package/__init__.py");
  const fs::path other = Write("polling/package/other.py");
  Write("polling/A.panoptes-plugin", Definition("A", "package"));
  modified(definition, 2'000);
  modified(folder_.path() / "polling/package/__init__.py", 5'000);
  EXPECT_EQ(modified(other, 6'000), 6'000);
  fs::create_directories(folder_.path() / "polling/package/__pycache__");
  EXPECT_EQ(modified(folder_.path() / "polling/package/__pycache__", 7'000), 6'000);
}

TEST_F(ReadTest, LinksAreFollowedAndLoopsSurvived) {
  WritePlugin("A");
  fs::create_directories(folder_.path() / "site/polling");
  fs::create_directory_symlink(folder_.path() / "polling", folder_.path() / "site/polling/linked");
  fs::create_directory_symlink(folder_.path() / "site", folder_.path() / "site/polling/loop");
  fs::create_symlink(folder_.path() / "nowhere", folder_.path() / "site/polling/broken.panoptes-plugin");
  const ReadResult read = Read("site");
  ASSERT_EQ(read.manifests.size(), 1U);
  EXPECT_THAT(read.findings, IsEmpty());
  EXPECT_EQ(read.manifests[0].file, folder_.path() / "site/polling/linked/A.panoptes-plugin");
}

TEST_F(ReadTest, TheExtensionIsASetting) {
  Write("polling/module.py");
  Write("polling/a.panoptes-plugin", Definition("A"));
  Write("polling/b.plug", Definition("B"));
  Write("polling/c.panoptes-plugin.example", Definition("C"));
  EXPECT_THAT(Names(), ElementsAre("A"));
  EXPECT_THAT(Names("", {{"plugins_extension", "plug"}}), ElementsAre("B"));
}

TEST_F(ReadTest, TheTimeLimitIsAQuarterMoreRoundedToEven) {
  Write("polling/module.py");
  for (const auto& [frequency, seconds] : {std::pair(1, 1), {2, 2}, {3, 4}, {6, 8}, {10, 12}, {30, 38}, {60, 75}}) {
    Site site;
    const DefinitionManifest read =
        ReadDefinition("[Core]\nName = A\nModule = module\n[main]\nexecute_frequency = " + std::to_string(frequency),
                       folder_.path() / "polling/a.panoptes-plugin", "discovery", site);
    ASSERT_TRUE(read.manifest);
    EXPECT_EQ(read.manifest->limits.timeout, std::chrono::seconds(seconds)) << frequency;
  }
}

TEST_F(ReadTest, IntervalsAreShortenedByTheSkew) {
  Write("polling/module.py");
  Write("polling/a.panoptes-plugin", Definition("A") + "results_cache_age = 120\n");
  const auto intervals = [&](int skew) {
    const Manifest manifest = Read("", {{"plugins_skew", skew}}).manifests.at(0);
    EXPECT_EQ(manifest.triggers.at(0).interval, std::chrono::seconds(60));
    return std::pair(manifest.min_interval / std::chrono::seconds(1),
                     manifest.results_interval / std::chrono::seconds(1));
  };
  EXPECT_EQ(intervals(0), std::pair(60L, 120L));
  EXPECT_EQ(intervals(5), std::pair(55L, 115L));
  EXPECT_EQ(intervals(60), std::pair(0L, 60L));
}

TEST_F(ReadTest, TargetsAreThoseOfTheFilter) {
  WritePlugin("A");
  const Manifest manifest = Read().manifests.at(0);
  EXPECT_TRUE(manifest.targets->matches({.class_name = "system"}));
  EXPECT_FALSE(manifest.targets->matches({.class_name = "network"}));
}

TEST_F(ReadTest, TheDocumentHoldsTheSite) {
  WritePlugin("A");
  Write("panoptes.ini",
        "[main]\nsites = a, b\n[discovery]\nplugins_paths = .,\n[enrichment]\nplugins_paths = discovery,\n"
        "[polling]\nplugins_paths = polling,\n[snmp]\nport = 1161\n[x509]\nx509_secured_requests = 1\n");
  const ReadResult read = Read("panoptes.ini", {{"sites", {"not", "these"}}});
  const auto polling = std::find_if(read.manifests.begin(), read.manifests.end(),
                                    [](const Manifest& one) { return one.kind == "polling"; });
  ASSERT_NE(polling, read.manifests.end());
  const Json& site = polling->document["site"];
  EXPECT_EQ(site["sites"], Json::array({"a", "b"}));
  EXPECT_EQ(site["skew"], 1);
  EXPECT_EQ(site["snmp"]["port"], 1161);
  EXPECT_EQ(site["snmp"]["community"], "public");
  EXPECT_EQ(site["x509"]["x509_secured_requests"], 1);
  // The section says the type, not the name of a folder.
  EXPECT_EQ(read.manifests.at(0).id, "panoptes:discovery:A");
}

TEST_F(ReadTest, ABadFileHarmsNoOther) {
  WritePlugin("A");
  WritePlugin("B");
  Write("polling/a_bad.panoptes-plugin", "not a definition\n");
  Write("polling/a_binary.panoptes-plugin", "\xff\xfe");
  Write("polling/a_large.panoptes-plugin", std::string(300'000, '#'));
  fs::create_directories(folder_.path() / "polling/a_folder.panoptes-plugin");
  EXPECT_THAT(Names(), ElementsAre("A", "B"));
  EXPECT_EQ(Read().findings.size(), 3U);
}

TEST_F(ReadTest, FilesBeyondTheMostAreAProblem) {
  for (const char* name : {"a", "b", "c/d"}) Write(std::string("polling/") + name + ".x");
  const FoundFiles all = FindFiles(folder_.path(), ".x", 3);
  EXPECT_EQ(all.files.size(), 3U);
  EXPECT_THAT(all.problems, IsEmpty());
  const FoundFiles some = FindFiles(folder_.path(), ".x", 2);
  EXPECT_THAT(some.files, ElementsAre(folder_.path() / "polling/a.x", folder_.path() / "polling/b.x"));
  ASSERT_EQ(some.problems.size(), 1U);
  EXPECT_EQ(some.problems[0].folder, folder_.path());
  EXPECT_EQ(some.problems[0].why, "holds more than 2 files *.x: the others are not read");
}

TEST_F(ReadTest, MemoryIsASetting) {
  WritePlugin("A");
  EXPECT_EQ(Read().manifests.at(0).limits.memory_bytes, std::int64_t{1} << 30);
  EXPECT_EQ(Read("", {{"memory_mib", 1'048'576}}).manifests.at(0).limits.memory_bytes, std::int64_t{1} << 40);
}

TEST_F(ReadTest, RecognisesByName) {
  const Panoptes codec;
  EXPECT_FALSE(codec.Recognises(folder_.path()));
  const fs::path file = WritePlugin("A");
  EXPECT_TRUE(codec.Recognises(folder_.path()));
  EXPECT_TRUE(codec.Recognises(file));
  EXPECT_TRUE(codec.Recognises(Write("site.ini")));
  EXPECT_FALSE(codec.Recognises(Write("other.txt")));
  EXPECT_FALSE(codec.Recognises(folder_.path() / "missing"));
}

TEST_F(ReadTest, AMissingFileIsSaid) {
  for (const char* name : {"none.ini", "polling/none.panoptes-plugin"}) {
    const ReadResult read = Read(name);
    EXPECT_THAT(read.manifests, IsEmpty());
    EXPECT_EQ(read.findings.size(), 1U);
  }
}

TEST(Names, AreNormalized) {
  EXPECT_EQ(NormalizedName("My_Plug in"), "My__Plug_in");
  EXPECT_EQ(NormalizedName("K\xC3\xBC"
                           "che-1"),
            "K_che_1");
}

}  // namespace
}  // namespace backplane::panoptes
