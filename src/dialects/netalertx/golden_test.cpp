// Each folder in testcases/ is a manifest with what must come of it: expected.err lists the
// findings of a manifest that is left out; expected.json holds the records of result.log.
// site.json, where there is one, gives the site's values. With BACKPLANE_UPDATE_GOLDEN=1 the
// expectations are written instead of compared.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "dialects/netalertx/netalertx.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;

std::string Content(const fs::path& path) { return ReadFile(path, 1 << 20).value_or(std::string()); }

Settings SiteOf(const fs::path& folder) {
  Settings site;
  if (auto given = ParseJson(Content(folder / "site.json")))
    for (const auto& [key, value] : given->items()) site[key] = value;
  return site;
}

std::string Lines(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& finding : findings)
    out += fmt::format("{} {}: {}\n", finding.severity == Finding::Severity::kError ? "error" : "warning",
                       finding.where.empty() ? "-" : finding.where, finding.message);
  return out;
}

const char* PolicyName(ClaimPolicy policy) {
  return policy == ClaimPolicy::kAlways ? "always" : policy == ClaimPolicy::kIfEmpty ? "if_empty" : "default";
}

Json ToJson(const ObjectRecord& object) {
  return {{"object", object.key},
          {"primary", object.primary},
          {"secondary", object.secondary},
          {"at", FormatIso(object.at)},
          {"watched", object.watched},
          {"extra", object.extra},
          {"foreign_key", object.foreign_key},
          {"help", object.help},
          {"watch_key", object.watch_key}};
}

Json ToJson(const Observation& seen) {
  Json ids = Json::array(), claims = Json::array();
  for (const Identifier& id : seen.identifiers) ids.push_back(id.scheme + "=" + id.value);
  for (const Claim& claim : seen.claims)
    claims.push_back(fmt::format("{}={} ({})", claim.field, claim.value, PolicyName(claim.policy)));
  return {{"seen_by", seen.source}, {"at", FormatIso(seen.at)}, {"identifiers", ids}, {"claims", claims}};
}

std::string Rendered(const Batch& batch) {
  Json records = Json::array(), refused = Json::array();
  for (const Record& record : batch.records) {
    const auto* object = std::get_if<ObjectRecord>(&record);
    records.push_back(object != nullptr ? ToJson(*object) : ToJson(std::get<Observation>(record)));
  }
  for (const Refusal& refusal : batch.refused) refused.push_back(refusal.where + ": " + refusal.reason);
  Json all = {{"complete", batch.complete}, {"refused", refused}, {"records", records}};
  for (const ObjectStatus status : batch.reported) all["reported"].push_back(ObjectStatusName(status));
  return all.dump(1) + "\n";
}

// Compares with the file, or writes it.
void Expect(const fs::path& file, const std::string& actual) {
  if (std::getenv("BACKPLANE_UPDATE_GOLDEN")) {
    ASSERT_TRUE(WriteFileAtomic(file, actual));
    return;
  }
  EXPECT_EQ(Content(file), actual) << file;
}

class Golden : public testing::TestWithParam<fs::path> {};

TEST_P(Golden, GivesWhatIsExpected) {
  const fs::path folder = GetParam();
  const NetAlertX codec;
  const Settings site = SiteOf(folder);
  const ReadResult read = codec.Read(folder, site);
  if (!fs::exists(folder / "result.log")) {
    EXPECT_TRUE(read.manifests.empty());
    return Expect(folder / "expected.err", Lines(read.findings));
  }
  ASSERT_EQ(read.manifests.size(), 1U) << Lines(read.findings);
  const Manifest& manifest = read.manifests[0];
  const auto settings = codec.Effective(manifest, site);
  ASSERT_TRUE(settings);
  Output output;
  output.files.push_back({"last_result." + manifest.name + ".log", Content(folder / "result.log"), {}});
  const TimePoint at = *ParseTime("2026-08-22T10:00:00Z");
  Expect(folder / "expected.json", Rendered(codec.Decode(manifest, *settings, *settings, output, at)));
}

std::vector<fs::path> Cases() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(BACKPLANE_SOURCE_DIR "/src/dialects/netalertx/testcases"))
    out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, testing::ValuesIn(Cases()),
                         [](const auto& one) { return one.param.filename().string(); });

}  // namespace
}  // namespace backplane::netalertx
