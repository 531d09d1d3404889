#include "store/plugins.h"

#include <fmt/format.h>

namespace backplane::store {
namespace {

constexpr const char* kColumns =
    "id, plugin, hash, source, dialect, title, tree, asks, state, found, decided, decided_by";

VersionState ParseState(std::string_view name) {
  for (const auto state : {VersionState::kApproved, VersionState::kReplaced})
    if (name == VersionStateName(state)) return state;
  return VersionState::kWaiting;
}

PluginVersion ReadVersion(const Rows& rows) {
  PluginVersion version;
  version.id = rows.Int(0);
  version.plugin = rows.Text(1);
  version.hash = rows.Text(2);
  version.source = rows.Text(3);
  version.dialect = rows.Text(4);
  version.title = rows.Text(5);
  version.tree = rows.Text(6);
  version.asks = rows.Text(7);
  version.state = ParseState(rows.View(8));
  version.found = FromMillis(rows.Int(9));
  if (const auto decided = rows.MaybeInt(10)) version.decided = FromMillis(*decided);
  version.decided_by = rows.Text(11);
  return version;
}

std::optional<PluginVersion> One(Rows rows) {
  if (!rows.Next()) return std::nullopt;
  return ReadVersion(rows);
}

std::vector<PluginVersion> All(Rows rows) {
  std::vector<PluginVersion> versions;
  while (rows.Next()) versions.push_back(ReadVersion(rows));
  return versions;
}

}  // namespace

const char* VersionStateName(VersionState state) {
  switch (state) {
    case VersionState::kWaiting: return "waiting";
    case VersionState::kApproved: return "approved";
    case VersionState::kReplaced: return "replaced";
  }
  return "waiting";
}

std::optional<PluginVersion> Plugins::Find(const std::string& plugin, const std::string& hash) {
  return One(db_.Query(fmt::format("SELECT {} FROM plugin_version WHERE org = ? AND plugin = ? AND hash = ?", kColumns),
                       org_, plugin, hash));
}

std::optional<PluginVersion> Plugins::Get(std::int64_t version) {
  return One(db_.Query(fmt::format("SELECT {} FROM plugin_version WHERE org = ? AND id = ?", kColumns), org_, version));
}

std::optional<PluginVersion> Plugins::Approved(const std::string& plugin) {
  return One(db_.Query(
      fmt::format("SELECT {} FROM plugin_version WHERE org = ? AND plugin = ? AND state = 'approved'", kColumns), org_,
      plugin));
}

std::vector<PluginVersion> Plugins::Versions(const std::string& plugin) {
  return All(
      db_.Query(fmt::format("SELECT {} FROM plugin_version WHERE org = ? AND plugin = ? ORDER BY id DESC", kColumns),
                org_, plugin));
}

std::vector<PluginVersion> Plugins::Newest() {
  return All(db_.Query(fmt::format("SELECT {} FROM plugin_version WHERE org = ? AND id IN "
                                   "(SELECT MAX(id) FROM plugin_version WHERE org = ? GROUP BY plugin) ORDER BY plugin",
                                   kColumns),
                       org_, org_));
}

std::int64_t Plugins::Insert(const PluginVersion& v) {
  return db_.ExecuteReturning(
      "INSERT INTO plugin_version (org, plugin, hash, source, dialect, title, tree, asks, state, found) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?) RETURNING id",
      org_, v.plugin, v.hash, v.source, v.dialect, v.title, v.tree, v.asks, ToMillis(v.found));
}

void Plugins::Approve(const PluginVersion& version, const std::string& by, TimePoint at) {
  db_.Execute("UPDATE plugin_version SET state = 'replaced' WHERE org = ? AND plugin = ? AND state = 'approved'", org_,
              version.plugin);
  db_.Execute("UPDATE plugin_version SET state = 'approved', decided = ?, decided_by = ? WHERE org = ? AND id = ?",
              ToMillis(at), by, org_, version.id);
}

void Plugins::Prune(const std::string& plugin, int keep) {
  db_.Execute(
      "DELETE FROM plugin_version WHERE org = ? AND plugin = ? AND state <> 'approved' AND id NOT IN "
      "(SELECT id FROM plugin_version WHERE org = ? AND plugin = ? ORDER BY id DESC LIMIT ?)",
      org_, plugin, org_, plugin, keep);
}

void Plugins::Forget(std::int64_t version) {
  db_.Execute("DELETE FROM plugin_version WHERE org = ? AND id = ?", org_, version);
}

void Plugins::Remove(const std::string& plugin) {
  db_.Execute("DELETE FROM plugin_version WHERE org = ? AND plugin = ?", org_, plugin);
  db_.Execute("DELETE FROM plugin_disabled WHERE org = ? AND plugin = ?", org_, plugin);
}

bool Plugins::Enabled(const std::string& plugin) {
  return !db_.Query("SELECT 1 FROM plugin_disabled WHERE org = ? AND plugin = ?", org_, plugin).Next();
}

void Plugins::SetEnabled(const std::string& plugin, bool enabled) {
  if (enabled)
    db_.Execute("DELETE FROM plugin_disabled WHERE org = ? AND plugin = ?", org_, plugin);
  else
    db_.Execute("INSERT INTO plugin_disabled (org, plugin) VALUES (?, ?) ON CONFLICT (org, plugin) DO NOTHING", org_,
                plugin);
}

std::vector<std::pair<std::string, std::string>> Plugins::Sources() {
  std::vector<std::pair<std::string, std::string>> sources;
  Rows rows = db_.Query("SELECT path, dialect FROM plugin_source WHERE org = ? ORDER BY path", org_);
  while (rows.Next()) sources.emplace_back(rows.Text(0), rows.Text(1));
  return sources;
}

void Plugins::AddSource(const std::string& path, const std::string& dialect) {
  db_.Execute(
      "INSERT INTO plugin_source (org, path, dialect) VALUES (?, ?, ?) "
      "ON CONFLICT (org, path) DO UPDATE SET dialect = excluded.dialect",
      org_, path, dialect);
}

void Plugins::RemoveSource(const std::string& path) {
  db_.Execute("DELETE FROM plugin_source WHERE org = ? AND path = ?", org_, path);
}

std::vector<std::string> AllTrees(Connection& connection) {
  std::vector<std::string> trees;
  Rows rows = connection.Query("SELECT tree FROM plugin_version");
  while (rows.Next()) trees.push_back(rows.Text(0));
  return trees;
}

}  // namespace backplane::store
