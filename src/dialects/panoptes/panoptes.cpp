#include "dialects/panoptes/panoptes.h"

#include "dialects/panoptes/decode.h"
#include "dialects/panoptes/prepare.h"
#include "dialects/panoptes/read.h"
#include "dialects/panoptes/site.h"

namespace backplane::panoptes {

bool Panoptes::Recognises(const std::filesystem::path& path) const { return IsPluginPath(path); }

ReadResult Panoptes::Read(const std::filesystem::path& path, const Settings& site) const {
  return ReadPath(path, site);
}

Result<Settings> Panoptes::Effective(const Manifest&, const Settings&) const { return Settings{}; }

std::vector<std::string> Panoptes::CommonSettings() const { return SiteSettings(); }

Result<Invocation> Panoptes::Prepare(const Manifest& manifest, const Job&, const Settings&,
                                     const RunContext& context) const {
  return PrepareRun(manifest, context);
}

Batch Panoptes::Decode(const Manifest& manifest, const Settings&, const Output& output, TimePoint at) const {
  return DecodeOutput(manifest, output, at);
}

}  // namespace backplane::panoptes
