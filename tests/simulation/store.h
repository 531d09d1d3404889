// The durable store as the simulation sees it: what survives a crash of the daemon.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/text.h"
#include "base/time.h"
#include "model/run.h"

namespace backplane::simulation {

using LaneIndex = std::size_t;

struct RunRow {
  LaneIndex lane = 0;
  Token token;
  RunStatus status = RunStatus::kRunning;
};

class Store {
 public:
  struct LaneRow {
    std::optional<TimePoint> last_start, former_start;  // former: if the last does not count
    std::optional<TimePoint> last_results;              // start of the last run that reported something
    std::optional<TimePoint> last_slot;                 // the greatest
    Token last_token;
  };

  /// `fenced` false: accepts anything, so that the checker can be seen to notice.
  Store(std::size_t lanes, bool fenced) : lanes_(lanes), fenced_(fenced) {}

  std::int64_t RaiseEpoch() { return ++epoch_; }
  const LaneRow& lane(LaneIndex lane) const { return lanes_[lane]; }
  const RunRow& run(RunId id) const { return runs_[static_cast<std::size_t>(id - 1)]; }

  /// One transaction: the run's row, and the lane's last start, slot and token.
  RunId Start(LaneIndex lane, const Job& job, Token token, TimePoint wall) {
    LaneRow& row = lanes_[lane];
    row.former_start = std::exchange(row.last_start, wall);
    row.last_token = token;
    if (job.trigger == TriggerKind::kCron || job.trigger == TriggerKind::kInterval)
      row.last_slot = std::max(row.last_slot, std::optional(job.due));
    runs_.push_back({lane, token, RunStatus::kRunning});
    if (job.trigger == TriggerKind::kCall) calls_.emplace(job.key, runs_.size());
    return static_cast<RunId>(runs_.size());
  }
  bool HasCall(const std::string& key) const { return calls_.contains(key); }

  /// Takes a result: only for the last token that was issued for the lane, and an open run.
  bool Accept(RunId id, Token token, bool reported) {
    RunRow& run = runs_[static_cast<std::size_t>(id - 1)];
    const bool allowed = run.status == RunStatus::kRunning && lanes_[run.lane].last_token == token;
    if (fenced_ && !allowed) return false;
    run.status = RunStatus::kOk;
    if (reported) lanes_[run.lane].last_results = lanes_[run.lane].last_start;
    return true;
  }
  /// Closes a run that is open.
  void Close(RunId id, RunStatus status) {
    RunRow& run = runs_[static_cast<std::size_t>(id - 1)];
    if (run.status != RunStatus::kRunning) return;
    run.status = status;
    if (status == RunStatus::kNotStarted) lanes_[run.lane].last_start = lanes_[run.lane].former_start;
  }
  std::vector<RunId> OpenRuns() const {
    std::vector<RunId> open;
    for (std::size_t i = 0; i < runs_.size(); ++i)
      if (runs_[i].status == RunStatus::kRunning) open.push_back(static_cast<RunId>(i + 1));
    return open;
  }

 private:
  std::vector<LaneRow> lanes_;
  const bool fenced_;
  std::int64_t epoch_ = 0;
  std::vector<RunRow> runs_;  // number i + 1 at i
  std::unordered_map<std::string, std::size_t> calls_;
};

}  // namespace backplane::simulation
