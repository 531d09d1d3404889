// /devices: one of them, and what people change.
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/api.h"
#include "api/device_query.h"
#include "store/inventory.h"

namespace backplane::api {
namespace {

constexpr std::size_t kMostIds = 1'000;  // as many as may be changed at once

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
    json["seen_by"].push_back({{"source", sighting.source},
                               {"plugin", sighting.plugin},
                               {"first", FormatIso(sighting.first_at)},
                               {"last", FormatIso(sighting.last_at)}});
  return json;
}

Result<Reply> Show(const ApiParts& parts, OrgId org, EntityId id) {
  Json body;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    store::Inventory inventory(connection, org);
    const auto device = inventory.Get(id);
    if (!device) return Fail(Errc::kNotFound, fmt::format("no device {}", id));
    body = Describe(inventory, *device);
    return {};
  }));
  return Reply{std::move(body)};
}

Result<ingest::DeviceEdit> ReadEdit(const Json& body) {
  if (body.contains("device")) return Fail(Errc::kInvalid, "the device is named by the path", "device");
  BACKPLANE_ASSIGN(ingest::DeviceEdit edit, ingest::DecodeEdit(body));
  if (edit.set.empty() && edit.lock.empty() && edit.unlock.empty())
    return Fail(Errc::kInvalid, "nothing to change: give set, lock or unlock");
  return edit;
}

Result<Reply> Edit(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const EntityId id, call.PathId("id"));
  BACKPLANE_ASSIGN(const Json body, call.Body());
  BACKPLANE_ASSIGN(ingest::DeviceEdit edit, ReadEdit(body));
  edit.device = id;
  BACKPLANE_ASSIGN(const store::Entity device, parts.folder.Change(call.org(), edit, call.actor()));
  return Reply{ToJson(device)};
}

Result<Reply> Delete(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const EntityId id, call.PathId("id"));
  BACKPLANE_TRY(parts.folder.Change(call.org(), ingest::DeviceDelete{id}, call.actor()));
  return Reply{{{"removed", id}}};
}

Result<std::vector<EntityId>> ReadIds(const Json& list, const char* where) {
  if (list.size() > kMostIds)
    return Fail(Errc::kInvalid, fmt::format("{}: names more than {} devices", where, kMostIds), where);
  std::vector<EntityId> ids;
  for (const Json& id : list) {
    if (!id.is_number_integer())
      return Fail(Errc::kInvalid, fmt::format("{}: not an id of a device: {}", where, DumpJson(id)), where);
    if (std::find(ids.begin(), ids.end(), id.get<EntityId>()) == ids.end()) ids.push_back(id.get<EntityId>());
  }
  if (ids.empty()) return Fail(Errc::kInvalid, fmt::format("{}: names no device", where), where);
  return ids;
}

Status CheckKeys(const Json& body, const char* only) {
  for (const auto& [key, value] : body.items())
    if (key != only) return Fail(Errc::kInvalid, fmt::format("unknown key: {}; there is {}", key, only), key);
  return {};
}

Result<Reply> Merge(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const EntityId into, call.PathId("id"));
  BACKPLANE_ASSIGN(Json body, call.Body());
  BACKPLANE_TRY(CheckKeys(body, "from"));
  Json from = body.value("from", Json::array());
  BACKPLANE_ASSIGN(const std::vector<EntityId> ids, ReadIds(from.is_array() ? from : Json::array({from}), "from"));
  std::vector<ingest::DeviceChange> changes;
  for (const EntityId id : ids) changes.emplace_back(ingest::DeviceMerge{id, into});
  BACKPLANE_TRY(parts.folder.ChangeAll(call.org(), changes, call.actor()));
  return Show(parts, call.org(), into);
}

Result<Reply> Split(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const EntityId id, call.PathId("id"));
  BACKPLANE_ASSIGN(const Json body, call.Body());
  BACKPLANE_TRY(CheckKeys(body, "identifiers"));
  BACKPLANE_ASSIGN(const ingest::DeviceChange change,
                   ingest::DecodeChange({{"split", id}, {"identifiers", body.value("identifiers", Json::array())}}));
  BACKPLANE_ASSIGN(const store::Entity device, parts.folder.Change(call.org(), change, call.actor()));
  BACKPLANE_ASSIGN(Reply reply, Show(parts, call.org(), device.id));
  reply.status = 201;
  return reply;
}

// {"vendor": "Acme", "present": true} as a query would have it.
Result<std::map<std::string, std::string>> ReadWhere(const Json& where) {
  std::map<std::string, std::string> filters;
  if (!where.is_object() || where.empty())
    return Fail(Errc::kInvalid,
                R"(where: names filters of the list; {"status": "shown"} are all that are not archived)", "where");
  for (const auto& [name, value] : where.items()) {
    if (value.is_structured() || value.is_null())
      return Fail(Errc::kInvalid, fmt::format("where.{}: a value is a text, a number, true or false", name),
                  "where." + name);
    filters[name] = value.is_string() ? value.get<std::string>() : DumpJson(value);
  }
  return filters;
}

Result<std::vector<EntityId>> Matching(const ApiParts& parts, const Call& call, const Json& where) {
  BACKPLANE_ASSIGN(const auto filters, ReadWhere(where));
  BACKPLANE_ASSIGN(store::DeviceQuery query, ReadDeviceFilters(filters, "where."));
  query.limit = static_cast<int>(ingest::Folder::kMostChanges);
  std::vector<EntityId> ids;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    store::DeviceList list(connection, call.org());
    const store::DevicePage page = list.Page(query);
    if (page.next)
      return Fail(Errc::kInvalid,
                  fmt::format("where: {} devices match, and at most {} are changed together: narrow it down",
                              list.Count(query), query.limit),
                  "where");
    for (const store::Entity& device : page.devices) ids.push_back(device.id);
    return {};
  }));
  return ids;
}

Result<Reply> EditMany(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(Json body, call.Body());
  const Json which = body.value("devices", Json());
  const Json where = body.value("where", Json());
  const Json trial = body.value("dry_run", Json(false));
  for (const char* key : {"devices", "where", "dry_run"}) body.erase(key);
  if (!trial.is_boolean()) return Fail(Errc::kInvalid, "dry_run: is neither true nor false", "dry_run");
  if (which.is_null() == where.is_null())
    return Fail(Errc::kInvalid, "which devices? give either devices, a list of ids, or where", "devices");
  BACKPLANE_ASSIGN(ingest::DeviceEdit edit, ReadEdit(body));
  if (!which.is_null() && !which.is_array()) return Fail(Errc::kInvalid, "devices: is a list of ids", "devices");
  BACKPLANE_ASSIGN(const std::vector<EntityId> ids,
                   which.is_null() ? Matching(parts, call, where) : ReadIds(which, "devices"));
  std::vector<ingest::DeviceChange> changes;
  for (const EntityId id : ids) {
    edit.device = id;
    changes.emplace_back(edit);
  }
  BACKPLANE_ASSIGN(const auto devices, parts.folder.ChangeAll(call.org(), changes, call.actor(), trial == true));
  Json answer = {{"matched", devices.size()}, {"changed", 0}, {"dry_run", trial}, {"devices", Json::array()}};
  std::int64_t changed = 0;
  for (const ingest::ChangedDevice& one : devices) {
    changed += one.changed ? 1 : 0;
    answer["devices"].push_back({{"id", one.device.id}, {"revision", one.device.revision}, {"changed", one.changed}});
  }
  answer["changed"] = changed;
  return Reply{std::move(answer)};
}

}  // namespace

std::vector<Endpoint> DeviceEndpoints(const ApiParts& parts) {
  return {
      {"PATCH",
       "/devices",
       Permission::kEdit,
       "Changes many devices, all or none: `devices` is a list of ids, or `where` has filters of the list; `set`, "
       "`lock` and `unlock` as for one; with `dry_run` nothing is changed. At most 1,000.",
       {},
       [&parts](const Call& call) { return EditMany(parts, call); }},
      {"GET",
       "/devices/{id}",
       Permission::kRead,
       "One device, with its identifiers, locks, and what each source says.",
       {},
       [&parts](const Call& call) -> Result<Reply> {
         BACKPLANE_ASSIGN(const EntityId id, call.PathId("id"));
         return Show(parts, call.org(), id);
       }},
      {"PATCH",
       "/devices/{id}",
       Permission::kEdit,
       "Changes a device: `set` maps fields to values (null takes yours back), `lock` and `unlock` list fields.",
       {},
       [&parts](const Call& call) { return Edit(parts, call); }},
      {"DELETE",
       "/devices/{id}",
       Permission::kEdit,
       "Deletes a device; when it is seen again it is new.",
       {},
       [&parts](const Call& call) { return Delete(parts, call); }},
      {"POST",
       "/devices/{id}/merge",
       Permission::kEdit,
       "Makes one device of several: `from` is the id of another, or a list of them, which are gone then.",
       {},
       [&parts](const Call& call) { return Merge(parts, call); }},
      {"POST",
       "/devices/{id}/split",
       Permission::kEdit,
       "Makes a new device of some of a device's `identifiers`, each {\"scheme\", \"value\"}.",
       {},
       [&parts](const Call& call) { return Split(parts, call); }},
  };
}

}  // namespace backplane::api
