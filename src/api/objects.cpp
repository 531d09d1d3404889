// /objects: what plugins report besides devices, what became of it, and what people are to be told of.
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
          {"status", ObjectStatusName(object.status)},
          {"watched", record.watched},
          {"extra", record.extra},
          {"foreign_key", record.foreign_key},
          {"help", record.help},
          {"created", FormatIso(object.created)},
          {"changed", FormatIso(object.changed)}};
}

// The values of the object then, and which object it was.
Json ToJson(const store::LoggedObject& line) {
  Json json = ToJson(line.object);
  json["object"] = line.object.id;
  json["id"] = line.id;
  json["run"] = line.run;
  json["at"] = FormatIso(line.at);
  return json;
}

template <typename Item>
Json ToJson(const std::vector<Item>& items) {
  Json list = Json::array();
  for (const Item& item : items) list.push_back(ToJson(item));
  return list;
}

Json Cursor(const std::optional<std::int64_t>& next) { return next ? Json(*next) : Json(nullptr); }

Result<store::ObjectFilter> ReadFilter(const ApiParts& parts, const Call& call) {
  store::ObjectFilter filter{.plugin = call.Query("plugin"),
                             .primary = call.Query("primary"),
                             .secondary = call.Query("secondary"),
                             .foreign_key = call.Query("foreign_key"),
                             .search = call.Query("search")};
  if (!filter.plugin.empty()) {
    BACKPLANE_ASSIGN(filter.plugin, PluginId(parts, call.org(), filter.plugin));
  }
  if (const std::string status = call.Query("status"); !status.empty()) {
    filter.status = ParseObjectStatus(status);
    if (!filter.status) return Fail(Errc::kInvalid, fmt::format("status: there is no status \"{}\"", status), "status");
  }
  if (!call.Query("since").empty()) {
    BACKPLANE_ASSIGN(filter.changed_since, call.QueryTime("since", "", parts.clock.Now()));
  }
  BACKPLANE_ASSIGN(filter.after, call.QueryInt("after", 0, 0, std::numeric_limits<std::int64_t>::max()));
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("limit", 100, 1, 1000));
  filter.limit = static_cast<int>(limit);
  return filter;
}

Result<Reply> List(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const store::ObjectFilter filter, ReadFilter(parts, call));
  Json body;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    const auto page = store::Objects(connection, call.org()).List(filter);
    body = {{"objects", ToJson(page.items)}, {"next", Cursor(page.next)}};
    return {};
  }));
  return Reply{std::move(body)};
}

struct Place {
  std::optional<std::int64_t> before;
  int limit = 0;
};

Result<Place> ReadPlace(const Call& call) {
  Place place;
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  BACKPLANE_ASSIGN(place.before, call.QueryInt("before", kMost, 1, kMost));
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("limit", 100, 1, 1000));
  place.limit = static_cast<int>(limit);
  return place;
}

// With its history and its newest reports.
Result<Reply> Show(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const std::int64_t id, call.PathId("id"));
  BACKPLANE_ASSIGN(const Place place, ReadPlace(call));
  Json body;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    const auto object = store::Objects(connection, call.org()).Get(id);
    if (!object) return Fail(Errc::kNotFound, fmt::format("no object {}", id));
    const auto page = [&](store::ObjectLogKind kind, std::optional<std::int64_t> before) {
      return store::ObjectLog(connection, call.org(), kind).OfObject(id, before, place.limit);
    };
    const auto history = page(store::ObjectLogKind::kHistory, place.before);
    body = ToJson(*object);
    body["history"] = ToJson(history.items);
    body["next"] = Cursor(history.next);
    body["reports"] = ToJson(page(store::ObjectLogKind::kReports, std::nullopt).items);
    return {};
  }));
  return Reply{std::move(body)};
}

Result<Reply> Log(const ApiParts& parts, const Call& call, store::ObjectLogKind kind, const char* key) {
  const auto catalog = CatalogOf(parts, call.org());
  BACKPLANE_ASSIGN(const Plugin* plugin, catalog->Find(call.Path("id")));
  BACKPLANE_ASSIGN(const Place place, ReadPlace(call));
  Json body;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    const auto page =
        store::ObjectLog(connection, call.org(), kind).OfPlugin(plugin->manifest.id, place.before, place.limit);
    body = {{key, ToJson(page.items)}, {"next", Cursor(page.next)}};
    return {};
  }));
  return Reply{std::move(body)};
}

}  // namespace

std::vector<Endpoint> ObjectEndpoints(const ApiParts& parts) {
  const std::vector<Parameter> newest_first = {{"before", "Cursor: the `next` of the page before."},
                                               {"limit", "Lines per page, 1 to 1000; 100 unless given."}};
  return {
      {"GET",
       "/objects",
       Permission::kRead,
       "Objects that plugins reported, with their status, by id. A page may be short, or empty, and have a `next`.",
       {{"plugin", "Only of this plugin."},
        {"status", "Only new, changed, unchanged or missing ones."},
        {"primary", "Only with this primary id."},
        {"secondary", "Only with this secondary id."},
        {"foreign_key", "Only with this foreign key."},
        {"search", "Only with this in one of their values."},
        {"since", "Only those that changed then or later (2026-08-22T10:00:00Z, or -1h)."},
        {"after", "Cursor: the `next` of the page before."},
        {"limit", "Objects per page, 1 to 1000; 100 unless given."}},
       [&parts](const Call& call) { return List(parts, call); }},
      {"GET", "/objects/{id}", Permission::kRead,
       "One object, with its history, newest first, and the reports of it that nobody has taken.", newest_first,
       [&parts](const Call& call) { return Show(parts, call); }},
      {"GET", "/plugins/{id}/history", Permission::kRead,
       "What became of a plugin's objects, newest first, each with its values then.", newest_first,
       [&parts](const Call& call) { return Log(parts, call, store::ObjectLogKind::kHistory, "history"); }},
      {"GET", "/plugins/{id}/reports", Permission::kRead,
       "Objects of a plugin that it wants people told of, newest first, until somebody takes them.", newest_first,
       [&parts](const Call& call) { return Log(parts, call, store::ObjectLogKind::kReports, "reports"); }},
  };
}

}  // namespace backplane::api
