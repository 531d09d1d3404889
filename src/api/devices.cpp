// /devices: the inventory.
#include <fmt/format.h>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/api.h"
#include "ingest/inventory.h"
#include "store/inventory.h"

namespace backplane::api {
namespace {

Json ToJson(const store::Entity& entity) {
  Json json = {{"id", entity.id}, {"kind", entity.kind}};
  for (std::size_t i = 0; i < kDeviceFields.size(); ++i) json[kDeviceFields[i]] = entity.fields[i];
  json["first_seen"] = FormatIso(entity.first_seen);
  json["last_seen"] = FormatIso(entity.last_seen);
  json["revision"] = entity.revision;
  return json;
}

// With who says what of each field.
Json Describe(store::Inventory& inventory, const store::Entity& entity) {
  Json json = ToJson(entity);
  json["identifiers"] = Json::array();
  for (const Identifier& identifier : inventory.Identifiers(entity.id))
    json["identifiers"].push_back({{"scheme", identifier.scheme}, {"value", identifier.value}});
  json["locked"] = inventory.Locks(entity.id);
  json["claims"] = Json::array();
  for (const store::ClaimRow& claim : inventory.Claims(entity.id))
    json["claims"].push_back({{"field", claim.field},
                              {"source", claim.source},
                              {"value", claim.value},
                              {"at", FormatIso(claim.at)},
                              {"wins", claim.wins}});
  json["seen_by"] = Json::array();
  for (const store::Sighting& sighting : inventory.Sightings(entity.id))
    json["seen_by"].push_back(
        {{"source", sighting.source}, {"first", FormatIso(sighting.first_at)}, {"last", FormatIso(sighting.last_at)}});
  return json;
}

Result<Reply> List(const ApiParts& parts, const Call& call) {
  store::DeviceFilter filter;
  filter.search = call.Query("search");
  BACKPLANE_ASSIGN(filter.after, call.QueryInt("after", 0, 0, std::numeric_limits<std::int64_t>::max()));
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("limit", 100, 1, 1000));
  filter.limit = static_cast<int>(limit) + 1;  // one more tells whether there is a next page
  for (const char* field : kDeviceFields)
    if (call.request().query.contains(field)) filter.equals[field] = call.Query(field);
  Json body;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    auto devices = store::Inventory(connection, call.org()).List(filter);
    const bool more = devices.size() > static_cast<std::size_t>(limit);
    if (more) devices.pop_back();
    body["devices"] = Json::array();
    for (const store::Entity& device : devices) body["devices"].push_back(ToJson(device));
    body["next"] = more ? Json(devices.back().id) : Json(nullptr);
    return {};
  }));
  return Reply{std::move(body)};
}

Result<Reply> Show(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const EntityId id, call.PathId("id"));
  Json body;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    store::Inventory inventory(connection, call.org());
    const auto device = inventory.Get(id);
    if (!device) return Fail(Errc::kNotFound, fmt::format("no device {}", id));
    body = Describe(inventory, *device);
    return {};
  }));
  return Reply{std::move(body)};
}

Result<Reply> Edit(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const EntityId id, call.PathId("id"));
  BACKPLANE_ASSIGN(const Json body, call.Body());
  if (body.contains("device")) return Fail(Errc::kInvalid, "the device is named by the path", "device");
  BACKPLANE_ASSIGN(ingest::DeviceEdit edit, ingest::DecodeEdit(body));
  if (edit.set.empty() && edit.lock.empty() && edit.unlock.empty())
    return Fail(Errc::kInvalid, "nothing to change: give set, lock or unlock");
  edit.device = id;
  BACKPLANE_ASSIGN(const store::Entity device, parts.folder.Edit(call.org(), edit));
  return Reply{ToJson(device)};
}

}  // namespace

std::vector<Endpoint> DeviceEndpoints(const ApiParts& parts) {
  std::vector<Parameter> filters = {
      {"search", "Part of a name, MAC, IP, vendor or FQDN."},
      {"after", "Cursor: the `next` of the page before."},
      {"limit", "Devices per page, 1 to 1000; 100 unless given."},
  };
  for (const char* field : kDeviceFields)
    filters.push_back({field, fmt::format("Only devices whose {} is this.", field)});
  return {
      {"GET", "/devices", Permission::kRead, "Devices, by id.", filters,
       [&parts](const Call& call) { return List(parts, call); }},
      {"GET",
       "/devices/{id}",
       Permission::kRead,
       "One device, with its identifiers, locks, and what each source says.",
       {},
       [&parts](const Call& call) { return Show(parts, call); }},
      {"PATCH",
       "/devices/{id}",
       Permission::kEdit,
       "Changes a device: `set` maps fields to values (null takes yours back), `lock` and `unlock` list fields.",
       {},
       [&parts](const Call& call) { return Edit(parts, call); }},
  };
}

}  // namespace backplane::api
