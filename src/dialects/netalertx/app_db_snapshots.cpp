#include "dialects/netalertx/app_db_snapshots.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sys/stat.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/log.h"
#include "base/text.h"
#include "dialects/netalertx/app_db_query.h"
#include "dialects/netalertx/settings.h"

namespace backplane::netalertx {
namespace {

struct Snapshot {
  const char* name;
  unsigned tables;  // whose rows are in it
  std::string sql;
};

// Nothing at all, as the original has it.
constexpr std::string_view kNothing = "('', 'null', '(unknown)', '(Unknown)', '(name not found)')";

// Each value that one of some columns has: what lists of devices are filtered by.
std::string FiltersSql() {
  std::string sql;
  for (const char* column : {"devSite", "devSourcePlugin", "devOwner", "devType", "devGroup", "devLocation",
                             "devVendor", "devSyncHubNode", "devVlan", "devParentRelType", "devSSID"})
    sql += fmt::format(
        "SELECT '{0}' AS columnName, {0} AS columnValue, {0} AS columnLabel FROM Devices "
        "WHERE {0} NOT IN {1} UNION ",
        column, kNothing);
  return sql + fmt::format(
                   "SELECT 'devParentMAC', child.devParentMAC, COALESCE(parent.devName, child.devParentMAC) "
                   "FROM Devices AS child "
                   "LEFT JOIN Devices AS parent ON LOWER(parent.devMac) = LOWER(child.devParentMAC) "
                   "WHERE child.devParentMAC NOT IN {} GROUP BY LOWER(child.devParentMAC) ORDER BY 1",
                   kNothing);
}

// One row of counts; "my devices" are those in the states that a setting names.
constexpr const char* kTilesSql = R"(
WITH mine AS (SELECT COALESCE((SELECT setValue FROM Settings WHERE setKey = 'UI_MY_DEVICES'), '') AS states),
judged AS (
  SELECT
    devPresentLastScan = 1 AS is_connected,
    devIsArchived = 0 AND devPresentLastScan = 0 AS is_offline,
    devIsArchived = 0 AND devPresentLastScan = 0 AND devAlertDown <> 0 AND devIsSleeping = 0 AS is_down,
    devIsArchived = 0 AND devIsNew = 1 AS is_new,
    devIsArchived = 1 AS is_archived,
    devIsArchived = 0 AND devFavorite = 1 AS is_favorite,
    devIsArchived = 0 AS is_active
  FROM DevicesView
)
SELECT
  COALESCE(SUM(is_connected), 0) AS connected,
  COALESCE(SUM(is_offline), 0) AS offline,
  COALESCE(SUM(is_down), 0) AS down,
  COALESCE(SUM(is_new), 0) AS new,
  COALESCE(SUM(is_archived), 0) AS archived,
  COALESCE(SUM(is_favorite), 0) AS favorites,
  COALESCE(SUM(is_active), 0) AS "all",
  COUNT(*) AS all_devices,
  COALESCE(SUM(
    is_connected AND INSTR(states, 'online') OR is_offline AND INSTR(states, 'offline') OR
    is_down AND INSTR(states, 'down') OR is_new AND INSTR(states, 'new') OR
    is_archived AND INSTR(states, 'archived')), 0) AS my_devices
FROM judged, mine)";

const std::vector<Snapshot>& FromTables() {
  static const std::vector<Snapshot> list = {
      {"table_settings", kSettings, "SELECT * FROM Settings"},
      {"table_plugins_language_strings", kSettings, "SELECT * FROM Plugins_Language_Strings"},
      {"table_devices", kDevices | kSettings, "SELECT * FROM DevicesView"},
      {"table_devices_tiles", kDevices | kSettings, kTilesSql},
      {"table_devices_filters", kDevices, FiltersSql()},
      {"table_plugins_objects", kObjects, "SELECT * FROM Plugins_Objects"},
      {"table_plugins_events", kObjectEvents, "SELECT * FROM Plugins_Events"},
      {"table_plugins_history", kObjectHistory, "SELECT * FROM Plugins_History ORDER BY dateTimeChanged DESC"},
      {"table_plugins_stats", kObjects | kObjectEvents | kObjectHistory,
       "SELECT 'objects' AS tableName, plugin, COUNT(*) AS cnt FROM Plugins_Objects GROUP BY plugin UNION ALL "
       "SELECT 'events', plugin, COUNT(*) FROM Plugins_Events GROUP BY plugin UNION ALL "
       "SELECT 'history', plugin, COUNT(*) FROM Plugins_History GROUP BY plugin"},
      {"table_events", kEvents, "SELECT rowid, * FROM Events ORDER BY eveDateTime DESC"},
      {"table_events_pending_alert", kEvents, "SELECT * FROM Events WHERE evePendingAlertEmail <> 0"},
      {"table_notifications", kNotifications, "SELECT * FROM Notifications"},
      {"table_online_history", kOnlineHistory, "SELECT * FROM Online_History"},
      {"table_appevents", kOthers, "SELECT * FROM AppEvents ORDER BY dateTimeCreated DESC"},
  };
  return list;
}

constexpr const char* kCustom = "table_custom_endpoint";
constexpr const char* kPlugins = "plugins";
constexpr const char* kState = "app_state";
constexpr const char* kMessages = "user_notifications";

std::size_t Hash(std::string_view content) { return std::hash<std::string_view>()(content); }

std::string TextOf(const Settings& values, const char* key) {
  const auto at = values.find(key);
  return at == values.end() ? std::string() : PythonText(at->second);
}

Restless FindRestless(AppDb& db, const Settings& values) {
  Restless found;
  store::Rows rows = db.connection().Query(fmt::format(
      "SELECT devMac, CAST(strftime('%s', devLastConnection, '+{0} minutes') AS INTEGER) FROM Devices "
      "WHERE devPresentLastScan = 0 AND devCanSleep = 1 AND devLastConnection >= datetime('now', '-{0} minutes') "
      "UNION ALL SELECT '/' || LOWER(eveMac), CAST(strftime('%s', MIN(eveDateTime), '+1 hours') AS INTEGER) "
      "FROM Events WHERE eveDateTime >= datetime('now', '-1 hours') AND "
      "eveEventType IN ('Connected', 'Disconnected', 'Device Down', 'Down Reconnected') "
      "GROUP BY LOWER(eveMac) HAVING COUNT(*) >= 3",
      SleepMinutes(values)));
  while (rows.Next()) {
    (found.who += rows.View(0)) += '\n';
    found.until = std::min(found.until, rows.Int(1) + 1);
  }
  return found;
}

// What a person has asked for in a setting; a query that fails is an empty list.
std::string CustomEndpoint(const std::filesystem::path& file, const Settings& values, Millis longest) {
  return QueryJson(file, TextOf(values, "API_CUSTOM_SQL"), std::min(longest, kLongestQuery))
      .value_or("{\"data\":[]}\n");
}

// The state of the original's loop, as far as there is one.
std::string AppState(AppDb& db, const Settings& values, const PassState& pass, const std::string& at) {
  Json plugins = Json::object();
  store::Rows rows = db.connection().Query(
      "SELECT plugin, COUNT(*), SUM(\"status\" = 'new'), SUM(\"status\" = 'watched-changed'), MAX(dateTimeChanged) "
      "FROM Plugins_Objects GROUP BY plugin");
  while (rows.Next())
    plugins[rows.Text(0)] = {{"lastDataChange", rows.Text(4)},
                             {"totalObjects", rows.Int(1)},
                             {"newObjects", rows.Int(2)},
                             {"changedObjects", rows.Int(3)},
                             {"stateUpdated", at}};
  return DumpJson(Json{{"lastUpdated", at},
                       {"settingsSaved", 0},
                       {"settingsImported", 1},
                       {"showSpinner", false},
                       {"processScan", pass.open},
                       {"isNewVersion", false},
                       {"isNewVersionChecked", 0},
                       {"graphQLServerStarted", 0},
                       {"currentState", pass.open ? "Process: Scan" : "Process: Idle"},
                       {"pluginsStates", std::move(plugins)},
                       {"appVersion", TextOf(values, "VERSION")},
                       {"buildTimestamp", ""},
                       {"last_scan_run", pass.last ? FormatSeconds(*pass.last) : ""},
                       {"next_scan_time", ""},
                       {"pause_until", ""}}) +
         "\n";
}

}  // namespace

std::vector<std::string> SnapshotNames() {
  std::vector<std::string> names;
  for (const Snapshot& snapshot : FromTables()) names.push_back(fmt::format("{}.json", snapshot.name));
  for (const char* name : {kCustom, kPlugins, kState, kMessages}) names.push_back(fmt::format("{}.json", name));
  return names;
}

Status Snapshots::Put(const std::string& name, std::string_view content) { return Put(name, content, Hash(content)); }

Status Snapshots::Write(AppDb& db, const CatalogRows& catalog, unsigned tables, TimePoint now, Millis longest,
                        const PassState& pass) {
  if ((tables & (kDevices | kEvents | kSettings)) != 0 || ToMillis(now) / 1000 >= restless_.until) {
    Restless found = FindRestless(db, catalog.values);
    if (found.who != restless_.who) tables |= kDevices;
    restless_ = std::move(found);
  }
  const bool passed = std::exchange(pass_, pass) != pass;
  // First, while there is time left.
  WriteOne(kCustom, tables != 0, [&] { return Put(kCustom, CustomEndpoint(file_, catalog.values, longest)); });
  for (const Snapshot& snapshot : FromTables())
    WriteOne(snapshot.name, (tables & snapshot.tables) != 0,
             [&] { return Put(snapshot.name, RowsAsJson(db.connection().handle(), snapshot.sql)); });
  WriteOne(kPlugins, (tables & kSettings) != 0, [&] { return Put(kPlugins, catalog.plugins); });
  WriteOne(kState, passed || (tables & (kSettings | kObjects)) != 0, [&] {
    const std::string at = FormatSeconds(now), state = AppState(db, catalog.values, pass, at);
    // That it is later is no change.
    return Put(kState, state, Hash(ReplaceAll(state, at, "")));
  });
  // Everybody's: scripts change it in its place.
  const auto messages = folder_ / fmt::format("{}.json", kMessages);
  WriteOne(kMessages, false,
           [&] { return std::filesystem::exists(messages) ? Status() : WriteFileAtomic(messages, "[]\n", 0600); });
  if (failed_.empty()) return {};
  const auto& [name, failure] = *failed_.begin();
  return Fail(Errc::kUnavailable, fmt::format("{}.json is not current: {}", name, failure.reason));
}

template <typename Make>
void Snapshots::WriteOne(const std::string& name, bool due, const Make& make) {
  const auto before = failed_.find(name);
  if (!due && (before != failed_.end() ? before->second.lasting : Intact(name))) return;
  Failure failure;
  try {
    const Status status = make();
    if (!status) failure = {status.error().message, false};
  } catch (const store::DamagedError&) {
    throw;
  } catch (const store::DatabaseError& error) {
    failure = {error.what(), true};
  }
  if (failure.reason.empty()) {
    failed_.erase(name);
    return;
  }
  if (before == failed_.end() || before->second.reason != failure.reason)
    LogWarning("{}.json stays as it was: {}", (folder_ / name).string(), failure.reason);
  failed_[name] = std::move(failure);
}

bool Snapshots::Intact(const std::string& name) const {
  const auto known = written_.find(name);
  struct stat info{};
  if (known == written_.end() || stat((folder_ / (name + ".json")).c_str(), &info) != 0) return false;
  const Written& written = known->second;
  return info.st_ino == written.inode && info.st_size == written.size &&
         info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec == written.changed;
}

Status Snapshots::Put(const std::string& name, std::string_view content, std::size_t hash) {
  if (Intact(name) && written_[name].hash == hash) return {};
  const auto path = folder_ / (name + ".json");
  // Scripts read it through links and have no business in writing.
  BACKPLANE_TRY(WriteFileAtomic(path, content, 0400));
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return Fail(Errc::kUnavailable, fmt::format("{}: gone at once", path.string()));
  written_[name] = {hash, info.st_ino, info.st_size, info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec};
  return {};
}

}  // namespace backplane::netalertx
