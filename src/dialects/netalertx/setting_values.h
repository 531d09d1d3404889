// Values of settings as the program itself uses them. A value that somebody gives without the plugin that declares it
// is as it was written: text, most likely.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/manifest.h"

namespace backplane::netalertx {

/// Empty: not given, or no text.
std::string TextOf(const Settings& settings, const std::string& key);
/// `otherwise` where it is not given, or is none.
bool FlagOf(const Settings& settings, const std::string& key, bool otherwise);
std::int64_t NumberOf(const Settings& settings, const std::string& key, std::int64_t otherwise);
/// The texts among the items. Empty: not given, or no list.
std::vector<std::string> ListOf(const Settings& settings, const std::string& key);
/// Whether the list has that text.
bool IsListed(const Settings& settings, const std::string& key, std::string_view text);

}  // namespace backplane::netalertx
