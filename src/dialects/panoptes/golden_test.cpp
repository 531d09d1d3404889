// Each folder in testcases/read is read, by its panoptes.ini if it has one: expected.json holds the
// manifests, expected.err the findings; site.json, where there is one, gives the site's values. CASE
// stands for the folder. With BACKPLANE_UPDATE_GOLDEN=1 the expectations are written instead of
// compared.
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/files.h"
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

Json ToJson(const Manifest& manifest) {
  Json document = manifest.document;
  // Long, and the same everywhere.
  document["site"].erase("snmp");
  document["site"].erase("x509");
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
          {"runtime", manifest.runtime},
          {"triggers", triggers},
          {"targets", manifest.targets ? Json(manifest.targets->text) : Json()},
          {"min_interval", FormatDuration(manifest.min_interval)},
          {"results_interval", FormatDuration(manifest.results_interval)},
          {"timeout", FormatDuration(manifest.limits.timeout)},
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
