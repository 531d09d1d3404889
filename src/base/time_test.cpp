#include "base/time.h"

#include <gtest/gtest.h>

namespace backplane {
namespace {

TEST(Time, FormatsAndReadsBackToTheMillisecond) {
  const TimePoint t = FromMillis(1'787'392'800'123);
  EXPECT_EQ(FormatIso(t), "2026-08-22T10:00:00.123Z");
  EXPECT_EQ(ParseTime(FormatIso(t)), t);
  EXPECT_EQ(FormatSeconds(t), "2026-08-22 10:00:00");
  EXPECT_EQ(ParseTime("2026-08-22 10:00:00"), FromMillis(1'787'392'800'000));
}

TEST(Time, RefusesWhatIsNoTime) {
  for (const char* text : {"", "2026", "2026-02-30 10:00:00", "2026-08-22 25:00:00", "2026-08-22 10:00:00x",
                           "2026/08/22 10:00:00", "2026-08-22 10:00:00.1Z", "null"})
    EXPECT_FALSE(ParseTime(text)) << text;
}

TEST(Time, DurationsNeedAUnitAndRoundTrip) {
  EXPECT_EQ(ParseDuration("250ms"), Millis(250));
  EXPECT_EQ(ParseDuration("7d"), Millis(604'800'000));
  for (const char* text : {"", "5", "s", "-5s", "5 s", "5x", "9223372036854775807d"})
    EXPECT_FALSE(ParseDuration(text)) << text;
  for (const char* text : {"250ms", "30s", "5m", "2h", "7d", "0s"})
    EXPECT_EQ(FormatDuration(*ParseDuration(text)), text);
}

}  // namespace
}  // namespace backplane
