// Lanes, jobs and runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "model/ids.h"

namespace backplane {

/// One plugin on one target: what the lock and the frequency are about.
struct LaneKey {
  OrgId org = kDefaultOrg;
  std::string plugin;  ///< plugin id, "dialect:name"
  std::string target;  ///< empty: the plugin runs about nothing in particular
  auto operator<=>(const LaneKey&) const = default;
};

/// kFile: no reason to execute anything, but a result that a script left which nobody here started.
enum class TriggerKind { kStart, kCron, kInterval, kPhase, kEvent, kCall, kFile };
/// "start", "cron", "interval", "phase", "event", "call", "file".
const char* TriggerName(TriggerKind kind);

/// Names of phases, in the order in which a cycle raises them; the last is raised when values of settings have changed.
inline constexpr const char* kAfterScanPhase = "after_scan";       ///< its scanners have ended
inline constexpr const char* kNewDevicePhase = "new_device";       ///< there are devices that nobody knew
inline constexpr const char* kBeforeNamesPhase = "before_names";   ///< names of devices are about to be resolved
inline constexpr const char* kNotificationPhase = "notification";  ///< there are notifications to be sent
inline constexpr const char* kSettingsPhase = "settings_changed";

/// What the key of a job begins with that sends notifications; the number of their round follows.
inline constexpr std::string_view kRoundKey = "round/";

/// Why something runs. Which members matter depends on `kind`.
struct Trigger {
  TriggerKind kind = TriggerKind::kCall;
  std::string cron;    ///< kCron: five fields
  std::string zone;    ///< kCron: IANA zone the fields are in, empty is UTC
  Millis interval{0};  ///< kInterval: more than zero
  std::string name;    ///< kPhase, kEvent: which
  bool operator==(const Trigger&) const = default;
};

/// Proof of having been admitted to a lane. Ordered; a lane's tokens only rise.
struct Token {
  std::int64_t epoch = 0;    ///< rises durably at each start of a scheduler
  std::int64_t counter = 0;  ///< rises at each admission within the epoch
  auto operator<=>(const Token&) const = default;
};

/// One thing due to run.
struct Job {
  LaneKey lane;
  TriggerKind trigger = TriggerKind::kCall;
  /// Idempotence key: "slot/<ms>" (scheduled), "event/<seq>", "call/<Idempotency-Key>",
  /// "file/<name>", "phase/<cycle>/<phase>", "round/<number>" (notifications).
  std::string key;
  TimePoint due;
  std::optional<TimePoint> deadline;  ///< not worth starting after this
  CycleId cycle = 0;                  ///< that it belongs to; 0: none
};

enum class RunStatus {
  kRunning,
  kOk,           ///< exit code 0, output taken
  kFailed,       ///< exit code other than 0, or output that could not be read
  kTimeout,      ///< the time limit passed and the process tree was killed
  kKilled,       ///< ended by a signal that we did not send
  kCancelled,    ///< a person or a shutdown ended it
  kNotStarted,   ///< the runtime could not start it; the message says why
  kInterrupted,  ///< the daemon or the keeper died under it
};
/// "running", "ok", "failed", "timeout", "killed", "cancelled", "not_started", "interrupted".
const char* RunStatusName(RunStatus status);
std::optional<RunStatus> ParseRunStatus(const std::string& name);

/// One attempt at a job, as stored.
struct Run {
  RunId id = 0;
  LaneKey lane;
  TriggerKind trigger = TriggerKind::kCall;
  std::string key;
  Token token;
  RunStatus status = RunStatus::kRunning;
  std::optional<int> exit_code;
  std::string message;  ///< what happened, for people; empty if nothing is worth saying
  TimePoint started;
  std::optional<TimePoint> finished;
  std::int64_t taken = 0;    ///< records accepted
  std::int64_t refused = 0;  ///< pieces of output not taken
  std::int64_t changed = 0;  ///< entities and objects that the folds found new or changed
  std::string refusals;      ///< the first of them, as a JSON array of {where, reason}
  std::string command;       ///< what was executed, for people
  CycleId cycle = 0;         ///< that it belongs to; 0: none
};

}  // namespace backplane
