#include "schedule/cron.h"

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/text.h"

namespace backplane::schedule {
namespace {

TimePoint At(std::string_view text) { return ParseTime(text).value(); }

Cron Make(std::string_view fields, std::string_view zone = "", DayRule rule = DayRule::kBoth) {
  auto cron = Cron::Parse(fields, zone, rule);
  EXPECT_TRUE(cron) << fields << ": " << cron.error().message;
  return *cron;
}

// The next `count` due times, as "2026-03-29 01:30:00".
std::vector<std::string> Times(const Cron& cron, std::string_view start, int count) {
  std::vector<std::string> times;
  TimePoint at = At(start);
  for (int i = 0; i < count; ++i) {
    const auto next = cron.Next(at);
    if (!next) break;
    times.push_back(FormatSeconds(at = *next));
  }
  return times;
}

using Strings = std::vector<std::string>;

TEST(Cron, AgreesWithTheReferenceTable) {
  const auto file =
      ReadFile(std::filesystem::path(BACKPLANE_SOURCE_DIR) / "src/schedule/testdata/cron_converter.tsv", 1 << 20);
  ASSERT_TRUE(file) << file.error().message;
  int rows = 0, invalid = 0;
  for (const std::string_view line : Split(*file, '\n')) {
    if (line.empty() || line.front() == '#') continue;
    const auto cells = Split(line, '\t');
    const auto cron = Cron::Parse(cells[0]);
    if (cells[1] == "invalid") {
      EXPECT_FALSE(cron) << line;
      ++invalid;
      continue;
    }
    ASSERT_TRUE(cron) << line << ": " << cron.error().message;
    ASSERT_EQ(cells.size(), 7u) << line;
    TimePoint at = At(cells[1]);
    for (std::size_t i = 2; i < cells.size(); ++i) {
      const auto next = cron->Next(at);
      ASSERT_TRUE(next) << line;
      EXPECT_EQ(FormatSeconds(*next), FormatSeconds(At(cells[i]))) << line;
      at = *next;
    }
    ++rows;
  }
  EXPECT_GE(rows, 300);
  EXPECT_GE(invalid, 30);
}

TEST(Cron, ErrorsNameFieldAndValue) {
  const auto message = [](std::string_view fields, std::string_view zone = "") {
    const auto cron = Cron::Parse(fields, zone);
    return cron ? std::string("accepted") : cron.error().where + ": " + cron.error().message;
  };
  EXPECT_EQ(message("61 * * * *"), "minute: minute \"61\" is out of range: 0 to 59");
  EXPECT_EQ(message("61 25 * * 1"),
            "minute: minute \"61\" is out of range: 0 to 59; hour \"25\" is out of range: 0 to 23");
  EXPECT_EQ(message("* * 0 * *"), "day of month: day of month \"0\" is out of range: 1 to 31");
  EXPECT_EQ(message("* * * foo *"), "month: month \"foo\" is not a number, name, range or list of them");
  EXPECT_EQ(message("* * * * 8"), "day of week: day of week \"8\" is out of range: 0 to 7");
  EXPECT_EQ(message("* */0 * * *"), "hour: hour \"*/0\" has a step that is not a number above 0");
  EXPECT_EQ(message("5-1 * * * *"), "minute: minute \"5-1\" is a range that ends before it begins");
  EXPECT_EQ(message("@daily"),
            ": cron expression \"@daily\" has 1 fields, not 5 (minute, hour, day of month, month, day of week)");
  EXPECT_EQ(message(" "),
            ": cron expression \" \" has 0 fields, not 5 (minute, hour, day of month, month, day of week)");
  EXPECT_EQ(message("* * * * *", "Mars/Olympus"), "zone: no such time zone: \"Mars/Olympus\"");
  // Accepted by some readers, by accident.
  EXPECT_NE(message("+5 * * * *"), "accepted");
  EXPECT_NE(message("1_0 * * * *"), "accepted");
  EXPECT_NE(message("* * * janfeb *"), "accepted");
  EXPECT_NE(message("99999999999999999999 * * * *"), "accepted");
}

TEST(Cron, IsStrictlyAfterToTheMillisecond) {
  const Cron cron = Make("0 12 * * *");
  const TimePoint noon = At("2026-08-22 12:00:00");
  EXPECT_EQ(cron.Next(noon - Millis(1)), noon);
  EXPECT_EQ(cron.Next(noon), noon + std::chrono::hours(24));
  const Cron rome = Make("0 12 * * *", "Europe/Rome");
  EXPECT_EQ(rome.Next(noon - std::chrono::hours(2) - Millis(1)), noon - std::chrono::hours(2));
  EXPECT_EQ(rome.Next(noon - std::chrono::hours(2)), noon + std::chrono::hours(22));
}

TEST(Cron, DayRules) {
  const Strings both{"2026-02-13 00:00:00", "2026-03-13 00:00:00"};
  EXPECT_EQ(Times(Make("0 0 13 * 5"), "2026-01-14 00:00:00", 2), both);
  const Strings either{"2026-01-16 00:00:00", "2026-01-23 00:00:00", "2026-01-30 00:00:00", "2026-02-06 00:00:00",
                       "2026-02-13 00:00:00"};
  EXPECT_EQ(Times(Make("0 0 13 * 5", "", DayRule::kEither), "2026-01-14 00:00:00", 5), either);
  const Strings fridays_on_odd_days{"2026-02-13 00:00:00", "2026-02-27 00:00:00"};
  EXPECT_EQ(Times(Make("0 0 */2 * 5", "", DayRule::kEither), "2026-01-31 00:00:00", 2), fridays_on_odd_days);
}

TEST(Cron, RareAndImpossibleDays) {
  EXPECT_FALSE(Make("0 0 30 2 *").Next(At("2026-01-01 00:00:00")));
  EXPECT_FALSE(Make("0 0 31 2,4,6,9,11 *", "Europe/Berlin").Next(At("2026-01-01 00:00:00")));
  // Over the year 2100, which has no 29 February.
  const Strings mondays{"2072-02-29 00:00:00", "2112-02-29 00:00:00"};
  EXPECT_EQ(Times(Make("0 0 29 2 1"), "2050-01-01 00:00:00", 2), mondays);
}

TEST(Cron, SkippedHourRunsOnceAfterTheGap) {
  // 2026-03-29 02:00 became 03:00 in Berlin, at 01:00 UTC.
  const Strings daily{"2026-03-28 01:30:00", "2026-03-29 01:00:00", "2026-03-30 00:30:00"};
  EXPECT_EQ(Times(Make("30 2 * * *", "Europe/Berlin"), "2026-03-28 00:00:00", 3), daily);
  const Strings several{"2026-03-28 01:45:00", "2026-03-29 01:00:00", "2026-03-30 00:00:00"};
  EXPECT_EQ(Times(Make("0,15,30,45 2 * * *", "Europe/Berlin"), "2026-03-28 01:30:00", 3), several);
  const Strings hourly{"2026-03-29 00:00:00", "2026-03-29 01:00:00", "2026-03-29 02:00:00"};
  EXPECT_EQ(Times(Make("0 * * * *", "Europe/Berlin"), "2026-03-28 23:30:00", 3), hourly);
  // A gap at midnight must not lose the day.
  const Strings midnight{"2018-11-03 03:00:00", "2018-11-04 03:00:00", "2018-11-05 02:00:00"};
  EXPECT_EQ(Times(Make("0 0 * * *", "America/Sao_Paulo"), "2018-11-02 12:00:00", 3), midnight);
}

TEST(Cron, DoubledHourRunsOnceUnlessHourly) {
  // 2026-10-25 03:00 became 02:00 in Berlin, at 01:00 UTC.
  const Strings daily{"2026-10-24 00:30:00", "2026-10-25 00:30:00", "2026-10-26 01:30:00"};
  EXPECT_EQ(Times(Make("30 2 * * *", "Europe/Berlin"), "2026-10-24 00:00:00", 3), daily);
  const Strings limited{"2026-10-25 00:00:00", "2026-10-25 00:30:00", "2026-10-25 02:00:00", "2026-10-25 02:30:00"};
  EXPECT_EQ(Times(Make("*/30 2-3 * * *", "Europe/Berlin"), "2026-10-24 12:00:00", 4), limited);
  const Strings every{"2026-10-25 00:00:00", "2026-10-25 00:30:00", "2026-10-25 01:00:00", "2026-10-25 01:30:00",
                      "2026-10-25 02:00:00"};
  EXPECT_EQ(Times(Make("*/30 * * * *", "Europe/Berlin"), "2026-10-24 23:45:00", 5), every);
  // Asked in the middle of the second pass.
  const Strings later{"2026-10-26 01:30:00"};
  EXPECT_EQ(Times(Make("30 2 * * *", "Europe/Berlin"), "2026-10-25 01:10:00", 1), later);
}

TEST(Cron, ZoneWithoutChangesIsAShift) {
  const Strings tokyo{"2026-06-30 15:00:00", "2026-07-31 15:00:00"};
  EXPECT_EQ(Times(Make("0 0 1 * *", "Asia/Tokyo"), "2026-06-30 00:00:00", 2), tokyo);
  const Strings kathmandu{"2026-06-29 18:15:00", "2026-06-30 18:15:00"};
  EXPECT_EQ(Times(Make("0 0 * * *", "Asia/Kathmandu"), "2026-06-29 12:00:00", 2), kathmandu);
}

}  // namespace
}  // namespace backplane::schedule
