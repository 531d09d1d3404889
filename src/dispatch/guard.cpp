#include "dispatch/guard.h"

#include <algorithm>

namespace backplane::dispatch {

void Guard::Restore(const LaneKey& lane, TimePoint last_start, Moment now) {
  State& state = lanes_[lane];
  const Millis started = now.monotonic - std::max(now.wall - last_start, Millis(0));
  state.started = std::max(state.started.value_or(started), started);
}

Admission Guard::TryAdmit(const LaneKey& lane, Millis min_interval, Moment now) {
  State& state = lanes_[lane];
  if (state.held) return Busy{state.holder};
  if (state.started && now.monotonic < *state.started + min_interval) return TooSoon{*state.started + min_interval};
  state.held = true;
  state.holder = Token{epoch_, ++counter_};
  state.started = now.monotonic;
  return Admitted{state.holder};
}

bool Guard::Release(const LaneKey& lane, Token token) {
  const auto it = lanes_.find(lane);
  if (it == lanes_.end() || !it->second.held || it->second.holder != token) return false;
  it->second.held = false;
  return true;
}

bool Guard::IsCurrent(const LaneKey& lane, Token token) const {
  const auto it = lanes_.find(lane);
  return it != lanes_.end() && it->second.held && it->second.holder == token;
}

std::optional<Millis> Guard::FreeAt(const LaneKey& lane, Millis min_interval) const {
  const auto it = lanes_.find(lane);
  if (it == lanes_.end() || !it->second.started) return std::nullopt;
  return *it->second.started + min_interval;
}

void Guard::Forget(const LaneKey& lane) {
  const auto it = lanes_.find(lane);
  if (it != lanes_.end() && !it->second.held) lanes_.erase(it);
}

}  // namespace backplane::dispatch
