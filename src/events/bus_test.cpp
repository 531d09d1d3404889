#include "events/bus.h"

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace backplane::events {
namespace {

constexpr Millis kLong{600'000};

// What one waiter is told.
class Answer {
 public:
  Bus::Callback Callback() {
    return [this](Wake wake) { told_.set_value(wake); };
  }
  Wake Get() { return future_.get(); }

 private:
  std::promise<Wake> told_;
  std::future<Wake> future_ = told_.get_future();
};

TEST(Bus, NewsWakesEveryWaiter) {
  const SystemClock clock;
  Bus bus(clock);
  Answer first;
  Answer second;
  const auto seen = bus.generation();
  bus.Wait(seen, kLong, first.Callback());
  bus.Wait(seen, kLong, second.Callback());
  bus.Notify();
  EXPECT_EQ(first.Get(), Wake::kNews);
  EXPECT_EQ(second.Get(), Wake::kNews);
  EXPECT_GT(bus.generation(), seen);
}

TEST(Bus, WhatCameBeforeTheWaitIsNotMissed) {
  const SystemClock clock;
  Bus bus(clock);
  const auto seen = bus.generation();
  bus.Notify();
  Answer answer;
  bus.Wait(seen, kLong, answer.Callback());
  EXPECT_EQ(answer.Get(), Wake::kNews);
}

TEST(Bus, AWaitEndsWithItsTimeout) {
  const SystemClock clock;
  Bus bus(clock);
  Answer at_once;
  Answer soon;
  Answer longer;
  bus.Wait(bus.generation(), kLong, longer.Callback());
  bus.Wait(bus.generation(), Millis(0), at_once.Callback());
  bus.Wait(bus.generation(), Millis(5), soon.Callback());
  EXPECT_EQ(at_once.Get(), Wake::kTimeout);
  EXPECT_EQ(soon.Get(), Wake::kTimeout);
  bus.Notify();
  EXPECT_EQ(longer.Get(), Wake::kNews);
}

TEST(Bus, ItsEndTellsWhoWaits) {
  const SystemClock clock;
  Answer answer;
  {
    Bus bus(clock);
    bus.Wait(bus.generation(), kLong, answer.Callback());
  }
  EXPECT_EQ(answer.Get(), Wake::kClosed);
}

TEST(Bus, AWaiterMayWaitAgain) {
  const SystemClock clock;
  Bus bus(clock);
  std::promise<int> done;
  int rounds = 0;
  std::function<void(Wake)> again = [&](Wake wake) {
    EXPECT_EQ(wake, Wake::kNews);
    if (++rounds == 3) return done.set_value(rounds);
    const auto seen = bus.generation();
    bus.Wait(seen, kLong, again);
    bus.Notify();
  };
  bus.Wait(bus.generation(), kLong, again);
  bus.Notify();
  EXPECT_EQ(done.get_future().get(), 3);
}

TEST(Bus, TooManyWaitersAreSentAway) {
  const SystemClock clock;
  std::atomic<int> closed{0};
  std::atomic<int> timed_out{0};
  {
    Bus bus(clock);
    const auto seen = bus.generation();
    for (int i = 0; i < 5000; ++i)
      bus.Wait(seen, kLong, [&](Wake wake) { ++(wake == Wake::kTimeout ? timed_out : closed); });
    EXPECT_EQ(timed_out, 5000 - 4096);
  }
  EXPECT_EQ(closed, 4096);
}

TEST(Bus, NothingIsLostUnderContention) {
  const SystemClock clock;
  std::atomic<int> told{0};
  {
    Bus bus(clock);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 200; ++i) {
          Answer answer;
          const auto seen = bus.generation();
          bus.Wait(seen, kLong, answer.Callback());
          bus.Notify();
          EXPECT_EQ(answer.Get(), Wake::kNews);
          ++told;
        }
      });
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(told, 800);
}

}  // namespace
}  // namespace backplane::events
