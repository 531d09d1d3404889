// What a script finds that a person starts by hand beside the daemon: our modules, the plugins in force,
// its settings without secrets, and a place for its result.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dialects/netalertx/app_files.h"
#include "plugin/catalog.h"

namespace backplane::netalertx {

/// The folders in `home`, laid out as AppFolders. Thread-safe.
class Home {
 public:
  explicit Home(const std::filesystem::path& home) : folders_(home) {}

  /// Makes the folders and puts our modules in place. kUnavailable: that failed.
  Status Make(const std::filesystem::path& share) const;
  /// What is in force, and the settings' values without those that nobody may see. What cannot be written
  /// is logged.
  void SetCatalog(const Catalog& catalog, const Settings& values);
  /// See dispatch::Installation.
  Result<std::string> PluginOf(std::string_view file) const;

 private:
  void LinkPlugins(const Catalog& catalog) const;

  const AppFolders folders_;
  mutable std::mutex mutex_;                                 // guards plugins_
  std::map<std::string, std::string, std::less<>> plugins_;  // what leaves results: prefix → id
};

/// The environment in which scripts find their way by themselves: what differs from the defaults.
std::map<std::string, std::string> AppEnvironment(const AppFolders& folders);

/// The links by which scripts find their way without it: where they look, and what is to be there.
std::vector<std::pair<std::filesystem::path, std::filesystem::path>> DefaultPlaces(const AppFolders& folders);

}  // namespace backplane::netalertx
