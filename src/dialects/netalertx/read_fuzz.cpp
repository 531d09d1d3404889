// Arbitrary bytes as a manifest: it is read or refused, and what is read can be used and shown.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "dialects/netalertx/mapping.h"
#include "dialects/netalertx/netalertx.h"
#include "dialects/netalertx/read.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = netalertx::ReadManifest(text, "config.json", "/plugins/fuzz", {});
  bool error = false;
  for (const Finding& finding : read.findings) error |= finding.severity == Finding::Severity::kError;
  if (error == read.manifest.has_value()) std::abort();
  if (!read.manifest) return 0;
  const netalertx::NetAlertX codec;
  const auto settings = codec.Effective(*read.manifest, {});
  if (!settings || read.manifest->limits.timeout <= Millis(0)) std::abort();
  if (codec.Present(*read.manifest, "de_de").settings.size() != read.manifest->settings.size()) std::abort();
  Output output;
  output.files.push_back({"last_result." + read.manifest->name + ".log", "a|10.0.0.1|||||||\n", {}});
  if (codec.Decode(*read.manifest, *settings, *settings, output, TimePoint()).records.empty()) std::abort();
  return 0;
}
