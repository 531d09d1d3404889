// Runs plugins as processes of the keeper.
#pragma once

#include "keeper/client.h"
#include "runtime/runtime.h"

namespace backplane::runtime {

class ProcessRuntime final : public Runtime {
 public:
  /// `keeper` outlives this. `grace`: between SIGTERM and SIGKILL when a run is ended early.
  explicit ProcessRuntime(keeper::KeeperClient& keeper, Millis grace = Millis(2000)) : keeper_(keeper), grace_(grace) {}

  std::string_view name() const override { return "process"; }
  /// See Runtime. Result files are taken after the last process of the run is gone; those that
  /// were there in vain (a link, another owner, too large) say so in their `error`.
  Output Run(const RunRequest& request, std::stop_token stop) override;

 private:
  keeper::KeeperClient& keeper_;
  const Millis grace_;
};

}  // namespace backplane::runtime
