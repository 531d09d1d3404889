#include "dispatch/targets.h"

#include <algorithm>
#include <mutex>

namespace backplane::dispatch {
namespace {

LaneKey LaneOf(const Plugin& plugin, std::string_view target) {
  return {kDefaultOrg, plugin.manifest.id, std::string(target)};
}

}  // namespace

LaneChanges Targets::SetCatalog(std::shared_ptr<const Catalog> catalog) {
  LaneChanges changes;
  if (catalog == catalog_) return changes;
  std::map<std::string, Runner> runners;
  std::vector<std::string> same;
  for (const Plugin& plugin : catalog->plugins()) {
    if (plugin.manifest.runtime.empty()) continue;
    Runner& runner = runners[plugin.manifest.id];
    // It lives as long as its catalog.
    runner.plugin = std::shared_ptr<const Plugin>(catalog, &plugin);
    const auto old = runners_.find(plugin.manifest.id);
    if (old != runners_.end() && *old->second.plugin == plugin) {
      same.push_back(plugin.manifest.id);
      continue;
    }
    const auto& filter = plugin.manifest.targets;
    if (filter == nullptr) {
      runner.targets.insert("");
    } else {
      for (const auto& [key, resource] : resources_)
        if (filter->matches(*resource)) runner.targets.insert(key);
    }
    for (const std::string_view target : runner.targets) changes.push_back({LaneOf(plugin, target), runner.plugin});
  }
  const std::set<std::string_view> kept(same.begin(), same.end());
  for (const auto& [id, old] : runners_) {
    if (kept.contains(id)) continue;
    const auto now = runners.find(id);
    for (const std::string_view target : old.targets)
      if (now == runners.end() || !now->second.targets.contains(target))
        changes.push_back({LaneOf(*old.plugin, target), nullptr});
  }
  const std::unique_lock lock(mutex_);
  for (const std::string& id : same) runners[id].targets.swap(runners_[id].targets);
  runners_.swap(runners);  // what was before ends without the lock
  catalog_.swap(catalog);
  return changes;
}

LaneChanges Targets::SetResources(std::vector<Resource> resources) {
  LaneChanges changes;
  for (Resource& resource : resources) {
    std::vector<Runner*> matching, others;
    for (auto& [id, runner] : runners_) {
      const auto& filter = runner.plugin->manifest.targets;
      if (filter != nullptr) (filter->matches(resource) ? matching : others).push_back(&runner);
    }
    std::string name = ResourceKey(resource);
    auto value = std::make_shared<const Resource>(std::move(resource));
    const std::unique_lock lock(mutex_);
    const auto [at, added] = resources_.insert_or_assign(std::move(name), std::move(value));
    const std::string& key = at->first;
    if (added) keys_of_id_.emplace(ResourceIdOf(key), key);
    for (Runner* runner : matching)
      if (runner->targets.insert(key).second) changes.push_back({LaneOf(*runner->plugin, key), runner->plugin});
    for (Runner* runner : others)
      if (runner->targets.erase(key) > 0) changes.push_back({LaneOf(*runner->plugin, key), nullptr});
  }
  return changes;
}

LaneChanges Targets::RemoveResources(const std::vector<std::string>& keys) {
  LaneChanges changes;
  for (const std::string& key : keys) {
    const std::unique_lock lock(mutex_);
    const auto at = resources_.find(key);
    if (at == resources_.end()) continue;
    for (auto& [id, runner] : runners_)
      if (runner.targets.erase(key) > 0) changes.push_back({LaneOf(*runner.plugin, key), nullptr});
    const auto [first, last] = keys_of_id_.equal_range(ResourceIdOf(key));
    keys_of_id_.erase(std::find_if(first, last, [&](const auto& entry) { return entry.second == key; }));
    resources_.erase(at);
  }
  return changes;
}

std::shared_ptr<const Catalog> Targets::catalog() const {
  const std::shared_lock lock(mutex_);
  return catalog_;
}

std::shared_ptr<const Resource> Targets::Find(const std::string& key) const {
  const std::shared_lock lock(mutex_);
  const auto at = resources_.find(key);
  return at == resources_.end() ? nullptr : at->second;
}

std::vector<std::string> Targets::Keys() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> keys;
  for (const auto& [key, resource] : resources_) keys.push_back(key);
  return keys;
}

std::vector<std::string> Targets::TargetsOf(const std::string& plugin, const std::string& after,
                                            std::size_t limit) const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> page;
  const Runner* runner = FindRunner(plugin);
  if (runner == nullptr) return page;
  auto at = after.empty() ? runner->targets.begin() : runner->targets.upper_bound(after);
  for (; at != runner->targets.end() && page.size() < limit; ++at) page.emplace_back(*at);
  return page;
}

std::vector<std::string> Targets::TargetsNamed(const std::string& plugin, const std::string& name) const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> named;
  const Runner* runner = FindRunner(plugin);
  if (runner == nullptr) return named;
  if (runner->targets.contains(name)) named.push_back(name);
  const auto [first, last] = keys_of_id_.equal_range(name);
  for (auto at = first; at != last; ++at)
    if (at->second != name && runner->targets.contains(at->second)) named.emplace_back(at->second);
  std::sort(named.begin(), named.end());
  return named;
}

std::size_t Targets::CountOf(const std::string& plugin) const {
  const std::shared_lock lock(mutex_);
  const Runner* runner = FindRunner(plugin);
  return runner == nullptr ? 0 : runner->targets.size();
}

const Targets::Runner* Targets::FindRunner(const std::string& plugin) const {
  const auto at = runners_.find(plugin);
  return at == runners_.end() ? nullptr : &at->second;
}

}  // namespace backplane::dispatch
