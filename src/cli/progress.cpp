#include "cli/progress.h"

#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

namespace backplane::cli {

Progress::Progress(std::string what) : what_(std::move(what)) {
  if (isatty(STDERR_FILENO) == 1) thread_ = std::jthread([this](const std::stop_token& stop) { Loop(stop); });
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void Progress::Loop(const std::stop_token& stop) const {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any tick;
  for (int seconds = 1;; ++seconds) {
    tick.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
    if (stop.stop_requested()) {
      if (seconds > 1) std::fputs("\r\x1b[K", stderr);
      return;
    }
    std::fputs(fmt::format("\r{} ... {} s", what_, seconds).c_str(), stderr);
  }
}

}  // namespace backplane::cli
