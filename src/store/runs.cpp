#include "store/runs.h"

#include <fmt/format.h>

#include "store/like.h"

namespace backplane::store {
namespace {

constexpr const char* kColumns =
    "id, org, plugin, target, cause, job_key, epoch, counter, status, exit_code, message, started, finished, taken, "
    "refused, refusals, command, changed, cycle";

TriggerKind ParseTrigger(std::string_view name) {
  for (const auto kind : {TriggerKind::kStart, TriggerKind::kCron, TriggerKind::kInterval, TriggerKind::kPhase,
                          TriggerKind::kEvent, TriggerKind::kFile})
    if (name == TriggerName(kind)) return kind;
  return TriggerKind::kCall;
}

Run ReadRun(const Rows& rows) {
  Run run;
  run.id = rows.Int(0);
  run.lane = {rows.Int(1), rows.Text(2), rows.Text(3)};
  run.trigger = ParseTrigger(rows.View(4));
  run.key = rows.Text(5);
  run.token = {rows.Int(6), rows.Int(7)};
  run.status = ParseRunStatus(rows.Text(8)).value_or(RunStatus::kFailed);
  if (const auto code = rows.MaybeInt(9)) run.exit_code = static_cast<int>(*code);
  run.message = rows.Text(10);
  run.started = FromMillis(rows.Int(11));
  if (const auto finished = rows.MaybeInt(12)) run.finished = FromMillis(*finished);
  run.taken = rows.Int(13);
  run.refused = rows.Int(14);
  run.refusals = rows.Text(15);
  run.command = rows.Text(16);
  run.changed = rows.Int(17);
  run.cycle = rows.MaybeInt(18).value_or(0);
  return run;
}

constexpr const char* kLaneColumns = "org, plugin, target, NULLIF(last_started, 0), last_results, last_slot";

LaneRow ReadLane(const Rows& rows) {
  const auto time = [&](int column) {
    const auto ms = rows.MaybeInt(column);
    return ms ? std::optional(FromMillis(*ms)) : std::nullopt;
  };
  return {{rows.Int(0), rows.Text(1), rows.Text(2)}, time(3), time(4), time(5)};
}

std::optional<std::int64_t> Maybe(const std::optional<TimePoint>& time) {
  return time ? std::optional(ToMillis(*time)) : std::nullopt;
}

}  // namespace

std::vector<LaneKey> LanesWithRuns(Connection& connection, int runs) {
  std::vector<LaneKey> lanes;
  Rows rows =
      connection.Query("SELECT org, plugin, target FROM run GROUP BY org, plugin, target HAVING COUNT(*) > ?", runs);
  while (rows.Next()) lanes.push_back({rows.Int(0), rows.Text(1), rows.Text(2)});
  return lanes;
}

std::vector<LaneKey> IdleLanes(Connection& connection, TimePoint before, int limit) {
  std::vector<LaneKey> lanes;
  Rows rows = connection.Query("SELECT org, plugin, target FROM lane WHERE target <> '' AND last_started < ? LIMIT ?",
                               ToMillis(before), limit);
  while (rows.Next()) lanes.push_back({rows.Int(0), rows.Text(1), rows.Text(2)});
  return lanes;
}

std::vector<LaneRow> LanesOf(Connection& connection, const std::vector<LaneKey>& lanes) {
  static const std::string sql =
      fmt::format("SELECT {} FROM lane WHERE org = ? AND plugin = ? AND target = ?", kLaneColumns);
  std::vector<LaneRow> found;
  for (const LaneKey& lane : lanes) {
    Rows rows = connection.Query(sql, lane.org, lane.plugin, lane.target);
    if (rows.Next()) found.push_back(ReadLane(rows));
  }
  return found;
}

std::int64_t RaiseEpoch(Connection& connection) {
  return connection.ExecuteReturning(
      "INSERT INTO counter (name, value) VALUES ('epoch', 1) "
      "ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value");
}

std::set<RunId> AllRunIds(Connection& connection) {
  std::set<RunId> ids;
  Rows rows = connection.Query("SELECT id FROM run ORDER BY id");
  while (rows.Next()) ids.insert(ids.end(), rows.Int(0));
  return ids;
}

std::vector<Run> OpenRuns(Connection& connection) {
  std::vector<Run> runs;
  Rows rows = connection.Query(fmt::format("SELECT {} FROM run WHERE status = 'running' ORDER BY id", kColumns));
  while (rows.Next()) runs.push_back(ReadRun(rows));
  return runs;
}

RunId Runs::Begin(const Run& run, std::optional<TimePoint> slot) {
  db_.Execute(
      "INSERT INTO lane (org, plugin, target, epoch, counter, last_started, last_slot) VALUES (?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (org, plugin, target) DO UPDATE SET epoch = excluded.epoch, counter = excluded.counter, "
      "former_started = lane.last_started, last_started = excluded.last_started, last_slot = CASE WHEN "
      "excluded.last_slot IS NULL OR "
      "lane.last_slot > excluded.last_slot THEN lane.last_slot ELSE excluded.last_slot END",
      org_, run.lane.plugin, run.lane.target, run.token.epoch, run.token.counter, ToMillis(run.started), Maybe(slot));
  return db_.ExecuteReturning(
      "INSERT INTO run (org, plugin, target, cause, job_key, epoch, counter, status, started, cycle) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, 'running', ?, NULLIF(?, 0)) RETURNING id",
      org_, run.lane.plugin, run.lane.target, TriggerName(run.trigger), run.key, run.token.epoch, run.token.counter,
      ToMillis(run.started), run.cycle);
}

bool Runs::Close(const Run& run) {
  const bool closed =
      db_.Execute(
          "UPDATE run SET status = ?, exit_code = ?, message = ?, finished = ?, taken = ?, refused = ?, "
          "refusals = ?, command = ? WHERE id = ? AND org = ? AND status = 'running' AND epoch = ? AND counter = ? "
          "AND EXISTS "
          "(SELECT 1 FROM lane WHERE lane.org = run.org AND lane.plugin = run.plugin AND lane.target = run.target "
          "AND lane.epoch = run.epoch AND lane.counter = run.counter)",
          RunStatusName(run.status), run.exit_code, run.message, Maybe(run.finished), run.taken, run.refused,
          run.refusals, run.command, run.id, org_, run.token.epoch, run.token.counter) == 1;
  if (!closed) return false;
  // The run is the lane's last: so is its start.
  const char* lane = nullptr;
  if (run.status == RunStatus::kNotStarted) lane = "UPDATE lane SET last_started = former_started ";
  if (run.taken > 0) lane = "UPDATE lane SET last_results = last_started ";
  if (lane != nullptr)
    db_.Execute(fmt::format("{}WHERE org = ? AND plugin = ? AND target = ?", lane), org_, run.lane.plugin,
                run.lane.target);
  return true;
}

void Runs::Join(const std::vector<RunId>& ids, CycleId cycle) {
  for (const RunId id : ids) db_.Execute("UPDATE run SET cycle = ? WHERE id = ? AND org = ?", cycle, id, org_);
}

void Runs::AddChanged(RunId id, std::int64_t changed) {
  db_.Execute("UPDATE run SET changed = changed + ? WHERE id = ? AND org = ?", changed, id, org_);
}

std::optional<Run> Runs::Get(RunId id) {
  Rows rows = db_.Query(fmt::format("SELECT {} FROM run WHERE id = ? AND org = ?", kColumns), id, org_);
  if (!rows.Next()) return std::nullopt;
  return ReadRun(rows);
}

std::vector<Run> Runs::List(const RunFilter& filter) {
  std::string sql = fmt::format("SELECT {} FROM run WHERE org = ?", kColumns);
  std::vector<Value> values{org_};
  if (!filter.plugin.empty()) {
    sql += " AND plugin = ?";
    values.emplace_back(std::string_view(filter.plugin));
  }
  if (filter.status) {
    sql += " AND status = ?";
    values.emplace_back(std::string_view(RunStatusName(*filter.status)));
  }
  if (!filter.key.empty()) {
    sql += " AND job_key = ?";
    values.emplace_back(std::string_view(filter.key));
  }
  const std::string about = fmt::format("%|id|{}|endpoint|%", EscapedForLike(filter.target));
  if (!filter.target.empty()) {
    sql += " AND (target = ? OR target LIKE ? ESCAPE '\\')";
    values.emplace_back(std::string_view(filter.target));
    values.emplace_back(std::string_view(about));
  }
  if (filter.cycle > 0) {
    sql += " AND cycle = ?";
    values.emplace_back(filter.cycle);
  }
  if (filter.before > 0) {
    sql += " AND id < ?";
    values.emplace_back(filter.before);
  }
  sql += " ORDER BY id DESC LIMIT ?";
  values.emplace_back(static_cast<std::int64_t>(filter.limit));
  std::vector<Run> runs;
  Rows rows = db_.QueryList(sql, values);
  while (rows.Next()) runs.push_back(ReadRun(rows));
  return runs;
}

std::optional<Run> Runs::FindByKey(const LaneKey& lane, const std::string& key) {
  Rows rows = db_.Query(
      fmt::format(
          "SELECT {} FROM run WHERE org = ? AND plugin = ? AND target = ? AND job_key = ? ORDER BY id DESC LIMIT 1",
          kColumns),
      org_, lane.plugin, lane.target, key);
  if (!rows.Next()) return std::nullopt;
  return ReadRun(rows);
}

void Runs::ForgetLane(const LaneKey& lane) {
  db_.Execute(
      "DELETE FROM lane WHERE org = ? AND plugin = ? AND target = ? AND NOT EXISTS (SELECT 1 FROM run WHERE "
      "run.org = lane.org AND run.plugin = lane.plugin AND run.target = lane.target)",
      org_, lane.plugin, lane.target);
}

std::vector<RunId> Runs::Prune(const LaneKey& lane, int keep, int keep_all) {
  std::vector<RunId> gone;
  Rows rows = db_.Query(
      "DELETE FROM run WHERE org = ? AND id IN ("
      "SELECT id FROM (SELECT id, status, changed, row_number() OVER (ORDER BY id DESC) AS place FROM run "
      "WHERE org = ? AND plugin = ? AND target = ?) AS ranked "
      "WHERE status <> 'running' AND (place > ? OR (place > ? AND status = 'ok' AND changed = 0))) RETURNING id",
      org_, org_, lane.plugin, lane.target, keep_all, keep);
  while (rows.Next()) gone.push_back(rows.Int(0));
  return gone;
}

}  // namespace backplane::store
