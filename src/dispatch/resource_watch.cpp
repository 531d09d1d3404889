#include "dispatch/resource_watch.h"

#include <set>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "store/resources.h"

namespace backplane::dispatch {
namespace {

constexpr int kPage = 1'000;

Status TakeAll(Host& host, store::Database& database) {
  std::vector<Resource> set;
  std::set<std::string> present;
  BACKPLANE_TRY(database.Read([&](store::Connection& connection) -> Status {
    store::Resources resources(connection, kDefaultOrg);
    store::ResourceFilter page{.limit = kPage};
    while (true) {
      auto found = resources.List(page);
      for (store::StoredResource& stored : found) {
        page.after = stored.id;
        present.insert(ResourceKey(stored.resource));
        set.push_back(std::move(stored.resource));
      }
      if (static_cast<int>(found.size()) < kPage) return {};
    }
  }));
  std::vector<std::string> gone;
  for (std::string& key : host.ResourceKeys())
    if (!present.contains(key)) gone.push_back(std::move(key));
  return host.SetResources(std::move(set), gone);
}

Status TakeChanges(Host& host, store::Database& database, const std::vector<store::Event>& news) {
  std::vector<Resource> set;
  std::vector<std::string> gone;
  std::set<std::string> keys;
  for (const store::Event& event : news) {
    const Result<Json> body = ParseJson(event.body);
    if (body && body->contains("key")) keys.insert((*body)["key"].get<std::string>());
  }
  BACKPLANE_TRY(database.Read([&](store::Connection& connection) -> Status {
    store::Resources resources(connection, kDefaultOrg);
    for (const std::string& key : keys) {
      if (auto stored = resources.Find(key))
        set.push_back(std::move(stored->resource));
      else
        gone.push_back(key);
    }
    return {};
  }));
  return host.SetResources(std::move(set), gone);
}

}  // namespace

Result<std::unique_ptr<events::Follower>> WatchResources(Host& host, store::Database& database, events::Bus& bus) {
  return events::Follower::Start(
      database, bus,
      {.topic = "resource.",
       .reset = [&] { return TakeAll(host, database); },
       .take = [&](const std::vector<store::Event>& news) { return TakeChanges(host, database, news); }});
}

}  // namespace backplane::dispatch
