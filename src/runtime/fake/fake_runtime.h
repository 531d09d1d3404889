// A runtime that does what it is told, without a process: for tests and benchmarks.
//
// The invocation's first argument says how it ends: "ok" (the second is the log), "fail"
// (exit code 1), "throw" (a runtime with a bug), "hang" (until it is stopped).
#pragma once

#include "runtime/runtime.h"

namespace backplane::runtime {

class FakeRuntime final : public Runtime {
 public:
  std::string_view name() const override { return "fake"; }
  bool uses_files() const override { return false; }
  Output Run(const RunRequest& request, std::stop_token stop) override;
};

}  // namespace backplane::runtime
