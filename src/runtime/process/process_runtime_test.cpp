#include "runtime/process/process_runtime.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <future>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "base/files.h"

namespace backplane::runtime {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ProcessRuntimeTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "backplane-process-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    auto client = keeper::KeeperClient::Start(fs::path(BACKPLANE_BINARY_DIR) / "backplane-keeper", folder_ / "keeper");
    ASSERT_TRUE(client) << client.error().message;
    client_ = std::move(*client);
    runtime_ = std::make_unique<ProcessRuntime>(*client_);
    fs::create_directory(folder_ / "work");
  }
  void TearDown() override {
    client_.reset();
    fs::remove_all(folder_);
  }

  RunRequest Request(std::vector<std::string> argv) {
    RunRequest request;
    request.run = ++runs_;
    request.invocation.runtime = "process";
    request.invocation.argv = std::move(argv);
    request.invocation.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}};
    request.invocation.working_folder = folder_ / "work";
    request.invocation.limits.timeout = Millis(60'000);
    request.log_folder = folder_ / fmt::format("log{}", runs_);
    fs::create_directory(request.log_folder);
    request.results = request.log_folder / "results";
    return request;
  }
  RunRequest Shell(const std::string& script) { return Request({"/bin/sh", "-c", script}); }
  Output Run(const RunRequest& request) { return runtime_->Run(request, {}); }
  fs::path Work(const std::string& name) const { return folder_ / "work" / name; }

  bool Appears(const fs::path& path) {
    for (int i = 0; i < 12'000 && !fs::exists(path); ++i) poll(nullptr, 0, 5);
    return fs::exists(path);
  }

  fs::path folder_;
  int runs_ = 0;
  std::unique_ptr<keeper::KeeperClient> client_;
  std::unique_ptr<ProcessRuntime> runtime_;
};

TEST_F(ProcessRuntimeTest, Succeeds) {
  const Output output = Run(Shell("echo hello"));
  EXPECT_EQ(output.status, RunStatus::kOk);
  EXPECT_EQ(output.exit_code, 0);
  EXPECT_EQ(output.message, "");
  EXPECT_EQ(output.log, "hello\n");
  EXPECT_TRUE(output.files.empty());
}

TEST_F(ProcessRuntimeTest, SaysHowItFailed) {
  Output output = Run(Shell("exit 3"));
  EXPECT_EQ(output.status, RunStatus::kFailed);
  EXPECT_EQ(output.exit_code, 3);
  EXPECT_EQ(output.message, "exit code 3");
  output = Run(Shell("kill -9 $$"));
  EXPECT_EQ(output.status, RunStatus::kKilled);
  EXPECT_FALSE(output.exit_code);
  EXPECT_EQ(output.message, "killed by signal 9 (SIGKILL)");
  output = Run(Request({"python4"}));
  EXPECT_EQ(output.status, RunStatus::kNotStarted);
  EXPECT_EQ(output.message, "python4: not found");
  output = Run(Shell("echo \xff"));
  EXPECT_EQ(output.status, RunStatus::kNotStarted);
  EXPECT_THAT(output.message, HasSubstr("not UTF-8"));
}

TEST_F(ProcessRuntimeTest, TimesOut) {
  auto request = Shell("echo begun; exec sleep 1000");
  request.invocation.limits.timeout = Millis(1000);
  const Output output = Run(request);
  EXPECT_EQ(output.status, RunStatus::kTimeout);
  EXPECT_EQ(output.message, "time limit of 1s passed; the process tree was killed");
  EXPECT_EQ(output.log, "begun\n");
}

TEST_F(ProcessRuntimeTest, IsCancelled) {
  std::stop_source stop;
  const auto request = Shell("echo partial > result; exec sleep 1000");
  auto output = std::async(std::launch::async, [&] { return runtime_->Run(request, stop.get_token()); });
  ASSERT_TRUE(Appears(Work("result")));
  stop.request_stop();
  EXPECT_EQ(output.get().status, RunStatus::kCancelled);

  fs::remove(Work("result"));
  const Output before = runtime_->Run(Shell("echo > result"), stop.get_token());
  EXPECT_EQ(before.status, RunStatus::kCancelled);
  EXPECT_EQ(before.message, "cancelled before it started");
  EXPECT_FALSE(fs::exists(Work("result")));
}

TEST_F(ProcessRuntimeTest, IsInterruptedByTheDeathOfTheKeeper) {
  const auto request = Shell("echo > running; exec sleep 1000");
  auto output = std::async(std::launch::async, [&] { return Run(request); });
  ASSERT_TRUE(Appears(Work("running")));
  kill(client_->keeper_pid(), SIGKILL);
  const Output interrupted = output.get();
  EXPECT_EQ(interrupted.status, RunStatus::kInterrupted);
  EXPECT_EQ(interrupted.message, "the keeper died: killed by signal 9 (SIGKILL)");
  EXPECT_EQ(Run(Shell("exit 0")).status, RunStatus::kOk);
}

TEST_F(ProcessRuntimeTest, KeepsTheEndOfTheOutput) {
  auto request = Shell("head -c 1000000 /dev/zero; printf the-end");
  request.invocation.limits.output_bytes = 1000;
  const Output output = Run(request);
  EXPECT_EQ(output.status, RunStatus::kOk);
  EXPECT_EQ(output.log, std::string(993, '\0') + "the-end");
  EXPECT_EQ(output.log_dropped, 999'007);
  EXPECT_EQ(output.message, "999007 bytes of its output were dropped, the last 1000 are kept");
}

TEST_F(ProcessRuntimeTest, TellsOfProcessesLeftBehind) {
  EXPECT_EQ(Run(Shell("sleep 1000 & exit 0")).message, "1 process it had left behind was killed");
  EXPECT_EQ(Run(Shell("sleep 1000 & sleep 1000 & exit 1")).message,
            "exit code 1; 2 processes it had left behind were killed");
}

TEST_F(ProcessRuntimeTest, TakesResultFiles) {
  auto request = Shell(
      "printf a > last_result.log; printf b > page.2; printf c > page.1; ln -s /etc/passwd page.3;"
      "head -c 2000 /dev/zero > large; mkdir page.4");
  request.invocation.limits.result_bytes = 1000;
  request.invocation.result_files = {Work("last_result.log"), Work("absent"), Work("page.*"), Work("large"),
                                     folder_ / "no" / "such" / "*"};
  const Output output = Run(request);
  EXPECT_EQ(output.status, RunStatus::kOk);
  ASSERT_EQ(output.files.size(), 6u);
  EXPECT_EQ(output.files[0].name, "last_result.log");
  EXPECT_EQ(output.files[0].content, "a");
  EXPECT_EQ(output.files[0].error, "");
  EXPECT_EQ(output.files[1].name, "page.1");
  EXPECT_EQ(output.files[1].content, "c");
  EXPECT_EQ(output.files[2].content, "b");
  EXPECT_THAT(output.files[3].error, HasSubstr("symbolic link"));
  EXPECT_THAT(output.files[4].error, HasSubstr("not a regular file"));
  EXPECT_THAT(output.files[5].error, HasSubstr("larger than the limit of 1000 bytes"));
  EXPECT_EQ(output.files[5].content, "");
  EXPECT_FALSE(fs::exists(Work("last_result.log")));
  std::vector<std::string> kept;
  for (const auto& entry : fs::directory_iterator(request.results)) kept.push_back(entry.path().filename());
  EXPECT_THAT(kept, testing::UnorderedElementsAre("last_result.log", "page.1", "page.2"));
  EXPECT_EQ(ReadFile(request.results / "page.2", 10), "b");
}

}  // namespace
}  // namespace backplane::runtime
