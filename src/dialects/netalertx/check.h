// Finds every mistake in a manifest at once.
#pragma once

#include <string>
#include <vector>

#include "plugin/manifest.h"

namespace backplane::netalertx {

/// What is wrong with the manifest `document` and where; `file` goes into each finding. At most
/// kMostFindings, the last of which says so.
std::vector<Finding> CheckManifest(const Json& document, const std::string& file);

inline constexpr std::size_t kMostFindings = 200;

bool HasError(const std::vector<Finding>& findings);

}  // namespace backplane::netalertx
