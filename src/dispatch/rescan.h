// Reads the plugin folders again, now and then: what came, changed or went is taken up without a
// restart.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "dispatch/host.h"

namespace backplane::dispatch {

/// What it refers to outlives it. Thread-safe.
class Rescan {
 public:
  /// Reads the folders; what is in force now is there to compare with.
  using Load = std::function<Result<std::shared_ptr<const Catalog>>(const Catalog& before)>;

  /// Reads every `interval`, for the first time after one.
  Rescan(Host& host, Load load, Millis interval);
  ~Rescan();

  /// Reads now.
  Status Now();

 private:
  void Loop(const std::stop_token& stop);

  Host& host_;
  const Load load_;
  const Millis interval_;
  std::mutex reading_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace backplane::dispatch
