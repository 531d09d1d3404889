// The life of one run, as the daemon sees it: real processes through KeeperClient.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "keeper/keeper_fixture.h"

namespace backplane::keeper {
namespace {

using testing::HasSubstr;

TEST_F(KeeperTest, ReportsExitCodesAndSignals) {
  Start();
  EXPECT_EQ(Run(Shell("exit 0")).value, 0);
  auto report = Run(Shell("exit 7"));
  EXPECT_EQ(report.ending, Ending::kExited);
  EXPECT_EQ(report.value, 7);
  report = Run(Shell("kill -9 $$"));
  EXPECT_EQ(report.ending, Ending::kSignalled);
  EXPECT_EQ(report.value, SIGKILL);
  EXPECT_FALSE(report.timed_out);
  EXPECT_FALSE(report.cancelled);
  const auto exits = ReadFile(folder_ / "keeper" / "exits", 1 << 20);
  ASSERT_TRUE(exits);
  EXPECT_THAT(*exits, HasSubstr("\"code\":7"));
  EXPECT_EQ(std::count(exits->begin(), exits->end(), '\n'), 3);
}

TEST_F(KeeperTest, MergesOutputAndKeepsAHalfLine) {
  Start();
  const auto report = Run(Shell("echo out; echo err >&2; printf half"));
  EXPECT_EQ(Log(), "out\nerr\nhalf");
  EXPECT_EQ(report.log_bytes, 12);
  EXPECT_EQ(report.log_dropped, 0);
}

TEST_F(KeeperTest, GivesExactlyTheEnvironmentAndAMark) {
  setenv("BACKPLANE_TEST_LEAK", "1", 1);
  Start();
  unsetenv("BACKPLANE_TEST_LEAK");
  auto request = Request({"env"});
  request.environment["KEY"] = "a b=c";
  request.environment["BACKPLANE_MARK"] = "mine";
  Run(request);
  const std::string log = Log();
  const auto lines = Split(log, '\n');
  ASSERT_EQ(lines.size(), 4u) << log;
  EXPECT_THAT(std::string(lines[0]), testing::MatchesRegex("BACKPLANE_MARK=[0-9a-f]+"));
  EXPECT_EQ(lines[1], "KEY=a b=c");
  EXPECT_EQ(lines[2], "PATH=/usr/local/bin:/usr/bin:/bin");
}

TEST_F(KeeperTest, StartsWithCleanSurroundings) {
  Start();
  Run(Shell(
      "ulimit -c; pwd; exec python3 -c '"
      "import os, signal; print([fd for fd in os.listdir(\"/proc/self/fd\") if "
      "os.path.exists(f\"/proc/self/fd/{fd}\")],"
      "os.readlink(\"/proc/self/fd/0\"), signal.pthread_sigmask(signal.SIG_BLOCK, []), os.getsid(0) == os.getpid());"
      "print(signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP));"
      "print([line for line in open(\"/proc/self/status\") if line.startswith(\"NoNewPrivs\")])'"));
  EXPECT_EQ(Log(), fmt::format("0\n{}\n['0', '1', '2'] /dev/null set() True\n0 0\n['NoNewPrivs:\\t1\\n']\n",
                               folder_.string()));
}

TEST_F(KeeperTest, LimitsMemory) {
  Start();
  auto request = Python("x = bytearray(1 << 30)");
  request.memory_bytes = 256 << 20;
  EXPECT_EQ(Run(request).value, 1);
  EXPECT_THAT(Log(), HasSubstr("MemoryError"));
}

TEST_F(KeeperTest, SaysWhyAProgramCannotStart) {
  Start();
  auto report = Run(Request({"no-such-program"}));
  EXPECT_EQ(report.ending, Ending::kNotStarted);
  EXPECT_EQ(report.error, "no-such-program: not found");
  EXPECT_EQ(Run(Request({"/no/such/program"})).error, "/no/such/program: not found");

  const fs::path script = folder_ / "script";
  std::ofstream(script) << "#!/no/such/interpreter\n";
  EXPECT_EQ(Run(Request({script})).error, script.string() + ": Permission denied");
  auto request = Request({"script"});
  request.environment["PATH"] = folder_;
  EXPECT_EQ(Run(request).error, "script: not executable");
  fs::permissions(script, fs::perms::owner_all);
  EXPECT_EQ(Run(Request({"./script"})).error, "./script: the interpreter that it names is not found");
  fs::remove(script);
  EXPECT_EQ(Run(Request({"./script"})).error, "./script: not found");

  request = Shell("true");
  request.working_folder = folder_ / "absent";
  EXPECT_EQ(Run(request).error, fmt::format("working folder {}/absent: No such file or directory", folder_.string()));
  request = Shell("true");
  request.log_folder = folder_ / "absent";
  EXPECT_THAT(Run(request).error, HasSubstr("absent/output.0: No such file or directory"));
  // None of these counts as a run that was there.
  EXPECT_EQ(Run(Shell("exit 3")).value, 3);
}

TEST_F(KeeperTest, RefusesWhatCannotBeSent) {
  Start();
  const auto spawned = client_->Spawn(Shell("echo \xff"));
  ASSERT_FALSE(spawned);
  EXPECT_EQ(spawned.error().code, Errc::kInvalid);
}

TEST_F(KeeperTest, TimeoutKillsTheTreeAndWhoeverLeftTheGroup) {
  Start();
  auto request = Shell(
      "trap '' TERM; setsid sh -c 'echo $$ > away; exec sleep 1000' & echo $$ > main;"
      "while [ ! -s away ]; do :; done; while :; do sleep 1000; done");
  request.timeout = Millis(1500);
  request.grace = Millis(100);
  auto spawned = Spawn(request);
  const Fd away = Process("away"), main = Process("main");
  const auto report = Await(spawned);
  EXPECT_TRUE(report.timed_out);
  EXPECT_EQ(report.ending, Ending::kSignalled);
  EXPECT_EQ(report.value, SIGKILL);
  EXPECT_EQ(report.left, 0) << "the tree was killed as a whole";
  EXPECT_TRUE(Ended(away));
  EXPECT_TRUE(Ended(main));
}

TEST_F(KeeperTest, TimeoutLeavesTimeToCleanUp) {
  Start();
  auto request = Shell("trap 'echo cleaned; exit 5' TERM; echo $$ > main; while :; do sleep 1000 & wait $!; done");
  request.timeout = Millis(1000);
  request.grace = kBound;
  const auto report = Run(request);
  EXPECT_TRUE(report.timed_out);
  EXPECT_EQ(report.ending, Ending::kExited);
  EXPECT_EQ(report.value, 5);
  EXPECT_THAT(Log(), HasSubstr("cleaned\n"));
}

TEST_F(KeeperTest, NothingOutlivesItsRun) {
  Start();
  // One in the group that holds the pipe, one daemonised with its mark, one that took it off.
  const auto report =
      Run(Shell("sleep 1000 & echo $! > group; (setsid sh -c 'echo $$ > session; exec sleep 1000' &);"
                "(env -i setsid /bin/sh -c 'echo $$ > bare; exec /bin/sleep 1000' >/dev/null 2>&1 &);"
                "while [ ! -s session ] || [ ! -s bare ]; do :; done; echo done"));
  EXPECT_EQ(report.ending, Ending::kExited);
  EXPECT_EQ(report.left, 3);
  EXPECT_EQ(Log(), "done\n");
  for (const char* name : {"group", "session", "bare"}) EXPECT_FALSE(IsAlive(ReadPid(folder_ / name))) << name;
}

TEST_F(KeeperTest, SparesTheOrphansOfOthers) {
  Start();
  auto other =
      Spawn(Shell("(setsid sh -c 'echo $$ > orphan; exec sleep 1000' &); while [ ! -e go ]; do sleep 0.05; done"));
  pid_t orphan = 0;
  const Fd process = Process("orphan", &orphan);
  EXPECT_EQ(Run(Shell("exit 0")).left, 0);
  EXPECT_TRUE(IsAlive(orphan));
  std::ofstream(folder_ / "go").flush();
  EXPECT_EQ(Await(other).left, 1);
  EXPECT_TRUE(Ended(process));
}

TEST_F(KeeperTest, OutrunsForkers) {
  Start();
  // A tree that grows for ever (within bounds that the machine can take) while its root ends,
  // and a chain in which each link leaves the session and dies at once.
  const auto report = Run(Python(R"(
import os, time
if os.fork() == 0:
    while True:
        os.setpgid(0, 0)
        if os.fork(): os._exit(0)
        os.setsid()
for i in range(40):
    if os.fork() == 0:
        os.setpgid(0, 0)
        while True:
            if os.fork() == 0: time.sleep(1000)
            time.sleep(0.01)
time.sleep(0.5)
)"));
  EXPECT_EQ(report.ending, Ending::kExited);
  EXPECT_EQ(report.value, 0) << Log();
  EXPECT_GE(report.left, 41);
  EXPECT_TRUE(ChildrenOf(client_->keeper_pid()).empty());
}

TEST_F(KeeperTest, FloodIsBoundedAndCounted) {
  Start();
  auto request = Shell("head -c 20000000 /dev/zero; printf the-end");
  request.segment_bytes = 100'000;
  request.segments = 3;
  const auto report = Run(request);
  EXPECT_EQ(report.log_bytes, 20'000'007);
  std::int64_t kept = 0;
  for (const auto& entry : fs::directory_iterator(request.log_folder))
    kept += static_cast<std::int64_t>(entry.file_size());
  EXPECT_LE(kept, 300'000);
  EXPECT_GE(kept, 200'000);
  EXPECT_EQ(report.log_dropped, 20'000'007 - kept);
  EXPECT_EQ(ReadSegments(request.log_folder, 7), "the-end");
  EXPECT_EQ(ReadSegments(request.log_folder, 1 << 20).size(), static_cast<std::size_t>(kept));
}

TEST_F(KeeperTest, AProcessMayCloseItsOutput) {
  Start();
  EXPECT_EQ(Run(Shell("echo before; exec >&- 2>&-; exit 4")).value, 4);
  EXPECT_EQ(Log(), "before\n");
}

TEST_F(KeeperTest, KillsOnRequest) {
  Start();
  auto spawned = Spawn(Shell("echo $$ > main; exec sleep 1000"));
  const Fd main = Process("main");
  client_->Kill(spawned.id, kBound);
  const auto report = Await(spawned);
  EXPECT_TRUE(report.cancelled);
  EXPECT_EQ(report.value, SIGTERM);
  client_->Kill(spawned.id, kBound);  // ended: nothing happens
  spawned = Spawn(Shell("trap '' TERM; while :; do sleep 1000; done"));
  client_->Kill(spawned.id, Millis(0));
  EXPECT_EQ(Await(spawned).value, SIGKILL);
}

TEST_F(KeeperTest, ManyRunsAtOnce) {
  Start();
  std::vector<KeeperClient::Spawned> all;
  for (int i = 0; i < 100; ++i) all.push_back(Spawn(Shell(fmt::format("exit {}", i))));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Await(all[static_cast<std::size_t>(i)]).value, i);
}

}  // namespace
}  // namespace backplane::keeper
