#include "checker.h"

#include <algorithm>
#include <array>
#include <utility>

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

std::pair<Millis, Millis> Checker::Begun::Span() const {
  if (!restored) return {at, at};
  const Millis known = restored->at - std::max(restored->wall - wall, Millis(0));
  return std::minmax(at, known);
}

void Checker::Violation(Millis now, LaneIndex lane, const std::string& what) {
  violations_.push_back(fmt::format("at {} ms, lane {}: {}", now.count(), lane, what));
}

void Checker::Digest(std::string_view what, Millis now, LaneIndex lane, std::string_view key) {
  digest_ = StableHash(fmt::format("{} {} {} {} {}", digest_, what, now.count(), lane, key));
}

void Checker::Registered(Millis now, TimePoint wall, LaneIndex lane, std::optional<TimePoint> last_slot) {
  Lane& state = lanes_[lane];
  state.there = true;
  // It goes on from what it is known to have had, if the clock is only little behind that.
  TimePoint from = wall;
  for (const auto& had : {state.began, last_slot})
    if (LittleBehind(wall, had)) from = std::max(from, *had);
  state.began = from;
  state.fresh = !last_slot;
  for (auto* begun : {&state.last, &state.reported})
    if (*begun) (*begun)->restored = Instant{now, wall};
  state.free_from = now;
  state.patient_from = std::max(state.patient_from, now);
}

void Checker::Changed(Millis now, LaneIndex lane, TimePoint changed) {
  lanes_[lane].changed = changed;
  lanes_[lane].free_from = now;
}

void Checker::Issued(Millis now, TimePoint wall, LaneIndex lane, const Job& job) {
  Digest("issue", now, lane, job.key);
  Pending& pending = pending_[{lane, job.key}];
  ++pending.count;
  pending.since = now;
  if (job.trigger == TriggerKind::kCall) return;
  if (!issued_keys_.insert(KeyHash(lane, job.key)).second) Violation(now, lane, "slots: issued twice: " + job.key);
  if (job.trigger == TriggerKind::kStart) return;
  Lane& state = lanes_[lane];
  const LaneRules& rules = rules_[lane];
  state.latest_slot = job.due;
  state.greatest_slot = std::max(state.greatest_slot, std::optional(job.due));
  const Millis late = wall - job.due;
  const Millis undisturbed = rules.many ? ClockSeen() : std::max(state.free_from, ClockSeen());
  if (late > kPrompt && now - late > undisturbed)
    Violation(now, lane, fmt::format("promptness: issued {} ms after its slot: {}", late.count(), job.key));
  if (rules.many) Placed(now, lane, job.due);
}

void Checker::Placed(Millis now, LaneIndex lane, TimePoint slot) {
  if (std::exchange(lanes_[lane].fresh, false)) return;
  const Millis place = slot.time_since_epoch() % rules_[lane].period;
  std::optional<Millis>& known = lanes_[lane].place;
  if (known.value_or(place) != place)
    Violation(now, lane, fmt::format("spread: its slots moved by {} ms", (place - *known).count()));
  known = place;
}

// When the job was issued; of jobs that share a key, the last.
Millis Checker::Answer(Millis now, LaneIndex lane, const std::string& key) {
  ++answered_;
  const auto it = pending_.find({lane, key});
  if (it == pending_.end()) {
    Violation(now, lane, "answers: answered without being asked: " + key);
    return now;
  }
  const Millis since = it->second.since;
  if (--it->second.count == 0) pending_.erase(it);
  return since;
}

void Checker::Dropped(Millis now, LaneIndex lane, const std::string& key, std::string_view reason) {
  Digest(reason, now, lane, key);
  ++drops_[std::string(reason)];
  Answer(now, lane, key);
}

void Checker::Started(Millis now, TimePoint wall, LaneIndex lane, RunId run, Token token, const Job& job) {
  const std::string& key = job.key;
  Digest("start", now, lane, key);
  ++started_;
  const Millis issued = Answer(now, lane, key);
  Lane& state = lanes_[lane];
  if (!state.there) Violation(now, lane, "answers: started on a lane that was removed: " + key);
  if (state.active)
    Violation(now, lane, fmt::format("mutual exclusion: run {} starts while run {} is alive", run, *state.active));
  if (token <= state.last_token) Violation(now, lane, "fencing: the token did not rise");
  if (!started_keys_.insert(KeyHash(lane, key)).second) Violation(now, lane, "slots: started twice: " + key);
  CheckPace(now, lane, "the last start", state.last, rules_[lane].min_interval);
  CheckPace(now, lane, "the start of the last run that reported something", state.reported,
            rules_[lane].results_interval);
  CheckPromptness(now, lane, key, issued);
  CheckPlace(now, wall, lane, job);
  Plugin& plugin = PluginOf(lane);
  if (++plugin.running > share_)
    Violation(now, lane, fmt::format("share: its plugin has {} workers, not {}", plugin.running, share_));
  lane_of_run_.resize(static_cast<std::size_t>(run));
  lane_of_run_.back() = lane;
  state.active = run;
  state.last_token = token;
  state.former = state.last;
  state.last = Begun{{now, wall}, std::nullopt};
  state.patient_from = std::max(state.patient_from, now);
}

void Checker::CheckPace(Millis now, LaneIndex lane, std::string_view what, const std::optional<Begun>& begun,
                        Millis interval) {
  if (!begun) return;
  const TimePoint known = begun->restored ? std::min(begun->wall, begun->restored->wall) : begun->wall;
  const auto& changed = lanes_[lane].changed;
  if (changed && known <= *changed) return;
  const Millis distance = now - begun->Span().first;
  if (distance < interval)
    Violation(now, lane, fmt::format("pace: {} ms after {}, not {} ms", distance.count(), what, interval.count()));
}

void Checker::CheckPromptness(Millis now, LaneIndex lane, const std::string& key, Millis issued) {
  const Lane& state = lanes_[lane];
  Millis from = std::max({issued, state.free_from, full_until_, PluginOf(lane).full_until});
  const auto hold = [&](const std::optional<Begun>& begun, Millis interval) {
    if (begun && !(state.changed && begun->wall <= *state.changed))
      from = std::max(from, begun->Span().second + interval);
  };
  hold(state.last, rules_[lane].min_interval);
  hold(state.reported, rules_[lane].results_interval);
  if (now - from > kPrompt)
    Violation(now, lane, fmt::format("promptness: nothing held it back for {} ms: {}", (now - from).count(), key));
}

void Checker::CheckPlace(Millis now, TimePoint wall, LaneIndex lane, const Job& job) {
  const LaneRules& rules = rules_[lane];
  if (!rules.many || job.trigger != TriggerKind::kInterval) return;
  const Millis late = wall - job.due;
  const Millis held = std::max({lanes_[lane].free_from, full_until_, PluginOf(lane).full_until, ClockSeen()});
  if (late > kOffPlace + kPrompt && now - std::max(now - late, held) > kPrompt)
    Violation(now, lane, fmt::format("spread: started {} ms after its slot: {}", late.count(), job.key));
}

void Checker::Ended(Millis now, RunId run, dispatch::Outcome outcome) {
  Lane& state = lanes_[lane_of_run_[static_cast<std::size_t>(run - 1)]];
  if (state.active != run) return;
  state.active.reset();
  state.free_from = now;
  Plugin& plugin = PluginOf(lane_of_run_[static_cast<std::size_t>(run - 1)]);
  if (plugin.running-- >= share_) plugin.full_until = now;
  if (outcome == dispatch::Outcome::kReported) state.reported = state.last;
  if (outcome == dispatch::Outcome::kNothing) state.last = state.former;
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
  clock_set_ = now;
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
    if (waited <= rules.period * 2 + std::max(rules.min_interval, rules.results_interval) + kPatience) continue;
    Violation(now, lane, fmt::format("progress: no start for {} ms", waited.count()));
    state.patient_from = now;
  }
}

void Checker::Workers(Millis now, std::size_t workers) {
  for (auto& [number, plugin] : plugins_)
    if (plugin.running >= share_) plugin.full_until = now;
  const std::size_t most = workers == 0 ? 0 : workers - 1;
  share_ = std::max<std::size_t>(1, std::min(most, (workers * 3 + 3) / 4));
}

void Checker::CheckLanes(Millis now, std::size_t lanes) {
  const auto there = std::count_if(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.there; });
  if (lanes != static_cast<std::size_t>(there))
    Violation(now, 0, fmt::format("answers: the scheduler has {} lanes, not {}", lanes, there));
}

void Checker::CheckEnd(Millis now, std::size_t running, std::size_t queued, std::size_t open_runs) {
  if (running > 0) Violation(now, 0, fmt::format("progress: {} runs never ended", running));
  if (queued > 0) Violation(now, 0, fmt::format("progress: {} jobs wait for ever", queued));
  if (open_runs > 0) Violation(now, 0, fmt::format("progress: {} runs are open in the store", open_runs));
  for (const auto& [job, pending] : pending_) Violation(now, job.first, "answers: never answered: " + job.second);
  CheckSpread(now);
}

// Only of plugins most of whose lanes are known.
void Checker::CheckSpread(Millis now) {
  struct Places {
    std::size_t lanes = 0, seen = 0;
    std::array<std::size_t, 60> sixtieths{};
  };
  std::map<std::size_t, Places> plugins;
  for (LaneIndex lane = 0; lane < lanes_.size(); ++lane) {
    if (!rules_[lane].many) continue;
    Places& plugin = plugins[rules_[lane].plugin];
    ++plugin.lanes;
    if (!lanes_[lane].place) continue;
    ++plugin.seen;
    ++plugin.sixtieths[static_cast<std::size_t>(*lanes_[lane].place * 60 / rules_[lane].period)];
  }
  for (const auto& [number, plugin] : plugins) {
    if (plugin.seen < 600 || plugin.seen < plugin.lanes * 9 / 10) continue;
    const auto [least, most] = std::minmax_element(plugin.sixtieths.begin(), plugin.sixtieths.end());
    const double mean = static_cast<double>(plugin.seen) / 60;
    if (static_cast<double>(*most) > mean * 5 / 2 || static_cast<double>(*least) < mean / 10)
      Violation(now, 0, fmt::format("spread: {} to {} lanes of plugin {} in a sixtieth", *least, *most, number));
  }
}

}  // namespace backplane::simulation
