// What the tests of the keeper share: a folder, a client, small scripts.
#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>

#include "base/files.h"
#include "keeper/client.h"
#include "keeper/proc.h"
#include "keeper/segments.h"

namespace backplane::keeper {

using Ending = ExitReport::Ending;
namespace fs = std::filesystem;

inline constexpr std::chrono::seconds kBound{60};
inline const fs::path kKeeper = fs::path(BACKPLANE_BINARY_DIR) / "backplane-keeper";

// Whether it became true; looks again every few milliseconds.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + kBound;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    poll(nullptr, 0, 5);
  }
  return true;
}

inline bool Ended(const Fd& process) {
  pollfd polled{process.get(), POLLIN, 0};
  return poll(&polled, 1, std::chrono::milliseconds(kBound).count()) == 1;
}

inline bool IsAlive(pid_t pid) {
  const auto stat = ReadProcessStat(pid);
  return stat && stat->Alive();
}

inline pid_t ReadPid(const fs::path& path) {
  const auto text = ReadFile(path, 100);
  return text && text->ends_with('\n') ? std::atoi(text->c_str()) : 0;
}

inline int Reap(pid_t pid) {
  int status = 0;
  waitpid(pid, &status, 0);
  return status;
}

class KeeperTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "backplane-keeper-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    unsetenv("BACKPLANE_CRASH_AT");
  }
  void TearDown() override {
    client_.reset();
    unsetenv("BACKPLANE_CRASH_AT");
    fs::remove_all(folder_);
  }

  void Start() {
    auto client = KeeperClient::Start(kKeeper, folder_ / "keeper");
    ASSERT_TRUE(client) << client.error().message;
    client_ = std::move(*client);
  }

  SpawnRequest Request(std::vector<std::string> argv) {
    SpawnRequest request;
    request.argv = std::move(argv);
    request.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}};
    request.working_folder = folder_;
    request.log_folder = folder_ / fmt::format("log{}", ++logs_);
    request.timeout = kBound;
    fs::create_directory(request.log_folder);
    return request;
  }
  SpawnRequest Shell(const std::string& script) { return Request({"/bin/sh", "-c", script}); }
  SpawnRequest Python(const std::string& script) { return Request({"python3", "-c", script}); }

  KeeperClient::Spawned Spawn(SpawnRequest request) {
    auto spawned = client_->Spawn(std::move(request));
    EXPECT_TRUE(spawned) << spawned.error().message;
    return std::move(*spawned);
  }
  static ExitReport Await(KeeperClient::Spawned& spawned) {
    if (spawned.report.wait_for(kBound) == std::future_status::ready) return spawned.report.get();
    ADD_FAILURE() << "no report";
    return {};
  }
  ExitReport Run(SpawnRequest request) {
    auto spawned = Spawn(std::move(request));
    return Await(spawned);
  }
  std::string Log() const { return ReadSegments(folder_ / fmt::format("log{}", logs_), 1 << 20); }

  // The process whose number a script writes to `name`.
  Fd Process(const std::string& name, pid_t* number = nullptr) {
    pid_t pid = 0;
    EXPECT_TRUE(Eventually([&] { return (pid = ReadPid(folder_ / name)) > 0; })) << name;
    if (number != nullptr) *number = pid;
    return OpenProcess(pid);
  }

  fs::path folder_;
  int logs_ = 0;
  std::unique_ptr<KeeperClient> client_;
};

}  // namespace backplane::keeper
