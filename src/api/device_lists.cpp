// /devices as a list, and what became of devices.
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "api/api.h"
#include "api/device_query.h"
#include "base/text.h"
#include "store/device_events.h"

namespace backplane::api {
namespace {

constexpr auto kMost = std::numeric_limits<std::int64_t>::max();

Result<bool> TakeFlag(std::map<std::string, std::string>& query, const char* name) {
  const auto text = query.extract(name);
  if (text.empty() || text.mapped() == "false") return false;
  if (text.mapped() == "true") return true;
  return Fail(Errc::kInvalid, fmt::format("{}: \"{}\" is neither true nor false", name, text.mapped()), name);
}

Result<std::vector<std::string>> TakeMembers(std::map<std::string, std::string>& query) {
  const auto text = query.extract("fields");
  if (text.empty()) return std::vector<std::string>{};
  std::vector<std::string> members = {"id"};
  for (const std::string_view name : Split(text.mapped(), ',')) {
    if (std::find(DeviceMembers().begin(), DeviceMembers().end(), name) == DeviceMembers().end())
      return Fail(Errc::kInvalid,
                  fmt::format("fields: a device has no \"{}\"; it has {}", name, fmt::join(DeviceMembers(), ", ")),
                  "fields");
    members.emplace_back(name);
  }
  return members;
}

struct ListCall {
  store::DeviceQuery query;
  std::vector<std::string> members;  ///< empty: all
  bool count = false;
};

Result<ListCall> ReadCall(const Call& call) {
  auto query = call.request().query;
  ListCall list;
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("limit", 100, 1, 1000));
  query.erase("limit");
  BACKPLANE_ASSIGN(list.count, TakeFlag(query, "count"));
  BACKPLANE_ASSIGN(const bool descending, TakeFlag(query, "desc"));
  BACKPLANE_ASSIGN(list.members, TakeMembers(query));
  auto sort = store::DeviceSort::kId;
  if (const auto text = query.extract("sort")) {
    const auto found = store::ParseDeviceSort(text.mapped());
    if (!found)
      return Fail(Errc::kInvalid,
                  fmt::format("sort: devices are not sorted by \"{}\"; there are {}", text.mapped(),
                              fmt::join(store::kDeviceSorts, ", ")),
                  "sort");
    sort = *found;
  }
  const auto after = query.extract("after");
  BACKPLANE_ASSIGN(list.query, ReadDeviceFilters(query));
  list.query.sort = sort;
  list.query.descending = descending;
  list.query.limit = static_cast<int>(limit);
  if (after) {
    BACKPLANE_ASSIGN(list.query.after, DecodeCursor(list.query, after.mapped()));
  }
  return list;
}

Json Only(const std::vector<std::string>& members, Json device) {
  if (members.empty()) return device;
  Json part = Json::object();
  for (const std::string& member : members) part[member] = std::move(device[member]);
  return part;
}

Result<Reply> List(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const ListCall list, ReadCall(call));
  Json body;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    store::DeviceList devices(connection, call.org());
    const store::DevicePage page = devices.Page(list.query);
    body["devices"] = Json::array();
    for (const store::Entity& device : page.devices) body["devices"].push_back(Only(list.members, ToJson(device)));
    body["next"] = page.next ? Json(EncodeCursor(list.query, *page.next)) : Json(nullptr);
    if (list.count) body["count"] = devices.Count(list.query);
    return {};
  }));
  return Reply{std::move(body)};
}

Json TimeOrNull(const std::optional<TimePoint>& time) { return time ? Json(FormatIso(*time)) : Json(nullptr); }
Json KindOrNull(const std::optional<store::DeviceEventKind>& kind) {
  return kind ? Json(DeviceEventKindName(*kind)) : Json(nullptr);
}

Json ToJson(const store::DeviceEvent& event) {
  return {{"id", event.id},
          {"device", event.entity},
          {"at", FormatIso(event.at)},
          {"kind", DeviceEventKindName(event.kind)},
          {"mac", event.mac},
          {"ip", event.ip},
          {"info", event.info},
          {"pending", event.pending},
          {"pair", event.pair ? Json(*event.pair) : Json(nullptr)}};
}

Json ToJson(const store::DeviceSession& session) {
  return {{"id", session.id},
          {"device", session.entity},
          {"mac", session.mac},
          {"ip", session.ip},
          {"began", TimeOrNull(session.began)},
          {"began_by", KindOrNull(session.began_by)},
          {"ended", TimeOrNull(session.ended)},
          {"ended_by", KindOrNull(session.ended_by)}};
}

// Newest first: `next` is for `before`.
template <typename Item>
Json Page(const char* name, std::vector<Item> items, std::size_t limit) {
  const bool more = items.size() > limit;
  if (more) items.resize(limit);
  Json body = {{name, Json::array()}, {"next", more ? Json(items.back().id) : Json(nullptr)}};
  for (const Item& item : items) body[name].push_back(ToJson(item));
  return body;
}

// What became of a device outlives it.
Status CheckKnown(store::Connection& connection, OrgId org, EntityId device) {
  if (device == 0 || store::Inventory(connection, org).Get(device)) return {};
  if (!store::DeviceEvents(connection, org).List({.entity = device, .limit = 1}).empty()) return {};
  return Fail(Errc::kNotFound, fmt::format("no device {}", device));
}

Result<Reply> Events(const ApiParts& parts, const Call& call, EntityId device) {
  store::DeviceEventFilter filter{.entity = device};
  BACKPLANE_ASSIGN(filter.before, call.QueryInt("before", 0, 0, kMost));
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("limit", 100, 1, 1000));
  filter.limit = static_cast<int>(limit) + 1;
  if (const std::string kind = call.Query("kind"); !kind.empty()) {
    filter.kind = store::ParseDeviceEventKind(kind);
    if (!filter.kind) return Fail(Errc::kInvalid, fmt::format("kind: there is no \"{}\"", kind), "kind");
  }
  if (!call.Query("from").empty()) {
    BACKPLANE_ASSIGN(filter.from, call.QueryTime("from", "", parts.clock.Now()));
  }
  if (!call.Query("to").empty()) {
    BACKPLANE_ASSIGN(filter.upto, call.QueryTime("to", "", parts.clock.Now()));
  }
  auto query = call.request().query;
  BACKPLANE_ASSIGN(filter.pending, TakeFlag(query, "pending"));
  Json body;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    BACKPLANE_TRY(CheckKnown(connection, call.org(), device));
    body = Page("events", store::DeviceEvents(connection, call.org()).List(filter), static_cast<std::size_t>(limit));
    return {};
  }));
  return Reply{std::move(body)};
}

Result<Reply> Sessions(const ApiParts& parts, const Call& call, EntityId device) {
  BACKPLANE_ASSIGN(const std::int64_t before, call.QueryInt("before", 0, 0, kMost));
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("limit", 100, 1, 1000));
  Json body;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    BACKPLANE_TRY(CheckKnown(connection, call.org(), device));
    auto sessions = store::DeviceEvents(connection, call.org()).Sessions(device, before, static_cast<int>(limit) + 1);
    body = Page("sessions", std::move(sessions), static_cast<std::size_t>(limit));
    return {};
  }));
  return Reply{std::move(body)};
}

std::vector<Parameter> ListParameters() {
  std::vector<Parameter> parameters = {
      {"search", "Part of a name, MAC, IP, vendor or FQDN."},
      {"status", fmt::format("Only these: {}; \"shown\", all but archived ones, unless given.",
                             fmt::join(store::kDeviceGroups, ", "))},
      {"present", "Only those that are there (true), or are not (false)."},
      {"sort", fmt::format("By one of {}; by id unless given.", fmt::join(store::kDeviceSorts, ", "))},
      {"desc", "true: the other way round."},
      {"fields", "Only these members of each device, with commas; its id is always there."},
      {"count", "true: says how many devices there are on all pages."},
      {"after", "Cursor: the `next` of the page before."},
      {"limit", "Devices per page, 1 to 1000; 100 unless given."},
  };
  for (const char* field : kDeviceFields)
    parameters.push_back({field, fmt::format("Only devices whose {} is this.", field)});
  return parameters;
}

}  // namespace

std::vector<Endpoint> DeviceListEndpoints(const ApiParts& parts) {
  const std::vector<Parameter> newest_first = {{"before", "Cursor: the `next` of the page before."},
                                               {"limit", "Lines per page, 1 to 1000; 100 unless given."}};
  std::vector<Parameter> filters = {
      {"kind", "Only new, connected, disconnected, down, reconnected or ip_changed ones."},
      {"from", "Only those from then on (2026-08-22T10:00:00Z, or -1h)."},
      {"to", "Only those up to then."},
      {"pending", "true: only those that people are to be told of, and were not yet."}};
  filters.insert(filters.end(), newest_first.begin(), newest_first.end());
  std::vector<Parameter> of_any = filters;
  of_any.insert(of_any.begin(), {"device", "Only of this device, which may be gone."});
  return {
      {"GET", "/devices", Permission::kRead, "Devices, without archived ones unless they are asked for.",
       ListParameters(), [&parts](const Call& call) { return List(parts, call); }},
      {"GET", "/devices/{id}/events", Permission::kRead,
       "When a device came, went and changed its address, newest first; also of one that is gone.", filters,
       [&parts](const Call& call) -> Result<Reply> {
         BACKPLANE_ASSIGN(const EntityId device, call.PathId("id"));
         return Events(parts, call, device);
       }},
      {"GET", "/devices/{id}/sessions", Permission::kRead,
       "The times in which a device was there, newest first; also of one that is gone.", newest_first,
       [&parts](const Call& call) -> Result<Reply> {
         BACKPLANE_ASSIGN(const EntityId device, call.PathId("id"));
         return Sessions(parts, call, device);
       }},
      {"GET", "/device-events", Permission::kRead, "When devices came, went and changed their addresses, newest first.",
       of_any,
       [&parts](const Call& call) -> Result<Reply> {
         BACKPLANE_ASSIGN(const EntityId device, call.QueryInt("device", 0, 1, kMost));
         return Events(parts, call, device);
       }},
  };
}

}  // namespace backplane::api
