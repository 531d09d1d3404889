#include "store/objects.h"

#include <limits>

#include <fmt/format.h>

#include "store/like.h"

namespace backplane::store {
namespace {

constexpr int kLooksPerPage = 10'000;
constexpr std::size_t kBytesPerPage = 4 << 20;

// Of objects and of lines of a log alike.
constexpr const char* kValues =
    "plugin, primary_id, secondary_id, watched1, watched2, watched3, watched4, extra, foreign_key, help1, help2, "
    "help3, help4, status, created, changed";
constexpr int kValueCount = 16;
constexpr const char* kSearched[] = {"primary_id", "secondary_id", "watched1", "watched2", "watched3", "watched4",
                                     "extra",      "foreign_key",  "help1",    "help2",    "help3",    "help4"};

ObjectStatus StatusAt(const Rows& rows, int column) {
  return ParseObjectStatus(rows.View(column)).value_or(ObjectStatus::kUnchanged);
}

// `first` is the column of the first of kValues.
Object ReadValues(const Rows& rows, int first) {
  Object object;
  object.plugin = rows.Text(first);
  ObjectRecord& record = object.record;
  record.primary = rows.Text(first + 1);
  record.secondary = rows.Text(first + 2);
  for (int i = 0; i < 4; ++i) record.watched[static_cast<std::size_t>(i)] = rows.Text(first + 3 + i);
  record.extra = rows.Text(first + 7);
  record.foreign_key = rows.Text(first + 8);
  for (int i = 0; i < 4; ++i) record.help[static_cast<std::size_t>(i)] = rows.Text(first + 9 + i);
  object.status = StatusAt(rows, first + 13);
  object.created = FromMillis(rows.Int(first + 14));
  object.changed = FromMillis(rows.Int(first + 15));
  record.at = object.changed;
  return object;
}

const std::string& SelectObject() {
  static const std::string sql = fmt::format("SELECT {}, id, object_key, watch_key FROM object WHERE org = ?", kValues);
  return sql;
}

Object ReadObject(const Rows& rows) {
  Object object = ReadValues(rows, 0);
  object.id = rows.Int(kValueCount);
  object.record.key = rows.Text(kValueCount + 1);
  object.record.watch_key = rows.Text(kValueCount + 2);
  return object;
}

const char* TableOf(ObjectLogKind kind) { return kind == ObjectLogKind::kHistory ? "object_history" : "object_report"; }

LoggedObject ReadLine(const Rows& rows) {
  LoggedObject line{
      .id = rows.Int(kValueCount), .object = ReadValues(rows, 0), .run = rows.Int(kValueCount + 2), .at = {}};
  line.object.id = rows.Int(kValueCount + 1);
  line.at = FromMillis(rows.Int(kValueCount + 3));
  return line;
}

std::size_t SizeOf(const Object& object) {
  const ObjectRecord& record = object.record;
  std::size_t size = record.primary.size() + record.secondary.size() + record.extra.size() + record.foreign_key.size();
  for (std::size_t i = 0; i < 4; ++i) size += record.watched[i].size() + record.help[i].size();
  return size;
}
std::size_t SizeOf(const LoggedObject& line) { return SizeOf(line.object); }

// `rows` are one more than `limit`, if there are so many.
template <typename Item>
Page<Item> ReadPage(Rows rows, int limit, Item (*read)(const Rows&)) {
  Page<Item> page;
  std::size_t bytes = 0;
  while (rows.Next()) {
    if (static_cast<int>(page.items.size()) == limit || bytes >= kBytesPerPage) {
      page.next = page.items.back().id;
      break;
    }
    page.items.push_back(read(rows));
    bytes += SizeOf(page.items.back());
  }
  return page;
}

}  // namespace

std::optional<Object> Objects::Find(const std::string& plugin, const std::string& key) {
  static const std::string sql = SelectObject() + " AND plugin = ? AND object_key = ?";
  Rows rows = db_.Query(sql, org_, plugin, key);
  if (!rows.Next()) return std::nullopt;
  return ReadObject(rows);
}

std::optional<Object> Objects::Get(std::int64_t id) {
  Rows rows = db_.Query(SelectObject() + " AND id = ?", org_, id);
  if (!rows.Next()) return std::nullopt;
  return ReadObject(rows);
}

std::int64_t Objects::Insert(const std::string& plugin, const ObjectRecord& r, EntryId entry) {
  return db_.ExecuteReturning(
      "INSERT INTO object (org, plugin, object_key, primary_id, secondary_id, watched1, watched2, watched3, watched4, "
      "extra, foreign_key, help1, help2, help3, help4, watch_key, status, created, changed, entry, touched) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'new', ?, ?, ?, ?) RETURNING id",
      org_, plugin, r.key, r.primary, r.secondary, r.watched[0], r.watched[1], r.watched[2], r.watched[3], r.extra,
      r.foreign_key, r.help[0], r.help[1], r.help[2], r.help[3], r.watch_key, ToMillis(r.at), ToMillis(r.at), entry,
      entry);
}

void Objects::Update(std::int64_t id, const ObjectRecord& r, ObjectStatus status, std::optional<TimePoint> changed_at,
                     EntryId entry) {
  db_.Execute(
      "UPDATE object SET primary_id = ?, secondary_id = ?, watched1 = ?, watched2 = ?, watched3 = ?, watched4 = ?, "
      "extra = ?, foreign_key = ?, help1 = ?, help2 = ?, help3 = ?, help4 = ?, watch_key = ?, status = ?, "
      "changed = COALESCE(?, changed), entry = ?, touched = ? WHERE id = ? AND org = ?",
      r.primary, r.secondary, r.watched[0], r.watched[1], r.watched[2], r.watched[3], r.extra, r.foreign_key, r.help[0],
      r.help[1], r.help[2], r.help[3], r.watch_key, ObjectStatusName(status),
      changed_at ? std::optional(ToMillis(*changed_at)) : std::nullopt, entry, entry, id, org_);
}

void Objects::Touch(std::int64_t id, EntryId entry) {
  db_.Execute("UPDATE object SET entry = ? WHERE id = ? AND org = ?", entry, id, org_);
}

std::vector<std::int64_t> Objects::TouchedSince(EntryId entry) {
  std::vector<std::int64_t> objects;
  Rows rows = db_.Query("SELECT id FROM object WHERE org = ? AND touched > ? ORDER BY id", org_, entry);
  while (rows.Next()) objects.push_back(rows.Int(0));
  return objects;
}

bool Objects::WereTouchedSince(EntryId entry, const std::vector<std::string>& plugins) {
  std::string sql = "SELECT 1 FROM object WHERE org = ? AND touched > ? AND plugin IN (";
  std::vector<Value> values{org_, entry};
  for (const std::string& plugin : plugins) {
    sql += values.size() == 2 ? "?" : ", ?";
    values.emplace_back(std::string_view(plugin));
  }
  return db_.QueryList(sql + ") LIMIT 1", values).Next();
}

std::vector<Object> Objects::TouchedSince(EntryId entry, std::int64_t first, std::int64_t last) {
  // The operation keeps the planner from the index by `touched`: ids are the narrower range.
  static const std::string sql = SelectObject() + " AND id >= ? AND id <= ? AND +touched > ? ORDER BY id";
  std::vector<Object> objects;
  Rows rows = db_.Query(sql, org_, first, last, entry);
  while (rows.Next()) objects.push_back(ReadObject(rows));
  return objects;
}

std::vector<Objects::Stored> Objects::Walk(const std::string& plugin, std::int64_t after, int limit) {
  std::vector<Stored> objects;
  Rows rows = db_.Query(
      "SELECT id, status, entry, primary_id, secondary_id FROM object WHERE org = ? AND plugin = ? AND id > ? "
      "ORDER BY id LIMIT ?",
      org_, plugin, after, limit);
  while (rows.Next()) objects.push_back({rows.Int(0), StatusAt(rows, 1), rows.Int(2), rows.Text(3), rows.Text(4)});
  return objects;
}

void Objects::Remove(std::int64_t id) { db_.Execute("DELETE FROM object WHERE id = ? AND org = ?", id, org_); }

void Objects::SetMissing(std::int64_t id, TimePoint at, EntryId entry) {
  db_.Execute("UPDATE object SET status = 'missing', changed = ?, touched = ? WHERE id = ? AND org = ?", ToMillis(at),
              entry, id, org_);
}

Page<Object> Objects::List(const ObjectFilter& filter) {
  // One filter leads, along its index. The others are looked at object by object; the operation in their
  // conditions keeps the planner from another index.
  std::string lead, rest;
  std::vector<Value> lead_values, rest_values;
  const auto equals = [&](const char* column, const std::string& value, bool indexed) {
    if (value.empty()) return;
    const bool leads = indexed && lead.empty();
    (leads ? lead : rest) += fmt::format(fmt::runtime(leads ? " AND {} = ?" : " AND {} || '' = ?"), column);
    (leads ? lead_values : rest_values).emplace_back(std::string_view(value));
  };
  equals("primary_id", filter.primary, true);
  equals("foreign_key", filter.foreign_key, true);
  equals("plugin", filter.plugin, true);
  equals("secondary_id", filter.secondary, false);
  if (filter.status) {
    rest += " AND status = ?";
    rest_values.emplace_back(std::string_view(ObjectStatusName(*filter.status)));
  }
  if (filter.changed_since) {
    rest += " AND changed >= ?";
    rest_values.emplace_back(ToMillis(*filter.changed_since));
  }
  const std::string pattern = ContainsPattern(filter.search);
  if (!filter.search.empty()) {
    const char* joint = " AND (";
    for (const char* column : kSearched) {
      rest += fmt::format("{}LOWER({}) LIKE LOWER(?) ESCAPE '\\'", joint, column);
      rest_values.emplace_back(std::string_view(pattern));
      joint = " OR ";
    }
    rest += ")";
  }

  std::vector<Value> values{org_};
  values.insert(values.end(), lead_values.begin(), lead_values.end());
  values.emplace_back(filter.after);
  std::optional<std::int64_t> last;
  if (!rest.empty()) {
    values.emplace_back(std::int64_t{kLooksPerPage - 1});
    Rows rows = db_.QueryList(
        fmt::format("SELECT id FROM object WHERE org = ?{} AND id > ? ORDER BY id LIMIT 1 OFFSET ?", lead), values);
    if (rows.Next()) last = rows.Int(0);
    values.pop_back();
  }
  values.emplace_back(last.value_or(std::numeric_limits<std::int64_t>::max()));
  values.insert(values.end(), rest_values.begin(), rest_values.end());
  values.emplace_back(static_cast<std::int64_t>(filter.limit) + 1);
  const std::string sql = fmt::format("{}{} AND id > ? AND id <= ?{} ORDER BY id LIMIT ?", SelectObject(), lead, rest);
  Page<Object> page = ReadPage(db_.QueryList(sql, values), filter.limit, ReadObject);
  if (!page.next) page.next = last;
  return page;
}

ObjectLog::ObjectLog(Connection& connection, OrgId org, ObjectLogKind kind)
    : db_(connection), org_(org), table_(TableOf(kind)) {}

void ObjectLog::Append(std::int64_t object, RunId run, TimePoint at) {
  db_.Execute(fmt::format("INSERT INTO {0} ({1}, org, object, run, at) SELECT {1}, org, id, ?, ? FROM object "
                          "WHERE id = ? AND org = ?",
                          table_, kValues),
              run, ToMillis(at), object, org_);
}

Page<LoggedObject> ObjectLog::OfPlugin(const std::string& plugin, std::optional<std::int64_t> before, int limit) {
  return ReadPage(db_.Query(fmt::format("SELECT {}, id, object, run, at FROM {} WHERE org = ? AND plugin = ? AND "
                                        "id < ? ORDER BY id DESC LIMIT ?",
                                        kValues, table_),
                            org_, plugin, before.value_or(std::numeric_limits<std::int64_t>::max()), limit + 1),
                  limit, ReadLine);
}

std::vector<LoggedObject> ObjectLog::After(std::int64_t after, int limit) {
  std::vector<LoggedObject> lines;
  Rows rows = db_.Query(fmt::format("SELECT {}, id, object, run, at FROM {} WHERE +org = ? AND id > ? "
                                    "ORDER BY id LIMIT ?",
                                    kValues, table_),
                        org_, after, limit);
  while (rows.Next()) lines.push_back(ReadLine(rows));
  return lines;
}

Page<LoggedObject> ObjectLog::OfObject(std::int64_t object, std::optional<std::int64_t> before, int limit) {
  return ReadPage(db_.Query(fmt::format("SELECT {}, id, object, run, at FROM {} WHERE org = ? AND object = ? AND "
                                        "id < ? ORDER BY id DESC LIMIT ?",
                                        kValues, table_),
                            org_, object, before.value_or(std::numeric_limits<std::int64_t>::max()), limit + 1),
                  limit, ReadLine);
}

std::int64_t ObjectLog::Count(const std::string& plugin) {
  Rows rows = db_.Query(fmt::format("SELECT COUNT(*) FROM {} WHERE org = ? AND plugin = ?", table_), org_, plugin);
  return rows.Next() ? rows.Int(0) : 0;
}

std::int64_t ObjectLog::First(const std::string& plugin) {
  Rows rows = db_.Query(fmt::format("SELECT MIN(id) FROM {} WHERE org = ? AND plugin = ?", table_), org_, plugin);
  return rows.Next() ? rows.Int(0) : 0;
}

int ObjectLog::Forget(const std::string& plugin, std::int64_t keep, int limit) {
  return static_cast<int>(
      db_.Execute(fmt::format("DELETE FROM {0} WHERE id IN (SELECT id FROM {0} WHERE org = ? AND plugin = ? AND id <= "
                              "(SELECT id FROM {0} WHERE org = ? AND plugin = ? ORDER BY id DESC LIMIT 1 OFFSET ?) "
                              "ORDER BY id LIMIT ?)",
                              table_),
                  org_, plugin, org_, plugin, keep, limit));
}

void ObjectLog::ForgetUpTo(std::int64_t upto) {
  db_.Execute(fmt::format("DELETE FROM {} WHERE id <= ? AND +org = ?", table_), upto, org_);
}

std::vector<PluginOfOrg> PluginsInLog(Connection& connection, ObjectLogKind kind) {
  // From one to the next along the index, which is much longer than there are plugins.
  const std::string sql = fmt::format(
      "SELECT org, plugin FROM {} WHERE (org, plugin) > (?, ?) ORDER BY org, plugin LIMIT 1", TableOf(kind));
  std::vector<PluginOfOrg> plugins;
  PluginOfOrg last;
  while (true) {
    Rows rows = connection.Query(sql, last.org, last.plugin);
    if (!rows.Next()) return plugins;
    last = {rows.Int(0), rows.Text(1)};
    plugins.push_back(last);
  }
}

}  // namespace backplane::store
