#include "store/objects.h"

#include <fmt/format.h>

namespace backplane::store {
namespace {

constexpr const char* kSelect =
    "SELECT id, plugin, object_key, primary_id, secondary_id, watched1, watched2, watched3, watched4, extra, "
    "foreign_key, help1, help2, help3, help4, watch_key, status, created, changed FROM object WHERE org = ?";

ObjectStatus ParseStatus(std::string_view name) {
  for (const auto status : {ObjectStatus::kNew, ObjectStatus::kChanged, ObjectStatus::kMissing})
    if (name == ObjectStatusName(status)) return status;
  return ObjectStatus::kUnchanged;
}

Object ReadObject(const Rows& rows) {
  Object object;
  object.id = rows.Int(0);
  object.plugin = rows.Text(1);
  ObjectRecord& record = object.record;
  record.key = rows.Text(2);
  record.primary = rows.Text(3);
  record.secondary = rows.Text(4);
  for (int i = 0; i < 4; ++i) record.watched[static_cast<std::size_t>(i)] = rows.Text(5 + i);
  record.extra = rows.Text(9);
  record.foreign_key = rows.Text(10);
  for (int i = 0; i < 4; ++i) record.help[static_cast<std::size_t>(i)] = rows.Text(11 + i);
  record.watch_key = rows.Text(15);
  object.status = ParseStatus(rows.View(16));
  object.created = FromMillis(rows.Int(17));
  object.changed = FromMillis(rows.Int(18));
  record.at = object.changed;
  return object;
}

}  // namespace

const char* ObjectStatusName(ObjectStatus status) {
  switch (status) {
    case ObjectStatus::kNew: return "new";
    case ObjectStatus::kChanged: return "changed";
    case ObjectStatus::kUnchanged: return "unchanged";
    case ObjectStatus::kMissing: return "missing";
  }
  return "unchanged";
}

std::optional<Objects::Present> Objects::Find(const std::string& plugin, const std::string& key) {
  Rows rows = db_.Query("SELECT id, status, watch_key FROM object WHERE org = ? AND plugin = ? AND object_key = ?",
                        org_, plugin, key);
  if (!rows.Next()) return std::nullopt;
  return Present{rows.Int(0), ParseStatus(rows.View(1)), rows.Text(2)};
}

std::int64_t Objects::Insert(const std::string& plugin, const ObjectRecord& r, EntryId entry) {
  return db_.ExecuteReturning(
      "INSERT INTO object (org, plugin, object_key, primary_id, secondary_id, watched1, watched2, watched3, watched4, "
      "extra, foreign_key, help1, help2, help3, help4, watch_key, status, created, changed, entry) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'new', ?, ?, ?) RETURNING id",
      org_, plugin, r.key, r.primary, r.secondary, r.watched[0], r.watched[1], r.watched[2], r.watched[3], r.extra,
      r.foreign_key, r.help[0], r.help[1], r.help[2], r.help[3], r.watch_key, ToMillis(r.at), ToMillis(r.at), entry);
}

void Objects::Update(std::int64_t id, const ObjectRecord& r, ObjectStatus status, std::optional<TimePoint> changed_at,
                     EntryId entry) {
  db_.Execute(
      "UPDATE object SET primary_id = ?, secondary_id = ?, watched1 = ?, watched2 = ?, watched3 = ?, watched4 = ?, "
      "extra = ?, foreign_key = ?, help1 = ?, help2 = ?, help3 = ?, help4 = ?, watch_key = ?, status = ?, "
      "changed = COALESCE(?, changed), entry = ? WHERE id = ? AND org = ?",
      r.primary, r.secondary, r.watched[0], r.watched[1], r.watched[2], r.watched[3], r.extra, r.foreign_key, r.help[0],
      r.help[1], r.help[2], r.help[3], r.watch_key, ObjectStatusName(status),
      changed_at ? std::optional(ToMillis(*changed_at)) : std::nullopt, entry, id, org_);
}

std::vector<Objects::Stored> Objects::Walk(const std::string& plugin, std::int64_t after, int limit) {
  std::vector<Stored> objects;
  Rows rows = db_.Query(
      "SELECT id, status, entry, primary_id, secondary_id FROM object WHERE org = ? AND plugin = ? AND id > ? "
      "ORDER BY id LIMIT ?",
      org_, plugin, after, limit);
  while (rows.Next())
    objects.push_back({rows.Int(0), ParseStatus(rows.View(1)), rows.Int(2), rows.Text(3), rows.Text(4)});
  return objects;
}

void Objects::SetMissing(std::int64_t id, TimePoint at) {
  db_.Execute("UPDATE object SET status = 'missing', changed = ? WHERE id = ? AND org = ?", ToMillis(at), id, org_);
}

std::vector<Object> Objects::List(const ObjectFilter& filter) {
  std::string sql = fmt::format("{} AND id > ?", kSelect);
  std::vector<Value> values{org_, filter.after};
  if (!filter.plugin.empty()) {
    sql += " AND plugin = ?";
    values.emplace_back(std::string_view(filter.plugin));
  }
  if (!filter.status.empty()) {
    sql += " AND status = ?";
    values.emplace_back(std::string_view(filter.status));
  }
  sql += " ORDER BY id LIMIT ?";
  values.emplace_back(static_cast<std::int64_t>(filter.limit));
  std::vector<Object> objects;
  Rows rows = db_.QueryList(sql, values);
  while (rows.Next()) objects.push_back(ReadObject(rows));
  return objects;
}

}  // namespace backplane::store
