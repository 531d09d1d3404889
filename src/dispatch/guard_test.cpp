#include "dispatch/guard.h"

#include <gtest/gtest.h>

namespace backplane::dispatch {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const TimePoint kNoon = ParseTime("2026-08-22 12:00:00").value();
const Pace kMinute{.min_interval = seconds(60)};

class GuardTest : public ::testing::Test {
 protected:
  // Wall time is noon + the monotonic time.
  static Moment At(Millis time) { return {kNoon + time, time}; }
  Token Admit(const Pace& pace, Moment now) {
    const Token token{3, ++counter_};
    EXPECT_TRUE(std::holds_alternative<Admitted>(guard_.TryAdmit(pace, now, token)));
    return token;
  }
  void Run(const Pace& pace, Millis time, Outcome outcome) {
    EXPECT_TRUE(guard_.Release(Admit(pace, At(time)), outcome));
  }
  // When the guard says a start is late enough; nothing if it would admit.
  std::optional<Millis> TooSoonUntil(const Pace& pace, Moment now) {
    Guard copy = guard_;
    const Admission admission = copy.TryAdmit(pace, now, {9, 9});
    if (std::holds_alternative<Admitted>(admission)) return std::nullopt;
    return std::get<TooSoon>(admission).until;
  }

  Guard guard_;
  std::int64_t counter_ = 0;
};

TEST_F(GuardTest, OneHolder) {
  const Token first = Admit({}, At(Millis(5)));
  const Admission second = guard_.TryAdmit({}, At(Millis(6)), {3, 2});
  ASSERT_TRUE(std::holds_alternative<Busy>(second));
  EXPECT_EQ(std::get<Busy>(second).holder, first);
  EXPECT_TRUE(guard_.IsCurrent(first));
  EXPECT_FALSE(guard_.IsCurrent({3, 2}));
  EXPECT_TRUE(guard_.Release(first, Outcome::kRan));
  EXPECT_FALSE(guard_.IsCurrent(first));
  EXPECT_FALSE(guard_.Release(first, Outcome::kRan));
  Admit({}, At(Millis(7)));
}

TEST_F(GuardTest, AnOldTokenChangesNothing) {
  const Token old = Admit({}, At(Millis(0)));
  guard_.Release(old, Outcome::kRan);
  const Token held = Admit({}, At(Millis(1)));
  EXPECT_FALSE(guard_.Release(old, Outcome::kReported));
  EXPECT_TRUE(guard_.IsCurrent(held));
  EXPECT_EQ(guard_.FreeAt({.results_interval = hours(1)}), Millis(0));
}

TEST_F(GuardTest, FrequencyIgnoresTheWallClock) {
  Run(kMinute, seconds(100), Outcome::kRan);
  for (const Millis jump : {Millis(hours(-48)), Millis(0), Millis(hours(48))})
    EXPECT_EQ(TooSoonUntil(kMinute, {kNoon + jump, seconds(160) - Millis(1)}), seconds(160));
  Admit(kMinute, At(seconds(160)));
}

TEST_F(GuardTest, ARunThatNeverBeganDoesNotCount) {
  Run(kMinute, seconds(10), Outcome::kRan);
  Run(kMinute, seconds(70), Outcome::kNothing);
  EXPECT_EQ(guard_.FreeAt(kMinute), seconds(70));
  const Token token = Admit(kMinute, At(seconds(71)));
  EXPECT_EQ(guard_.FreeAt(kMinute), seconds(70));  // it may still come to nothing
  guard_.Release(token, Outcome::kRan);
  EXPECT_EQ(guard_.FreeAt(kMinute), seconds(131));
}

TEST_F(GuardTest, ResultsHoldBackForLonger) {
  const Pace pace{.min_interval = seconds(60), .results_interval = seconds(600)};
  Run(pace, seconds(0), Outcome::kRan);
  Run(pace, seconds(60), Outcome::kReported);
  EXPECT_EQ(TooSoonUntil(pace, At(seconds(120))), seconds(660));
  // Runs that report nothing leave it where it is.
  Run(kMinute, seconds(120), Outcome::kRan);
  EXPECT_EQ(TooSoonUntil(pace, At(seconds(180))), seconds(660));
  Run(pace, seconds(660), Outcome::kRan);
  EXPECT_EQ(TooSoonUntil(pace, At(seconds(661))), seconds(720));
}

TEST_F(GuardTest, StartsOfAnotherPluginHoldNothingBack) {
  Pace pace{.min_interval = seconds(60), .results_interval = seconds(600)};
  Run(pace, seconds(10), Outcome::kReported);
  pace.changed = kNoon + seconds(9);
  EXPECT_EQ(TooSoonUntil(pace, At(seconds(20))), seconds(610));
  pace.changed = kNoon + seconds(10);
  EXPECT_EQ(guard_.FreeAt(pace), std::nullopt);
  Run(pace, seconds(20), Outcome::kRan);
  EXPECT_EQ(TooSoonUntil(pace, At(seconds(21))), seconds(80));
}

TEST_F(GuardTest, RestoredStartsCountByWallTime) {
  guard_.Restore(kNoon - seconds(20), kNoon - seconds(50), {kNoon, seconds(5)});
  EXPECT_EQ(guard_.FreeAt(kMinute), seconds(45));
  EXPECT_EQ(guard_.FreeAt({.min_interval = seconds(60), .results_interval = seconds(100)}), seconds(55));
  EXPECT_EQ(guard_.FreeAt({.min_interval = seconds(60), .changed = kNoon - seconds(20)}), std::nullopt);
  EXPECT_EQ(TooSoonUntil(kMinute, {kNoon, seconds(44)}), seconds(45));
  Admit(kMinute, {kNoon, seconds(45)});
}

TEST_F(GuardTest, StartInTheFutureDelaysOneIntervalAtMost) {
  guard_.Restore(kNoon + hours(1000), std::nullopt, {kNoon, seconds(5)});
  EXPECT_EQ(TooSoonUntil(kMinute, {kNoon, seconds(6)}), seconds(65));
  EXPECT_EQ(guard_.FreeAt({.min_interval = minutes(1), .changed = kNoon}), std::nullopt);
}

}  // namespace
}  // namespace backplane::dispatch
