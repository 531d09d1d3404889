// The site configuration: options, plugin folders and the values of plugins' settings.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "config/options.h"

namespace backplane::config {

/// One [[plugins]] table.
struct PluginFolder {
  std::filesystem::path path;  ///< a plugin or a folder of plugins; absolute
  std::string dialect;         ///< empty: whichever recognises it
  bool run_at_start = false;   ///< scheduled plugins also run once when the daemon starts
};

struct Site {
  Options options;
  std::vector<PluginFolder> folders;
  /// Values from [settings.<dialect>], by dialect and key.
  std::map<std::string, std::map<std::string, Json>> settings;
};

/// Reads `file` (TOML), then the environment over it. Without a file: defaults and environment.
/// kInvalid names file, line and key; unknown keys are errors. Relative paths are relative to
/// the file's folder.
Result<Site> LoadSite(const std::filesystem::path& file);

/// Splits "127.0.0.1:8700" or "[::1]:8700". kInvalid says what is wrong.
struct Address {
  std::string host;
  std::uint16_t port = 0;
};
Result<Address> ParseAddress(std::string_view text);

}  // namespace backplane::config
