// From a panoptes.ini, a folder of plugins or one definition file to manifests.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "dialects/panoptes/site.h"
#include "plugin/codec.h"

namespace backplane::panoptes {

/// Whether `path` is a file "*.ini" or "*.panoptes-plugin", or a folder with one of the latter
/// somewhere below. Another extension is a setting, which this cannot know: such a site names the
/// dialect.
bool IsPluginPath(const std::filesystem::path& path);

/// Reads every plugin of `path`; see Codec::Read. Ordered by id.
ReadResult ReadPath(const std::filesystem::path& path, const Settings& settings,
                    const std::filesystem::path& root = {});

/// Reads one definition from its text, for a plugin of type `type` in `file`, an absolute path.
/// Only its module is looked for on disk. Without a manifest there is an error among the findings.
struct DefinitionManifest {
  std::optional<Manifest> manifest;
  std::vector<Finding> findings;
};
DefinitionManifest ReadDefinition(std::string_view text, const std::filesystem::path& file, const std::string& type,
                                  const Site& site, const std::filesystem::path& root = {});

/// The name in keys and ids: every '_' doubled, then every character but letters and digits of
/// ASCII and '_' replaced by '_'.
std::string NormalizedName(std::string_view name);

}  // namespace backplane::panoptes
