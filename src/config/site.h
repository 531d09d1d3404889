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
  std::filesystem::path path;         ///< a plugin or a folder of plugins; absolute
  std::string dialect;                ///< empty: whichever recognises it
  bool run_at_start = false;          ///< scheduled plugins also run once when the daemon starts
  std::filesystem::path config = {};  ///< where the ecosystem's own configuration lies, absolute; empty: not said
  bool installed = false;             ///< not of the site configuration: nobody who says what runs named it
};

/// One [[mapping]] table: devices that become resources, so that plugins can run about them.
struct Mapping {
  std::string name;  ///< unique
  /// Field of a device → what its value must be; '*' stands for any text, "{hostname}" for the name
  /// of this machine. Empty: every device.
  std::map<std::string, std::string> where;
  /// What the resource is made of: site, class, subclass, type, id and endpoint, each a text in
  /// which "{field}" stands for a field of the device. id and endpoint are never empty here.
  std::map<std::string, std::string> resource;
  std::map<std::string, std::string> metadata;  ///< likewise
};

struct Site {
  Options options;
  std::vector<PluginFolder> folders;
  std::vector<Mapping> mappings;
  /// Values from [settings.<dialect>], by dialect and key.
  std::map<std::string, std::map<std::string, Json>> settings;
};

/// Reads `file` (TOML), then the environment over it. Without a file: defaults and environment.
/// kInvalid names file, line and key; unknown keys are errors. Relative paths are relative to
/// the file's folder.
Result<Site> LoadSite(const std::filesystem::path& file);

/// Splits "127.0.0.1:8700" or "[::1]:8700"; the host is an IP address or "localhost". kInvalid says what
/// is wrong.
struct Address {
  std::string host;
  std::uint16_t port = 0;
  bool loopback = true;  ///< only this machine reaches it
};
Result<Address> ParseAddress(std::string_view text);

}  // namespace backplane::config
