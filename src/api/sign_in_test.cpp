#include "api/sign_in.h"

#include <future>

#include <gtest/gtest.h>

#include "base/time.h"

namespace backplane::api {
namespace {

constexpr Millis kSecond{1'000};

TEST(Backoff, DoublesAfterTheFreeFailuresUpToTheMost) {
  Backoff backoff({.free = 3});
  Millis now{5'000};
  for (int i = 0; i < 2; ++i) {
    backoff.Failed("a", now);
    EXPECT_EQ(backoff.Wait("a", now), Millis(0));
  }
  for (const int seconds : {1, 2, 4, 8, 16, 32, 60, 60, 60}) {
    backoff.Failed("a", now);
    EXPECT_EQ(backoff.Wait("a", now), seconds * kSecond);
    EXPECT_EQ(backoff.Wait("b", now), Millis(0));
    now += seconds * kSecond - Millis(1);
    EXPECT_EQ(backoff.Wait("a", now), Millis(1));
    now += Millis(1);
    EXPECT_EQ(backoff.Wait("a", now), Millis(0));
  }
}

TEST(Backoff, ManyFailuresDoNotOverflow) {
  Backoff backoff({});
  for (int i = 0; i < 1'000; ++i) backoff.Failed("a", kSecond);
  EXPECT_EQ(backoff.Wait("a", kSecond), 60 * kSecond);
}

TEST(Backoff, ForgetsWhatIsLongAgo) {
  Backoff backoff({.free = 1, .forget = 100 * kSecond});
  backoff.Failed("a", kSecond);
  backoff.Failed("a", kSecond);
  EXPECT_EQ(backoff.Wait("a", kSecond), 2 * kSecond);
  backoff.Failed("a", 101 * kSecond);
  EXPECT_EQ(backoff.Wait("a", 101 * kSecond), kSecond);
}

TEST(Backoff, ForgivesOneAndForgetsAll) {
  Backoff backoff({.free = 2});
  for (int i = 0; i < 3; ++i) backoff.Failed("a", kSecond);
  EXPECT_EQ(backoff.Wait("a", kSecond), 2 * kSecond);
  backoff.Forgive("a");
  EXPECT_EQ(backoff.Wait("a", kSecond), Millis(0));
  backoff.Failed("a", kSecond);
  EXPECT_EQ(backoff.Wait("a", kSecond), 2 * kSecond);
  backoff.Forget("a");
  backoff.Forget("never");
  backoff.Forgive("never");
  EXPECT_EQ(backoff.size(), 0U);
  backoff.Failed("b", kSecond);
  backoff.Forgive("b");
  EXPECT_EQ(backoff.size(), 0U);
}

TEST(Backoff, RemembersABoundedNumberOfNames) {
  Backoff backoff({.free = 1, .most_names = 3});
  for (const char* name : {"a", "b", "a", "c", "d"}) backoff.Failed(name, kSecond);
  EXPECT_EQ(backoff.size(), 3U);
  EXPECT_EQ(backoff.Wait("b", kSecond), Millis(0));  // failed longest ago
  EXPECT_EQ(backoff.Wait("a", kSecond), 2 * kSecond);
}

class SignInLimiterTest : public ::testing::Test {
 protected:
  ManualClock clock_{FromMillis(0)};
  SignInLimiter limiter_{clock_};
};

TEST_F(SignInLimiterTest, AnAccountIsSlowedDownWhereverGuessesComeFrom) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limiter_.Begin("alice", "10.0.0." + std::to_string(i)), Millis(0));
  EXPECT_EQ(limiter_.Begin("alice", "10.0.0.9"), kSecond);
  EXPECT_EQ(limiter_.Begin("bob", "10.0.0.9"), Millis(0));
  clock_.Advance(kSecond);
  EXPECT_EQ(limiter_.Begin("alice", "10.0.0.9"), Millis(0));
  EXPECT_EQ(limiter_.Begin("alice", "10.0.0.9"), 2 * kSecond);
}

TEST_F(SignInLimiterTest, AnAddressIsSlowedDownWhomeverItTries) {
  for (int i = 0; i < 100; ++i) EXPECT_EQ(limiter_.Begin("user" + std::to_string(i), "10.0.0.1"), Millis(0));
  EXPECT_EQ(limiter_.Begin("alice", "10.0.0.1"), kSecond);
  EXPECT_EQ(limiter_.Begin("alice", "10.0.0.2"), Millis(0));
  EXPECT_EQ(limiter_.Begin("alice", ""), Millis(0));  // the local socket
}

TEST_F(SignInLimiterTest, ARefusedAttemptIsNotCounted) {
  for (int i = 0; i < 50; ++i) limiter_.Begin("alice", "10.0.0.1");
  EXPECT_EQ(limiter_.Begin("alice", "10.0.0.1"), kSecond);
}

TEST_F(SignInLimiterTest, SuccessClearsTheAccountAndGivesTheAddressOneBack) {
  for (int i = 0; i < 5; ++i) limiter_.Begin("alice", "10.0.0.1");
  limiter_.Succeeded("alice", "10.0.0.1");
  EXPECT_EQ(limiter_.Begin("alice", "10.0.0.1"), Millis(0));
  for (int i = 0; i < 95; ++i) EXPECT_EQ(limiter_.Begin("user" + std::to_string(i), "10.0.0.1"), Millis(0));
  EXPECT_EQ(limiter_.Begin("carol", "10.0.0.1"), kSecond);
}

TEST(PasswordPool, DoesOneAfterAnotherAndRefusesBeyondItsLimit) {
  PasswordPool pool(2);
  std::promise<void> begun, go_on, done;
  ASSERT_TRUE(pool.Submit([&] {
    begun.set_value();
    go_on.get_future().wait();
  }));
  begun.get_future().wait();
  std::string order;
  EXPECT_TRUE(pool.Submit([&] {
    order += "1";
    throw std::runtime_error("a bug");
  }));
  EXPECT_TRUE(pool.Submit([&] {
    order += "2";
    done.set_value();
  }));
  EXPECT_FALSE(pool.Submit([] {}));
  go_on.set_value();
  done.get_future().wait();
  EXPECT_EQ(order, "12");
}

TEST(PasswordPool, DropsWhatWaitsWhenItStops) {
  std::promise<void> begun, go_on;
  bool ran = false;
  PasswordPool pool(8);
  ASSERT_TRUE(pool.Submit([&] {
    begun.set_value();
    go_on.get_future().wait();
  }));
  begun.get_future().wait();
  // Dropping the work releases what it holds.
  auto held = std::make_shared<int>(1);
  ASSERT_TRUE(pool.Submit([&ran, held] { ran = true; }));
  const std::weak_ptr<int> watched = held;
  held.reset();
  std::jthread stopper([&] { pool.Stop(); });
  while (!watched.expired()) std::this_thread::yield();
  go_on.set_value();
  stopper.join();
  EXPECT_FALSE(ran);
  EXPECT_FALSE(pool.Submit([] {}));
}

}  // namespace
}  // namespace backplane::api
