// From plugin folders to manifests.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/codec.h"

namespace backplane::netalertx {

/// The plugin folders at `path`: itself if it is or holds a config.json, else those in it, in
/// server/plugins and in front/plugins below it. In a folder of plugins, those whose name begins
/// with "__" or that hold a file `ignore_plugin` are passed over. Ordered by name.
std::vector<std::filesystem::path> FindPluginFolders(const std::filesystem::path& path);

/// Reads one or many plugins; see Codec::Read. Ordered by execution_order, then by folder name.
ReadResult ReadFolders(const std::filesystem::path& path, const Settings& site);

/// Reads one manifest from its text. `file` is for the findings, `folder` for the manifest.
/// Without a manifest there is an error among the findings.
struct ManifestText {
  std::optional<Manifest> manifest;
  std::vector<Finding> findings;
};
ManifestText ReadManifest(std::string_view text, const std::string& file, const std::string& folder,
                          const Settings& site);

/// What RUN and RUN_SCHD make of a plugin. kInvalid names the one that cannot be.
Result<std::vector<Trigger>> TriggersOf(std::string_view prefix, const Settings& effective);

/// What a run may take: the setting RUN_TIMEOUT, 10 seconds if it is absent or not above zero, times the number of
/// items of each list, and of rows of each query, that a parameter names as a multiplier; at least once, and a day
/// at most. `rows` has the number of rows of a query by the parameter's name; one that is not there multiplies
/// nothing. Pure.
Millis RunTimeout(const Json& document, std::string_view prefix, const Settings& effective, const Settings& core,
                  const std::map<std::string, std::size_t>& rows = {});

}  // namespace backplane::netalertx
