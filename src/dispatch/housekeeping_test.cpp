#include "dispatch/housekeeping.h"

#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "dispatch/host_fixture.h"
#include "store/cycles.h"
#include "store/device_events.h"
#include "store/journal.h"
#include "store/notifications.h"
#include "store/objects.h"

namespace backplane::dispatch {
namespace {

// Tidying happens on a thread of its own, at once after the start.
bool Eventually(const std::function<bool()>& condition) {
  const SystemClock clock;
  const Millis end = clock.Monotonic() + std::chrono::seconds(60);
  while (!condition() && clock.Monotonic() < end) std::this_thread::yield();
  return condition();
}

TEST(Housekeeping, ForgetsWhatThePreviousDaemonLeft) {
  HostFixture f({"scan how=ok,aa"});
  for (int i = 0; i < 3; ++i) f.RunToEnd("scan", "call/" + std::to_string(i));
  ASSERT_TRUE(f.folder->WaitUntilFolded(Millis(60'000)));
  const auto runs = f.folder_path() / "runs";
  for (const char* name : {"1", "2", "3", "999", "notes"}) std::filesystem::create_directories(runs / name / "work");
  const auto pruned = f.database.Write([&](store::Connection& c) -> Status {
    EXPECT_EQ(store::Runs(c, kDefaultOrg).Prune(HostFixture::Lane("scan"), 2, 2).size(), 1U);
    return {};
  });
  ASSERT_TRUE(pruned);
  std::atomic<EntryId> samples_folded = 2;
  const Housekeeping housekeeping(
      *f.host, f.database, *f.folder, f.clock, runs,
      {.runs_keep = 1, .runs_keep_all = 1, .journal_keep = Millis(0), .events_keep = Millis(0)},
      [&] { return samples_folded.load(); });
  EXPECT_TRUE(Eventually([&] { return !std::filesystem::exists(runs / "1"); }));  // its row was gone
  EXPECT_TRUE(std::filesystem::exists(runs / "999"));                             // a run that begins just now
  EXPECT_TRUE(std::filesystem::exists(runs / "notes"));                           // nothing of ours
  EXPECT_TRUE(Eventually([&] { return f.Runs().size() == 1; }));                  // the lane is pruned
  EXPECT_TRUE(Eventually([&] { return !std::filesystem::exists(runs / "2"); }));  // with its folder
  EXPECT_TRUE(std::filesystem::exists(runs / "3"));
  // The journal goes once it is folded, by all.
  const auto kept = [&] {
    std::vector<EntryId> entries;
    EXPECT_TRUE(f.database.Read([&](store::Connection& c) -> Status {
      for (const store::Entry& entry : store::ReadEntries(c, 0, 10, 1 << 20)) entries.push_back(entry.id);
      return {};
    }));
    return entries;
  };
  EXPECT_TRUE(Eventually([&] { return kept() == std::vector<EntryId>{3}; }));
  samples_folded = 3;
  EXPECT_TRUE(Eventually([&] { return kept().empty(); }));
}

TEST(Housekeeping, OfTheHistoryOfObjectsTheNewestStay) {
  HostFixture f({"scan"});
  const auto log = [&](store::Connection& c, store::ObjectLogKind kind) {
    return store::ObjectLog(c, kDefaultOrg, kind);
  };
  ASSERT_TRUE(f.database.Write([&](store::Connection& c) -> Status {
    const auto id = store::Objects(c, kDefaultOrg).Insert("t:scan", {.key = "k"}, 1);
    for (int i = 0; i < 1'500; ++i)
      for (const auto kind : {store::ObjectLogKind::kHistory, store::ObjectLogKind::kReports})
        log(c, kind).Append(id, i, f.clock.Now());
    return {};
  }));
  const Housekeeping housekeeping(*f.host, f.database, *f.folder, f.clock, f.folder_path() / "runs",
                                  {.objects_history_keep = 3}, [] { return 0; });
  const auto kept = [&](store::ObjectLogKind kind) {
    std::vector<RunId> runs;
    EXPECT_TRUE(f.database.Read([&](store::Connection& c) -> Status {
      for (const auto& line : log(c, kind).OfPlugin("t:scan", {}, 5).items) runs.push_back(line.run);
      return {};
    }));
    return runs;
  };
  const std::vector<RunId> newest = {1'499, 1'498, 1'497};
  EXPECT_TRUE(Eventually([&] { return kept(store::ObjectLogKind::kHistory) == newest; }));
  EXPECT_TRUE(Eventually([&] { return kept(store::ObjectLogKind::kReports) == newest; }));
}

TEST(Housekeeping, WhatHappenedIsForgottenAfterAWhile) {
  HostFixture f({"scan"});
  ASSERT_TRUE(f.database.Write([&](store::Connection& c) -> Status {
    store::DeviceEvents events(c, kDefaultOrg);
    for (int i = 0; i < 1'500; ++i) {
      const TimePoint at = f.clock.Now() - Millis(i < 1'400 ? 90'000 : 0);
      events.Append({.entity = 1, .kind = store::DeviceEventKind::kConnected, .at = at, .pending = i == 7}, 1);
    }
    store::Notifications notifications(c, kDefaultOrg);
    for (int i = 0; i < 5; ++i) notifications.Append({.source = "s", .title = "t", .at = f.clock.Now()}, 1);
    notifications.EndRound(notifications.BeginRound(), f.clock.Now());
    store::Cycles cycles(c, kDefaultOrg);
    for (int i = 0; i < 5; ++i) cycles.Close(cycles.Open(f.clock.Now(), "scan"), f.clock.Now(), "ok", "");
    return {};
  }));
  const Housekeeping housekeeping(*f.host, f.database, *f.folder, f.clock, f.folder_path() / "runs",
                                  {.device_events_keep = Millis(60'000), .notifications_keep = 2, .cycles_keep = 3},
                                  [] { return 0; });
  const auto kept = [&](const auto& count) {
    std::size_t rows = 0;
    EXPECT_TRUE(f.database.Read([&](store::Connection& c) -> Status {
      rows = count(c);
      return {};
    }));
    return rows;
  };
  EXPECT_TRUE(Eventually([&] {  // a hundred are young, and one is pending
    return kept([](store::Connection& c) {
             return store::DeviceEvents(c, kDefaultOrg).List({.limit = 2'000}).size();
           }) == 101;
  }));
  EXPECT_TRUE(Eventually([&] {
    return kept([](store::Connection& c) { return store::Notifications(c, kDefaultOrg).List({}).size(); }) == 2;
  }));
  EXPECT_TRUE(Eventually([&] {
    return kept([](store::Connection& c) { return store::Cycles(c, kDefaultOrg).List(0, 10).size(); }) == 3;
  }));
}

TEST(Housekeeping, LeavesTheFirstRunOfANewStoreAlone) {
  HostFixture f({"scan"});
  const auto work = f.folder_path() / "runs" / "1" / "work";
  std::filesystem::create_directories(work);
  // Tidying comes first on its thread, and the end waits for it.
  {
    const Housekeeping housekeeping(*f.host, f.database, *f.folder, f.clock, f.folder_path() / "runs", {},
                                    [] { return 0; });
  }
  EXPECT_TRUE(std::filesystem::exists(work));
}

}  // namespace
}  // namespace backplane::dispatch
