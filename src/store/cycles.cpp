#include "store/cycles.h"

#include <fmt/format.h>

namespace backplane::store {
namespace {

constexpr const char* kColumns = "id, opened, closed, stage, status, message";

Cycle Read(const Rows& rows) {
  Cycle cycle{.id = rows.Int(0),
              .opened = FromMillis(rows.Int(1)),
              .closed = {},
              .stage = rows.Text(3),
              .status = rows.Text(4),
              .message = rows.Text(5)};
  if (const auto closed = rows.MaybeInt(2)) cycle.closed = FromMillis(*closed);
  return cycle;
}

}  // namespace

CycleId Cycles::Open(TimePoint at, const std::string& stage) {
  return db_.ExecuteReturning(
      "INSERT INTO cycle (org, opened, stage, status, message) VALUES (?, ?, ?, 'running', '') RETURNING id", org_,
      ToMillis(at), stage);
}

void Cycles::SetStage(CycleId cycle, const std::string& stage) {
  db_.Execute("UPDATE cycle SET stage = ? WHERE id = ? AND org = ?", stage, cycle, org_);
}

void Cycles::Close(CycleId cycle, TimePoint at, const std::string& status, const std::string& message) {
  db_.Execute("UPDATE cycle SET closed = ?, status = ?, message = ? WHERE id = ? AND org = ? AND closed IS NULL",
              ToMillis(at), status, message, cycle, org_);
}

std::optional<Cycle> Cycles::Get(CycleId cycle) {
  Rows rows = db_.Query(fmt::format("SELECT {} FROM cycle WHERE id = ? AND org = ?", kColumns), cycle, org_);
  if (!rows.Next()) return std::nullopt;
  return Read(rows);
}

std::vector<Cycle> Cycles::List(CycleId before, int limit) {
  std::vector<Cycle> cycles;
  Rows rows = db_.Query(
      fmt::format("SELECT {} FROM cycle WHERE org = ? AND (? = 0 OR id < ?) ORDER BY id DESC LIMIT ?", kColumns), org_,
      before, before, limit);
  while (rows.Next()) cycles.push_back(Read(rows));
  return cycles;
}

std::vector<Cycle> Cycles::Open() {
  std::vector<Cycle> cycles;
  Rows rows =
      db_.Query(fmt::format("SELECT {} FROM cycle WHERE org = ? AND closed IS NULL ORDER BY id", kColumns), org_);
  while (rows.Next()) cycles.push_back(Read(rows));
  return cycles;
}

int Cycles::Forget(std::int64_t keep, int limit) {
  return static_cast<int>(
      db_.Execute("DELETE FROM cycle WHERE id IN (SELECT id FROM cycle WHERE org = ? AND closed IS NOT NULL AND id <= "
                  "(SELECT COALESCE(MAX(id), 0) FROM cycle WHERE org = ?) - ? ORDER BY id LIMIT ?)",
                  org_, org_, keep, limit));
}

}  // namespace backplane::store
