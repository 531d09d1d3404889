#include "dispatch/guard.h"

#include <algorithm>

namespace backplane::dispatch {

void Guard::Restore(std::optional<TimePoint> last_start, std::optional<TimePoint> last_results, Moment now) {
  const auto moment = [&](std::optional<TimePoint> start) -> std::optional<Moment> {
    if (!start) return std::nullopt;
    const Millis ago = std::max(now.wall - *start, Millis(0));
    return Moment{now.wall - ago, now.monotonic - ago};
  };
  started_ = moment(last_start);
  reported_ = moment(last_results);
}

Admission Guard::TryAdmit(const Pace& pace, Moment now, Token token) {
  if (holder_) return Busy{*holder_};
  if (const auto free_at = FreeAt(pace); free_at && now.monotonic < *free_at) return TooSoon{*free_at};
  holder_ = token;
  holding_ = now;
  return Admitted{};
}

bool Guard::Release(Token token, Outcome outcome) {
  if (holder_ != token) return false;
  holder_.reset();
  if (outcome != Outcome::kNothing) started_ = holding_;
  if (outcome == Outcome::kReported) reported_ = holding_;
  return true;
}

std::optional<Millis> Guard::FreeAt(const Pace& pace) const {
  std::optional<Millis> free_at;
  const auto hold = [&](const std::optional<Moment>& start, Millis interval) {
    if (!start || (pace.changed && start->wall <= *pace.changed)) return;
    free_at = std::max(free_at, std::optional(start->monotonic + interval));
  };
  hold(started_, pace.min_interval);
  hold(reported_, pace.results_interval);
  return free_at;
}

}  // namespace backplane::dispatch
