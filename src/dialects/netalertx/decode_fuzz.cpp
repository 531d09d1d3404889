// Arbitrary bytes as a result file: every line is taken or refused, and all text is UTF-8.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "dialects/netalertx/decode.h"
#include "dialects/netalertx/read.h"

namespace {

using namespace backplane;

Manifest Scanner() {
  Manifest manifest;
  manifest.name = "FUZZ";
  manifest.document = Json::parse(R"({"mapped_to_table": "CurrentScan", "database_column_definitions": [
      {"column": "objectPrimaryId", "mapped_to_column": "scanMac"},
      {"column": "objectSecondaryId", "mapped_to_column": "scanLastIP"},
      {"column": "watchedValue1", "mapped_to_column": "scanName"},
      {"column": "helpVal4", "mapped_to_column": "scanParentMAC"},
      {"column": "extra", "mapped_to_column": "scanSourcePlugin"}]})");
  return manifest;
}

void Require(bool condition) {
  if (!condition) std::abort();
}

void Check(const ObjectRecord& object) {
  Require(IsUtf8(object.key) && IsUtf8(object.extra) && IsUtf8(object.watch_key));
  Require(object.key == object.primary + "|" + object.secondary);
}

void Check(const Observation& seen) {
  Require(!seen.identifiers.empty() && !seen.source.empty() && IsUtf8(seen.source));
  for (const Claim& claim : seen.claims) Require(!claim.value.empty() && IsUtf8(claim.value));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Manifest manifest = Scanner();
  static const Settings settings = {{"FUZZ_WATCH", Json::array({"watchedValue1", "extra"})}};
  Output output;
  output.files.push_back({"last_result.FUZZ.log", std::string(reinterpret_cast<const char*>(data), size), {}});
  const Batch batch = netalertx::DecodeOutput(manifest, settings, settings, output, TimePoint());
  for (const Record& record : batch.records) {
    if (const auto* object = std::get_if<ObjectRecord>(&record))
      Check(*object);
    else
      Check(std::get<Observation>(record));  // throws, and so ends, for any other
  }
  for (const Refusal& refusal : batch.refused) Require(IsUtf8(refusal.reason));
  const auto& content = output.files[0].content;
  Require(!batch.complete || std::count(content.begin(), content.end(), '|') >= 8);
  return 0;
}
