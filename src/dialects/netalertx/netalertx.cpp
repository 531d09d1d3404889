#include "dialects/netalertx/netalertx.h"

#include "dialects/netalertx/app_conf.h"
#include "dialects/netalertx/core_settings.h"
#include "dialects/netalertx/decode.h"
#include "dialects/netalertx/prepare.h"
#include "dialects/netalertx/present.h"
#include "dialects/netalertx/read.h"
#include "dialects/netalertx/settings.h"
#include "dialects/netalertx/template.h"

namespace backplane::netalertx {

bool NetAlertX::Recognises(const std::filesystem::path& path) const { return !FindPluginFolders(path).empty(); }

ReadResult NetAlertX::Read(const std::filesystem::path& path, const Settings& site,
                           const std::filesystem::path&) const {
  return ReadFolders(path, site);
}

Result<Settings> NetAlertX::Effective(const Manifest& manifest, const Settings& site) const {
  BACKPLANE_ASSIGN(Settings settings, EffectiveSettings(manifest.document, manifest.name, site));
  if (!manifest.runtime.empty()) BACKPLANE_TRY(TriggersOf(manifest.name, settings));
  return settings;
}

std::vector<Setting> NetAlertX::CommonSettings() const { return CoreDeclarations(); }

Result<Json> NetAlertX::CommonValue(const std::string& key, const Json& given) const { return CoreValue(key, given); }

OwnConfig NetAlertX::ReadConfig(const std::filesystem::path& plugins, const std::filesystem::path& config) const {
  return ReadOwnConfig(plugins, config);
}

Presentation NetAlertX::Present(const Manifest& manifest, std::string_view language) const {
  return PresentManifest(manifest, language);
}

Status NetAlertX::MakePlugin(const NewPlugin& wanted) const { return MakeFromTemplate(wanted); }

Result<Invocation> NetAlertX::Prepare(const Manifest& manifest, const Job&, const Settings& settings,
                                      const RunContext& context) const {
  return PrepareRun(manifest, settings, context);
}

Batch NetAlertX::Decode(const Manifest& manifest, const Settings& settings, const Settings& all, const Output& output,
                        TimePoint at) const {
  return DecodeOutput(manifest, settings, all, output, at);
}

}  // namespace backplane::netalertx
