// Arbitrary bytes as the result of a run: all of it is taken, as the core's records must be, or
// nothing. The first byte says what kind of plugin it comes from.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "dialects/panoptes/decode.h"

namespace {

using namespace backplane;

constexpr Millis kLongestTtl = std::chrono::hours(10 * 365 * 24);

void Require(bool condition) {
  if (!condition) std::abort();
}

void Check(const ResourceRecord& record) {
  const std::string path = ResourcePath(record.resource);
  Require(record.ttl.count() > 0 && record.ttl <= kLongestTtl && std::count(path.begin(), path.end(), '|') == 4);
}

void Check(const EnrichmentRecord& record) {
  Require(!record.resource_id.empty() && !record.name_space.empty());
  Require(record.ttl.count() > 0 && record.ttl <= kLongestTtl);
  Require(ParseJson(record.body).has_value());
}

void Check(const MetricsRecord& record) {
  Require(!record.resource.empty() && !record.group.empty() && record.interval.count() > 0);
  for (std::size_t i = 1; i < record.dimensions.size(); ++i)
    Require(record.dimensions[i - 1].first < record.dimensions[i].first);
  for (const Measurement& one : record.measurements) {
    const double* value = std::get_if<double>(&one.value);
    Require(panoptes::IsWord(one.name) && ToMillis(one.at) >= 0 && (!value || std::isfinite(*value)));
  }
}

template <typename Other>
void Check(const Other&) {
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr const char* kTypes[] = {"discovery", "enrichment", "polling"};
  Manifest manifest;
  manifest.document = {{"type", kTypes[data[0] % 3]}};
  Output output;
  output.files.push_back({panoptes::kResultFile, std::string(reinterpret_cast<const char*>(data) + 1, size - 1), {}});
  const Batch batch = panoptes::DecodeOutput(manifest, output, TimePoint());
  Require(batch.failure.empty() || batch.records.empty());
  for (const Record& record : batch.records) std::visit([](const auto& one) { Check(one); }, record);
  return 0;
}
