// Finds every mistake in a manifest at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugin/manifest.h"

namespace backplane::netalertx {

/// What is wrong with the manifest `document` and where; `file` goes into each finding. At most
/// kMostFindings, the last of which says so. An error is what keeps the plugin from being used: all
/// else that is odd, as what only the page would notice, is a warning. Beside `file` lies what the plugin runs.
std::vector<Finding> CheckManifest(const Json& document, const std::string& file);

/// A warning for each key that stands twice in one object of `text`, which was read as `document`; at most
/// kMostFindings.
std::vector<Finding> CheckKeys(std::string_view text, const Json& document, const std::string& file);

inline constexpr std::size_t kMostFindings = 200;

bool HasError(const std::vector<Finding>& findings);

/// A name that may stand in a file name and in Python source, 64 bytes at most.
bool IsPrefix(std::string_view text);

/// What is wrong with a value of RUN that is none of kRunValues.
std::string UnknownRun(std::string_view value);

}  // namespace backplane::netalertx
