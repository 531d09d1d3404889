#include "dispatch/cycles.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/log.h"
#include "ingest/batch_body.h"
#include "store/cycles.h"
#include "store/device_events.h"
#include "store/journal.h"
#include "store/runs.h"

namespace backplane::dispatch {
namespace {

using schedule::CycleEnd;
using schedule::CycleStage;

// The watermark of what passes that came to their end were about: the journal up to `entry`, and of the events of new
// devices those up to `position`.
constexpr const char* kProgress = "cycles";
// Likewise, the last entry of a scanner that belonged to a pass.
constexpr const char* kScanned = "cycles.scans";
// How long the folder is waited for before it is asked whether we are to stop.
constexpr Millis kPatience{1'000};
constexpr Millis kPause{100};

const char* StatusOf(CycleEnd end) {
  switch (end) {
    case CycleEnd::kDone: return "ok";
    case CycleEnd::kCancelled: return "cancelled";
    case CycleEnd::kFailed: return "failed";
  }
  return "failed";
}

std::int64_t LastNewDevice(store::Connection& connection) {
  const auto newest = store::DeviceEvents(connection, kDefaultOrg)
                          .List({.kind = store::DeviceEventKind::kNew, .from = {}, .upto = {}, .limit = 1});
  return newest.empty() ? 0 : newest.front().id;
}

}  // namespace

template <typename Change>
void CycleNews::Add(const Change& change) {
  {
    const std::lock_guard lock(mutex_);
    change();
    woken_ = true;
  }
  came_.notify_one();
}

void CycleNews::Began(RunId run) {
  Add([&] { inputs_.began.push_back(run); });
}

void CycleNews::Ended(RunId run) {
  Add([&] { inputs_.ended.push_back(run); });
}

Result<std::unique_ptr<Cycles>> Cycles::Start(CyclesParts parts) {
  std::unique_ptr<Cycles> cycles(new Cycles(std::move(parts)));
  BACKPLANE_ASSIGN(schedule::CycleInputs left, cycles->TakeOver());
  cycles->thread_ =
      std::jthread([it = cycles.get(), left = std::move(left)](const std::stop_token& stop) { it->Loop(stop, left); });
  return cycles;
}

Cycles::Cycles(CyclesParts parts) : parts_(std::move(parts)) {}

Cycles::~Cycles() { thread_.request_stop(); }

Status Cycles::Cancel(CycleId cycle) {
  bool open = false;
  parts_.news->Add([&] {
    open = cycle != 0 && parts_.news->open_ == cycle;
    if (open) parts_.news->cancelled_ = cycle;
  });
  if (!open) return Fail(Errc::kNotFound, fmt::format("cycle {} is not open", cycle));
  return {};
}

CycleId Cycles::open() const {
  const std::lock_guard lock(parts_.news->mutex_);
  return parts_.news->open_;
}

Result<schedule::CycleInputs> Cycles::TakeOver() {
  schedule::CycleInputs left;
  const std::shared_ptr<const Catalog> catalog = parts_.host.catalog();
  BACKPLANE_TRY(parts_.database.Write([&](store::Connection& connection) -> Status {
    store::Cycles cycles(connection, kDefaultOrg);
    for (const store::Cycle& cycle : cycles.Open()) {
      cycles.Close(cycle.id, parts_.clock.Now(), "interrupted", "the daemon ended while it was open");
      left.due = true;
    }
    // What was scanned and came into no pass.
    for (const Plugin& plugin : catalog->plugins()) {
      if (!plugin.manifest.scans) continue;
      for (const Run& run :
           store::Runs(connection, kDefaultOrg).List({.plugin = plugin.manifest.id, .status = {}, .limit = 1}))
        if (run.cycle == 0) left.ended.push_back(run.id);
    }
    return {};
  }));
  return left;
}

void Cycles::Loop(const std::stop_token& stop, schedule::CycleInputs inputs) {
  while (!stop.stop_requested()) {
    inputs.regular = !parts_.host.LanesOf(kAfterScanPhase).empty();
    const schedule::CycleEffects effects = steps_.Step(parts_.clock.Monotonic(), std::move(inputs));
    const Outcome outcome = Do(effects, stop);
    inputs = Wait(stop, outcome == Outcome::kNone ? effects.wake : Millis(0));
    if (outcome != Outcome::kNone) inputs.outcome = outcome;
  }
}

schedule::CycleInputs Cycles::Wait(const std::stop_token& stop, std::optional<Millis> wake) {
  CycleNews& news = *parts_.news;
  std::unique_lock lock(news.mutex_);
  const auto woken = [&] { return news.woken_; };
  if (wake)
    news.came_.wait_for(lock, stop, std::max(Millis(0), *wake - parts_.clock.Monotonic()), woken);
  else
    news.came_.wait(lock, stop, woken);
  news.woken_ = false;
  schedule::CycleInputs inputs = std::exchange(news.inputs_, {});
  inputs.cancel = cycle_ != 0 && news.cancelled_ == cycle_;
  bool told = false;
  for (const auto& [order, lane] : std::exchange(news.told_, {})) told |= order == order_ && awaited_.erase(lane) > 0;
  if (told && awaited_.empty()) inputs.outcome = Outcome::kDone;
  return inputs;
}

Cycles::Outcome Cycles::Do(const schedule::CycleEffects& effects, const std::stop_token& stop) {
  if (effects.close) Close(*effects.close);
  Result<Outcome> outcome = Outcome::kNone;
  if (effects.open)
    if (Status opened = Open(); !opened) outcome = Fail(std::move(opened).error());
  if (effects.begin && outcome) outcome = Begin(*effects.begin, effects.scans, stop);
  if (effects.report) {
    Status reported = AskForReports(stop);
    outcome = reported ? Result<Outcome>(Outcome::kDone) : Fail(std::move(reported).error());
  }
  if (outcome) return *outcome;
  if (!stop.stop_requested()) LogError("a scan pass: {}; it is tried again in a minute", outcome.error().message);
  problem_ = outcome.error().message;
  return Outcome::kFailed;
}

Result<Cycles::Outcome> Cycles::Begin(CycleStage stage, const std::vector<RunId>& scans, const std::stop_token& stop) {
  const TimePoint now = parts_.clock.Now();
  switch (stage) {
    case CycleStage::kScan: break;
    case CycleStage::kAfterScan: BACKPLANE_TRY(Gather(scans)); return Raise(kAfterScanPhase);
    case CycleStage::kConclude:
      BACKPLANE_TRY(
          FollowUps([&](const FollowUp& dialect, const Catalog& catalog,
                        store::Connection& core) { return dialect.AfterScan(catalog, core, before_.entry, now); },
                    stop));
      break;
    case CycleStage::kNewDevice: return RaiseNewDevice();
    case CycleStage::kBeforeNames: return Raise(kBeforeNamesPhase);
    case CycleStage::kNames:
      BACKPLANE_TRY(SetStage("names"));
      BACKPLANE_TRY(FollowUps([&](const FollowUp& dialect, const Catalog& catalog,
                                  store::Connection& core) { return dialect.Names(catalog, core, now); },
                              stop));
      break;
    case CycleStage::kSeal: BACKPLANE_TRY(Seal(stop)); break;
    case CycleStage::kReport:
      BACKPLANE_TRY(SetStage("report"));
      BACKPLANE_TRY(AskForReports(stop));
      break;
    case CycleStage::kNotify:
      BACKPLANE_TRY(SetStage(kNotificationPhase));
      awaited_ = {LaneKey()};
      parts_.sender.Send(
          [news = parts_.news, order = ++order_] { news->Add([&] { news->told_.emplace_back(order, LaneKey()); }); });
      return Outcome::kNone;
  }
  return Outcome::kDone;
}

Status Cycles::Open() {
  BACKPLANE_TRY(parts_.database.Write([&](store::Connection& connection) -> Status {
    cycle_ = store::Cycles(connection, kDefaultOrg).Open(parts_.clock.Now(), "scan");
    return {};
  }));
  CrashPoint("cycle.opened");
  parts_.sender.SetCycle(cycle_);
  const std::lock_guard lock(parts_.news->mutex_);
  parts_.news->open_ = cycle_;
  return {};
}

void Cycles::Close(CycleEnd end) {
  {
    const std::lock_guard lock(parts_.news->mutex_);
    parts_.news->open_ = parts_.news->cancelled_ = 0;
  }
  ++order_;  // what is told from now on is about nothing any more
  for (const LaneKey& lane : std::exchange(awaited_, {}))
    if (!lane.plugin.empty()) parts_.host.TakeBack(lane, key_);
  parts_.sender.SetCycle(0);
  const std::string problem = end == CycleEnd::kFailed ? std::exchange(problem_, {}) : std::string();
  const Status closed = parts_.database.Write([&](store::Connection& connection) -> Status {
    store::Cycles(connection, kDefaultOrg).Close(cycle_, parts_.clock.Now(), StatusOf(end), problem);
    return {};
  });
  if (!closed) LogError("cycle {} could not be closed: {}", cycle_, closed.error().message);
  cycle_ = 0;
}

Status Cycles::Gather(const std::vector<RunId>& scans) {
  return parts_.database.Write([&](store::Connection& connection) -> Status {
    before_ = reached_ = store::GetWatermark(connection, kProgress);
    // A journal that has forgotten everything ends where the fold stands.
    reached_.entry = std::max(store::LastEntry(connection), store::GetWatermark(connection, "core").entry);
    scanned_before_ = store::GetWatermark(connection, kScanned).entry;
    // Ends are told in the order of their entries: what has ended and is not told yet comes after these.
    scanned_ = std::max(scanned_before_, store::LastEntryOf(connection, scans, scanned_before_));
    store::Runs(connection, kDefaultOrg).Join(scans, cycle_);
    store::Cycles(connection, kDefaultOrg).SetStage(cycle_, kAfterScanPhase);
    return {};
  });
}

Status Cycles::SetStage(const char* stage) {
  return parts_.database.Write([&](store::Connection& connection) -> Status {
    store::Cycles(connection, kDefaultOrg).SetStage(cycle_, stage);
    return {};
  });
}

Result<Cycles::Outcome> Cycles::Raise(const char* phase) {
  const std::vector<LaneKey> lanes = parts_.host.LanesOf(phase);
  if (lanes.empty()) return Outcome::kDone;
  BACKPLANE_TRY(SetStage(phase));
  ++order_;
  key_ = fmt::format("phase/{}/{}", cycle_, phase);
  awaited_ = {lanes.begin(), lanes.end()};
  for (const LaneKey& lane : lanes)
    parts_.host.Raise(lane, key_, cycle_, [news = parts_.news, order = order_, lane](const Result<Run>&) {
      news->Add([&] { news->told_.emplace_back(order, lane); });
    });
  return Outcome::kNone;
}

Result<Cycles::Outcome> Cycles::RaiseNewDevice() {
  BACKPLANE_TRY(parts_.database.Read([&](store::Connection& connection) -> Status {
    reached_.position = LastNewDevice(connection);
    return {};
  }));
  return reached_.position > before_.position ? Raise(kNewDevicePhase) : Outcome::kDone;
}

Status Cycles::FollowUps(const Ask& ask, const std::stop_token& stop) {
  BACKPLANE_TRY(WaitUntilFolded(stop));
  const std::shared_ptr<const Catalog> catalog = parts_.host.catalog();
  for (const FollowUp* const dialect : parts_.follow_ups) {
    std::vector<Record> records;
    try {
      BACKPLANE_TRY(parts_.database.Read([&](store::Connection& core) -> Status {
        records = ask(*dialect, *catalog, core);
        return {};
      }));
    } catch (const std::exception& bug) {
      LogError("cycle {}: what {} concludes is left out: {}", cycle_, dialect->dialect(), bug.what());
    }
    if (records.empty()) continue;
    const store::Entry entry{
        .at = parts_.clock.Now(), .plugin = std::string(dialect->dialect()), .body = ingest::EncodeRecords(records)};
    CrashPoint("cycle.append.before");
    BACKPLANE_TRY(parts_.database.Write([&](store::Connection& connection) -> Status {
      store::AppendEntry(connection, entry);
      return {};
    }));
    CrashPoint("cycle.append.after");
    BACKPLANE_TRY(WaitUntilFolded(stop));
  }
  return {};
}

Status Cycles::AskForReports(const std::stop_token& stop) {
  const TimePoint now = parts_.clock.Now();
  return FollowUps([&](const FollowUp& dialect, const Catalog& catalog,
                       store::Connection& core) { return dialect.Report(catalog, core, now); },
                   stop);
}

Status Cycles::Seal(const std::stop_token& stop) {
  Json body = {{"cycle", cycle_}};
  if (parts_.passes_tell_absence) body["seen_after"] = scanned_before_;
  const store::Entry entry{
      .kind = store::EntryKind::kCycle, .at = parts_.clock.Now(), .plugin = {}, .body = DumpJson(body)};
  CrashPoint("cycle.seal.before");
  BACKPLANE_TRY(parts_.database.Write([&](store::Connection& connection) -> Status {
    store::AppendEntry(connection, entry);
    store::SetWatermark(connection, kProgress, reached_);
    store::SetWatermark(connection, kScanned, {scanned_, 0});
    return {};
  }));
  CrashPoint("cycle.seal.after");
  return WaitUntilFolded(stop);
}

Status Cycles::WaitUntilFolded(const std::stop_token& stop) {
  while (!parts_.folder.WaitUntilFolded(kPatience)) {
    // Nor faster if the store cannot even say how much there is.
    std::unique_lock lock(parts_.news->mutex_);
    parts_.news->came_.wait_for(lock, stop, kPause, [] { return false; });
    if (stop.stop_requested()) return Fail(Errc::kUnavailable, "the daemon is stopping");
  }
  return {};
}

}  // namespace backplane::dispatch
