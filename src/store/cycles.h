// Cycles: runs that belong together, and what followed from them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/ids.h"
#include "model/run.h"
#include "store/database.h"

namespace backplane::store {

struct Cycle {
  CycleId id = 0;
  TimePoint opened;
  std::optional<TimePoint> closed;
  std::string stage;    ///< what it does, or did last: the name of a phase, "scan", "names", "report"
  std::string status;   ///< "running", "ok", "cancelled", "failed", "interrupted"
  std::string message;  ///< for people; may be empty
};

/// Cycles of one organisation.
class Cycles {
 public:
  Cycles(Connection& connection, OrgId org) : db_(connection), org_(org) {}

  CycleId Open(TimePoint at, const std::string& stage);
  void SetStage(CycleId cycle, const std::string& stage);
  void Close(CycleId cycle, TimePoint at, const std::string& status, const std::string& message);
  std::optional<Cycle> Get(CycleId cycle);
  /// Newest first, older than `before` if that is not 0.
  std::vector<Cycle> List(CycleId before, int limit);
  /// Those that are not closed, oldest first.
  std::vector<Cycle> Open();
  /// Closed ones beyond the newest `keep` go, up to `limit`. Returns how many: call again while it is `limit`.
  int Forget(std::int64_t keep, int limit);

 private:
  Connection& db_;
  OrgId org_;
};

}  // namespace backplane::store
