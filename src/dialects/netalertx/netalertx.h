// The NetAlertX dialect: a plugin is a folder with a config.json and a script that writes a
// result file. What is reproduced and what is not: docs/dialects/netalertx.md.
#pragma once

#include "plugin/codec.h"

namespace backplane::netalertx {

/// Thread-safe: has no state.
class NetAlertX final : public Codec {
 public:
  std::string_view name() const override { return "netalertx"; }
  bool Recognises(const std::filesystem::path& path) const override;
  ReadResult Read(const std::filesystem::path& path, const Settings& site,
                  const std::filesystem::path& root = {}) const override;
  Result<Settings> Effective(const Manifest& manifest, const Settings& site) const override;
  std::vector<Setting> CommonSettings() const override;
  Result<Json> CommonValue(const std::string& key, const Json& given) const override;
  OwnConfig ReadConfig(const std::filesystem::path& plugins, const std::filesystem::path& config) const override;
  Presentation Present(const Manifest& manifest, std::string_view language) const override;
  Status MakePlugin(const NewPlugin& wanted) const override;
  Result<Invocation> Prepare(const Manifest& manifest, const Job& job, const Settings& settings,
                             const RunContext& context) const override;
  Batch Decode(const Manifest& manifest, const Settings& settings, const Settings& all, const Output& output,
               TimePoint at) const override;
};

}  // namespace backplane::netalertx
