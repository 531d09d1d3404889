#include "dialects/netalertx/app_db_mirror.h"

#include <algorithm>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "dialects/netalertx/app_db_rows.h"
#include "dialects/netalertx/app_db_schema.h"
#include "dialects/netalertx/settings.h"
#include "store/journal.h"

namespace backplane::netalertx {
namespace {

constexpr int kSleepMinutes = 30;
constexpr int kPage = 500;  // rows of the store that are read at once

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
  std::int64_t store = 0;
  std::int64_t entry = -1;  // nothing is taken over yet, of any store
  std::int64_t history = 0;
  std::int64_t reports = 0;
};

Marks ReadMarks(store::Connection& db) {
  store::Rows rows = db.Query("SELECT store, entry, history, reports FROM Backplane_Mirror");
  return rows.Next() ? Marks{rows.Int(0), rows.Int(1), rows.Int(2), rows.Int(3)} : Marks{};
}

// The store is read a page at a time and app.db written in between, so that the errors of the one are not taken for
// the other's. What changes meanwhile is touched after the mark, and looked at again.
class Following {
 public:
  Following(store::Connection& db, store::Database& core, const CatalogRows& catalog, EntryId since)
      : db_(db), core_(core), catalog_(catalog), since_(since) {}

  Status Devices() {
    std::vector<EntityId> touched;
    BACKPLANE_TRY(
        Read([&](store::Connection& core) { touched = store::Inventory(core, kDefaultOrg).TouchedSince(since_); }));
    if (touched.empty()) return {};
    const DeviceRows rows(catalog_.values);
    Writer writer(db_, DevicesTable(), "devGUID");
    return ByPages(touched, [&](std::int64_t first, std::int64_t last) -> Status {
      std::vector<store::EntityFacts> page;
      BACKPLANE_TRY(Read([&](store::Connection& core) {
        page = store::Inventory(core, kDefaultOrg).TouchedSince(since_, first, last);
      }));
      for (const store::EntityFacts& facts : page)
        if (facts.entity.kind == "device") writer.Put(rows.Of(facts));
      return {};
    });
  }

  Status Objects() {
    const AppTable table = PluginTable("Objects");
    Writer writer(db_, table, "index");
    std::vector<std::int64_t> touched;
    BACKPLANE_TRY(
        Read([&](store::Connection& core) { touched = store::Objects(core, kDefaultOrg).TouchedSince(since_); }));
    return ByPages(touched, [&](std::int64_t first, std::int64_t last) -> Status {
      std::vector<store::Object> page;
      BACKPLANE_TRY(Read([&](store::Connection& core) {
        page = store::Objects(core, kDefaultOrg).TouchedSince(since_, first, last);
      }));
      for (const store::Object& object : page)
        if (const std::string_view prefix = PrefixOf(object.plugin); !prefix.empty())
          writer.Put(ObjectRow(object.id, prefix, object));
      return {};
    });
  }

  // Lines are added at the end and forgotten from the beginning; `mark` is the last one taken over.
  Status Log(store::ObjectLogKind kind, const char* table, std::int64_t& mark) {
    const AppTable shape = PluginTable(table);
    Writer writer(db_, shape, "index");
    std::map<std::string, std::int64_t, std::less<>> first;  // line of each prefix
    std::vector<store::LoggedObject> page;
    do {
      BACKPLANE_TRY(Read([&](store::Connection& core) {
        page = store::ObjectLog(core, kDefaultOrg, kind).After(mark, kPage);
        if (static_cast<int>(page.size()) < kPage) first = FirstLines(core, kind);
      }));
      for (const store::LoggedObject& line : page) {
        mark = line.id;
        if (const std::string_view prefix = PrefixOf(line.object.plugin); !prefix.empty())
          writer.Put(ObjectRow(line.id, prefix, line.object));
      }
    } while (static_cast<int>(page.size()) == kPage);
    std::vector<std::string> prefixes;
    {
      store::Rows rows = db_.Query(fmt::format("SELECT DISTINCT plugin FROM {}", shape.name));
      while (rows.Next()) prefixes.push_back(rows.Text(0));
    }
    for (const std::string& prefix : prefixes) {
      const auto kept = first.find(prefix);
      db_.Execute(fmt::format("DELETE FROM {} WHERE plugin = ? AND \"index\" < ?", shape.name), prefix,
                  kept == first.end() ? std::numeric_limits<std::int64_t>::max() : kept->second);
    }
    return {};
  }

 private:
  template <typename Work>
  Status Read(const Work& work) {
    return core_.Read([&](store::Connection& core) -> Status { return work(core), Status(); });
  }

  // Calls `work` with the first and last of so many ids as go into a page.
  template <typename Work>
  static Status ByPages(const std::vector<std::int64_t>& ids, const Work& work) {
    for (std::size_t at = 0; at < ids.size(); at += kPage)
      BACKPLANE_TRY(work(ids[at], ids[std::min(at + kPage, ids.size()) - 1]));
    return {};
  }

  static std::map<std::string, std::int64_t, std::less<>> FirstLines(store::Connection& core,
                                                                     store::ObjectLogKind kind) {
    std::map<std::string, std::int64_t, std::less<>> first;
    for (const auto& [org, plugin] : store::PluginsInLog(core, kind))
      if (org == kDefaultOrg) first.emplace(PrefixOf(plugin), store::ObjectLog(core, org, kind).First(plugin));
    return first;
  }

  store::Connection& db_;
  store::Database& core_;
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

Result<unsigned> Follow(AppDb& db, store::Database& core, std::int64_t store, const CatalogRows& catalog, bool all) {
  Marks marks = ReadMarks(db.connection());
  EntryId folded = 0;
  BACKPLANE_TRY(core.Read([&](store::Connection& c) -> Status {
    folded = store::GetWatermark(c, "core").entry;
    return {};
  }));
  if (marks.entry >= 0 && marks.store != store) return Fail(Errc::kConflict, "it is of another store");
  if (marks.entry > folded)
    return Fail(Errc::kConflict,
                fmt::format("it follows journal entry {}, and the store is at {}", marks.entry, folded));
  Following following(db.connection(), core, catalog, all ? -1 : marks.entry);
  unsigned changed = 0;
  auto step = [&, count = sqlite3_total_changes64(db.connection().handle())](unsigned tables) mutable {
    const std::int64_t now = sqlite3_total_changes64(db.connection().handle());
    if (std::exchange(count, now) != now) changed |= tables;
  };
  BACKPLANE_TRY(following.Devices());
  step(kDevices);
  BACKPLANE_TRY(following.Objects());
  step(kObjects);
  BACKPLANE_TRY(following.Log(store::ObjectLogKind::kHistory, "History", marks.history));
  step(kObjectHistory);
  BACKPLANE_TRY(following.Log(store::ObjectLogKind::kReports, "Events", marks.reports));
  step(kObjectEvents);
  // Where nothing differed there is nothing to write either: looking again from the old mark does no harm.
  if (changed != 0)
    db.connection().Execute("UPDATE Backplane_Mirror SET store = ?, entry = ?, history = ?, reports = ?", store, folded,
                            marks.history, marks.reports);
  return changed;
}

}  // namespace backplane::netalertx
