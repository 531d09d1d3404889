#include "dispatch/guard.h"

#include <gtest/gtest.h>

namespace backplane::dispatch {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const TimePoint kNoon = ParseTime("2026-08-22 12:00:00").value();
const LaneKey kLane{kDefaultOrg, "t:a", ""};
const LaneKey kOther{kDefaultOrg, "t:a", "host"};

Token Admit(Guard& guard, const LaneKey& lane, Millis min_interval, Moment now) {
  const Admission admission = guard.TryAdmit(lane, min_interval, now);
  EXPECT_TRUE(std::holds_alternative<Admitted>(admission));
  return std::get<Admitted>(admission).token;
}

TEST(Guard, OneHolderPerLane) {
  Guard guard(3);
  const Token first = Admit(guard, kLane, Millis(0), {kNoon, Millis(5)});
  EXPECT_EQ(first, (Token{3, 1}));
  const Admission second = guard.TryAdmit(kLane, Millis(0), {kNoon, Millis(6)});
  ASSERT_TRUE(std::holds_alternative<Busy>(second));
  EXPECT_EQ(std::get<Busy>(second).holder, first);
  EXPECT_EQ(Admit(guard, kOther, Millis(0), {kNoon, Millis(6)}), (Token{3, 2}));
  EXPECT_TRUE(guard.IsCurrent(kLane, first));
  EXPECT_TRUE(guard.Release(kLane, first));
  EXPECT_FALSE(guard.IsCurrent(kLane, first));
  EXPECT_FALSE(guard.Release(kLane, first));
  EXPECT_GT(Admit(guard, kLane, Millis(0), {kNoon, Millis(7)}), first);
}

TEST(Guard, AnOldTokenChangesNothing) {
  Guard guard(1);
  const Token old = Admit(guard, kLane, Millis(0), {kNoon, Millis(0)});
  guard.Release(kLane, old);
  const Token held = Admit(guard, kLane, Millis(0), {kNoon, Millis(1)});
  EXPECT_FALSE(guard.Release(kLane, old));
  EXPECT_FALSE(guard.IsCurrent(kLane, old));
  EXPECT_TRUE(guard.IsCurrent(kLane, held));
  EXPECT_FALSE(guard.Release(kOther, held));
}

TEST(Guard, FrequencyIgnoresTheWallClock) {
  Guard guard(1);
  guard.Release(kLane, Admit(guard, kLane, seconds(60), {kNoon, seconds(100)}));
  for (const Millis jump : {Millis(hours(-48)), Millis(0), Millis(hours(48))}) {
    const Admission early = guard.TryAdmit(kLane, seconds(60), {kNoon + jump, seconds(160) - Millis(1)});
    ASSERT_TRUE(std::holds_alternative<TooSoon>(early));
    EXPECT_EQ(std::get<TooSoon>(early).until, seconds(160));
  }
  Admit(guard, kLane, seconds(60), {kNoon, seconds(160)});
}

TEST(Guard, RestoredStartsCountByWallTime) {
  Guard guard(2);
  guard.Restore(kLane, kNoon - seconds(20), {kNoon, seconds(5)});
  EXPECT_EQ(guard.FreeAt(kLane, seconds(60)), Millis(seconds(45)));
  EXPECT_TRUE(std::holds_alternative<TooSoon>(guard.TryAdmit(kLane, seconds(60), {kNoon, seconds(44)})));
  Admit(guard, kLane, seconds(60), {kNoon, seconds(45)});
  // What the guard saw itself counts more than an older row.
  guard.Restore(kLane, kNoon - hours(1), {kNoon, seconds(50)});
  EXPECT_EQ(guard.FreeAt(kLane, seconds(60)), Millis(seconds(105)));
}

TEST(Guard, StartInTheFutureDelaysOneIntervalAtMost) {
  Guard guard(2);
  guard.Restore(kLane, kNoon + hours(1000), {kNoon, seconds(5)});
  const Admission early = guard.TryAdmit(kLane, seconds(60), {kNoon, seconds(6)});
  ASSERT_TRUE(std::holds_alternative<TooSoon>(early));
  EXPECT_EQ(std::get<TooSoon>(early).until, seconds(65));
}

TEST(Guard, ForgetsOnlyFreeLanes) {
  Guard guard(1);
  const Token token = Admit(guard, kLane, seconds(60), {kNoon, Millis(0)});
  guard.Forget(kLane);
  EXPECT_TRUE(guard.IsCurrent(kLane, token));
  guard.Release(kLane, token);
  guard.Forget(kLane);
  EXPECT_EQ(guard.FreeAt(kLane, seconds(60)), std::nullopt);
  EXPECT_GT(Admit(guard, kLane, seconds(60), {kNoon, Millis(1)}), token);
}

}  // namespace
}  // namespace backplane::dispatch
