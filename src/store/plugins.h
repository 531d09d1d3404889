// Plugins as they were found, and what people decided about them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/ids.h"
#include "store/database.h"

namespace backplane::store {

enum class VersionState {
  kWaiting,   ///< nobody has decided
  kApproved,  ///< may run
  kReplaced,  ///< was approved, until another was
};
/// "waiting", "approved", "replaced".
const char* VersionStateName(VersionState state);

/// One content of a plugin.
struct PluginVersion {
  std::int64_t id = 0;
  std::string plugin;  ///< its id
  std::string hash;    ///< of its files and of what it asks for
  std::string source;  ///< the file that declares it, where it was found
  std::string dialect;
  std::string title;
  std::string tree;  ///< its files, as JSON
  std::string asks;  ///< what it runs and wants, as JSON, for whoever decides
  VersionState state = VersionState::kWaiting;
  TimePoint found;
  std::optional<TimePoint> decided;
  std::string decided_by;
};

/// Plugins of one organisation.
class Plugins {
 public:
  Plugins(Connection& connection, OrgId org) : db_(connection), org_(org) {}

  std::optional<PluginVersion> Find(const std::string& plugin, const std::string& hash);
  std::optional<PluginVersion> Get(std::int64_t version);
  /// The one that may run.
  std::optional<PluginVersion> Approved(const std::string& plugin);
  /// Newest first.
  std::vector<PluginVersion> Versions(const std::string& plugin);
  /// The newest version of each plugin, by plugin.
  std::vector<PluginVersion> Newest();
  /// As waiting; returns its id.
  std::int64_t Insert(const PluginVersion& version);
  /// Makes it the one that may run, in place of another.
  void Approve(const PluginVersion& version, const std::string& by, TimePoint at);
  /// Of the versions of a plugin that are replaced, or that waited in vain, forgets all but the newest
  /// `keep`.
  void Prune(const std::string& plugin, int keep);
  void Forget(std::int64_t version);
  /// Forgets every version.
  void Remove(const std::string& plugin);

  /// Whether an approved plugin runs; it does until somebody says otherwise.
  bool Enabled(const std::string& plugin);
  void SetEnabled(const std::string& plugin, bool enabled);

  /// Paths that were installed besides those of the site configuration, with their dialect.
  std::vector<std::pair<std::string, std::string>> Sources();
  void AddSource(const std::string& path, const std::string& dialect);
  void RemoveSource(const std::string& path);

 private:
  Connection& db_;
  OrgId org_;
};

/// The trees of every version of every organisation: for tidying up.
std::vector<std::string> AllTrees(Connection& connection);

}  // namespace backplane::store
