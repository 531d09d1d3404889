#include "dispatch/host.h"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatch/host_fixture.h"
#include "store/journal.h"

namespace backplane::dispatch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using RunRow = Run;  // a test has a Run() of its own
using State = CallAnswer::State;

TEST(Host, ARunGoesThroughTheWholeLoop) {
  HostFixture f({"scan how=ok,aa"});
  const RunRow run = f.RunToEnd("scan", "call/1");
  EXPECT_EQ(run.status, RunStatus::kOk);
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.key, "call/1");
  EXPECT_EQ(run.trigger, TriggerKind::kCall);
  EXPECT_EQ(run.lane, HostFixture::Lane("scan"));
  EXPECT_EQ(run.command, "ok aa");
  EXPECT_EQ(run.taken, 1);
  EXPECT_TRUE(run.finished);
  EXPECT_EQ(run.token.epoch, f.host->epoch());
  EXPECT_THAT(f.Topics(), ElementsAre("device.new", "device.connected"));
}

TEST(Host, EveryWayToFailIsARunThatSaysWhy) {
  HostFixture f({"fail how=fail", "throw how=throw", "lost runtime=wasm", "raw how=unprepared"});
  const auto ends = [&](const std::string& name) {
    const RunRow run = f.RunToEnd(name, "call/" + name);
    return std::pair(run.status, run.message);
  };
  EXPECT_EQ(ends("fail"), std::pair(RunStatus::kFailed, std::string("exit code 1")));
  EXPECT_EQ(f.Runs().front().exit_code, 1);
  EXPECT_EQ(ends("throw"), std::pair(RunStatus::kFailed, std::string("internal error: told to throw")));
  EXPECT_EQ(ends("lost"), std::pair(RunStatus::kNotStarted, std::string("no runtime wasm on this machine")));
  EXPECT_EQ(ends("raw"), std::pair(RunStatus::kNotStarted, std::string("this plugin cannot be prepared")));
  EXPECT_THAT(f.Topics(), ElementsAre("run.failed", "run.failed", "run.failed", "run.failed"));
}

TEST(Host, ALaneRunsOneAtATime) {
  HostFixture f({"slow how=hang", "other"});
  const CallAnswer first = f.Call("slow", "call/1");
  ASSERT_EQ(first.state, State::kStarted);
  const CallAnswer second = f.Call("slow", "call/2");
  EXPECT_EQ(second.state, State::kWaiting);
  EXPECT_THAT(second.reason, HasSubstr("lane busy"));
  EXPECT_EQ(f.host->View(HostFixture::Lane("slow")).running, first.run);
  EXPECT_EQ(f.RunToEnd("other", "call/1").status, RunStatus::kOk);  // other lanes go on

  ASSERT_TRUE(f.host->Cancel(first.run));
  f.WaitForEnds(2);
  // What waited starts when its lane is free.
  std::optional<RunId> running;
  while (!running || *running == first.run) running = f.host->View(HostFixture::Lane("slow")).running;
  ASSERT_TRUE(f.host->Cancel(*running));
  f.WaitForEnds(3);
  const auto runs = f.Runs();
  EXPECT_EQ(runs[0].key, "call/2");
  EXPECT_EQ(runs[0].status, RunStatus::kCancelled);
  EXPECT_EQ(runs[2].status, RunStatus::kCancelled);
  EXPECT_GT(runs[0].token, runs[2].token);
}

TEST(Host, ARepeatedCallIsToldOfTheSameRun) {
  HostFixture f({"slow how=hang"});
  const CallAnswer first = f.Call("slow", "call/1");
  ASSERT_EQ(first.state, State::kStarted);
  const CallAnswer again = f.Call("slow", "call/1");
  EXPECT_EQ(again.state, State::kStarted);
  EXPECT_EQ(again.run, first.run);
  EXPECT_EQ(f.Call("slow", "call/2").state, State::kWaiting);
  EXPECT_EQ(f.Call("slow", "call/2").state, State::kWaiting);
  EXPECT_EQ(f.Runs().size(), 1U);
}

TEST(Host, ACallIsNotRunAgainAfterItsEnd) {
  HostFixture f({"scan"});
  const RunRow first = f.RunToEnd("scan", "call/1");
  const CallAnswer again = f.Call("scan", "call/1");
  EXPECT_EQ(again.state, State::kStarted) << again.reason;
  EXPECT_EQ(again.run, first.id);
  EXPECT_EQ(f.RunToEnd("scan", "call/2").status, RunStatus::kOk);  // the lane is free
  EXPECT_EQ(f.Runs().size(), 2U);
}

TEST(Host, CallsAtTheSameMomentShareTheirRun) {
  HostFixture f({"slow how=hang"});
  for (int i = 0; i < 30; ++i) {
    const std::string key = "call/" + std::to_string(i);
    auto first = f.CallLater("slow", key);
    auto second = f.CallLater("slow", key);
    auto third = f.CallLater("slow", key);
    const CallAnswer one = first.get();
    ASSERT_EQ(one.state, State::kStarted);
    for (const CallAnswer& answer : {second.get(), third.get()}) {
      EXPECT_EQ(answer.state, State::kStarted);
      EXPECT_EQ(answer.run, one.run);
    }
    ASSERT_TRUE(f.host->Cancel(one.run));
    while (f.host->View(HostFixture::Lane("slow")).running) continue;  // released a moment after its end
  }
  EXPECT_EQ(f.Runs().size(), 30U);
}

TEST(Host, OnlyWhatRunsCanBeCancelled) {
  HostFixture f({"scan"});
  EXPECT_EQ(f.host->Cancel(77).error().code, Errc::kNotFound);
  const RunRow run = f.RunToEnd("scan", "call/1");
  while (f.host->View(HostFixture::Lane("scan")).running) continue;  // released a moment after its end
  EXPECT_EQ(f.host->Cancel(run.id).error().code, Errc::kNotFound);
}

TEST(Host, WaitsForTheMinimumInterval) {
  HostFixture f({"rare min=86400000", "soon min=20"});
  EXPECT_EQ(f.RunToEnd("rare", "call/1").status, RunStatus::kOk);
  const CallAnswer early = f.Call("rare", "call/2");
  EXPECT_EQ(early.state, State::kWaiting);
  EXPECT_THAT(early.reason, StartsWith("waiting"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(f.RunToEnd("soon", "call/" + std::to_string(i)).status, RunStatus::kOk);
  f.Stop();
  f.Start();  // the distance counts from the last start, also of an earlier daemon
  EXPECT_EQ(f.Call("rare", "call/3").state, State::kWaiting);
  EXPECT_EQ(f.Runs().size(), 4U);
}

TEST(Host, SchedulesStartByThemselves) {
  HostFixture f({"boot start", "idle"});
  f.WaitForEnds(1);
  const auto runs = f.Runs();
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].trigger, TriggerKind::kStart);
  EXPECT_EQ(runs[0].lane, HostFixture::Lane("boot"));
  f.Stop();
  f.Start();
  f.WaitForEnds(2);
  EXPECT_EQ(f.Runs().size(), 2U);
}

TEST(Host, AnEndStopsWhatRunsAndStoresIt) {
  HostFixture f({"a how=hang", "b how=hang"});
  ASSERT_EQ(f.Call("a", "call/1").state, State::kStarted);
  ASSERT_EQ(f.Call("b", "call/1").state, State::kStarted);
  EXPECT_EQ(f.Call("b", "call/2").state, State::kWaiting);
  f.Stop();
  const auto runs = f.Runs();
  ASSERT_EQ(runs.size(), 2U);
  for (const RunRow& run : runs) {
    EXPECT_EQ(run.status, RunStatus::kCancelled);
    EXPECT_TRUE(run.finished);
  }
}

TEST(Host, ACallIsAnsweredWhateverHappens) {
  for (int i = 0; i < 30; ++i) {
    HostFixture f({"scan"});
    auto answer = f.CallLater("scan", "call/1");
    f.Stop();
    const State state = answer.get().state;
    EXPECT_TRUE(state == State::kStarted || state == State::kDropped);
    EXPECT_EQ(f.Runs().size(), state == State::kStarted ? 1U : 0U);
  }
}

TEST(Host, ARestartClosesWhatWasLeftOpenAndRaisesTheEpoch) {
  HostFixture f({"scan"});
  const std::int64_t before = f.host->epoch();
  f.Stop();
  RunRow left;
  left.lane = HostFixture::Lane("scan");
  left.key = "call/1";
  left.token = {before, 1};
  left.started = f.clock.Now();
  left.id = f.store.Write([&](store::Connection& c) { return store::Runs(c, kDefaultOrg).Begin(left, std::nullopt); });
  f.Start();
  EXPECT_EQ(f.host->epoch(), before + 1);
  const auto runs = f.Runs();
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].status, RunStatus::kInterrupted);
  EXPECT_TRUE(runs[0].finished);
  EXPECT_THAT(f.Topics(), ElementsAre("run.failed"));
  EXPECT_EQ(f.RunToEnd("scan", "call/2").token.epoch, before + 1);
}

TEST(Host, FinishedLanesAreCountedOnce) {
  HostFixture f({"scan", "other"});
  f.RunToEnd("scan", "call/1");
  f.RunToEnd("scan", "call/2");
  f.RunToEnd("other", "call/1");
  std::map<LaneKey, int> counts;
  while (counts[HostFixture::Lane("scan")] + counts[HostFixture::Lane("other")] < 3)
    for (const auto& [lane, count] : f.host->TakeFinishedLanes()) counts[lane] += count;
  EXPECT_EQ(counts[HostFixture::Lane("scan")], 2);
  EXPECT_EQ(counts[HostFixture::Lane("other")], 1);
  EXPECT_THAT(f.host->TakeFinishedLanes(), IsEmpty());
}

TEST(Host, AScannerSaysHowOftenItRuns) {
  HostFixture f({"scan scans interval how=ok,aa", "hand scans how=ok,bb", "bad scans interval how=fail",
                 "plain interval how=ok,cc"});
  for (const char* name : {"scan", "hand", "bad", "plain"}) f.Call(name, "call/1");
  f.WaitForEnds(4);
  std::map<std::string, std::optional<Millis>> every;
  for (const store::Entry& entry :
       f.store.Read([](store::Connection& c) { return store::ReadEntries(c, 0, 100, 1 << 20); })) {
    every[entry.plugin] = entry.every;
    EXPECT_TRUE(entry.began) << entry.plugin;
  }
  EXPECT_EQ(every.at("t:scan"), Millis(60'000));
  EXPECT_EQ(every.at("t:hand"), Millis(0));    // nobody knows
  EXPECT_EQ(every.at("t:bad"), std::nullopt);  // what it has not seen may be there
  EXPECT_EQ(every.at("t:plain"), std::nullopt);
}

TEST(Host, ALaneRunsOnceForAPhase) {
  HostFixture f({"tell phase=notification", "fails phase=notification how=fail", "other phase=after_scan"});
  EXPECT_THAT(f.host->LanesOf("notification"), ElementsAre(HostFixture::Lane("tell"), HostFixture::Lane("fails")));
  const auto raise = [&](const std::string& name) {
    std::promise<Result<RunRow>> told;
    f.host->Raise(HostFixture::Lane(name), "round/1", 7, [&](const auto& run) { told.set_value(run); });
    return told.get_future().get();
  };
  const Result<RunRow> first = raise("fails");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->status, RunStatus::kFailed);
  EXPECT_EQ(first->cycle, 7);
  EXPECT_EQ(first->trigger, TriggerKind::kPhase);
  f.Stop();
  f.Start();
  const Result<RunRow> again = raise("fails");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, first->id);
  EXPECT_EQ(again->status, RunStatus::kFailed);
  EXPECT_EQ(raise("tell")->status, RunStatus::kOk);
  EXPECT_EQ(f.Runs().size(), 2);
  EXPECT_EQ(raise("nobody").error().message, "plugin or resource gone");
}

}  // namespace
}  // namespace backplane::dispatch
