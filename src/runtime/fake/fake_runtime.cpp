#include "runtime/fake/fake_runtime.h"

#include <condition_variable>
#include <mutex>
#include <stdexcept>

namespace backplane::runtime {

Output FakeRuntime::Run(const RunRequest& request, std::stop_token stop) {
  const auto& argv = request.invocation.argv;
  const std::string& what = argv.at(0);
  Output output;
  if (what == "ok") {
    output.exit_code = 0;
    if (argv.size() > 1) output.log = argv[1];
  } else if (what == "fail") {
    output.status = RunStatus::kFailed;
    output.exit_code = 1;
    output.message = "exit code 1";
  } else if (what == "hang") {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait(lock, stop, [] { return false; });
    output.status = RunStatus::kCancelled;
    output.message = "cancelled";
  } else {
    throw std::runtime_error("told to throw");
  }
  return output;
}

}  // namespace backplane::runtime
