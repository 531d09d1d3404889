// /resources: what plugins run about, and what is known of it.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/api.h"
#include "store/resources.h"

namespace backplane::api {
namespace {

Json ToJson(const store::StoredResource& stored) {
  const Resource& resource = stored.resource;
  return {{"id", stored.id},
          {"key", ResourceKey(resource)},
          {"device", stored.entity},
          {"source", stored.source},
          {"site", resource.site},
          {"class", resource.class_name},
          {"subclass", resource.subclass},
          {"type", resource.type},
          {"resource_id", resource.id},
          {"endpoint", resource.endpoint},
          {"plugin", resource.plugin},
          {"metadata", resource.metadata},
          {"created", FormatIso(stored.created)},
          {"reported", FormatIso(stored.reported)},
          {"expires", stored.expires ? Json(FormatIso(*stored.expires)) : Json(nullptr)}};
}

// The document of an enrichment, and its text if it is none.
Json ToJson(const store::StoredEnrichment& enrichment) {
  const Result<Json> body = ParseJson(enrichment.body);
  return {{"resource_id", enrichment.resource_id},
          {"namespace", enrichment.name_space},
          {"source", enrichment.source},
          {"at", FormatIso(enrichment.at)},
          {"expires", FormatIso(enrichment.expires)},
          {"body", body ? *body : Json(enrichment.body)}};
}

Result<Reply> List(const ApiParts& parts, const Call& call) {
  store::ResourceFilter filter{.search = call.Query("search"),
                               .site = call.Query("site"),
                               .class_name = call.Query("class"),
                               .subclass = call.Query("subclass"),
                               .type = call.Query("type"),
                               .id = call.Query("resource_id"),
                               .source = call.Query("source"),
                               .now = parts.clock.Now()};
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  BACKPLANE_ASSIGN(filter.entity, call.QueryInt("device", 0, 0, kMost));
  BACKPLANE_ASSIGN(filter.after, call.QueryInt("after", 0, 0, kMost));
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("limit", 100, 1, 1000));
  filter.limit = static_cast<int>(limit) + 1;
  Json body;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    auto resources = store::Resources(connection, call.org()).List(filter);
    const bool more = resources.size() > static_cast<std::size_t>(limit);
    if (more) resources.pop_back();
    body["resources"] = Json::array();
    for (const store::StoredResource& resource : resources) body["resources"].push_back(ToJson(resource));
    body["next"] = more ? Json(resources.back().id) : Json(nullptr);
    return {};
  }));
  return Reply{std::move(body)};
}

// With its enrichments, and the plugins that run about it.
Result<Reply> Show(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const std::int64_t id, call.PathId("id"));
  Json body;
  std::string key;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    const auto stored = store::Resources(connection, call.org()).Get(id);
    if (!stored) return Fail(Errc::kNotFound, fmt::format("no resource {}", id));
    body = ToJson(*stored);
    key = ResourceKey(stored->resource);
    body["enrichments"] = Json::array();
    for (const store::StoredEnrichment& enrichment :
         store::Enrichments(connection, call.org()).Of(stored->resource.id, "", parts.clock.Now()))
      body["enrichments"].push_back(ToJson(enrichment));
    return {};
  }));
  body["plugins"] = Json::array();
  const auto resource = parts.host.FindResource(key);
  const auto catalog = CatalogOf(parts, call.org());
  for (const Plugin& plugin : catalog->plugins())
    if (resource != nullptr && plugin.manifest.targets != nullptr && plugin.manifest.targets->matches(*resource))
      body["plugins"].push_back(plugin.manifest.id);
  return Reply{std::move(body)};
}

}  // namespace

std::vector<Endpoint> ResourceEndpoints(const ApiParts& parts) {
  return {
      {"GET",
       "/resources",
       Permission::kRead,
       "What plugins run about, in the order it became known.",
       {{"search", "Only with this in id or endpoint."},
        {"site", "Only of this site."},
        {"class", "Only of this class."},
        {"subclass", "Only of this subclass."},
        {"type", "Only of this type."},
        {"resource_id", "Only with this id."},
        {"source", "Only as reported by this plugin or mapping rule."},
        {"device", "Only of this device."},
        {"after", "Cursor: the `next` of the page before."},
        {"limit", "Resources per page, 1 to 1000; 100 unless given."}},
       [&parts](const Call& call) { return List(parts, call); }},
      {"GET",
       "/resources/{id}",
       Permission::kRead,
       "One resource, with its enrichments and the plugins that run about it.",
       {},
       [&parts](const Call& call) { return Show(parts, call); }},
  };
}

}  // namespace backplane::api
