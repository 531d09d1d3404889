#include "dispatch/housekeeping.h"

#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "dispatch/host_fixture.h"
#include "store/journal.h"

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
  HostFixture f({"scan"});
  for (int i = 0; i < 3; ++i) f.RunToEnd("scan", "call/" + std::to_string(i));
  ASSERT_TRUE(f.folder->WaitUntilFolded(Millis(60'000)));
  const auto runs = f.folder_path() / "runs";
  for (const char* name : {"1", "2", "3", "999", "notes"}) std::filesystem::create_directories(runs / name / "work");
  const auto pruned = f.database.Write([&](store::Connection& c) -> Status {
    EXPECT_EQ(store::Runs(c, kDefaultOrg).Prune(HostFixture::Lane("scan"), 2, 2).size(), 1U);
    return {};
  });
  ASSERT_TRUE(pruned);
  const Housekeeping housekeeping(
      *f.host, f.database, *f.folder, f.clock, runs,
      {.runs_keep = 1, .runs_keep_all = 1, .journal_keep = Millis(0), .events_keep = Millis(0)});
  EXPECT_TRUE(Eventually([&] { return !std::filesystem::exists(runs / "1"); }));  // its row was gone
  EXPECT_TRUE(std::filesystem::exists(runs / "999"));                             // a run that begins just now
  EXPECT_TRUE(std::filesystem::exists(runs / "notes"));                           // nothing of ours
  EXPECT_TRUE(Eventually([&] { return f.Runs().size() == 1; }));                  // the lane is pruned
  EXPECT_TRUE(Eventually([&] { return !std::filesystem::exists(runs / "2"); }));  // with its folder
  EXPECT_TRUE(std::filesystem::exists(runs / "3"));
  // The journal goes once it is folded.
  EXPECT_TRUE(Eventually([&] {
    EntryId last = 1;
    EXPECT_TRUE(f.database.Read([&](store::Connection& c) -> Status {
      last = store::LastEntry(c);
      return {};
    }));
    return last == 0;
  }));
}

TEST(Housekeeping, LeavesTheFirstRunOfANewStoreAlone) {
  HostFixture f({"scan"});
  const auto work = f.folder_path() / "runs" / "1" / "work";
  std::filesystem::create_directories(work);
  // Tidying comes first on its thread, and the end waits for it.
  {
    const Housekeeping housekeeping(*f.host, f.database, *f.folder, f.clock, f.folder_path() / "runs", {});
  }
  EXPECT_TRUE(std::filesystem::exists(work));
}

}  // namespace
}  // namespace backplane::dispatch
