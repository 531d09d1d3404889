// Shows that something is going on.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace backplane::cli {

/// While it lives, and once a second has passed, a line on standard error says what is awaited
/// and for how long. Nothing is printed unless standard error is a terminal.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  void Loop(const std::stop_token& stop) const;

  const std::string what_;
  std::jthread thread_;
};

}  // namespace backplane::cli
