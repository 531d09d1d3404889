#include "schedule/period.h"

#include <gtest/gtest.h>

namespace backplane::schedule {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const TimePoint kNow = *ParseTime("2026-03-28 10:02:00");

Trigger Every(Millis interval) { return {.kind = TriggerKind::kInterval, .interval = interval}; }
Trigger At(const char* cron, const char* zone = "") { return {.kind = TriggerKind::kCron, .cron = cron, .zone = zone}; }

TEST(Period, IsThatOfTheMostFrequentTrigger) {
  EXPECT_EQ(PeriodOf({Every(minutes(7))}, kNow), minutes(7));
  EXPECT_EQ(PeriodOf({At("*/5 * * * *")}, kNow), minutes(5));
  EXPECT_EQ(PeriodOf({At("0 3 * * *"), Every(minutes(20)), At("0 * * * *")}, kNow), minutes(20));
  EXPECT_EQ(PeriodOf({At("0 3 * * 0")}, kNow), hours(7 * 24));
}

TEST(Period, IsUnknownOfWhatNoTimeStarts) {
  EXPECT_EQ(PeriodOf({}, kNow), Millis(0));
  EXPECT_EQ(PeriodOf({{.kind = TriggerKind::kPhase, .name = "after_scan"}, {.kind = TriggerKind::kStart}}, kNow),
            Millis(0));
  EXPECT_EQ(PeriodOf({At("not cron"), At("0 0 30 2 *")}, kNow), Millis(0));
}

TEST(Period, FollowsTheClockOfItsZone) {
  // The night in which the clock is put forward is an hour shorter.
  EXPECT_EQ(PeriodOf({At("0 12 * * *", "Europe/Berlin")}, *ParseTime("2026-03-28 10:00:00")), hours(23));
  EXPECT_EQ(PeriodOf({At("0 12 * * *", "Europe/Berlin")}, *ParseTime("2026-03-26 10:00:00")), hours(24));
}

}  // namespace
}  // namespace backplane::schedule
