#include "dialects/netalertx/app_db_mirror.h"

#include <algorithm>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "dialects/netalertx/app_db_events.h"
#include "dialects/netalertx/app_db_marks.h"
#include "dialects/netalertx/app_db_rows.h"
#include "dialects/netalertx/app_db_schema.h"
#include "dialects/netalertx/app_db_writer.h"
#include "dialects/netalertx/setting_values.h"
#include "store/journal.h"

namespace backplane::netalertx {
namespace {

constexpr int kSleepMinutes = 30;
constexpr std::int64_t kFewEvents = 1'000;  // of the bus, that are read again rather than remembered
constexpr int kPage = 500;                  // rows of the store that are read at once

// The store is read a page at a time and app.db written in between, so that the errors of the one are not taken for
// the other's. What changes meanwhile is touched after the mark, and looked at again.
class Following {
 public:
  Following(store::Connection& db, store::Database& core, DeviceRows rows, std::int64_t store, EntryId since)
      : db_(db), core_(core), rows_(std::move(rows)), store_(store), since_(since) {}

  Status Devices() {
    std::vector<EntityId> changed;
    std::vector<store::SeenEntity> seen;
    std::int64_t count = 0;
    BACKPLANE_TRY(Read([&](store::Connection& core) {
      store::Inventory inventory(core, kDefaultOrg);
      changed = inventory.ChangedSince(since_);
      seen = inventory.SeenSince(since_);
      count = inventory.Count();
    }));
    BACKPLANE_TRY(PutDevices(since_, changed));
    // Most of what a scan finds is as it was.
    for (const store::SeenEntity& device : seen) {
      const std::string at = FormatSeconds(device.last_seen);
      db_.Execute("UPDATE Devices SET devLastConnection = ? WHERE devGUID = ? AND devLastConnection <> ?", at,
                  DeviceGuid(store_, device.id), at);
    }
    store::Rows rows = db_.Query("SELECT COUNT(*) FROM Devices");
    return rows.Next() && rows.Int(0) == count ? Status() : Sweep();
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
  // Those of `ids` that entries after `since` have changed.
  Status PutDevices(EntryId since, const std::vector<EntityId>& ids) {
    Writer writer(db_, DevicesTable(), "devGUID");
    return ByPages(ids, [&](std::int64_t first, std::int64_t last) -> Status {
      std::vector<store::EntityFacts> page;
      BACKPLANE_TRY(Read([&](store::Connection& core) {
        page = store::Inventory(core, kDefaultOrg).ChangedSince(since, first, last);
      }));
      for (const store::EntityFacts& facts : page)
        if (facts.entity.kind == "device") writer.Put(rows_.Of(facts));
      return {};
    });
  }

  // Rows whose device is no more go, and those that are missing come back.
  Status Sweep() {
    std::vector<EntityId> known, missing;
    BACKPLANE_TRY(Read([&](store::Connection& core) { known = store::Inventory(core, kDefaultOrg).ChangedSince(-1); }));
    std::map<EntityId, std::string> rows_of;
    std::vector<std::string> gone;
    {
      store::Rows rows = db_.Query("SELECT devGUID FROM Devices");
      while (rows.Next()) {
        const EntityId id = EntityOf(rows.View(0));
        if (id == 0) continue;  // somebody else's
        if (std::binary_search(known.begin(), known.end(), id))
          rows_of.emplace(id, rows.Text(0));
        else
          gone.push_back(rows.Text(0));
      }
    }
    for (const std::string& guid : gone) db_.Execute("DELETE FROM Devices WHERE devGUID = ?", guid);
    for (const EntityId id : known)
      if (!rows_of.contains(id)) missing.push_back(id);
    for (const EntityId id : missing) BACKPLANE_TRY(PutDevices(-1, {id}));
    return {};
  }

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
  const DeviceRows rows_;
  const std::int64_t store_;
  const EntryId since_;
};

Result<EntryId> Folded(store::Database& core) {
  EntryId folded = 0;
  BACKPLANE_TRY(core.Read([&](store::Connection& c) -> Status {
    folded = store::GetWatermark(c, "core").entry;
    return {};
  }));
  return folded;
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

int SleepMinutes(const Settings& values) {
  return static_cast<int>(NumberOf(values, "NTFPRCS_sleep_time", kSleepMinutes));
}

Status CheckOwner(AppDb& db, store::Database& core, std::int64_t store) {
  const Marks marks = ReadMarks(db.connection());
  if (marks.entry < 0) return {};
  if (marks.store != store) return Fail(Errc::kConflict, "it is of another store");
  BACKPLANE_ASSIGN(const EntryId folded, Folded(core));
  if (marks.entry > folded)
    return Fail(Errc::kConflict,
                fmt::format("it follows journal entry {}, and the store is at {}", marks.entry, folded));
  return {};
}

Result<unsigned> Follow(AppDb& db, store::Database& core, std::int64_t store, const CatalogRows& catalog, bool all) {
  const Marks before = ReadMarks(db.connection());
  BACKPLANE_ASSIGN(const EntryId folded, Folded(core));
  Marks marks = before;
  Following following(db.connection(), core, DeviceRows(catalog.values, store), store, all ? -1 : before.entry);
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
  BACKPLANE_TRY(FollowEvents(db.connection(), core, before.entry, marks));
  BACKPLANE_TRY(FollowSessions(db.connection(), core, before.entry, marks));
  step(kEvents);
  BACKPLANE_TRY(FollowBus(db.connection(), core, marks));
  step(kOnlineHistory);
  // Where nothing differed there is nothing to write either: looking again from the old marks does no harm.
  if (changed == 0 && marks.bus - before.bus < kFewEvents) return changed;
  marks.store = store;
  marks.entry = folded;
  WriteMarks(db.connection(), before, marks);
  return changed;
}

}  // namespace backplane::netalertx
