#include "dialects/netalertx/app_db_mirror.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "dialects/netalertx/app_db_rows.h"
#include "dialects/netalertx/app_db_schema.h"
#include "dialects/netalertx/settings.h"
#include "store/journal.h"

namespace backplane::netalertx {
namespace {

constexpr int kSleepMinutes = 30;
constexpr int kLinesPerRead = 500;

// Writes rows of one table, and of a row that is there only what differs: each column that is set costs its indexes.
class Writer {
 public:
  /// `key` is the column by which rows are found again.
  Writer(store::Connection& db, const AppTable& table, std::string key)
      : db_(db),
        table_(table),
        key_(std::move(key)),
        place_(static_cast<std::size_t>(std::find(table.columns.begin(), table.columns.end(), key_) -
                                        table.columns.begin())),
        select_(fmt::format("SELECT \"{}\" FROM {} WHERE \"{}\" = ?", fmt::join(table.columns, "\", \""), table.name,
                            key_)),
        insert_(InsertSql(table)) {}

  void Put(const AppRow& row) {
    std::string changes;
    values_.clear();
    {
      store::Rows present = db_.Query(select_, row[place_]);
      if (!present.Next()) return Insert(row);
      for (std::size_t i = 0; i < table_.columns.size(); ++i) {
        if (present.View(static_cast<int>(i)) == row[i]) continue;
        changes += fmt::format("{}\"{}\" = ?", changes.empty() ? "" : ", ", table_.columns[i]);
        values_.emplace_back(std::string_view(row[i]));
      }
    }
    if (changes.empty()) return;
    values_.emplace_back(std::string_view(row[place_]));
    Run(fmt::format("UPDATE OR REPLACE {} SET {} WHERE \"{}\" = ?", table_.name, changes, key_));
  }

 private:
  void Insert(const AppRow& row) {
    for (const std::string& value : row) values_.emplace_back(std::string_view(value));
    Run(insert_);
  }
  void Run(const std::string& sql) {
    store::Rows rows = db_.QueryList(sql, values_);
    rows.Next();
  }

  store::Connection& db_;
  const AppTable& table_;
  const std::string key_;
  const std::size_t place_;
  const std::string select_, insert_;
  std::vector<store::Value> values_;
};

struct Marks {
  std::int64_t entry = -1;
  std::int64_t history = 0;
  std::int64_t reports = 0;
  bool operator==(const Marks&) const = default;
};

Marks ReadMarks(store::Connection& db) {
  store::Rows rows = db.Query("SELECT entry, history, reports FROM Backplane_Mirror");
  return rows.Next() ? Marks{rows.Int(0), rows.Int(1), rows.Int(2)} : Marks{};
}

class Following {
 public:
  Following(store::Connection& db, store::Connection& core, const CatalogRows& catalog, EntryId since)
      : db_(db), core_(core), catalog_(catalog), since_(since) {}

  void Devices() {
    store::Inventory inventory(core_, kDefaultOrg);
    const std::vector<EntityId> touched = inventory.TouchedSince(since_);
    if (touched.empty()) return;
    const std::vector<EntityId> present = inventory.Present();
    const auto is_present = [&](EntityId id) { return std::binary_search(present.begin(), present.end(), id); };
    Writer writer(db_, DevicesTable(), "devGUID");
    for (const EntityId id : touched) {
      const auto entity = inventory.Get(id);
      if (!entity || entity->kind != "device") continue;
      writer.Put(DeviceRow({.entity = *entity,
                            .identifiers = inventory.Identifiers(id),
                            .claims = inventory.Claims(id),
                            .locks = inventory.Locks(id),
                            .sightings = inventory.Sightings(id),
                            .present = is_present(id)},
                           catalog_.values));
    }
    MarkAbsent(is_present);
  }

  void Objects() {
    store::Objects objects(core_, kDefaultOrg);
    const AppTable table = PluginTable("Objects");
    Writer writer(db_, table, "index");
    for (const std::int64_t id : objects.TouchedSince(since_)) {
      const auto object = objects.Get(id);
      const std::string_view prefix = object ? PrefixOf(object->plugin) : std::string_view();
      if (!prefix.empty()) writer.Put(ObjectRow(id, prefix, *object));
    }
  }

  // Lines are added at the end and forgotten from the beginning; `mark` is the last one taken over.
  void Log(store::ObjectLogKind kind, const char* table, std::int64_t& mark) {
    store::ObjectLog log(core_, kDefaultOrg, kind);
    const AppTable shape = PluginTable(table);
    Writer writer(db_, shape, "index");
    std::set<std::string, std::less<>> prefixes;
    const std::int64_t since = mark;
    for (const auto& [org, plugin] : store::PluginsInLog(core_, kind)) {
      const std::string_view prefix = PrefixOf(plugin);
      if (org != kDefaultOrg || prefix.empty()) continue;
      prefixes.emplace(prefix);
      std::optional<std::int64_t> before;
      do {
        const auto page = log.OfPlugin(plugin, before, kLinesPerRead);
        before = page.next;
        for (const store::LoggedObject& line : page.items) {
          if (line.id <= since) {
            before.reset();
            break;
          }
          mark = std::max(mark, line.id);
          writer.Put(ObjectRow(line.id, prefix, line.object));
        }
      } while (before);
      db_.Execute(fmt::format("DELETE FROM {} WHERE plugin = ? AND \"index\" < ?", shape.name), prefix,
                  log.First(plugin));
    }
    for (const std::string& prefix : PrefixesIn(shape.name))
      if (!prefixes.contains(prefix)) db_.Execute(fmt::format("DELETE FROM {} WHERE plugin = ?", shape.name), prefix);
  }

 private:
  // Of the devices that were there and of which nobody said anything now.
  template <typename IsPresent>
  void MarkAbsent(const IsPresent& is_present) {
    std::vector<std::string> absent;
    {
      store::Rows rows = db_.Query("SELECT devGUID FROM Devices WHERE devPresentLastScan = 1");
      while (rows.Next())
        if (const EntityId id = EntityOf(rows.View(0)); id != 0 && !is_present(id)) absent.push_back(rows.Text(0));
    }
    for (const std::string& guid : absent)
      db_.Execute("UPDATE Devices SET devPresentLastScan = 0 WHERE devGUID = ?", guid);
  }

  std::vector<std::string> PrefixesIn(const std::string& table) {
    std::vector<std::string> prefixes;
    store::Rows rows = db_.Query(fmt::format("SELECT DISTINCT plugin FROM {}", table));
    while (rows.Next()) prefixes.push_back(rows.Text(0));
    return prefixes;
  }

  store::Connection& db_;
  store::Connection& core_;
  const CatalogRows& catalog_;
  const EntryId since_;
};

int SleepMinutes(const Settings& values) {
  const auto at = values.find("NTFPRCS_sleep_time");
  return at != values.end() && at->second.is_number_integer() ? at->second.get<int>() : kSleepMinutes;
}

}  // namespace

void WriteCatalog(AppDb& db, const CatalogRows& rows) {
  store::SqliteConnection& connection = db.connection();
  connection.Script(AppDbViews(SleepMinutes(rows.values)));
  connection.Script("DELETE FROM Settings; DELETE FROM Plugins_Language_Strings");
  for (const SettingRow& row : rows.settings)
    connection.Execute("INSERT INTO Settings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row.key, row.name, row.description,
                       row.type, row.options, row.group, row.value, row.events, row.overridden);
  std::int64_t index = 0;
  for (const LanguageString& string : rows.strings)
    connection.Execute("INSERT INTO Plugins_Language_Strings VALUES (?, ?, ?, ?, '')", ++index, string.language,
                       string.key, string.text);
}

Result<unsigned> Follow(AppDb& db, store::Connection& core, const CatalogRows& catalog, bool all) {
  const Marks before = ReadMarks(db.connection());
  const EntryId folded = store::GetWatermark(core, "core").entry;
  if (before.entry > folded)
    return Fail(Errc::kConflict,
                fmt::format("app.db follows journal entry {}, and the store is at {}", before.entry, folded));
  Marks marks = before;
  marks.entry = folded;
  Following following(db.connection(), core, catalog, all ? -1 : before.entry);
  unsigned changed = 0;
  auto step = [&, count = sqlite3_total_changes64(db.connection().handle())](unsigned tables) mutable {
    const std::int64_t now = sqlite3_total_changes64(db.connection().handle());
    if (std::exchange(count, now) != now) changed |= tables;
  };
  following.Devices();
  step(kDevices);
  following.Objects();
  step(kObjects);
  following.Log(store::ObjectLogKind::kHistory, "History", marks.history);
  step(kObjectHistory);
  following.Log(store::ObjectLogKind::kReports, "Events", marks.reports);
  step(kObjectEvents);
  // Where nothing differed there is nothing to write either: looking again from the old mark does no harm.
  if (changed != 0)
    db.connection().Execute("UPDATE Backplane_Mirror SET entry = ?, history = ?, reports = ?", marks.entry,
                            marks.history, marks.reports);
  return changed;
}

}  // namespace backplane::netalertx
