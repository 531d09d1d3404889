// Executes plugin code of one kind.
//
// One instance per kind, owned by the host, outlives every run it started. Thread-safe.
#pragma once

#include <memory>
#include <stop_token>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plugin/codec.h"

namespace backplane::runtime {

/// What the host says to a runtime about one run.
struct RunRequest {
  RunId run = 0;
  Invocation invocation;
  /// Where the runtime keeps the run's log segments; exists.
  std::filesystem::path log_folder;
  /// Where the result files go before they are read: made when there are some, and out of the script's
  /// sight.
  std::filesystem::path results;
};

class Runtime {
 public:
  virtual ~Runtime() = default;
  virtual std::string_view name() const = 0;
  /// Whether runs get a folder of their own on disk.
  virtual bool uses_files() const { return true; }

  /// Runs a task to its end. Blocks; called from a dispatch worker. `stop` ends it early with
  /// status kCancelled. Never fails: a run that could not be started has status kNotStarted and
  /// a message.
  virtual Output Run(const RunRequest& request, std::stop_token stop) = 0;
};

using RuntimeList = std::vector<std::unique_ptr<Runtime>>;

}  // namespace backplane::runtime
