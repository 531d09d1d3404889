#include "dialects/netalertx/netalertx.h"

#include "dialects/netalertx/decode.h"
#include "dialects/netalertx/prepare.h"
#include "dialects/netalertx/read.h"
#include "dialects/netalertx/settings.h"

namespace backplane::netalertx {

bool NetAlertX::Recognises(const std::filesystem::path& path) const { return !FindPluginFolders(path).empty(); }

ReadResult NetAlertX::Read(const std::filesystem::path& path, const Settings& site,
                           const std::filesystem::path&) const {
  return ReadFolders(path, site);
}

Result<Settings> NetAlertX::Effective(const Manifest& manifest, const Settings& site) const {
  return EffectiveSettings(manifest.document, manifest.name, site);
}

std::vector<std::string> NetAlertX::CommonSettings() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : CoreSettings({})) keys.push_back(key);
  return keys;
}

Result<Invocation> NetAlertX::Prepare(const Manifest& manifest, const Job&, const Settings& settings,
                                      const RunContext& context) const {
  return PrepareRun(manifest, settings, context);
}

Batch NetAlertX::Decode(const Manifest& manifest, const Settings& settings, const Output& output, TimePoint at) const {
  return DecodeOutput(manifest, settings, output, at);
}

}  // namespace backplane::netalertx
