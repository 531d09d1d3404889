// One run at a time on a lane, not too often, and a token that proves it.
#pragma once

#include <optional>
#include <variant>

#include "base/time.h"
#include "model/run.h"

namespace backplane::dispatch {

/// A moment on both clocks: durations are measured on the monotonic one, wall times compared
/// with the wall clock.
struct Moment {
  TimePoint wall;
  Millis monotonic{0};
};
inline Moment MomentOf(const Clock& clock) { return {clock.Now(), clock.Monotonic()}; }

/// How often a lane may run. An ecosystem that compares whole seconds, or allows for some skew,
/// passes an interval shortened by the skew: in milliseconds the same interval holds for up to a
/// second longer.
struct Pace {
  Millis min_interval{0};      ///< between two starts that count
  Millis results_interval{0};  ///< nor again within this of the start of the last run that reported something
  /// When the plugin was last changed: starts at or before it hold nothing back, since they were
  /// another plugin's. While it lies in the future, nothing is held back.
  std::optional<TimePoint> changed;
  bool operator==(const Pace&) const = default;
};

/// What came of a run, for the lane's pace.
enum class Outcome {
  kNothing,   ///< it never began: its start does not count, the one before it does
  kRan,       ///< however it ended
  kReported,  ///< records of it were taken
};

/// The lane's lock is taken.
struct Admitted {};
/// Another run holds the lane.
struct Busy {
  Token holder;
};
/// The lane's pace does not allow another start yet.
struct TooSoon {
  Millis until{0};  ///< monotonic time of the first moment that is late enough
};
using Admission = std::variant<Admitted, Busy, TooSoon>;

/// Lock, pace and fencing of one lane, in memory.
///
/// Within one Guard the distance of two starts is measured on the monotonic clock, so it holds
/// whatever happens to the wall clock. Only starts that were restored from the store are known by
/// wall time: if the clock was put forward in between, the first distance may be shorter by as
/// much; a start that lies in the future (the clock was put back) counts as a start at the moment
/// of restoring, so a lane waits at most one interval.
///
/// Not thread-safe; does no I/O and reads no clock.
class Guard {
 public:
  /// Tells of a new Guard when the lane's last run that counts was started, and the last one that
  /// reported something, by the store.
  void Restore(std::optional<TimePoint> last_start, std::optional<TimePoint> last_results, Moment now);

  /// Takes the lock for `token`, or says why not. `now.monotonic` never falls.
  Admission TryAdmit(const Pace& pace, Moment now, Token token);

  /// Gives the lock back. False, and nothing happens, if `token` does not hold it.
  bool Release(Token token, Outcome outcome);

  /// Whether `token` is the last one admitted and still holds the lock.
  bool IsCurrent(Token token) const { return holder_ == token; }

  /// When the lane's pace allows the next start, on the monotonic clock; nothing if it always does.
  /// While the lock is held: when it does at the earliest, whatever comes of the run.
  std::optional<Millis> FreeAt(const Pace& pace) const;

 private:
  std::optional<Token> holder_;
  std::optional<Moment> started_;   // the last that counts; monotonic time may be negative if restored
  std::optional<Moment> holding_;   // of the run that holds the lock
  std::optional<Moment> reported_;  // start of the last run that reported something
};

}  // namespace backplane::dispatch
