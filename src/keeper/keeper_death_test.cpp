// What happens when the keeper or its client ends, and what the next keeper finds.
#include <csignal>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <unistd.h>

#include "keeper/handles.h"
#include "keeper/keeper_fixture.h"

namespace backplane::keeper {
namespace {

using testing::HasSubstr;

TEST_F(KeeperTest, ChildWaitsAtTheGate) {
  for (const char* point : {"keeper.spawn.before_handle", "keeper.gate"}) {
    setenv("BACKPLANE_CRASH_AT", point, 1);
    Start();
    unsetenv("BACKPLANE_CRASH_AT");
    const auto report = Run(Shell("echo > ran"));
    EXPECT_EQ(report.ending, Ending::kKeeperDied) << point;
    EXPECT_EQ(report.error, "the keeper died: killed by signal 9 (SIGKILL)");
    EXPECT_EQ(Run(Shell("exit 2")).value, 2) << "by the next keeper";
    EXPECT_FALSE(fs::exists(folder_ / "ran")) << point;
    client_.reset();
  }
}

TEST_F(KeeperTest, DeathAtAnExitIsReported) {
  setenv("BACKPLANE_CRASH_AT", "keeper.exit.before_record", 1);
  Start();
  EXPECT_EQ(Run(Shell("exit 7")).ending, Ending::kKeeperDied);
  client_.reset();
  setenv("BACKPLANE_CRASH_AT", "keeper.exit.before_report", 1);
  Start();
  EXPECT_EQ(Run(Shell("exit 7")).ending, Ending::kKeeperDied);
}

TEST_F(KeeperTest, DeathOfTheKeeperIsReportedAfterItsProcessesAreGone) {
  Start();
  const pid_t first = client_->keeper_pid();
  auto spawned = Spawn(Shell("(setsid sh -c 'echo $$ > away; exec sleep 1000' &); echo $$ > main; exec sleep 1000"));
  pid_t away = 0, main = 0;
  Process("away", &away), Process("main", &main);
  kill(first, SIGKILL);
  const auto report = Await(spawned);
  EXPECT_EQ(report.ending, Ending::kKeeperDied);
  EXPECT_FALSE(IsAlive(away));
  EXPECT_FALSE(IsAlive(main));
  EXPECT_EQ(Run(Shell("exit 6")).value, 6);
  EXPECT_NE(client_->keeper_pid(), first);
}

TEST_F(KeeperTest, SurvivesTheDeathsOfManyKeepers) {
  Start();
  for (int i = 0; i < 3; ++i) {
    auto spawned = Spawn(Shell("exec sleep 1000"));
    const pid_t keeper = client_->keeper_pid();
    kill(keeper, SIGKILL);
    EXPECT_EQ(Await(spawned).ending, Ending::kKeeperDied);
  }
  EXPECT_EQ(Run(Shell("exit 1")).value, 1);
}

TEST_F(KeeperTest, IgnoresTheSignalsOfATerminal) {
  Start();
  const pid_t keeper = client_->keeper_pid();
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) kill(keeper, number);
  EXPECT_EQ(Run(Shell("exit 1")).value, 1);
  EXPECT_EQ(client_->keeper_pid(), keeper);
  EXPECT_EQ(getsid(keeper), keeper);
}

TEST_F(KeeperTest, EndsWithTheClientAndTakesAllAlong) {
  Start();
  auto spawned =
      Spawn(Shell("(setsid sh -c 'trap \"\" TERM; echo $$ > away; while :; do sleep 1000; done' &);"
                  "echo $$ > main; exec sleep 1000"));
  pid_t away = 0, main = 0;
  Process("away", &away), Process("main", &main);
  const Fd keeper = OpenProcess(client_->keeper_pid());
  client_.reset();
  EXPECT_TRUE(Ended(keeper));
  EXPECT_FALSE(IsAlive(away));
  EXPECT_FALSE(IsAlive(main));
  const auto report = Await(spawned);
  EXPECT_TRUE(report.cancelled);
  EXPECT_EQ(report.value, SIGKILL);
}

TEST_F(KeeperTest, SaysWhyItCannotStart) {
  auto client = KeeperClient::Start(folder_ / "absent", folder_ / "keeper");
  ASSERT_FALSE(client);
  EXPECT_THAT(client.error().message, HasSubstr("absent: No such file or directory"));
  std::ofstream(folder_ / "file").flush();
  client = KeeperClient::Start(kKeeper, folder_ / "file");
  ASSERT_FALSE(client);
  EXPECT_THAT(client.error().message, HasSubstr("the keeper did not start: "));
  EXPECT_THAT(client.error().message, HasSubstr("file"));
}

// A process of ours with a mark, as an earlier keeper may have left it.
pid_t Leave(const std::string& mark) {
  std::string variable = "BACKPLANE_MARK=" + mark, program = "/bin/sleep", seconds = "1000";
  char* argv[] = {program.data(), seconds.data(), nullptr};
  char* environment[] = {variable.data(), nullptr};
  pid_t pid = 0;
  EXPECT_EQ(posix_spawn(&pid, program.c_str(), nullptr, nullptr, argv, environment), 0);
  EXPECT_TRUE(Eventually([&] { return ReadMark(pid) == mark; }));
  return pid;
}

TEST_F(KeeperTest, KillsWhatAnEarlierKeeperLeft) {
  const pid_t by_handle = Leave("left-1"), by_mark = Leave("left-2"), stranger = Leave("left-3");
  fs::create_directories(folder_ / "keeper");
  {
    auto file = HandleFile::Create(folder_ / "keeper");
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->Append({1, by_handle, ReadProcessStat(by_handle)->start_time, "none"}));
    ASSERT_TRUE(file->Append({2, 999'999'999, 1, "left-2"}));
    // The number was used again since.
    ASSERT_TRUE(file->Append({3, stranger, ReadProcessStat(stranger)->start_time + 1, "other"}));
  }
  std::ofstream(folder_ / "keeper" / "handles", std::ios::app) << "4 12 34 torn";
  Start();
  EXPECT_EQ(WTERMSIG(Reap(by_handle)), SIGKILL);
  EXPECT_EQ(WTERMSIG(Reap(by_mark)), SIGKILL);
  EXPECT_TRUE(IsAlive(stranger));
  kill(stranger, SIGKILL);
  Reap(stranger);
}

TEST_F(KeeperTest, HandlesOfAnotherBootNameNobody) {
  const pid_t stranger = Leave("left-4");
  fs::create_directories(folder_ / "keeper");
  std::ofstream(folder_ / "keeper" / "handles")
      << "boot another\n1 " << stranger << ' ' << ReadProcessStat(stranger)->start_time << " left-4\n";
  Start();
  EXPECT_TRUE(IsAlive(stranger));
  kill(stranger, SIGKILL);
  Reap(stranger);
}

TEST_F(KeeperTest, HandleFileIsRewrittenWithLiveHandles) {
  auto file = HandleFile::Create(folder_);
  ASSERT_TRUE(file);
  for (int i = 1; !file->Grown(); ++i) ASSERT_TRUE(file->Append({i, i, 1, "mark"}));
  ASSERT_TRUE(file->Rewrite({{7, 8, 9, "m"}}));
  EXPECT_FALSE(file->Grown());
  ASSERT_TRUE(file->Append({10, 11, 12, "n"}));
  EXPECT_EQ(*ReadFile(folder_ / "handles", 1000), fmt::format("boot {}\n7 8 9 m\n10 11 12 n\n", BootId()));
}

}  // namespace
}  // namespace backplane::keeper
