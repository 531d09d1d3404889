#include "dispatch/cycles.h"

#include <algorithm>
#include <atomic>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/guarded.h"
#include "dispatch/host_fixture.h"
#include "store/cycles.h"
#include "store/journal.h"
#include "store/notifications.h"

namespace backplane::dispatch {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

// Raises a notification in each pass that has seen something, and says what it was asked.
class FakeDialect final : public FollowUp {
 public:
  std::string_view dialect() const override { return "t"; }
  std::vector<Record> AfterScan(const Catalog&, store::Connection& core, EntryId since, TimePoint) const override {
    Note("after_scan", core);
    said_.Lock()->since.push_back(since);
    return {ObjectRecord{.key = "concluded"}};
  }
  std::vector<Record> Names(const Catalog&, store::Connection& core, TimePoint) const override {
    Note("names", core);
    if (throws) throw std::runtime_error("a bug");
    return {};
  }
  std::vector<Record> Report(const Catalog&, store::Connection& core, TimePoint now) const override {
    const std::vector<std::string> before = state().calls;
    Note("report", core);
    if (before.empty() || before.back() != "names") return {};
    return {NotificationRecord{.source = "t", .title = "report", .at = now}};
  }

  std::atomic<bool> throws = false;

  struct State {
    std::vector<std::string> calls;
    std::vector<EntryId> since;
    bool unfolded = false;  // something was, when it was asked
  };
  State state() const { return *said_.Lock(); }

 private:
  void Note(const char* call, store::Connection& core) const {
    const bool unfolded = store::GetWatermark(core, "core").entry < store::LastEntry(core);
    auto state = said_.Lock();
    state->calls.emplace_back(call);
    state->unfolded |= unfolded;
  }
  mutable Guarded<State> said_;
};

class CyclesFixture {
 public:
  explicit CyclesFixture(const std::vector<std::string>& plugins, bool passes_tell_absence = false)
      : f(plugins), passes_tell_absence_(passes_tell_absence) {
    Start();
  }
  ~CyclesFixture() { Stop(); }

  void Start() {
    const std::size_t calls = dialect.state().calls.size();
    auto sending = Sender::Start(*f.host, f.database, f.bus, f.clock);
    ASSERT_TRUE(sending);
    sender = *std::move(sending);
    auto started = Cycles::Start({.host = *f.host,
                                  .database = f.database,
                                  .folder = *f.folder,
                                  .sender = *sender,
                                  .clock = f.clock,
                                  .news = f.news,
                                  .follow_ups = {&dialect},
                                  .passes_tell_absence = passes_tell_absence_});
    ASSERT_TRUE(started);
    cycles = *std::move(started);
    f.WaitUntil([&] { return dialect.state().calls.size() > calls; });
  }
  void Stop() {
    cycles.reset();
    sender.reset();
  }
  std::vector<store::Cycle> List() {
    return f.store.Read([](store::Connection& c) { return store::Cycles(c, kDefaultOrg).List(0, 100); });
  }
  // Waits until so many are closed, and returns the newest.
  store::Cycle WaitForPasses(std::size_t count) {
    f.WaitUntil([&] {
      const auto all = List();
      return static_cast<std::size_t>(std::count_if(
                 all.begin(), all.end(), [](const auto& cycle) { return cycle.closed.has_value(); })) >= count;
    });
    return List().front();
  }
  // "plugin key" of its runs, in the order in which they began.
  std::vector<std::string> RunsOf(CycleId cycle) {
    std::vector<std::string> texts;
    for (const Run& run : f.Runs())
      if (run.cycle == cycle) texts.insert(texts.begin(), run.lane.plugin + " " + run.key);
    return texts;
  }
  std::vector<store::Entry> Journal() {
    return f.store.Read([](store::Connection& c) { return store::ReadEntries(c, 0, 1'000, 1 << 20); });
  }
  std::optional<RunId> Running(const std::string& plugin) { return f.host->View(HostFixture::Lane(plugin)).running; }

  HostFixture f;
  FakeDialect dialect;
  std::unique_ptr<Sender> sender;
  std::unique_ptr<Cycles> cycles;

 private:
  const bool passes_tell_absence_;
};

TEST(Cycles, AScanIsFollowedByEverythingInOrder) {
  CyclesFixture c({"scan scans how=ok,aa", "names phase=before_names", "fresh phase=new_device",
                   "tell phase=notification", "other"});
  c.f.Call("scan", "call/1");
  const store::Cycle cycle = c.WaitForPasses(1);
  EXPECT_EQ(cycle.status, "ok");
  EXPECT_EQ(cycle.message, "");
  EXPECT_GE(*cycle.closed, cycle.opened);
  const std::string id = std::to_string(cycle.id);
  EXPECT_THAT(c.RunsOf(cycle.id), ElementsAre("t:scan call/1", "t:fresh phase/" + id + "/new_device",
                                              "t:names phase/" + id + "/before_names", "t:tell round/1"));
  const auto state = c.dialect.state();
  EXPECT_THAT(state.calls, ElementsAre("report", "after_scan", "names", "report"));  // the first is that of the start
  EXPECT_FALSE(state.unfolded);
  // What the dialect says is a batch of its own.
  std::vector<std::string> entries;
  for (const store::Entry& entry : c.Journal())
    entries.push_back(entry.kind == store::EntryKind::kCycle ? entry.body : entry.plugin);
  EXPECT_THAT(entries, ElementsAre("t:scan", "t", "{\"cycle\":" + id + "}", "t"));
}

TEST(Cycles, NewDevicePluginsRunOnlyWhenThereIsOne) {
  CyclesFixture c({"scan scans how=ok,aa", "fresh phase=new_device", "names phase=before_names"});
  c.f.Call("scan", "call/1");
  c.WaitForPasses(1);
  c.f.Call("scan", "call/2");
  const store::Cycle second = c.WaitForPasses(2);
  EXPECT_EQ(c.RunsOf(second.id).size(), 2);
  EXPECT_THAT(c.RunsOf(second.id), Not(Contains(HasSubstr("fresh"))));
  // The dialect hears of what was not there in the pass before.
  EXPECT_THAT(c.dialect.state().since, ElementsAre(0, c.Journal().front().id));
}

TEST(Cycles, ThePluginsOfAPhaseRunSideBySide) {
  CyclesFixture c({"scan scans how=ok,aa", "one phase=before_names how=hang", "two phase=before_names how=hang",
                   "tell phase=notification"});
  c.f.Call("scan", "call/1");
  c.f.WaitUntil([&] { return c.Running("one") && c.Running("two"); });
  EXPECT_EQ(c.List().front().stage, "before_names");
  EXPECT_EQ(c.List().front().status, "running");
  EXPECT_TRUE(c.f.host->Cancel(*c.Running("one")));
  c.f.WaitForEnds(2);
  EXPECT_FALSE(c.List().front().closed);  // it waits for both
  EXPECT_TRUE(c.f.host->Cancel(*c.Running("two")));
  EXPECT_EQ(c.WaitForPasses(1).status, "ok");
}

TEST(Cycles, ABusyLaneRunsForThePhaseAfterwards) {
  CyclesFixture c({"scan scans how=ok,aa", "busy phase=before_names how=hang interval"});
  c.f.Call("busy", "call/1");
  const RunId first = *c.Running("busy");
  c.f.Call("scan", "call/2");
  c.f.WaitUntil([&] {
    const auto decision = c.f.host->View(HostFixture::Lane("busy")).decision;
    return decision && decision->what == Decision::What::kWaitsForLane && decision->key.starts_with("phase/");
  });
  EXPECT_TRUE(c.f.host->Cancel(first));
  c.f.WaitUntil([&] { return c.Running("busy").value_or(first) != first; });
  EXPECT_TRUE(c.f.host->Cancel(*c.Running("busy")));
  EXPECT_THAT(c.RunsOf(c.WaitForPasses(1).id), Contains(HasSubstr("t:busy phase/")));
}

TEST(Cycles, WithAPluginAfterEachScanThereIsAPassWithoutOne) {
  CyclesFixture c({"after phase=after_scan"});
  const store::Cycle cycle = c.WaitForPasses(1);
  EXPECT_THAT(c.RunsOf(cycle.id), ElementsAre("t:after phase/" + std::to_string(cycle.id) + "/after_scan"));
}

TEST(Cycles, WhatOtherPluginsDoIsNoPass) {
  CyclesFixture c({"plain how=ok,aa", "seer scans phase=before_names how=ok,bb"});
  c.f.RunToEnd("plain", "call/1");
  EXPECT_THAT(c.List(), IsEmpty());
  // What a scanner sees in a phase does not make it begin again.
  c.f.Call("seer", "call/2");
  c.WaitForPasses(1);
  EXPECT_EQ(c.RunsOf(1).size(), 2);
  c.f.RunToEnd("plain", "call/3");
  EXPECT_EQ(c.List().size(), 1);
}

TEST(Cycles, CancelTakesJobsBackAndStopsRuns) {
  CyclesFixture c({"scan scans how=ok,aa", "one phase=before_names how=hang", "two phase=before_names how=hang",
                   "tell phase=notification"});
  c.f.Call("two", "call/1");  // so that one of the two waits
  c.f.Call("scan", "call/2");
  c.f.WaitUntil([&] {
    const auto decision = c.f.host->View(HostFixture::Lane("two")).decision;
    return c.Running("one") && decision->key.starts_with("phase/");
  });
  EXPECT_EQ(c.cycles->Cancel(99).error().code, Errc::kNotFound);
  EXPECT_EQ(c.cycles->open(), 1);
  EXPECT_TRUE(c.cycles->Cancel(1));
  EXPECT_EQ(c.WaitForPasses(1).status, "cancelled");
  EXPECT_EQ(c.List().front().stage, "before_names");
  c.f.WaitForEnds(2);
  EXPECT_THAT(c.RunsOf(1), ElementsAre("t:scan call/2", "t:one phase/1/before_names"));
  EXPECT_EQ(c.f.host->View(HostFixture::Lane("two")).decision->reason, DropReason::kCancelled);
  EXPECT_EQ(c.cycles->Cancel(1).error().code, Errc::kNotFound);
  // The call of a person goes on, and so do passes.
  EXPECT_TRUE(c.f.host->Cancel(*c.Running("two")));
  EXPECT_EQ(c.dialect.state().calls.back(), "after_scan");
}

TEST(Cycles, AnotherDaemonClosesWhatOneLeftOpenAndMakesAPass) {
  CyclesFixture c({"scan scans how=ok,aa", "one phase=before_names how=hang", "fresh phase=new_device"});
  c.f.Call("scan", "call/1");
  c.f.WaitUntil([&] { return c.Running("one").has_value(); });
  c.Stop();
  c.f.Stop();
  EXPECT_FALSE(c.List().front().closed);
  c.f.Start();
  c.f.SetPlugins({"scan scans how=ok,aa", "one phase=before_names", "fresh phase=new_device"});
  c.Start();
  const store::Cycle second = c.WaitForPasses(2);
  EXPECT_EQ(second.status, "ok");
  EXPECT_EQ(c.List().back().status, "interrupted");
  // What the one had not come to an end with, the other does again: the new device is new still.
  EXPECT_THAT(c.RunsOf(second.id), ElementsAre("t:fresh phase/2/new_device", "t:one phase/2/before_names"));
  EXPECT_THAT(c.dialect.state().since, ElementsAre(0, 0));
}

TEST(Cycles, AScanThatCameIntoNoPassIsMadeUpForAtTheStart) {
  CyclesFixture c({"scan scans how=ok,aa"});
  c.Stop();
  c.f.RunToEnd("scan", "call/1");
  c.f.news = std::make_shared<CycleNews>();  // what was told is lost
  c.f.Stop();
  c.f.Start();
  c.Start();
  c.WaitForPasses(1);
  c.Stop();
  c.f.Stop();
  c.f.Start();
  c.Start();
  c.f.Call("scan", "call/2");
  EXPECT_THAT(c.RunsOf(c.WaitForPasses(2).id), Contains("t:scan call/2"));
  EXPECT_EQ(c.List().size(), 2);  // none for what had its pass
}

TEST(Cycles, AStoreThatFailsCostsAPassNotTheThread) {
  CyclesFixture c({"scan scans how=ok,aa", "one phase=before_names how=hang"});
  c.f.Call("scan", "call/1");
  c.f.WaitUntil([&] { return c.Running("one").has_value(); });
  // After the write that accepts its end.
  c.f.database.BeforeNextWrite([&] { c.f.database.FailNext(1); });
  EXPECT_TRUE(c.f.host->Cancel(*c.Running("one")));
  const store::Cycle cycle = c.WaitForPasses(1);
  EXPECT_EQ(cycle.status, "failed");
  EXPECT_EQ(cycle.message, "disk full");
  EXPECT_EQ(c.cycles->open(), 0);
}

TEST(Cycles, ADialectWithABugHoldsNobodyUp) {
  CyclesFixture c({"scan scans how=ok,aa", "tell phase=notification"});
  c.dialect.throws = true;
  c.f.Call("scan", "call/1");
  EXPECT_EQ(c.WaitForPasses(1).status, "ok");
  EXPECT_THAT(c.RunsOf(1), Contains("t:tell round/1"));
}

TEST(Cycles, APassTellsSinceWhichEntryItsScannersHaveSeen) {
  CyclesFixture c({"scan scans how=ok,aa"}, true);
  c.f.Call("scan", "call/1");
  c.WaitForPasses(1);
  c.f.Call("scan", "call/2");
  c.WaitForPasses(2);
  std::vector<std::string> bodies;
  EntryId first_scan = 0;
  for (const store::Entry& entry : c.Journal()) {
    if (first_scan == 0) first_scan = entry.id;
    if (entry.kind == store::EntryKind::kCycle) bodies.push_back(entry.body);
  }
  EXPECT_THAT(bodies, ElementsAre(R"({"cycle":1,"seen_after":0})",
                                  R"({"cycle":2,"seen_after":)" + std::to_string(first_scan) + "}"));
}

TEST(Cycles, ChangedSettingsAreAPhaseOfTheirDialect) {
  HostFixture f({"scan", "watch phase=settings_changed"});
  f.SetPlugins({"scan", "watch phase=settings_changed"});  // the same values
  f.SetPlugins({"scan", "other", "watch phase=settings_changed"});
  f.WaitForEnds(1);
  ASSERT_EQ(f.Runs().size(), 1);
  EXPECT_EQ(f.Runs().front().lane, HostFixture::Lane("watch"));
  EXPECT_EQ(f.Runs().front().trigger, TriggerKind::kPhase);
}

}  // namespace
}  // namespace backplane::dispatch
