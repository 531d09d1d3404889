// The Panoptes dialect: a plugin is a definition file and a Python module with a class that
// discovers, enriches or polls resources. What is reproduced and what is not:
// docs/dialects/panoptes.md.
#pragma once

#include "plugin/codec.h"

namespace backplane::panoptes {

/// Thread-safe: has no state. Plugins have no settings; those of the site are in each manifest.
class Panoptes final : public Codec {
 public:
  std::string_view name() const override { return "panoptes"; }
  bool Recognises(const std::filesystem::path& path) const override;
  ReadResult Read(const std::filesystem::path& path, const Settings& site,
                  const std::filesystem::path& root = {}) const override;
  Result<Settings> Effective(const Manifest& manifest, const Settings& site) const override;
  std::vector<Setting> CommonSettings() const override;
  Result<Json> CommonValue(const std::string& key, const Json& given) const override;
  Result<Invocation> Prepare(const Manifest& manifest, const Job& job, const Settings& settings,
                             const RunContext& context) const override;
  Batch Decode(const Manifest& manifest, const Settings& settings, const Settings& all, const Output& output,
               TimePoint at) const override;
};

}  // namespace backplane::panoptes
