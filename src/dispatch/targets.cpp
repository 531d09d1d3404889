#include "dispatch/targets.h"

namespace backplane::dispatch {
namespace {

LaneKey LaneOf(const Plugin& plugin, const std::string& target) { return {kDefaultOrg, plugin.manifest.id, target}; }

}  // namespace

LaneChanges Targets::SetCatalog(std::shared_ptr<const Catalog> catalog) {
  LaneChanges changes;
  std::map<std::string, Runner> before = std::exchange(runners_, {});
  for (const Plugin& plugin : catalog->plugins()) {
    if (plugin.manifest.runtime.empty()) continue;
    Runner& runner = runners_[plugin.manifest.id];
    // It lives as long as its catalog.
    runner.plugin = std::shared_ptr<const Plugin>(catalog, &plugin);
    const auto old = before.find(plugin.manifest.id);
    const bool same = old != before.end() && *old->second.plugin == plugin;
    const bool had_none = old == before.end() || old->second.plugin->manifest.targets == nullptr;
    if (same) {
      runner.matched = std::move(old->second.matched);
    } else if (plugin.manifest.targets == nullptr) {
      changes.set.push_back({LaneOf(plugin, ""), runner.plugin});
    } else {
      for (const auto& [key, resource] : resources_) {
        if (!plugin.manifest.targets->matches(*resource)) continue;
        runner.matched.insert(&key);
        changes.set.push_back({LaneOf(plugin, key), runner.plugin});
      }
    }
    if (old == before.end()) continue;
    if (!same && !had_none)
      for (const std::string* key : old->second.matched)
        if (!runner.matched.contains(key)) changes.removed.push_back(LaneOf(plugin, *key));
    if (had_none && plugin.manifest.targets != nullptr) changes.removed.push_back(LaneOf(plugin, ""));
    before.erase(old);
  }
  for (const auto& [id, runner] : before) {
    if (runner.plugin->manifest.targets == nullptr) changes.removed.push_back(LaneOf(*runner.plugin, ""));
    for (const std::string* key : runner.matched) changes.removed.push_back(LaneOf(*runner.plugin, *key));
  }
  catalog_ = std::move(catalog);
  return changes;
}

LaneChanges Targets::SetResources(std::vector<Resource> resources) {
  LaneChanges changes;
  for (Resource& resource : resources) {
    const auto at = resources_.try_emplace(ResourceKey(resource)).first;
    at->second = std::make_shared<const Resource>(std::move(resource));
    const std::string& key = at->first;
    for (auto& [id, runner] : runners_) {
      const auto& targets = runner.plugin->manifest.targets;
      if (targets == nullptr) continue;
      if (targets->matches(*at->second)) {
        if (runner.matched.insert(&key).second) changes.set.push_back({LaneOf(*runner.plugin, key), runner.plugin});
      } else if (runner.matched.erase(&key) > 0) {
        changes.removed.push_back(LaneOf(*runner.plugin, key));
      }
    }
  }
  return changes;
}

LaneChanges Targets::RemoveResources(const std::vector<std::string>& keys) {
  LaneChanges changes;
  for (const std::string& key : keys) {
    const auto at = resources_.find(key);
    if (at == resources_.end()) continue;
    for (auto& [id, runner] : runners_)
      if (runner.matched.erase(&at->first) > 0) changes.removed.push_back(LaneOf(*runner.plugin, key));
    resources_.erase(at);
  }
  return changes;
}

std::shared_ptr<const Resource> Targets::Find(const std::string& key) const {
  const auto at = resources_.find(key);
  return at == resources_.end() ? nullptr : at->second;
}

std::vector<std::string> Targets::Keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, resource] : resources_) keys.push_back(key);
  return keys;
}

std::vector<std::string> Targets::TargetsOf(const std::string& plugin, std::size_t most) const {
  const auto at = runners_.find(plugin);
  if (at == runners_.end()) return {};
  if (at->second.plugin->manifest.targets == nullptr) return {""};
  std::vector<std::string> keys;
  for (const std::string* key : at->second.matched) {
    if (keys.size() == most) break;
    keys.push_back(*key);
  }
  return keys;
}

std::size_t Targets::CountOf(const std::string& plugin) const {
  const auto at = runners_.find(plugin);
  if (at == runners_.end()) return 0;
  return at->second.plugin->manifest.targets == nullptr ? 1 : at->second.matched.size();
}

}  // namespace backplane::dispatch
