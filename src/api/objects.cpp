// /objects: what plugins report besides devices.
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/api.h"
#include "store/objects.h"

namespace backplane::api {
namespace {

Json ToJson(const store::Object& object) {
  const ObjectRecord& record = object.record;
  return {{"id", object.id},
          {"plugin", object.plugin},
          {"primary", record.primary},
          {"secondary", record.secondary},
          {"status", store::ObjectStatusName(object.status)},
          {"watched", record.watched},
          {"extra", record.extra},
          {"foreign_key", record.foreign_key},
          {"help", record.help},
          {"created", FormatIso(object.created)},
          {"changed", FormatIso(object.changed)}};
}

Result<Reply> List(const ApiParts& parts, const Call& call) {
  store::ObjectFilter filter{.plugin = call.Query("plugin"), .status = call.Query("status")};
  if (!filter.plugin.empty()) {
    BACKPLANE_ASSIGN(filter.plugin, PluginId(parts, call.org(), filter.plugin));
  }
  using store::ObjectStatus;
  constexpr std::array kStatuses = {ObjectStatus::kNew, ObjectStatus::kChanged, ObjectStatus::kUnchanged,
                                    ObjectStatus::kMissing};
  const bool known = std::any_of(kStatuses.begin(), kStatuses.end(),
                                 [&](ObjectStatus status) { return filter.status == store::ObjectStatusName(status); });
  if (!filter.status.empty() && !known)
    return Fail(Errc::kInvalid, fmt::format("status: there is no status \"{}\"", filter.status), "status");
  BACKPLANE_ASSIGN(filter.after, call.QueryInt("after", 0, 0, std::numeric_limits<std::int64_t>::max()));
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("limit", 100, 1, 1000));
  filter.limit = static_cast<int>(limit) + 1;
  Json body;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    auto objects = store::Objects(connection, call.org()).List(filter);
    const bool more = objects.size() > static_cast<std::size_t>(limit);
    if (more) objects.pop_back();
    body["objects"] = Json::array();
    for (const store::Object& object : objects) body["objects"].push_back(ToJson(object));
    body["next"] = more ? Json(objects.back().id) : Json(nullptr);
    return {};
  }));
  return Reply{std::move(body)};
}

}  // namespace

std::vector<Endpoint> ObjectEndpoints(const ApiParts& parts) {
  return {{"GET",
           "/objects",
           Permission::kRead,
           "Objects that plugins reported, with their status.",
           {{"plugin", "Only of this plugin."},
            {"status", "Only new, changed, unchanged or missing ones."},
            {"after", "Cursor: the `next` of the page before."},
            {"limit", "Objects per page, 1 to 1000; 100 unless given."}},
           [&parts](const Call& call) { return List(parts, call); }}};
}

}  // namespace backplane::api
