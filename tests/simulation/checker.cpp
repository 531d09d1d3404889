#include "checker.h"

#include <algorithm>

#include <fmt/format.h>

namespace backplane::simulation {
namespace {

// Whether a clock that shows `wall` will get to `slot` soon enough for the scheduler to wait for it:
// in Scheduler::kLargeJump, and a heartbeat of the daemon.
bool LittleBehind(TimePoint wall, std::optional<TimePoint> slot) {
  return slot && *slot > wall && *slot - wall < std::chrono::minutes(61);
}

std::uint64_t KeyHash(LaneIndex lane, const std::string& key) { return StableHash(fmt::format("{} {}", lane, key)); }

}  // namespace

void Checker::Violation(Millis now, LaneIndex lane, const std::string& what) {
  violations_.push_back(fmt::format("at {} ms, lane {}: {}", now.count(), lane, what));
}

void Checker::Digest(std::string_view what, Millis now, LaneIndex lane, std::string_view key) {
  digest_ = StableHash(fmt::format("{} {} {} {} {}", digest_, what, now.count(), lane, key));
}

void Checker::Registered(Millis now, TimePoint wall, LaneIndex lane, std::optional<TimePoint> last_slot,
                         Millis clock_offset) {
  Lane& state = lanes_[lane];
  state.there = true;
  // It goes on from what it is known to have had, if the clock is only little behind that.
  TimePoint from = wall;
  for (const auto& had : {state.began, last_slot})
    if (LittleBehind(wall, had)) from = std::max(from, *had);
  state.began = from;
  state.offset_restored = clock_offset;
  state.patient_from = std::max(state.patient_from, now);
}

void Checker::Issued(Millis now, LaneIndex lane, const Job& job) {
  Digest("issue", now, lane, job.key);
  ++pending_[{lane, job.key}];
  if (job.trigger == TriggerKind::kCall) return;
  if (!issued_keys_.insert(KeyHash(lane, job.key)).second) Violation(now, lane, "slots: issued twice: " + job.key);
  if (job.trigger == TriggerKind::kStart) return;
  Lane& state = lanes_[lane];
  state.latest_slot = job.due;
  state.greatest_slot = std::max(state.greatest_slot, std::optional(job.due));
}

void Checker::Answer(Millis now, LaneIndex lane, const std::string& key) {
  ++answered_;
  const auto it = pending_.find({lane, key});
  if (it == pending_.end()) return Violation(now, lane, "answers: answered without being asked: " + key);
  if (--it->second == 0) pending_.erase(it);
}

void Checker::Dropped(Millis now, LaneIndex lane, const std::string& key, std::string_view reason) {
  Digest(reason, now, lane, key);
  ++drops_[std::string(reason)];
  Answer(now, lane, key);
}

void Checker::Started(Millis now, LaneIndex lane, RunId run, Token token, const std::string& key, Millis clock_offset) {
  Digest("start", now, lane, key);
  ++started_;
  Answer(now, lane, key);
  Lane& state = lanes_[lane];
  if (!state.there) Violation(now, lane, "answers: started on a lane that was removed: " + key);
  if (state.active)
    Violation(now, lane, fmt::format("mutual exclusion: run {} starts while run {} is alive", run, *state.active));
  if (token <= state.last_token) Violation(now, lane, "fencing: the token did not rise");
  if (!started_keys_.insert(KeyHash(lane, key)).second) Violation(now, lane, "slots: started twice: " + key);
  if (state.last_start) {
    const Millis put_forward = state.offset_restored.value_or(state.offset_at_start) - state.offset_at_start;
    const Millis least = rules_[lane].min_interval - std::max(put_forward, Millis(0));
    const Millis distance = now - *state.last_start;
    if (distance < least)
      Violation(now, lane,
                fmt::format("frequency: {} ms after the last start, not {} ms", distance.count(), least.count()));
  }
  lane_of_run_.resize(static_cast<std::size_t>(run));
  lane_of_run_.back() = lane;
  state.active = run;
  state.last_token = token;
  state.last_start = now;
  state.offset_at_start = clock_offset;
  state.offset_restored.reset();
  state.patient_from = std::max(state.patient_from, now);
}

void Checker::Ended(RunId run) {
  Lane& state = lanes_[lane_of_run_[static_cast<std::size_t>(run - 1)]];
  if (state.active == run) state.active.reset();
}

void Checker::Accepted(Millis now, LaneIndex lane, RunId run, Token token) {
  Digest("accept", now, lane, std::to_string(run));
  ++accepted_;
  Lane& state = lanes_[lane];
  if (token != state.last_token) Violation(now, lane, fmt::format("fencing: run {} stored with an old token", run));
  if (state.active != run) Violation(now, lane, fmt::format("fencing: run {} stored after its end", run));
}

void Checker::Crashed() {
  pending_.clear();
  issued_keys_.clear();
  for (Lane& state : lanes_) state.there = false;
}

void Checker::ClockSet(Millis now, TimePoint wall, Millis by) {
  Digest("clock", now, 0, std::to_string(by.count()));
  if (by > Millis(0)) return;
  for (Lane& state : lanes_) {
    state.patient_from = std::max(state.patient_from, now);
    if (!LittleBehind(wall, state.began)) state.began = wall;
  }
}

void Checker::CheckProgress(Millis now, TimePoint wall) {
  for (LaneIndex lane = 0; lane < lanes_.size(); ++lane) {
    Lane& state = lanes_[lane];
    const LaneRules& rules = rules_[lane];
    if (!state.there || rules.period == Millis(0)) continue;
    if (LittleBehind(wall, state.began) || LittleBehind(wall, state.latest_slot) ||
        LittleBehind(wall, state.greatest_slot))
      state.patient_from = std::max(state.patient_from, now);
    const Millis waited = now - state.patient_from;
    if (waited <= rules.period * 2 + rules.min_interval + kPatience) continue;
    Violation(now, lane, fmt::format("progress: no start for {} ms", waited.count()));
    state.patient_from = now;
  }
}

void Checker::CheckEnd(Millis now, std::size_t running, std::size_t queued, std::size_t open_runs) {
  if (running > 0) Violation(now, 0, fmt::format("progress: {} runs never ended", running));
  if (queued > 0) Violation(now, 0, fmt::format("progress: {} jobs wait for ever", queued));
  if (open_runs > 0) Violation(now, 0, fmt::format("progress: {} runs are open in the store", open_runs));
  for (const auto& [job, count] : pending_) Violation(now, job.first, "answers: never answered: " + job.second);
}

}  // namespace backplane::simulation
