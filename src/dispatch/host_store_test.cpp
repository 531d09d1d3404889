// The host when its store fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatch/host_fixture.h"

namespace backplane::dispatch {
namespace {

using ::testing::HasSubstr;
using RunRow = Run;  // a test has a Run() of its own
using State = CallAnswer::State;

TEST(HostStore, WhatCannotBeginIsDroppedAndItsLaneIsFree) {
  HostFixture f({"scan"});
  f.database.FailNext(1);
  const CallAnswer answer = f.Call("scan", "call/1");
  EXPECT_EQ(answer.state, State::kDropped);
  EXPECT_THAT(answer.reason, HasSubstr("disk full"));
  EXPECT_TRUE(f.Runs().empty());
  EXPECT_EQ(f.RunToEnd("scan", "call/2").status, RunStatus::kOk);
}

TEST(HostStore, AnEndIsStoredWhenTheStoreWorksAgain) {
  HostFixture f({"slow how=hang"});
  const CallAnswer started = f.Call("slow", "call/1");
  ASSERT_EQ(started.state, State::kStarted);
  f.database.FailNext(1);
  ASSERT_TRUE(f.host->Cancel(started.run));
  f.WaitForEnds(1);  // after a second attempt
  const auto runs = f.Runs();
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].status, RunStatus::kCancelled);
}

TEST(HostStore, AResultThatTheStoreRefusesIsGivenUpAndItsRunHasFailed) {
  HostFixture f({"slow how=hang"});
  const CallAnswer started = f.Call("slow", "call/1");
  f.database.FailNext(1, Errc::kInternal);
  ASSERT_TRUE(f.host->Cancel(started.run));
  f.WaitForEnds(1);
  const auto runs = f.Runs();
  EXPECT_EQ(runs.at(0).status, RunStatus::kFailed);
  EXPECT_THAT(runs[0].message, HasSubstr("could not be stored: disk full"));
  f.Call("slow", "call/2");
  // The lane is free, though maybe a moment after the end was told.
  const Millis end = f.clock.Monotonic() + std::chrono::seconds(60);
  std::optional<RunId> running;
  while ((!running || *running == started.run) && f.clock.Monotonic() < end) {
    std::this_thread::yield();
    running = f.host->View(HostFixture::Lane("slow")).running;
  }
  EXPECT_TRUE(running && *running != started.run);
}

TEST(HostStore, AnEndThatWaitsForTheStoreIsStoredAtShutdown) {
  HostFixture f({"slow how=hang"});
  const CallAnswer started = f.Call("slow", "call/1");
  f.database.FailNext(1);
  ASSERT_TRUE(f.host->Cancel(started.run));
  f.database.WaitForFailure();
  f.Stop();
  EXPECT_EQ(f.Runs().at(0).status, RunStatus::kCancelled);
}

TEST(HostStore, AStoreThatFailsForGoodDoesNotHoldTheEnd) {
  HostFixture f({"slow how=hang"});
  ASSERT_EQ(f.Call("slow", "call/1").state, State::kStarted);
  f.database.FailNext(1'000'000);
  f.Stop();
  EXPECT_EQ(f.Runs().at(0).status, RunStatus::kRunning);
  f.database.FailNext(0);
  f.Start();
  EXPECT_EQ(f.Runs().at(0).status, RunStatus::kInterrupted);
}

TEST(HostStore, WithoutAStoreThereIsNoHost) {
  HostFixture f({"scan"});
  f.Stop();
  f.database.FailNext(1'000'000);
  const Status started = f.TryStart();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("disk full"));
  f.database.FailNext(0);
}

// A run whose lane was given to another one since: by a second daemon, or a person with a backup.
TEST(HostStore, AResultAfterTheLeaseIsLostIsNotTaken) {
  HostFixture f({"slow how=hang", "scan"});
  const CallAnswer started = f.Call("slow", "call/1");
  f.store.Write([&](store::Connection& c) {
    RunRow other;
    other.lane = HostFixture::Lane("slow");
    other.key = "call/2";
    other.token = {f.host->epoch() + 1, 1};
    other.started = f.clock.Now();
    store::Runs(c, kDefaultOrg).Begin(other, std::nullopt);
  });
  ASSERT_TRUE(f.host->Cancel(started.run));
  f.WaitForEnds(1);
  EXPECT_EQ(f.Runs().at(1).id, started.run);
  EXPECT_EQ(f.Runs().at(1).status, RunStatus::kRunning);  // nothing was written
  EXPECT_EQ(f.RunToEnd("scan", "call/1").status, RunStatus::kOk);
}

}  // namespace
}  // namespace backplane::dispatch
