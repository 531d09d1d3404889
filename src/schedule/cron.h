// When a cron expression of five fields is due.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace date {
class time_zone;
}

namespace backplane::schedule {

/// How day of month and day of week combine when both restrict the day. Ecosystems differ, so
/// their dialects choose.
enum class DayRule {
  kBoth,    ///< a day must match both fields
  kEither,  ///< a day must match one of them, unless one of the fields begins with '*' (as Vixie cron has it)
};

/// A parsed expression: minute, hour, day of month, month, day of week; each field a list of
/// `*`, `a`, `a-b`, each with an optional `/step`. Months may be jan-dec, days of the week
/// sun-sat, in any case; Sunday is 0 or 7. The values of `a-b/step` are a, a+step, ...; a step
/// beyond the range leaves a. 7 counts as 0 before a step is applied, so `1-7/2` is 1,3,5.
///
/// In a zone whose clock is put forward, what is due in the skipped hour is due once, at the
/// first instant after it. Where the clock is put back, what is due in the hour that comes
/// twice is due in its first pass only; but with `*` (or all 24 values) for the hour it is due
/// in both passes, so that "every ten minutes" has no hole of an hour.
///
/// A plain value; const functions are thread-safe.
class Cron {
 public:
  /// `zone` is an IANA name; empty, "UTC" and "Etc/UTC" need no zone database. kInvalid names
  /// each wrong field and its value (`where`: the first), or the zone; nicknames such as @daily are not read.
  static Result<Cron> Parse(std::string_view fields, std::string_view zone = "", DayRule rule = DayRule::kBoth);

  /// The first due time strictly after `after`; nothing if there is none within 50 years (30
  /// February; 29 February on a given weekday recurs within 40).
  std::optional<TimePoint> Next(TimePoint after) const;

 private:
  using Minutes = std::chrono::minutes;

  bool DayMatches(std::chrono::sys_days day) const;
  std::optional<std::chrono::sys_days> NextDay(std::chrono::sys_days day) const;
  std::optional<Minutes> NextLocal(Minutes from) const;
  std::optional<TimePoint> NextInZone(TimePoint after) const;
  bool every_hour() const { return hours_ == (1u << 24) - 1; }

  // Bit n: value n is due.
  std::uint64_t minutes_ = 0;
  std::uint32_t hours_ = 0;
  std::uint32_t days_ = 0;
  std::uint32_t months_ = 0;
  std::uint32_t weekdays_ = 0;
  bool either_day_ = false;
  const date::time_zone* zone_ = nullptr;  // of the zone database, which is never unloaded; null: UTC
};

}  // namespace backplane::schedule
