#include "dispatch/dispatcher.h"

#include <algorithm>
#include <utility>

namespace backplane::dispatch {
namespace {

// Derived from time: only the newest is worth running.
bool Coalesces(const Job& job) {
  return job.trigger == TriggerKind::kStart || job.trigger == TriggerKind::kCron ||
         job.trigger == TriggerKind::kInterval;
}

void NoteDecision(std::optional<Decision>& decision, Decision::What what, const std::string& key, TimePoint at) {
  if (decision && decision->what == what && decision->key == key) return;  // `at` is since when
  decision = Decision{.what = what, .key = key, .at = at};
}

// Until when a job that the lane's pace holds back is worth waiting for.
std::optional<TimePoint> WorthUntil(const Job& job) {
  if (job.trigger != TriggerKind::kInterval || !job.deadline) return job.deadline;
  return job.due + std::min((*job.deadline - job.due) / 10, Dispatcher::kMostOffPlace);
}

template <typename Set, typename Lane, typename Time>
void Move(Set& set, Lane& lane, std::optional<Time>& place, std::optional<Time> to) {
  if (place == to) return;
  if (place) set.erase(&lane);
  place = to;
  if (place) set.insert(&lane);
}

}  // namespace

std::string_view DropReasonText(DropReason reason) {
  switch (reason) {
    case DropReason::kDeadlinePassed: return "deadline passed";
    case DropReason::kLaneBusy: return "lane busy";
    case DropReason::kTooSoon: return "too soon";
    case DropReason::kSuperseded: return "superseded";
    case DropReason::kDuplicate: return "duplicate";
    case DropReason::kQueueFull: return "queue full";
    case DropReason::kLaneGone: return "plugin or resource gone";
    case DropReason::kCancelled: return "cancelled";
  }
  return "unknown";
}

std::string DecisionText(const Decision& decision) {
  switch (decision.what) {
    case Decision::What::kStarted: return "started";
    case Decision::What::kWaitsForLane: return "waiting: lane busy";
    case Decision::What::kWaitsForInterval: return "waiting: too soon";
    case Decision::What::kWaitsForWorker: return "waiting: no free worker";
    case Decision::What::kWaitsForShare: return "waiting: its plugin has its share of workers";
    case Decision::What::kDropped: return "dropped: " + std::string(DropReasonText(decision.reason));
  }
  return "unknown";
}

DispatcherEffects Dispatcher::Step(Moment now, DispatcherInputs inputs) {
  DispatcherEffects effects;
  for (auto& change : inputs.lanes) {
    if (const LaneKey* removed = std::get_if<LaneKey>(&change))
      RemoveLane(now, *removed, effects);
    else
      SetLane(now, std::move(std::get<LanePolicy>(change)), effects);
  }
  if (inputs.capacity) {
    capacity_ = *inputs.capacity;
    for (auto& [id, plugin] : plugins_) PlacePlugin(plugin);
  }
  // New slots take the place of old ones before those expire: a lane keeps its turn. And jobs
  // expire before lanes are freed: the reasons are those of the wait.
  for (Job& job : inputs.jobs) Arrive(now, std::move(job), effects);
  Expire(now, effects);
  for (const Finished& finished : inputs.finished) Finish(now, finished, effects);
  for (const Cancel& cancel : inputs.cancel) CancelJobs(now, cancel, effects);
  while (!timers_.empty() && *(*timers_.begin())->timer <= now.monotonic) Settle(now, **timers_.begin(), effects);
  StartReady(now, effects);
  effects.wake = NextWake(now);
  return effects;
}

std::optional<Decision> Dispatcher::LastDecision(const LaneKey& lane) const {
  const auto it = lanes_.find(lane);
  if (it == lanes_.end() || it->second.removed) return std::nullopt;
  std::optional<Decision> decision = it->second.decision;
  if (decision && decision->what == Decision::What::kWaitsForWorker && it->second.plugin->running >= Share())
    decision->what = Decision::What::kWaitsForShare;
  return decision;
}

Dispatcher::Lane* Dispatcher::Find(const LaneKey& key) {
  const auto it = lanes_.find(key);
  return it == lanes_.end() ? nullptr : &it->second;
}

void Dispatcher::SetLane(Moment now, LanePolicy policy, DispatcherEffects& effects) {
  const auto [it, added] = lanes_.try_emplace(policy.lane);
  Lane& lane = it->second;
  if (added) {
    lane.key = &it->first;
    lane.plugin = &plugins_[lane.key->plugin];
    lane.serial = ++last_serial_;
    lane.guard.Restore(policy.last_start, policy.last_results, now);
  } else if (!lane.removed && lane.pace == policy.pace && lane.most_waiting == policy.most_waiting) {
    return;
  }
  lane.removed = false;
  lane.pace = policy.pace;
  lane.most_waiting = policy.most_waiting;
  Settle(now, lane, effects);
}

void Dispatcher::RemoveLane(Moment now, const LaneKey& key, DispatcherEffects& effects) {
  Lane* lane = Find(key);
  if (!lane || lane->removed) return;
  DropWaiting(now, *lane, DropReason::kLaneGone, effects, [](const Job&) { return true; });
  Settle(now, *lane, effects);
  if (lane->running) {
    lane->removed = true;
    effects.stop.push_back({key, lane->running->token});
  } else {
    lanes_.erase(key);
  }
}

void Dispatcher::Finish(Moment now, const Finished& finished, DispatcherEffects& effects) {
  Lane* lane = Find(finished.lane);
  if (!lane || !lane->guard.Release(finished.token, finished.outcome)) return;
  --running_;
  --lane->plugin->running;
  PlacePlugin(*lane->plugin);
  lane->running.reset();
  Settle(now, *lane, effects);
  if (!lane->removed) return;
  remembered_.push_back(finished.lane);
  if (remembered_.size() <= kRemembered) return;
  const Lane* oldest = Find(remembered_.front());
  if (oldest && oldest->removed && !oldest->running) lanes_.erase(remembered_.front());
  remembered_.pop_front();
}

void Dispatcher::CancelJobs(Moment now, const Cancel& cancel, DispatcherEffects& effects) {
  Lane* lane = Find(cancel.lane);
  if (!lane) return;
  const auto meant = [&](const std::string& key) { return !cancel.key || *cancel.key == key; };
  DropWaiting(now, *lane, DropReason::kCancelled, effects, [&](const Job& job) { return meant(job.key); });
  if (lane->running && meant(lane->running->key)) effects.stop.push_back({cancel.lane, lane->running->token});
  Settle(now, *lane, effects);
}

void Dispatcher::Expire(Moment now, DispatcherEffects& effects) {
  while (!deadlines_.empty() && *(*deadlines_.begin())->deadline < now.wall) {
    Lane& lane = **deadlines_.begin();
    const DropReason reason = lane.running ? DropReason::kLaneBusy
                              : lane.timer ? DropReason::kTooSoon
                                           : DropReason::kDeadlinePassed;
    DropWaiting(now, lane, reason, effects, [&](const Job& job) { return job.deadline && *job.deadline < now.wall; });
    Settle(now, lane, effects);
  }
}

void Dispatcher::Arrive(Moment now, Job job, DispatcherEffects& effects) {
  Lane* lane = Find(job.lane);
  if (!lane || lane->removed) return DropJob(now, nullptr, std::move(job), DropReason::kLaneGone, effects);
  if (job.deadline && *job.deadline < now.wall)
    return DropJob(now, lane, std::move(job), DropReason::kDeadlinePassed, effects);
  auto& waiting = lane->waiting;
  const bool known =
      (lane->running && lane->running->key == job.key) ||
      std::any_of(waiting.begin(), waiting.end(), [&](const Job& other) { return other.key == job.key; });
  if (known) return DropJob(now, lane, std::move(job), DropReason::kDuplicate, effects);

  const auto scheduled = std::find_if(waiting.begin(), waiting.end(), Coalesces);
  if (Coalesces(job) && scheduled != waiting.end()) {
    std::swap(*scheduled, job);
    DropJob(now, lane, std::move(job), DropReason::kSuperseded, effects);
  } else {
    const std::size_t others = waiting.size() - (scheduled != waiting.end() ? 1 : 0);
    const bool lane_full = !Coalesces(job) && others >= lane->most_waiting;
    if (lane_full || queued_ >= most_queued_)
      return DropJob(now, lane, std::move(job), DropReason::kQueueFull, effects);
    waiting.push_back(std::move(job));
    ++queued_;
  }
  Settle(now, *lane, effects);
}

// Three quarters of the workers, rounded up, but one less than all.
std::size_t Dispatcher::Share() const {
  return capacity_ < 2 ? 1 : capacity_ - std::max<std::size_t>(1, capacity_ / 4);
}

void Dispatcher::StartReady(Moment now, DispatcherEffects& effects) {
  while (running_ < capacity_ && !turns_.empty()) {
    Lane& lane = *turns_.begin()->second->ready.begin()->second;
    const Token token{epoch_, ++last_counter_};
    // A ready lane is free and late enough: anything else is a bug, and throws.
    std::get<Admitted>(lane.guard.TryAdmit(lane.pace, now, token));
    Job job = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    --queued_;
    ++running_;
    ++lane.plugin->running;
    lane.running = Running{job.key, token};
    NoteDecision(lane.decision, Decision::What::kStarted, job.key, now.wall);
    effects.start.push_back({std::move(job), token});
    Settle(now, lane, effects);
  }
}

template <typename Predicate>
void Dispatcher::DropWaiting(Moment now, Lane& lane, DropReason reason, DispatcherEffects& effects,
                             Predicate hopeless) {
  for (auto it = lane.waiting.begin(); it != lane.waiting.end();) {
    if (!hopeless(*it)) {
      ++it;
      continue;
    }
    DropJob(now, &lane, std::move(*it), reason, effects);
    it = lane.waiting.erase(it);
    --queued_;
  }
}

void Dispatcher::DropJob(Moment now, Lane* lane, Job job, DropReason reason, DispatcherEffects& effects) {
  if (lane) lane->decision = Decision{Decision::What::kDropped, reason, job.key, now.wall};
  effects.drop.push_back({std::move(job), reason});
}

// Brings a lane to its place after anything about it changed: drops what can no longer start in
// time, and sorts the lane into the sets by what it waits for.
void Dispatcher::Settle(Moment now, Lane& lane, DispatcherEffects& effects) {
  if (lane.waiting.empty()) return Place(lane, std::nullopt, std::nullopt);
  const auto free_at = lane.guard.FreeAt(lane.pace);
  if (free_at && *free_at > now.monotonic) {
    const TimePoint wall = now.wall + (*free_at - now.monotonic);
    DropWaiting(now, lane, DropReason::kTooSoon, effects,
                [&](const Job& job) { return WorthUntil(job).value_or(wall) < wall; });
    if (lane.waiting.empty()) return Place(lane, std::nullopt, std::nullopt);
  }
  Decision::What waits = Decision::What::kWaitsForLane;
  if (lane.running) {
    Place(lane, std::nullopt, std::nullopt);
  } else if (free_at && *free_at > now.monotonic) {
    waits = Decision::What::kWaitsForInterval;
    Place(lane, std::nullopt, free_at);
  } else {
    waits = Decision::What::kWaitsForWorker;
    Place(lane, lane.turn ? lane.turn : ++last_turn_, std::nullopt);
  }
  NoteDecision(lane.decision, waits, lane.waiting.front().key, now.wall);
}

void Dispatcher::Place(Lane& lane, std::optional<std::uint64_t> turn, std::optional<Millis> timer) {
  std::optional<TimePoint> deadline;
  for (const Job& job : lane.waiting) {
    if (job.deadline && (!deadline || *job.deadline < *deadline)) deadline = job.deadline;
  }
  Move(timers_, lane, lane.timer, timer);
  Move(deadlines_, lane, lane.deadline, deadline);
  if (lane.turn == turn) return;
  if (lane.turn) lane.plugin->ready.erase(*lane.turn);
  lane.turn = turn;
  if (turn) lane.plugin->ready.emplace(*turn, &lane);
  PlacePlugin(*lane.plugin);
}

void Dispatcher::PlacePlugin(PluginLanes& plugin) {
  std::optional<std::uint64_t> turn;
  if (!plugin.ready.empty() && plugin.running < Share()) turn = plugin.ready.begin()->first;
  if (plugin.turn == turn) return;
  if (plugin.turn) turns_.erase(*plugin.turn);
  plugin.turn = turn;
  if (turn) turns_.emplace(*turn, &plugin);
}

std::optional<Millis> Dispatcher::NextWake(Moment now) const {
  std::optional<Millis> wake;
  if (!timers_.empty()) wake = (*timers_.begin())->timer;
  if (!deadlines_.empty()) {
    // One after the deadline, at which a job may still start.
    const Millis passed = now.monotonic + (*(*deadlines_.begin())->deadline - now.wall) + Millis(1);
    wake = std::min(wake.value_or(passed), passed);
  }
  return wake;
}

}  // namespace backplane::dispatch
