// The audit log: who did what, kept apart from the events because nobody may change it.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "model/ids.h"
#include "store/database.h"

namespace backplane::store {

struct AuditEntry {
  std::int64_t id = 0;  ///< given by Append(); rises
  TimePoint at;
  std::string actor;          ///< "user:alice", "token:ci", "cli", "auto" or "system"
  std::string action;         ///< "secret.set", "plugin.approve"
  std::string subject;        ///< what it was done to; may be empty
  std::string detail = "{}";  ///< a JSON object; never holds a secret
};

struct AuditFilter {
  std::string actor;        ///< empty: any
  std::string action;       ///< a prefix: "secret." finds secret.set; empty: any
  std::string subject;      ///< empty: any
  std::int64_t before = 0;  ///< only entries with a smaller id; 0: all
  int limit = 100;
};

/// The log of one organisation. Entries are appended, in the transaction of what they tell; none is
/// ever changed, and only age ends one.
class Audit {
 public:
  Audit(Connection& connection, OrgId org) : db_(connection), org_(org) {}

  std::int64_t Append(const AuditEntry& entry);
  /// Newest first.
  std::vector<AuditEntry> List(const AuditFilter& filter);

 private:
  Connection& db_;
  OrgId org_;
};

/// Removes those from before `before` among the `limit` oldest of every organisation; returns how many
/// went.
int ForgetAudit(Connection& connection, TimePoint before, int limit);

}  // namespace backplane::store
