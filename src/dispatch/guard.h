// One run at a time on a lane, not too often, and a token that proves it.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <variant>

#include "base/time.h"
#include "model/run.h"
#include "schedule/lane_hash.h"

namespace backplane::dispatch {

/// A moment on both clocks: durations are measured on the monotonic one, wall times compared
/// with the wall clock.
struct Moment {
  TimePoint wall;
  Millis monotonic{0};
};
inline Moment MomentOf(const Clock& clock) { return {clock.Now(), clock.Monotonic()}; }

/// The lane's lock is taken.
struct Admitted {
  Token token;
};
/// Another run holds the lane.
struct Busy {
  Token holder;
};
/// The last start is less than the minimum interval ago.
struct TooSoon {
  Millis until{0};  ///< monotonic time of the first moment that is late enough
};
using Admission = std::variant<Admitted, Busy, TooSoon>;

/// Lock, frequency and fencing of lanes, in memory.
///
/// Tokens rise over all lanes. Within one Guard the distance of two starts is measured on the
/// monotonic clock, so it holds whatever happens to the wall clock. Only the start that was
/// restored from the store is known by wall time: if the clock was put forward in between, the
/// first distance may be shorter by as much; a start that lies in the future (the clock was put
/// back) counts as a start at the moment of restoring, so a lane waits at most one minimum
/// interval.
///
/// Not thread-safe; does no I/O and reads no clock.
class Guard {
 public:
  /// `epoch` must be higher than that of any Guard before, durably.
  explicit Guard(std::int64_t epoch) : epoch_(epoch) {}

  /// Tells when a run of the lane was last started, by the store. Never makes a lane free earlier
  /// than what the Guard itself has seen.
  void Restore(const LaneKey& lane, TimePoint last_start, Moment now);

  /// Takes the lane's lock, or says why not. `now.monotonic` never falls.
  Admission TryAdmit(const LaneKey& lane, Millis min_interval, Moment now);

  /// Gives the lock back. False, and nothing happens, if `token` does not hold it.
  bool Release(const LaneKey& lane, Token token);

  /// Whether `token` is the last one issued for the lane and still holds the lock.
  bool IsCurrent(const LaneKey& lane, Token token) const;

  /// When the lane is late enough, on the monotonic clock; nothing if it never ran.
  std::optional<Millis> FreeAt(const LaneKey& lane, Millis min_interval) const;

  /// Drops what is known of a lane that nobody holds; its next start is then limited only by
  /// what Restore() says.
  void Forget(const LaneKey& lane);

  std::int64_t epoch() const { return epoch_; }

 private:
  struct State {
    Token holder;
    bool held = false;
    std::optional<Millis> started;  // monotonic; may be negative if restored
  };

  const std::int64_t epoch_;
  std::int64_t counter_ = 0;
  std::unordered_map<LaneKey, State, schedule::LaneKeyHash> lanes_;
};

}  // namespace backplane::dispatch
