#include "dispatch/housekeeping.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/log.h"
#include "store/audit.h"
#include "store/cycles.h"
#include "store/device_events.h"
#include "store/events.h"
#include "store/journal.h"
#include "store/notifications.h"
#include "store/objects.h"
#include "store/resources.h"
#include "store/runs.h"

namespace backplane::dispatch {
namespace {

constexpr Millis kRound{5'000};
// A lane is pruned when it has grown by so many runs.
constexpr int kGrowth = 8;
constexpr int kRowsPerStep = 1'000;
constexpr Millis kIdleLook = std::chrono::hours(1);
constexpr Millis kHistoryLook = std::chrono::minutes(1);

}  // namespace

Housekeeping::Housekeeping(Host& host, store::Database& database, ingest::Folder& folder, const Clock& clock,
                           std::filesystem::path runs, Retention retention, std::function<EntryId()> samples_folded)
    : host_(host),
      database_(database),
      folder_(folder),
      clock_(clock),
      runs_(std::move(runs)),
      retention_(retention),
      samples_folded_(std::move(samples_folded)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { Loop(stop); });
}

Housekeeping::~Housekeeping() {
  thread_.request_stop();
  thread_.join();
}

void Housekeeping::Loop(const std::stop_token& stop) {
  TidyUpAfterTheLast();
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    for (const auto& [lane, count] : host_.TakeFinishedLanes()) finished_[lane] += count;
    for (auto& [lane, count] : finished_) {
      if (count < kGrowth || stop.stop_requested()) continue;
      PruneRuns(lane, retention_.runs_keep, retention_.runs_keep_all);
      count = 0;
    }
    std::erase_if(finished_, [](const auto& item) { return item.second == 0; });
    TellTheTime();
    ForgetIdleLanes();
    ForgetHistory();
    Forget();
    wake_.wait_for(lock, stop, kRound, [] { return false; });
  }
}

void Housekeeping::TidyUpAfterTheLast() {
  std::set<RunId> kept;
  const Status status = database_.Read([&](store::Connection& connection) -> Status {
    kept = store::AllRunIds(connection);
    for (const LaneKey& lane : store::LanesWithRuns(connection, retention_.runs_keep)) finished_[lane] = kGrowth;
    return {};
  });
  if (!status) return LogWarning("tidying up: {}", status.error().message);
  // Ids only rise: what is above the highest has been begun since.
  const RunId last = kept.empty() ? 0 : *kept.rbegin();
  std::error_code error;
  for (std::filesystem::directory_iterator entry(runs_, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename();
    const RunId id = std::atoll(name.c_str());
    if (std::to_string(id) != name || id > last || kept.contains(id)) continue;
    std::error_code ignored;
    std::filesystem::remove_all(entry->path(), ignored);
  }
}

void Housekeeping::PruneRuns(const LaneKey& lane, int keep, int keep_all) {
  std::vector<RunId> gone;
  const Status status = database_.Write(
      [&](store::Connection& connection) -> Status {
        gone = store::Runs(connection, lane.org).Prune(lane, keep, keep_all);
        return {};
      },
      store::Priority::kSlice);
  if (!status) return LogWarning("forgetting old runs: {}", status.error().message);
  for (const RunId run : gone) {
    std::error_code ignored;  // a folder that is gone, or never was, is what we want
    std::filesystem::remove_all(runs_ / std::to_string(run), ignored);
  }
}

void Housekeeping::ForgetIdleLanes() {
  const Millis now = clock_.Monotonic();
  if (now < next_idle_look_) return;
  std::vector<LaneKey> idle;
  Status status = database_.Read([&](store::Connection& connection) -> Status {
    idle = store::IdleLanes(connection, clock_.Now() - retention_.lanes_keep, kRowsPerStep);
    return {};
  });
  for (const LaneKey& lane : idle) {
    PruneRuns(lane, 0, 0);
    if (status)
      status = database_.Write(
          [&](store::Connection& connection) -> Status {
            store::Runs(connection, lane.org).ForgetLane(lane);
            return {};
          },
          store::Priority::kSlice);
  }
  if (!status) LogWarning("forgetting idle lanes: {}", status.error().message);
  if (static_cast<int>(idle.size()) < kRowsPerStep) next_idle_look_ = now + kIdleLook;
}

void Housekeeping::ForgetHistory() {
  const Millis now = clock_.Monotonic();
  if (now < next_history_look_) return;
  next_history_look_ = now + kHistoryLook;
  ForgetObjectHistory();
  ForgetWhatHappened();
}

void Housekeeping::ForgetInSteps(const char* what, const std::function<int(store::Connection&)>& forget) {
  for (int gone = kRowsPerStep; gone == kRowsPerStep;) {
    const Status status = database_.Write(
        [&](store::Connection& connection) -> Status {
          gone = forget(connection);
          return {};
        },
        store::Priority::kSlice);
    if (!status) return LogWarning("forgetting {}: {}", what, status.error().message);
  }
}

void Housekeeping::ForgetWhatHappened() {
  ForgetInSteps("what happened to devices", [this](store::Connection& connection) {
    return store::DeviceEvents(connection, kDefaultOrg)
        .Forget(clock_.Now() - retention_.device_events_keep, kRowsPerStep);
  });
  ForgetInSteps("notifications", [this](store::Connection& connection) {
    return store::Notifications(connection, kDefaultOrg).Forget(retention_.notifications_keep, kRowsPerStep);
  });
  ForgetInSteps("cycles", [this](store::Connection& connection) {
    return store::Cycles(connection, kDefaultOrg).Forget(retention_.cycles_keep, kRowsPerStep);
  });
}

void Housekeeping::ForgetObjectHistory() {
  for (const auto kind : {store::ObjectLogKind::kHistory, store::ObjectLogKind::kReports}) {
    std::vector<store::PluginOfOrg> plugins;
    const Status status = database_.Read([&](store::Connection& connection) -> Status {
      plugins = store::PluginsInLog(connection, kind);
      return {};
    });
    if (!status) return LogWarning("forgetting the history of objects: {}", status.error().message);
    for (const store::PluginOfOrg& one : plugins)
      ForgetInSteps("the history of objects", [&](store::Connection& connection) {
        return store::ObjectLog(connection, one.org, kind)
            .Forget(one.plugin, retention_.objects_history_keep, kRowsPerStep);
      });
  }
}

void Housekeeping::TellTheTime() {
  const TimePoint now = clock_.Now();
  bool expired = false;
  Status status = database_.Read([&](store::Connection& connection) -> Status {
    expired = store::AnythingExpired(connection, now);
    return {};
  });
  if (status && expired) {
    status = database_.Write([&](store::Connection& connection) -> Status {
      store::AppendEntry(connection, {.kind = store::EntryKind::kTime, .at = now});
      return {};
    });
    folder_.Wake();
  }
  if (!status) LogWarning("ending what has expired: {}", status.error().message);
}

void Housekeeping::Forget() {
  const TimePoint now = clock_.Now();
  int journal = kRowsPerStep;
  int events = kRowsPerStep;
  while (journal == kRowsPerStep || events == kRowsPerStep) {
    const Status status = database_.Write(
        [&](store::Connection& connection) -> Status {
          const EntryId folded = std::min(store::GetWatermark(connection, "core").entry, samples_folded_());
          journal = store::ForgetEntries(connection, folded, now - retention_.journal_keep, kRowsPerStep);
          events = store::Events(connection, kDefaultOrg).Forget(now - retention_.events_keep, kRowsPerStep);
          store::ForgetAudit(connection, now - retention_.audit_keep, kRowsPerStep);
          return {};
        },
        store::Priority::kSlice);
    if (!status) return LogWarning("forgetting old entries: {}", status.error().message);
  }
}

}  // namespace backplane::dispatch
