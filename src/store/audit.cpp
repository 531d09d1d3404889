#include "store/audit.h"

namespace backplane::store {

std::int64_t Audit::Append(const AuditEntry& entry) {
  return db_.ExecuteReturning(
      "INSERT INTO audit (org, at, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?) RETURNING id", org_,
      ToMillis(entry.at), entry.actor, entry.action, entry.subject, entry.detail);
}

std::vector<AuditEntry> Audit::List(const AuditFilter& filter) {
  std::string sql = "SELECT id, at, actor, action, subject, detail FROM audit WHERE org = ?";
  std::vector<Value> values{org_};
  const auto narrow = [&](const char* condition, Value value) {
    sql += condition;
    values.push_back(value);
  };
  // '~' sorts after every character of an action.
  const std::string behind = filter.action + "~";
  if (!filter.actor.empty()) narrow(" AND actor = ?", std::string_view(filter.actor));
  if (!filter.subject.empty()) narrow(" AND subject = ?", std::string_view(filter.subject));
  if (!filter.action.empty()) {
    narrow(" AND action >= ?", std::string_view(filter.action));
    narrow(" AND action < ?", std::string_view(behind));
  }
  if (filter.before != 0) narrow(" AND id < ?", filter.before);
  narrow(" ORDER BY id DESC LIMIT ?", static_cast<std::int64_t>(filter.limit));
  std::vector<AuditEntry> entries;
  Rows rows = db_.QueryList(sql, values);
  while (rows.Next())
    entries.push_back({rows.Int(0), FromMillis(rows.Int(1)), rows.Text(2), rows.Text(3), rows.Text(4), rows.Text(5)});
  return entries;
}

int ForgetAudit(Connection& connection, TimePoint before, int limit) {
  return static_cast<int>(connection.Execute(
      "DELETE FROM audit WHERE id IN (SELECT id FROM (SELECT id, at FROM audit ORDER BY id LIMIT ?) AS oldest "
      "WHERE at < ?)",
      limit, ToMillis(before)));
}

}  // namespace backplane::store
