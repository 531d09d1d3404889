// Runs and lanes: what was admitted, and what came of it.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/run.h"
#include "store/database.h"

namespace backplane::store {

/// What the guard needs to know of a lane after a restart.
struct LaneRow {
  LaneKey key;
  std::optional<TimePoint> last_started;  ///< of the last run that began, or may have
  std::optional<TimePoint> last_results;  ///< start of the last run that reported something
  std::optional<TimePoint> last_slot;     ///< the greatest slot for which a run was ever started
};

/// Lanes of every organisation with more than `runs` runs: for tidying up.
std::vector<LaneKey> LanesWithRuns(Connection& connection, int runs);
/// Up to `limit` lanes of every organisation that are about a resource and were last started before
/// `before`.
std::vector<LaneKey> IdleLanes(Connection& connection, TimePoint before, int limit);
/// Those of `lanes` that ever ran.
std::vector<LaneRow> LanesOf(Connection& connection, const std::vector<LaneKey>& lanes);

/// Raises the epoch durably and returns the new one.
std::int64_t RaiseEpoch(Connection& connection);

/// Every run that is kept, of every organisation: for tidying up.
std::set<RunId> AllRunIds(Connection& connection);

/// Runs without an end, of every organisation: for the start of a scheduler only.
std::vector<Run> OpenRuns(Connection& connection);

struct RunFilter {
  std::string plugin;  ///< empty: any
  std::optional<RunStatus> status;
  std::string key;     ///< job key; empty: any
  std::string target;  ///< a lane's target, or the id of its resource; empty: any
  CycleId cycle = 0;   ///< 0: any
  RunId before = 0;    ///< only older ones; 0: from the newest
  int limit = 50;
};

/// Runs of one organisation.
class Runs {
 public:
  Runs(Connection& connection, OrgId org) : db_(connection), org_(org) {}

  /// Writes the lane's token, last start and, if the job was scheduled, slot, and the run as
  /// running; returns its id.
  RunId Begin(const Run& run, std::optional<TimePoint> slot = {});

  /// Closes a running run if `run.token` is still the last one issued for its lane. Writes
  /// status, exit code, message, end, counts and command; into the lane, that it reported something,
  /// or that it was not started and the start before it is the last. False: the lease was lost, nothing written.
  bool Close(const Run& run);

  /// They belong to this cycle.
  void Join(const std::vector<RunId>& ids, CycleId cycle);

  /// Adds what the folds found changed.
  void AddChanged(RunId id, std::int64_t changed);

  std::optional<Run> Get(RunId id);
  /// Newest first.
  std::vector<Run> List(const RunFilter& filter);
  /// The newest run with this job key, if any: makes a repeated call find its first run.
  std::optional<Run> FindByKey(const LaneKey& lane, const std::string& key);

  /// Forgets a lane that has no runs.
  void ForgetLane(const LaneKey& lane);

  /// Forgets unchanged successes of a lane but for the newest `keep`, and anything older than
  /// the newest `keep_all`. Returns the ids that went.
  std::vector<RunId> Prune(const LaneKey& lane, int keep, int keep_all);

 private:
  Connection& db_;
  OrgId org_;
};

}  // namespace backplane::store
