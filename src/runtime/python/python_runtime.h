// Runs Python plugins: each in a fresh interpreter, as a process that says why it failed.
#pragma once

#include "runtime/runtime.h"

namespace backplane::runtime {

/// A script that is started here may write a result file "error.json", {"type", "message",
/// "where"}, about the exception that ended it: texts, of which `where` may be empty.
class PythonRuntime final : public Runtime {
 public:
  /// `process` runs the interpreters and outlives this.
  explicit PythonRuntime(Runtime& process) : process_(process) {}

  std::string_view name() const override { return "python"; }
  /// See Runtime. "error.json" is not among the output's files; if the run failed, what it says
  /// stands in the message in place of the exit code.
  Output Run(const RunRequest& request, std::stop_token stop) override;

 private:
  Runtime& process_;
};

}  // namespace backplane::runtime
