#include "world.h"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

namespace backplane::simulation {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// A Saturday evening before the clocks of Europe are put back.
constexpr TimePoint kBegin{std::chrono::sys_days(std::chrono::year(2026) / 10 / 24) + hours(18)};
constexpr Millis kLease = seconds(20);
constexpr Millis kHeartbeat = seconds(5);
constexpr Millis kWeather = minutes(40);

std::vector<LaneRules> RulesOf(const std::vector<LaneSetup>& lanes) {
  std::vector<LaneRules> rules;
  for (const LaneSetup& lane : lanes) rules.push_back(lane.rules);
  return rules;
}

}  // namespace

World::World(WorldOptions options)
    : options_(options),
      rng_(options.seed),
      lanes_(MakeLanes(options.lanes, rng_)),
      store_(lanes_.size(), options.broken != Break::kFencing),
      checker_(std::make_unique<Checker>(RulesOf(lanes_))) {}

void World::At(Millis delay, std::function<void()> act) {
  events_.push({now_ + std::max(delay, Millis(0)), ++last_event_, std::move(act)});
}

TimePoint World::Wall() const { return kBegin + now_ + offset_; }
dispatch::Moment World::Moment() const { return {Wall(), now_ - daemon_started_}; }

bool World::Over() const {
  return checker_->answered() >= options_.jobs || checker_->violations().size() >= kMostViolations;
}

void World::Every(Millis mean, void (World::*fault)()) {
  // Storms and calm take turns: much must go wrong, and there must be time to see progress.
  const bool storm = now_ / kWeather % 2 == 0;
  const Millis delay = Between(Millis(1), storm ? mean / 5 : mean * 2);
  At(delay, [this, mean, fault] {
    if (quiet_) return;
    (this->*fault)();
    Every(mean, fault);
  });
}

void World::Run() {
  StartDaemon();
  Every(minutes(20), &World::Crash);
  Every(minutes(25), &World::SetClock);
  Every(seconds(30), &World::RemoveSomething);
  Every(minutes(4), &World::Rescan);
  Every(minutes(5), &World::ChangeSomething);
  Every(seconds(2), &World::CallSomething);
  Every(seconds(40), &World::CancelSomething);
  Every(minutes(3), &World::ChangeCapacity);
  Every(minutes(20), &World::Outage);
  const auto run_until = [this](auto over) {
    Millis swept = now_;
    while (!events_.empty() && !over()) {
      Event event = std::move(const_cast<Event&>(events_.top()));
      events_.pop();
      now_ = event.at;
      event.act();
      if (quiet_ || now_ - swept < minutes(1)) continue;
      swept = now_;
      checker_->CheckProgress(now_, Wall());
    }
  };
  run_until([this] { return Over(); });
  if (!checker_->violations().empty()) return;

  // Nothing goes wrong and nothing falls due any more: what was begun must come to its end.
  quiet_ = true;
  const Millis settled = now_ + hours(4);
  run_until([&] { return daemon_ != nullptr || now_ >= settled; });
  if (daemon_) {
    for (LaneIndex i = 0; i < lanes_.size(); ++i) {
      LaneSetup& lane = lanes_[i];
      const auto slot = daemon_->scheduler.NextSlot(lane.key);
      if (slot && i >= options_.lanes) checker_->Placed(now_, i, *slot);
      lane.triggers.clear();
      if (lane.there) daemon_->scheduler_inputs.lanes.push_back(schedule::LanePlan{.lane = lane.key});
    }
    SetCapacity(8);
    StepDaemon();
    checker_->CheckLanes(now_, daemon_->scheduler.lanes());
  }
  const Millis end = now_ + hours(10);  // calls wait one by one, for as long as the lane's pace says
  run_until([&] { return now_ >= end; });
  checker_->CheckEnd(now_, daemon_ ? daemon_->dispatcher.running() : 1, daemon_ ? daemon_->dispatcher.queued() : 0,
                     store_.OpenRuns().size());
}

// ---- the daemon

void World::StartDaemon() {
  for (const RunId run : store_.OpenRuns()) store_.Close(run, RunStatus::kInterrupted);
  daemon_ = std::make_unique<Daemon>(store_.RaiseEpoch());
  SetCapacity(40 + rng_.Below(24));
  daemon_started_ = now_ - Between(Millis(0), hours(100));
  for (LaneIndex lane = 0; lane < lanes_.size(); ++lane)
    if (lanes_[lane].there) AddLane(lane);
  StepDaemon();
}

void World::SetLane(LaneIndex lane) {
  const LaneSetup& setup = lanes_[lane];
  const Store::LaneRow& row = store_.lane(lane);
  auto last_slot = row.last_slot;
  if (options_.broken == Break::kSlot && last_slot) *last_slot -= hours(2);
  daemon_->scheduler_inputs.lanes.push_back(
      schedule::LanePlan{.lane = setup.key, .triggers = setup.triggers, .last_slot = last_slot});
  daemon_->dispatcher_inputs.lanes.push_back(dispatch::LanePolicy{
      .lane = setup.key, .pace = setup.pace, .last_start = row.last_start, .last_results = row.last_results});
}

void World::AddLane(LaneIndex lane) {
  lanes_[lane].there = true;
  if (!daemon_) return;
  SetLane(lane);
  checker_->Registered(now_, Wall(), lane,
                       std::get<schedule::LanePlan>(daemon_->scheduler_inputs.lanes.back()).last_slot);
}

void World::RemoveLane(LaneIndex lane) {
  ++counts_.removals;
  lanes_[lane].there = false;
  if (!daemon_) return;
  daemon_->scheduler_inputs.lanes.emplace_back(lanes_[lane].key);
  daemon_->dispatcher_inputs.lanes.emplace_back(lanes_[lane].key);
  checker_->Removed(lane);
}

void World::SetCapacity(std::size_t capacity) {
  daemon_->dispatcher_inputs.capacity = options_.broken == Break::kShare ? capacity * 5 / 4 : capacity;
  daemon_->capacity = capacity;
  checker_->Workers(now_, capacity);
}

void World::StepDaemon() {
  if (!daemon_) return;
  ++counts_.steps;
  if (daemon_->full) checker_->Full(now_);
  const dispatch::Moment moment = Moment();
  auto scheduler_inputs = std::exchange(daemon_->scheduler_inputs, {});
  scheduler_inputs.most_due = daemon_->dispatcher.room();
  const auto due = daemon_->scheduler.Step(moment.wall, std::move(scheduler_inputs));
  auto inputs = std::exchange(daemon_->dispatcher_inputs, {});
  for (const Job& job : due.due) {
    checker_->Issued(now_, Wall(), IndexOf(job.lane), job);
    inputs.jobs.push_back(job);
  }
  const auto effects = daemon_->dispatcher.Step(moment, std::move(inputs));
  daemon_->full = daemon_->dispatcher.running() >= daemon_->capacity;
  for (const dispatch::Drop& drop : effects.drop)
    checker_->Dropped(now_, IndexOf(drop.job.lane), drop.job.key, dispatch::DropReasonText(drop.reason));
  for (const dispatch::Stop& stop : effects.stop) {
    At(Between(Millis(0), seconds(2)), [this, stop] {
      for (const RunId run : std::vector(alive_))
        if (workers_[static_cast<std::size_t>(run - 1)].token == stop.token) EndRun(run, RunStatus::kCancelled);
    });
  }
  for (const dispatch::Start& start : effects.start)
    if (!Begin(start)) return;  // it crashed
  WakeDaemon(due.next_wake, effects.wake);
}

void World::WakeDaemon(std::optional<TimePoint> slot, std::optional<Millis> wake) {
  Millis delay = kHeartbeat;
  if (slot) delay = std::min(delay, *slot - Wall());
  if (wake) delay = std::min(delay, *wake - Moment().monotonic);
  const std::uint64_t serial = ++wake_serial_;
  At(delay, [this, serial] {
    if (serial == wake_serial_) StepDaemon();
  });
}

// Stores the run, then starts its worker. A crash may come before, between and after.
bool World::Begin(const dispatch::Start& start) {
  constexpr double kCrash = 2e-4;
  if (!quiet_ && rng_.Chance(kCrash)) return Crash(), false;
  const LaneIndex lane = IndexOf(start.job.lane);
  const RunId run = store_.Start(lane, start.job, start.token, Wall());
  workers_.push_back({lane, start.token, start.job.key});
  alive_.push_back(run);
  checker_->Started(now_, Wall(), lane, run, start.token, start.job);
  if (!quiet_ && rng_.Chance(kCrash)) return Crash(), false;
  Work(run);
  return true;
}

// What the API does with a call: a key whose run exists is answered from the store.
void World::Submit(Job job) {
  const LaneIndex lane = IndexOf(job.lane);
  if (store_.HasCall(job.key)) return;
  checker_->Issued(now_, Wall(), lane, job);
  daemon_->dispatcher_inputs.jobs.push_back(std::move(job));
}

// ---- workers

void World::Work(RunId run) {
  if (rng_.Chance(0.03)) {
    At(Between(Millis(1), Millis(50)),
       [this, run] { EndRun(run, RunStatus::kNotStarted, dispatch::Outcome::kNothing); });
    return;
  }
  Millis takes = Between(Millis(5), seconds(3));
  const LaneSetup& lane = lanes_[workers_[static_cast<std::size_t>(run - 1)].lane];
  const bool out = lane.rules.many && now_ < out_until_[lane.rules.plugin];
  if (lane.silent || out) {
    takes = hours(1);
  } else if (rng_.Chance(0.02)) {
    ++counts_.pauses;
    takes += Between(Millis(0), seconds(90));  // most of these outlive their lease
  }
  At(takes, [this, run] { Deliver(run); });
  if (takes >= kLease) {
    At(kLease, [this, run] { EndRun(run, RunStatus::kTimeout); });
    if (options_.broken == Break::kGuard) {
      At(kLease / 2, [this, run] {
        const Worker& worker = workers_[static_cast<std::size_t>(run - 1)];
        if (!worker.alive || !daemon_) return;
        daemon_->dispatcher_inputs.finished.push_back({lanes_[worker.lane].key, worker.token});
        StepDaemon();
      });
    }
  }
}

// The worker sends its result, though it may have been killed meanwhile, or its daemon have died.
void World::Deliver(RunId run) {
  if (!daemon_) return;  // nobody listens
  const Worker& worker = workers_[static_cast<std::size_t>(run - 1)];
  if (worker.alive && rng_.Chance(0.05)) return EndRun(run, RunStatus::kFailed);
  if (!worker.alive) {
    ++counts_.late_results;
    if (rng_.Chance(0.5)) daemon_->dispatcher_inputs.finished.push_back({lanes_[worker.lane].key, worker.token});
  }
  const bool reported = rng_.Chance(0.6);
  const auto accept = [&] {
    if (store_.Accept(run, worker.token, reported)) checker_->Accepted(now_, worker.lane, run, worker.token);
  };
  accept();
  EndRun(run, RunStatus::kOk, reported ? dispatch::Outcome::kReported : dispatch::Outcome::kRan);
  if (rng_.Chance(0.02)) accept();  // the answer was lost: it sends again
}

// The worker has ended, or is killed; the daemon learns of it.
void World::EndRun(RunId run, RunStatus status, dispatch::Outcome outcome) {
  Worker& worker = workers_[static_cast<std::size_t>(run - 1)];
  if (!worker.alive) return;
  worker.alive = false;
  store_.Close(run, status);
  checker_->Ended(now_, run, outcome);
  std::erase(alive_, run);
  if (options_.broken == Break::kPace && rng_.Chance(0.1)) outcome = dispatch::Outcome::kNothing;
  daemon_->dispatcher_inputs.finished.push_back({lanes_[worker.lane].key, worker.token, outcome});
  // Often several ends reach the daemon at once.
  if (stepping_soon_) return;
  stepping_soon_ = true;
  At(Between(Millis(0), Millis(3)), [this] {
    stepping_soon_ = false;
    StepDaemon();
  });
}

// ---- what goes wrong

void World::Crash() {
  if (!daemon_) return;
  ++counts_.crashes;
  daemon_.reset();
  checker_->Crashed();
  // The keeper kills its tasks before a new epoch begins. A result that was on its way still arrives.
  for (const RunId run : alive_) {
    workers_[static_cast<std::size_t>(run - 1)].alive = false;
    checker_->Ended(now_, run, dispatch::Outcome::kRan);
  }
  alive_.clear();
  const Millis down = rng_.Chance(0.1) ? Between(hours(1), hours(3)) : Between(Millis(50), minutes(2));
  At(down, [this] { StartDaemon(); });
}

void World::SetClock() {
  ++counts_.clock_jumps;
  Millis by = rng_.Chance(0.7) ? Between(seconds(1), minutes(30)) : Between(hours(1), hours(50));
  if (rng_.Chance(0.5)) by = -by;
  offset_ += by;
  checker_->ClockSet(now_, Wall(), by);
}

// A lane goes, and comes back some time later, sometimes before its run has ended.
void World::RemoveSomething() {
  const LaneIndex lane = rng_.Below(lanes_.size());
  if (!lanes_[lane].there) return;
  RemoveLane(lane);
  if (rng_.Chance(0.7)) StepDaemon();
  At(rng_.Chance(0.3) ? Between(Millis(0), seconds(2)) : Between(seconds(2), minutes(5)), [this, lane] {
    if (lanes_[lane].there) return;
    AddLane(lane);
    StepDaemon();
  });
}

// Someone looks which targets a plugin has: some are gone, some are back, the others are set again as they were.
void World::Rescan() {
  ++counts_.rescans;
  const LaneIndex first = options_.lanes + rng_.Below(kPlugins) * kTargets;
  for (LaneIndex lane = first; lane < first + kTargets; ++lane) {
    if (!lanes_[lane].there) {
      if (rng_.Chance(0.5)) AddLane(lane);
      if (lanes_[lane].there && rng_.Chance(0.1)) RemoveLane(lane);
    } else if (rng_.Chance(0.03)) {
      RemoveLane(lane);
      if (rng_.Chance(0.1)) AddLane(lane);
    } else if (daemon_) {
      SetLane(lane);
    }
  }
  StepDaemon();
}

// Someone has edited a plugin, a moment ago.
void World::ChangeSomething() {
  ++counts_.changes;
  const std::string plugin = lanes_[rng_.Below(lanes_.size())].key.plugin;
  const TimePoint changed = Wall() - Between(Millis(0), seconds(10));
  for (LaneIndex lane = 0; lane < lanes_.size(); ++lane) {
    if (lanes_[lane].key.plugin != plugin) continue;
    lanes_[lane].pace.changed = changed;
    checker_->Changed(now_, lane, changed);
    if (daemon_ && lanes_[lane].there) SetLane(lane);
  }
  StepDaemon();
}

void World::CallSomething() {
  if (!daemon_) return;
  for (std::uint64_t burst = rng_.Below(4); burst > 0 && daemon_; --burst) {
    ++counts_.calls;
    const LaneIndex lane = rng_.Below(lanes_.size());
    Job job{.lane = lanes_[lane].key, .trigger = TriggerKind::kCall, .due = Wall()};
    job.key = fmt::format("call/{}", counts_.calls);
    if (rng_.Chance(0.5)) job.deadline = Wall() + Between(Millis(0), minutes(1));
    recent_calls_.emplace_back(lane, job.key);
    if (recent_calls_.size() > 20) recent_calls_.erase(recent_calls_.begin());
    Submit(std::move(job));
    if (rng_.Chance(0.2)) {  // someone tries again
      const auto& [old_lane, old_key] = recent_calls_[rng_.Below(recent_calls_.size())];
      Submit({.lane = lanes_[old_lane].key, .trigger = TriggerKind::kCall, .key = old_key, .due = Wall()});
    }
    StepDaemon();
  }
}

void World::CancelSomething() {
  if (!daemon_) return;
  ++counts_.cancels;
  if (!alive_.empty() && rng_.Chance(0.5)) {
    const Worker& worker = workers_[static_cast<std::size_t>(alive_[rng_.Below(alive_.size())] - 1)];
    daemon_->dispatcher_inputs.cancel.push_back({lanes_[worker.lane].key, worker.key});
  } else if (!recent_calls_.empty()) {
    const auto& [lane, key] = recent_calls_[rng_.Below(recent_calls_.size())];
    daemon_->dispatcher_inputs.cancel.push_back({lanes_[lane].key, key});
  }
  StepDaemon();
}

// Something between a plugin and all of its targets is broken for some time.
void World::Outage() {
  ++counts_.outages;
  out_until_[rng_.Below(kPlugins)] = now_ + Between(seconds(10), minutes(5));
}

void World::ChangeCapacity() {
  if (!daemon_) return;
  const bool scarce = rng_.Chance(0.3);
  SetCapacity(scarce ? rng_.Below(4) : 40 + rng_.Below(24));
  StepDaemon();
  if (!scarce) return;
  At(Between(seconds(1), seconds(30)), [this] {
    if (!daemon_) return;
    SetCapacity(48);
    StepDaemon();
  });
}

}  // namespace backplane::simulation
