// What stands between a guess and a password: a wait that grows, and a pool that is narrow.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "base/time.h"

namespace backplane::api {

/// When the next attempt of some name may be made: each failure beyond the free ones doubles the wait.
/// What has not failed for long is forgotten, and beyond `most_names` whoever failed longest ago.
/// `now` is monotonic. Not thread-safe.
class Backoff {
 public:
  struct Limits {
    int free = 5;
    Millis first{1'000};
    Millis most{60'000};
    Millis forget{3'600'000};
    std::size_t most_names = 10'000;
  };
  explicit Backoff(const Limits& limits) : limits_(limits) {}

  /// Zero: it may be tried now.
  Millis Wait(const std::string& name, Millis now) const;
  void Failed(const std::string& name, Millis now);
  /// One failure was none.
  void Forgive(const std::string& name);
  void Forget(const std::string& name);
  std::size_t size() const { return names_.size(); }

 private:
  struct Entry {
    std::string name;
    int failures = 0;
    Millis last{0};
    Millis until{0};
  };
  const Limits limits_;
  std::list<Entry> entries_;  // by `last`
  std::unordered_map<std::string, std::list<Entry>::iterator> names_;
};

/// Slows down guessing, per account wherever it comes from, and per address whomever it is for.
/// Thread-safe. Kept in memory only: nobody who guesses can restart the daemon.
class SignInLimiter {
 public:
  explicit SignInLimiter(const Clock& clock) : clock_(clock) {}
  /// Zero: go on. The attempt counts as failed until Succeeded(), so that many at once are no way
  /// around. An empty address is not counted.
  Millis Begin(const std::string& account, const std::string& address);
  void Succeeded(const std::string& account, const std::string& address);

 private:
  const Clock& clock_;
  std::mutex mutex_;  // guards what follows
  Backoff accounts_{{.free = 5}};
  Backoff addresses_{{.free = 100}};  // a whole office may come from one, at nine
};

/// One thread, of somewhat lower priority, that hashes passwords: many who sign in at once slow down
/// each other, and little else. Thread-safe.
class PasswordPool {
 public:
  explicit PasswordPool(std::size_t most_waiting = 128);
  ~PasswordPool();
  PasswordPool(const PasswordPool&) = delete;
  PasswordPool& operator=(const PasswordPool&) = delete;
  /// False, and nothing done: too many wait.
  bool Submit(std::function<void()> work);
  /// Drops what waits, and returns when nothing runs any more. Nothing is taken from then on.
  void Stop();

 private:
  void Loop(const std::stop_token& stop);

  const std::size_t most_waiting_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable_any arrived_;
  std::deque<std::function<void()>> waiting_;
  bool stopped_ = false;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace backplane::api
