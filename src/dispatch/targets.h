// Which lanes there are: one of each plugin that runs about nothing in particular, and one of each
// other plugin for every resource that it matches.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "model/resource.h"
#include "model/run.h"
#include "plugin/catalog.h"

namespace backplane::dispatch {

/// Lanes that came, went or follow another plan now.
struct LaneChanges {
  std::vector<LaneKey> removed;
  struct Set {
    LaneKey lane;
    std::shared_ptr<const Plugin> plugin;
  };
  std::vector<Set> set;
};

/// Not thread-safe; does no I/O. A resource that comes or changes costs one look per plugin, a plugin
/// one per resource.
class Targets {
 public:
  /// Takes the place of the catalog before. Plugins that are the same in both keep their lanes.
  LaneChanges SetCatalog(std::shared_ptr<const Catalog> catalog);
  /// Adds resources or replaces them, by key.
  LaneChanges SetResources(std::vector<Resource> resources);
  /// Unknown keys are ignored.
  LaneChanges RemoveResources(const std::vector<std::string>& keys);

  const std::shared_ptr<const Catalog>& catalog() const { return catalog_; }
  /// Null if there is none now.
  std::shared_ptr<const Resource> Find(const std::string& key) const;
  /// Keys of every resource, for a reader who starts anew.
  std::vector<std::string> Keys() const;
  /// What a plugin runs about now, in no order, at most `most` of them; {""} if it runs about nothing
  /// in particular.
  std::vector<std::string> TargetsOf(const std::string& plugin, std::size_t most) const;
  std::size_t CountOf(const std::string& plugin) const;

 private:
  using Resources = std::unordered_map<std::string, std::shared_ptr<const Resource>>;
  struct Runner {
    std::shared_ptr<const Plugin> plugin;
    std::unordered_set<const std::string*> matched;  // keys in resources_, whose nodes stay where they are
  };

  std::shared_ptr<const Catalog> catalog_;
  std::map<std::string, Runner> runners_;  // plugins that run, by id
  Resources resources_;
};

}  // namespace backplane::dispatch
