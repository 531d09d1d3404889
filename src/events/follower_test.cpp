#include "events/follower.h"

#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/test_store.h"

namespace backplane::events {
namespace {

using ::testing::ElementsAre;

class FollowerTest : public ::testing::Test {
 protected:
  void Happens(const std::vector<std::string>& topics) {
    store_.Write([&](store::Connection& c) {
      for (const std::string& topic : topics) store::Events(c, kDefaultOrg).Append({.topic = topic, .body = "{}"});
    });
    bus_.Notify();
  }
  void Start() {
    auto follower = Follower::Start(*store_, bus_,
                                    {.topic = "a.",
                                     .reset = [this]() -> Status {
                                       ++resets_;
                                       return {};
                                     },
                                     .take = [this](const std::vector<store::Event>& events) { return Take(events); }});
    ASSERT_TRUE(follower);
    follower_ = *std::move(follower);
  }
  Status Take(const std::vector<store::Event>& events) {
    const std::lock_guard lock(mutex_);
    if (failures_ > 0) {
      --failures_;
      return Fail(Errc::kUnavailable, "not now");
    }
    largest_ = std::max(largest_, events.size());
    for (const store::Event& event : events) taken_.push_back(event.topic);
    return {};
  }
  std::vector<std::string> TakenOnce(std::size_t count) {
    const Millis end = clock_.Monotonic() + std::chrono::seconds(60);
    while (clock_.Monotonic() < end) {
      const std::lock_guard lock(mutex_);
      if (taken_.size() >= count) break;
    }
    const std::lock_guard lock(mutex_);
    return taken_;
  }

  const SystemClock clock_;
  store::TestStore store_;
  Bus bus_{clock_};
  std::mutex mutex_;
  std::vector<std::string> taken_;
  std::size_t largest_ = 0;
  int failures_ = 0;
  std::atomic<int> resets_{0};
  std::unique_ptr<Follower> follower_;  // last: it uses all of the above
};

TEST_F(FollowerTest, TakesWhatHappensOfItsTopic) {
  Happens({"a.before"});
  Start();
  EXPECT_EQ(resets_, 1);
  Happens({"a.one", "b.other", "a.two"});
  Happens({"a.three"});
  EXPECT_THAT(TakenOnce(3), ElementsAre("a.one", "a.two", "a.three"));
  EXPECT_EQ(resets_, 1);
}

TEST_F(FollowerTest, WhatFailsIsTakenAgain) {
  failures_ = 1;
  Start();
  Happens({"a.one"});
  EXPECT_THAT(TakenOnce(1), ElementsAre("a.one"));
}

TEST_F(FollowerTest, ManyComeInPages) {
  Start();
  Happens(std::vector<std::string>(2'500, "a.x"));
  EXPECT_EQ(TakenOnce(2'500).size(), 2'500U);
  EXPECT_LE(largest_, 1'000U);
}

TEST_F(FollowerTest, AFollowerThatCannotBeginIsNone) {
  const auto follower = Follower::Start(*store_, bus_,
                                        {.topic = "",
                                         .reset = []() -> Status { return Fail(Errc::kUnavailable, "no"); },
                                         .take = [](const auto&) { return Status(); }});
  ASSERT_FALSE(follower);
  EXPECT_EQ(follower.error().message, "no");
}

}  // namespace
}  // namespace backplane::events
