#include "dialects/panoptes/panoptes.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "dialects/panoptes/decode.h"
#include "dialects/panoptes/prepare.h"
#include "dialects/panoptes/read.h"
#include "dialects/panoptes/site.h"
#include "plugin/secret_ref.h"

namespace backplane::panoptes {

bool Panoptes::Recognises(const std::filesystem::path& path) const { return IsPluginPath(path); }

ReadResult Panoptes::Read(const std::filesystem::path& path, const Settings& site,
                          const std::filesystem::path& root) const {
  return ReadPath(path, site, root);
}

Result<Settings> Panoptes::Effective(const Manifest&, const Settings& site) const {
  const auto given = site.find(std::string(kCommunity));
  if (given == site.end()) return Settings{};
  const bool text = given->second.is_string() && given->second != "";
  if (!text && !IsSecretRef(given->second))
    return Fail(Errc::kInvalid, fmt::format("{}: needs a text that is not empty, or a secret", kCommunity),
                std::string(kCommunity));
  return Settings{*given};
}

std::vector<Setting> Panoptes::CommonSettings() const {
  std::vector<Setting> settings;
  for (std::string& key : SiteSettings()) {
    const bool secret = key == kCommunity;
    settings.push_back(
        {.key = std::move(key), .type = {}, .default_value = {}, .title = {}, .help = {}, .secret = secret});
  }
  return settings;
}

Result<Json> Panoptes::CommonValue(const std::string& key, const Json& given) const {
  std::vector<Finding> findings;
  SiteFromSettings({{key, given}}, findings);
  for (const Finding& finding : findings)
    if (IsError(finding)) return Fail(Errc::kInvalid, finding.message, key);
  return given;
}

Result<Invocation> Panoptes::Prepare(const Manifest& manifest, const Job&, const Settings& settings,
                                     const RunContext& context) const {
  return PrepareRun(manifest, settings, context);
}

Batch Panoptes::Decode(const Manifest& manifest, const Settings&, const Settings&, const Output& output,
                       TimePoint at) const {
  return DecodeOutput(manifest, output, at);
}

}  // namespace backplane::panoptes
