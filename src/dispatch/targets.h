// Which lanes there are: one of each plugin that runs about nothing in particular, and one of each
// other plugin for every resource that it matches.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/resource.h"
#include "model/run.h"
#include "plugin/catalog.h"

namespace backplane::dispatch {

/// A lane that came or follows another plan now, or one that went.
struct LaneChange {
  LaneKey lane;
  std::shared_ptr<const Plugin> plugin;  ///< null: the lane went
};
/// In order.
using LaneChanges = std::vector<LaneChange>;

/// Does no I/O. A resource that comes or changes costs one look per plugin, a plugin one per resource.
///
/// Readers may come from any thread; changes one at a time, which the caller sees to. No reader waits
/// while a change looks for what matches.
class Targets {
 public:
  /// Takes the place of the catalog before. Plugins that are the same in both keep their lanes.
  LaneChanges SetCatalog(std::shared_ptr<const Catalog> catalog);
  /// Adds resources or replaces them, by key.
  LaneChanges SetResources(std::vector<Resource> resources);
  /// Unknown keys are ignored.
  LaneChanges RemoveResources(const std::vector<std::string>& keys);

  std::shared_ptr<const Catalog> catalog() const;
  /// Null if there is none now.
  std::shared_ptr<const Resource> Find(const std::string& key) const;
  /// Keys of every resource, for a reader who starts anew.
  std::vector<std::string> Keys() const;
  /// What a plugin runs about now, in order, at most `limit` of them and only those after `after`,
  /// if that is not empty; {""} if it runs about nothing in particular.
  std::vector<std::string> TargetsOf(const std::string& plugin, const std::string& after, std::size_t limit) const;
  /// Those of a plugin's targets whose key or whose resource's id is `name`, in order.
  std::vector<std::string> TargetsNamed(const std::string& plugin, const std::string& name) const;
  std::size_t CountOf(const std::string& plugin) const;

 private:
  struct Runner {
    std::shared_ptr<const Plugin> plugin;
    std::set<std::string_view> targets;  // keys in resources_, whose nodes stay where they are, or ""
  };

  const Runner* FindRunner(const std::string& plugin) const;

  mutable std::shared_mutex mutex_;  // held by who changes what follows, and by readers from other threads
  std::shared_ptr<const Catalog> catalog_;
  std::map<std::string, Runner> runners_;  // plugins that run, by id
  std::unordered_map<std::string, std::shared_ptr<const Resource>> resources_;
  std::unordered_multimap<std::string_view, std::string_view> keys_of_id_;  // both in keys of resources_
};

}  // namespace backplane::dispatch
