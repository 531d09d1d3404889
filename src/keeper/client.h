// The daemon's side of the keeper: starts it, has it start processes, and hears how they ended.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include <sys/types.h>

#include "keeper/protocol.h"

namespace backplane::keeper {

/// Thread-safe. One per keeper folder. If the keeper dies, a new one is started at once, which
/// first kills what is left of the old one's runs; only then are these reported, as kKeeperDied.
/// A keeper that keeps dying is started again after 100 ms, 200 ms, ... 10 s.
class KeeperClient {
 public:
  /// Starts `binary` on `folder` and returns when it is ready: what an earlier keeper left is
  /// gone then. kUnavailable says why it could not.
  static Result<std::unique_ptr<KeeperClient>> Start(std::filesystem::path binary, std::filesystem::path folder);

  /// Has the keeper kill every run at once, and waits until it has done so and has exited.
  ~KeeperClient();
  KeeperClient(const KeeperClient&) = delete;
  KeeperClient& operator=(const KeeperClient&) = delete;

  struct Spawned {
    std::int64_t id = 0;
    std::future<ExitReport> report;  ///< always becomes ready, with any Ending
  };
  /// Returns when the request is sent; `request.id` is given here. While a new keeper is being
  /// started it waits for that, at most 30 s. kInvalid: cannot be sent; kUnavailable: no keeper.
  Result<Spawned> Spawn(SpawnRequest request);
  /// Ends a run early. Does nothing if it has ended or never was.
  void Kill(std::int64_t id, Millis grace);

  /// The keeper that runs now; 0 if none does.
  pid_t keeper_pid();

 private:
  struct Connection;

  KeeperClient(std::filesystem::path binary, std::filesystem::path folder);
  Result<std::shared_ptr<Connection>> Connect();
  bool Stopping();
  bool WaitToRetry(int failures);
  void Supervise(std::shared_ptr<Connection> connection);
  void Read(Connection& connection);
  void OnEvent(Event event);

  const std::filesystem::path binary_;
  const std::filesystem::path folder_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Connection> connection_;  ///< empty: no keeper now
  bool stopping_ = false;
  std::int64_t next_id_ = 1;
  std::map<std::int64_t, std::promise<ExitReport>> pending_;

  std::thread supervisor_;  ///< reads, and starts the next keeper
};

}  // namespace backplane::keeper
