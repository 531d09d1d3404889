// Each folder in testcases/read is read, by its panoptes.ini if it has one: expected.json holds the
// manifests, expected.err the findings; site.json, where there is one, gives the site's values. CASE
// stands for the folder. With BACKPLANE_UPDATE_GOLDEN=1 the expectations are written instead of
// compared. What was read is then read again from a copy, as approved plugins are.
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/test_folder.h"
#include "base/text.h"
#include "dialects/panoptes/read.h"

namespace backplane::panoptes {
namespace {

namespace fs = std::filesystem;

std::string Content(const fs::path& path) { return ReadFile(path, 1 << 20).value_or(std::string()); }

std::string Lines(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& finding : findings)
    out += fmt::format("{} {}\n", IsError(finding) ? "error" : "warning", Describe(finding));
  return out;
}

Json Texts(const std::vector<fs::path>& paths) {
  Json out = Json::array();
  for (const fs::path& path : paths) out.push_back(path.string());
  return out;
}

Json ToJson(const Manifest& manifest) {
  Json document = manifest.document;
  Json read_with(manifest.read_with);
  // Long, and the same everywhere.
  for (const char* section : {"snmp", "x509"}) {
    document["site"].erase(section);
    read_with.erase(section);
  }
  Json triggers = Json::array();
  for (const Trigger& trigger : manifest.triggers)
    triggers.push_back(std::string(TriggerName(trigger.kind)) + " " + FormatDuration(trigger.interval));
  return {{"id", manifest.id},
          {"dialect", manifest.dialect},
          {"name", manifest.name},
          {"title", manifest.title},
          {"description", manifest.description},
          {"kind", manifest.kind},
          {"folder", manifest.folder},
          {"file", manifest.file},
          {"contents", Texts(manifest.contents)},
          {"data", Texts(manifest.data)},
          {"runs", manifest.runs},
          {"capabilities", manifest.capabilities},
          {"read_with", std::move(read_with)},
          {"runtime", manifest.runtime},
          {"triggers", triggers},
          {"targets", manifest.targets ? Json(manifest.targets->text) : Json()},
          {"min_interval", FormatDuration(manifest.min_interval)},
          {"results_interval", FormatDuration(manifest.results_interval)},
          {"timeout", FormatDuration(manifest.limits.timeout)},
          {"memory_bytes", manifest.limits.memory_bytes},
          {"document", document}};
}

void Expect(const fs::path& file, const std::string& actual) {
  if (std::getenv("BACKPLANE_UPDATE_GOLDEN")) {
    fs::remove(file);
    if (!actual.empty()) {
      ASSERT_TRUE(WriteFileAtomic(file, actual));
    }
    return;
  }
  EXPECT_EQ(Content(file), actual) << file;
}

// Lays what `manifest` consists of out below `root`, each file under its absolute path.
void CopyTo(const fs::path& root, const Manifest& manifest) {
  const auto below = [&](const fs::path& path) {
    const fs::path copy = root.string() + path.string();
    fs::create_directories(copy.parent_path());
    return copy;
  };
  for (const fs::path& path : manifest.contents)
    fs::copy(path, below(path), fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  for (const fs::path& path : manifest.data)
    if (!fs::exists(below(path))) fs::create_symlink(path, below(path));
}

// Each manifest, read from a copy of it, is the same but for where it lies.
void ExpectSameFromACopy(const std::vector<Manifest>& manifests) {
  for (const Manifest& manifest : manifests) {
    const TestFolder folder;
    const std::string root = folder.path();
    CopyTo(root, manifest);
    const ReadResult again = ReadPath(root + manifest.file, manifest.read_with, root);
    ASSERT_EQ(again.manifests.size(), 1U) << Lines(again.findings);
    EXPECT_EQ(ReplaceAll(ToJson(again.manifests[0]).dump(1), root, ""), ToJson(manifest).dump(1));
    EXPECT_EQ(again.manifests[0].document["site"], manifest.document["site"]);
    EXPECT_EQ(again.manifests[0].read_with, manifest.read_with);
  }
}

class Golden : public testing::TestWithParam<fs::path> {};

TEST_P(Golden, GivesWhatIsExpected) {
  const fs::path folder = GetParam();
  Settings settings;
  if (auto given = ParseJson(Content(folder / "site.json")))
    for (const auto& [key, value] : given->items()) settings[key] = value;
  const fs::path site_file = folder / "panoptes.ini";
  const ReadResult read = ReadPath(fs::exists(site_file) ? site_file : folder, settings);
  Json manifests = Json::array();
  for (const Manifest& manifest : read.manifests) manifests.push_back(ToJson(manifest));
  const auto portable = [&](const std::string& text) { return ReplaceAll(text, folder.string(), "CASE"); };
  Expect(folder / "expected.json", manifests.empty() ? "" : portable(manifests.dump(1)) + "\n");
  Expect(folder / "expected.err", portable(Lines(read.findings)));
  ExpectSameFromACopy(read.manifests);
}

TEST(Copy, HoldsACodeThatIsNamedAbsolutely) {
  const TestFolder folder;
  const auto write = [&](const std::string& name, const std::string& text) {
    fs::create_directories((folder.path() / name).parent_path());
    ASSERT_TRUE(WriteFileAtomic(folder.path() / name, text));
  };
  write("lib/package/__init__.py", "");
  write("lib/package/part.py", "");
  write("lib/file.py", "");
  write("lib/seeds.json", "[]");
  for (const char* module : {"package", "file", "file.py"})
    write(fmt::format("discovery/{}.panoptes-plugin", module),
          fmt::format("[Core]\nName = {0}\nModule = {1}/lib/{0}\n[main]\nexecute_frequency = 60\nseeds = seeds.json\n",
                      module, folder.path().string()));
  const ReadResult read = ReadPath(folder.path() / "discovery", {});
  ASSERT_EQ(read.manifests.size(), 3U);
  for (const Manifest& manifest : read.manifests) {
    const fs::path lib = folder.path() / "lib";
    EXPECT_EQ(manifest.contents.at(1), lib / (manifest.name == "package" ? "package" : "file.py"));
    EXPECT_EQ(manifest.data, std::vector<fs::path>{lib / "seeds.json"});
  }
  ExpectSameFromACopy(read.manifests);
}

std::vector<fs::path> Cases() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(BACKPLANE_SOURCE_DIR "/src/dialects/panoptes/testcases/read"))
    out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, testing::ValuesIn(Cases()),
                         [](const auto& one) { return one.param.filename().string(); });

}  // namespace
}  // namespace backplane::panoptes
