#include "ingest/resources.h"

#include <algorithm>
#include <optional>
#include <set>

#include <arpa/inet.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "ingest/inventory.h"
#include "store/events.h"
#include "store/inventory.h"
#include "store/resources.h"

namespace backplane::ingest {
namespace {

using store::StoredResource;

constexpr int kEndedPerStep = 100;
constexpr const char* kResourceScheme = "resource";

void AppendEvent(FoldContext& context, OrgId org, const char* topic, const StoredResource& stored,
                 const char* reason = nullptr) {
  ++context.changed;
  Json body = {{"resource", stored.id}, {"key", ResourceKey(stored.resource)}};
  if (reason != nullptr) body["reason"] = reason;
  store::Events(context.connection, org)
      .Append({0, topic, context.entry.at, context.entry.plugin, stored.entity, context.entry.run, DumpJson(body)});
}

bool IsAddress(const std::string& text) {
  in6_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1 || inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

// The device that a resource of which nobody knew is, if there is just one.
std::optional<EntityId> DeviceOf(store::Inventory& inventory, const Resource& resource) {
  std::vector<EntityId> found;
  if (IsAddress(resource.endpoint)) found = inventory.AtAddress(resource.endpoint);
  if (found.empty()) {
    found = inventory.Called(resource.id);
    for (const EntityId other : inventory.Called(resource.endpoint))
      if (std::find(found.begin(), found.end(), other) == found.end()) found.push_back(other);
  }
  if (found.size() != 1 || inventory.HasIdentifier(found[0], kResourceScheme)) return std::nullopt;
  return found[0];
}

// The entity that goes by the resource's path. Whoever reports the resource has seen it.
EntityId SeeEntity(FoldContext& context, const ResourceRecord& record) {
  const Resource& resource = record.resource;
  const Identifier path{kResourceScheme, ResourcePath(resource)};
  store::Inventory inventory(context.connection, context.entry.org);
  if (!inventory.Find(path))
    if (const auto device = DeviceOf(inventory, resource)) inventory.AddIdentifier(*device, path);
  Observation seen{.source = context.entry.plugin,
                   .identifiers = {path},
                   .claims = {{"name", resource.id},
                              {IsAddress(resource.endpoint) ? "ip" : "fqdn", resource.endpoint},
                              {"site", resource.site},
                              {"type", resource.type}},
                   .at = record.at};
  return ApplyObservation(context, seen);
}

}  // namespace

void ApplyResource(FoldContext& context, const ResourceRecord& record) {
  if (record.entity != 0 && !store::Inventory(context.connection, context.entry.org).Get(record.entity)) return;
  store::Resources resources(context.connection, context.entry.org);
  std::optional<StoredResource> present = resources.Find(ResourceKey(record.resource));
  StoredResource stored = present.value_or(StoredResource{.resource = record.resource, .created = record.at});
  stored.resource.metadata = record.resource.metadata;
  stored.entity = record.entity != 0 ? record.entity : SeeEntity(context, record);
  stored.source = context.entry.plugin;
  stored.reported = record.at;
  stored.expires = record.ttl.count() > 0 ? std::optional(record.at + record.ttl) : std::nullopt;
  stored.entry = context.entry.id;
  if (!present) {
    stored.id = resources.Insert(stored);
    AppendEvent(context, context.entry.org, "resource.new", stored);
    return;
  }
  resources.Update(stored);
  if (stored.resource.metadata != present->resource.metadata || stored.entity != present->entity)
    AppendEvent(context, context.entry.org, "resource.changed", stored);
}

void ApplyResourceGone(FoldContext& context, const ResourceGone& gone) {
  store::Resources resources(context.connection, context.entry.org);
  const std::optional<StoredResource> present = resources.Find(gone.key);
  if (!present || present->source != context.entry.plugin) return;
  EndResource(context, *present, "gone");
}

void EndResource(FoldContext& context, const StoredResource& stored, const char* reason) {
  store::Resources(context.connection, context.entry.org).Remove(stored.id);
  AppendEvent(context, context.entry.org, "resource.removed", stored, reason);
}

void MoveResource(FoldContext& context, StoredResource stored, EntityId to) {
  stored.entity = to;
  store::Resources(context.connection, context.entry.org).Update(stored);
  AppendEvent(context, context.entry.org, "resource.changed", stored);
}

void ApplyEnrichment(FoldContext& context, const EnrichmentRecord& record) {
  store::Enrichments enrichments(context.connection, context.entry.org);
  const bool changed = enrichments.Put(
      {record.resource_id, record.name_space, context.entry.plugin, record.body, record.at, record.at + record.ttl},
      record.watch_key, context.entry.id);
  if (!changed) return;
  ++context.changed;
  const Json body = {{"id", record.resource_id}, {"namespace", record.name_space}};
  store::Events(context.connection, context.entry.org)
      .Append({0, "enrichment.changed", context.entry.at, context.entry.plugin, 0, context.entry.run, DumpJson(body)});
}

ResourcesLook EndMissingResources(FoldContext& context, std::int64_t after, std::int64_t upto, int limit) {
  store::Resources resources(context.connection, context.entry.org);
  ResourcesLook look{.last = after};
  const auto walked = resources.Walk(context.entry.plugin, after, limit);
  const std::set<std::string> sites = resources.SitesOf(context.entry.plugin, context.entry.id);
  for (const StoredResource& stored : walked) {
    if (stored.id > upto) {
      look.last = upto;
      return look;
    }
    look.last = stored.id;
    ++look.looked;
    if (stored.entry == context.entry.id || !sites.contains(stored.resource.site)) continue;
    EndResource(context, stored, "missing");
  }
  look.end = static_cast<int>(walked.size()) < limit;
  return look;
}

bool EndExpired(FoldContext& context) {
  const auto expired = store::ExpiredResources(context.connection, context.entry.at, kEndedPerStep);
  for (const auto& [org, stored] : expired) {
    store::Resources(context.connection, org).Remove(stored.id);
    AppendEvent(context, org, "resource.removed", stored, "expired");
  }
  const int forgotten = store::ForgetExpiredEnrichments(context.connection, context.entry.at, kEndedPerStep);
  return static_cast<int>(expired.size()) < kEndedPerStep && forgotten < kEndedPerStep;
}

}  // namespace backplane::ingest
