// What may run: plugins by content, and what people decided about them.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/site.h"
#include "model/ids.h"
#include "package/blobs.h"
#include "package/tree.h"
#include "package/working_copy.h"
#include "plugin/catalog.h"
#include "store/plugins.h"

namespace backplane::package {

struct RegistryParts {
  store::Database& database;
  const Clock& clock;
  std::filesystem::path folder;  ///< where contents and working copies are kept
  bool trust = false;            ///< approve whatever is found ("trust = auto")
};

/// What somebody who decides wants to know of a version.
struct VersionView {
  store::PluginVersion version;
  Tree tree;
  bool enabled = true;
  std::optional<store::PluginVersion> approved;  ///< the one in force, if it is another
};

/// Plugins of the default organisation. Thread-safe.
class Registry {
 public:
  explicit Registry(RegistryParts parts);

  /// For Catalog::Load: keeps what was found, and gives back the version that may run.
  Gate AsGate();

  /// The newest version of a plugin, or the one with this hash or the beginning of it. kNotFound;
  /// kConflict: the beginning fits several.
  Result<VersionView> View(const std::string& plugin, const std::string& hash = "");
  /// The newest version of every plugin that was ever found.
  Result<std::vector<store::PluginVersion>> Newest();
  /// What differs between the version in force and another: a unified diff; the whole content if
  /// there is none in force.
  Result<std::string> Diff(const VersionView& view);

  /// Lets the version that View() gives run. `hash` is the whole hash of what was looked at: kConflict
  /// if there is a newer one by now.
  Result<store::PluginVersion> Approve(const std::string& plugin, const std::string& hash, const std::string& by);
  Status SetEnabled(const std::string& plugin, bool enabled, const std::string& by);
  /// Forgets a plugin and its files. One that still lies in a folder of the site waits again when the
  /// folders are read the next time.
  Status Remove(const std::string& plugin, const std::string& by);
  /// Reads this path too from now on, as if the site named it.
  Status AddSource(const std::filesystem::path& path, const std::string& dialect, const std::string& by);
  /// The site's folders, and those that were added.
  Result<std::vector<config::PluginFolder>> Folders(const config::Site& site);

  /// Forgets contents and copies that no version needs.
  Status Sweep();

 private:
  Result<Admitted> Admit(const Codec& codec, const Manifest& found);
  Result<store::PluginVersion> Keep(const Manifest& found, const Tree& tree);
  std::shared_ptr<const WorkingCopy> CopyOf(const store::PluginVersion& version, const Manifest& found, Tree tree);
  Status Audit(store::Connection& connection, const std::string& by, const char* action,
               const store::PluginVersion& version) const;

  const RegistryParts parts_;
  const Blobs blobs_;
  std::mutex mutex_;  // guards what follows
  TreeReader reader_;
  std::map<std::int64_t, std::shared_ptr<WorkingCopy>> copies_;  // by version
};

}  // namespace backplane::package
