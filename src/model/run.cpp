#include "model/run.h"

#include <array>

namespace backplane {

const char* TriggerName(TriggerKind kind) {
  switch (kind) {
    case TriggerKind::kStart: return "start";
    case TriggerKind::kCron: return "cron";
    case TriggerKind::kInterval: return "interval";
    case TriggerKind::kPhase: return "phase";
    case TriggerKind::kEvent: return "event";
    case TriggerKind::kCall: return "call";
    case TriggerKind::kFile: return "file";
  }
  return "call";
}

const char* RunStatusName(RunStatus status) {
  switch (status) {
    case RunStatus::kRunning: return "running";
    case RunStatus::kOk: return "ok";
    case RunStatus::kFailed: return "failed";
    case RunStatus::kTimeout: return "timeout";
    case RunStatus::kKilled: return "killed";
    case RunStatus::kCancelled: return "cancelled";
    case RunStatus::kNotStarted: return "not_started";
    case RunStatus::kInterrupted: return "interrupted";
  }
  return "failed";
}

std::optional<RunStatus> ParseRunStatus(const std::string& name) {
  constexpr std::array kAll = {RunStatus::kRunning,    RunStatus::kOk,         RunStatus::kFailed,
                               RunStatus::kTimeout,    RunStatus::kKilled,     RunStatus::kCancelled,
                               RunStatus::kNotStarted, RunStatus::kInterrupted};
  for (const RunStatus status : kAll)
    if (name == RunStatusName(status)) return status;
  return std::nullopt;
}

}  // namespace backplane
