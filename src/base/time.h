// Time as the program speaks it: milliseconds since 1970-01-01 UTC, passed in through Clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace backplane {

using Millis = std::chrono::milliseconds;
/// Wall-clock time, UTC, millisecond resolution.
using TimePoint = std::chrono::time_point<std::chrono::system_clock, Millis>;

inline std::int64_t ToMillis(TimePoint t) { return t.time_since_epoch().count(); }
inline TimePoint FromMillis(std::int64_t ms) { return TimePoint(Millis(ms)); }

/// "2026-08-22T10:00:00.123Z".
std::string FormatIso(TimePoint t);
/// "2026-08-22 10:00:00", UTC.
std::string FormatSeconds(TimePoint t);
/// Reads "YYYY-MM-DD HH:MM:SS" or "YYYY-MM-DDTHH:MM:SS[.mmm][Z]" as UTC; nothing if it is neither.
std::optional<TimePoint> ParseTime(std::string_view text);
/// Reads "250ms", "30s", "5m", "2h", "7d" (a whole number and a unit); nothing if it is none.
std::optional<Millis> ParseDuration(std::string_view text);
/// The shortest exact form that ParseDuration reads back.
std::string FormatDuration(Millis duration);

/// The only source of time. Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall time; may jump when an operator sets the clock.
  virtual TimePoint Now() const = 0;
  /// Time since an arbitrary start; never jumps. For durations and deadlines.
  virtual Millis Monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint Now() const override;
  Millis Monotonic() const override;
};

/// A clock that tests and the simulation move by hand. Not thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimePoint now) : now_(now) {}
  TimePoint Now() const override { return now_; }
  Millis Monotonic() const override { return monotonic_; }
  void Advance(Millis by) { now_ += by, monotonic_ += by; }
  /// Wall time only, as an operator or NTP would.
  void Jump(Millis by) { now_ += by; }

 private:
  TimePoint now_;
  Millis monotonic_{0};
};

}  // namespace backplane
