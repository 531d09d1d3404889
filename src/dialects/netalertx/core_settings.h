// The settings that belong to no plugin.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugin/manifest.h"

namespace backplane::netalertx {

/// What is declared of each, in order; those that nobody should guess can be made up.
const std::vector<Setting>& CoreDeclarations();

/// Where the ecosystem's own page shows one: "General" or "UI". Empty: `key` is none of them.
std::string_view CoreGroup(std::string_view key);

/// As a script sees it. kInvalid says what was expected.
Result<Json> CoreValue(const std::string& key, const Json& given);

/// The values of all: defaults, overlaid by those of `given` that fit. LOADED_PLUGINS are those of `manifests`,
/// unless given.
Settings CoreSettings(const Settings& given, const std::vector<const Manifest*>& manifests = {});

}  // namespace backplane::netalertx
