#include "store/state.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "model/record.h"

namespace backplane::store {
namespace {

struct Table {
  std::string name;
  std::vector<std::string> columns;
  std::string order;
};

const std::vector<Table>& Tables() {
  static const std::vector<Table> tables = [] {
    std::vector<std::string> entity = {"id",      "org",     "kind",    "first_seen", "last_seen", "revision",
                                       "touched", "changed", "present", "since",      "down",      "notified",
                                       "came",    "ip4",     "ip6",     "search",     "ip_key"};
    entity.insert(entity.end(), kDeviceFields.begin(), kDeviceFields.end());
    const std::vector<std::string> logged = {
        "id",           "org",      "object",   "run",      "at",       "plugin",  "primary_id",
        "secondary_id", "watched1", "watched2", "watched3", "watched4", "extra",   "foreign_key",
        "help1",        "help2",    "help3",    "help4",    "status",   "created", "changed"};
    return std::vector<Table>{
        {"entity", entity, "id"},
        {"identifier", {"org", "scheme", "value", "entity", "alias"}, "org, scheme, value"},
        {"claim", {"entity", "field", "source", "value", "at", "wins"}, "entity, field, source"},
        {"field_lock", {"entity", "field"}, "entity, field"},
        {"sighting", {"entity", "source", "first_at", "last_at", "entry", "plugin", "told"}, "entity, source"},
        {"scanner", {"org", "plugin", "every", "began", "at", "entry"}, "org, plugin"},
        {"device_event",
         {"id", "org", "entity", "kind", "at", "mac", "ip", "info", "pending", "pair", "touched"},
         "id"},
        {"device_session",
         {"id", "org", "entity", "mac", "ip", "began", "began_by", "ended", "ended_by", "touched"},
         "id"},
        {"notification", {"id", "org", "source", "level", "title", "text", "html", "data", "at", "entry"}, "id"},
        {"object",
         {"id",        "org",      "plugin",  "object_key",  "primary_id", "secondary_id", "watched1", "watched2",
          "watched3",  "watched4", "extra",   "foreign_key", "help1",      "help2",        "help3",    "help4",
          "watch_key", "status",   "created", "changed",     "entry",      "touched"},
         "id"},
        {"object_history", logged, "id"},
        {"object_report", logged, "id"},
        {"resource",
         {"id", "org", "entity", "resource_key", "source", "site", "class", "subclass", "type", "resource_id",
          "endpoint", "plugin", "metadata", "created", "reported", "expires", "entry"},
         "id"},
        {"enrichment",
         {"id", "org", "resource_id", "name_space", "source", "body", "watch_key", "at", "expires", "entry"},
         "id"},
        {"event", {"seq", "org", "topic", "at", "plugin", "entity", "run", "body"}, "seq"},
    };
  }();
  return tables;
}

}  // namespace

std::vector<std::string> FoldedTables() {
  std::vector<std::string> names;
  for (const Table& table : Tables()) names.push_back(table.name);
  return names;
}

std::vector<std::string> StateRows(Connection& connection, const std::string& name) {
  std::vector<std::string> result;
  for (const Table& table : Tables()) {
    if (table.name != name) continue;
    Rows rows = connection.Query(
        fmt::format("SELECT {} FROM {} ORDER BY {}", fmt::join(table.columns, ", "), table.name, table.order));
    while (rows.Next()) {
      std::string line;
      for (std::size_t i = 0; i < table.columns.size(); ++i) {
        if (i > 0) line += '|';
        line += rows.View(static_cast<int>(i));
      }
      result.push_back(std::move(line));
    }
  }
  return result;
}

}  // namespace backplane::store
