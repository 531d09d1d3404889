// Tells those who wait that the store has something new: events, or the end of a run.
//
// The news itself is in the store: a reader that was told reads from its own number on, so that
// nothing is lost or seen twice whatever the order of wake-ups. Thread-safe.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

#include "base/time.h"

namespace backplane::events {

enum class Wake {
  kNews,
  kTimeout,
  kClosed,  ///< the bus ends; do not wait again
};

class Bus {
 public:
  /// Called once: on the bus's thread, or on the caller's if too many wait already.
  using Callback = std::function<void(Wake)>;

  explicit Bus(const Clock& clock);
  ~Bus();

  /// Says that there may be news.
  void Notify();

  /// A number that rises with each Notify. Take it before reading the store, and pass it to
  /// Wait: what was added between is then not missed.
  std::uint64_t generation() const;

  /// Calls back when the generation differs from `seen`, or after `timeout`. At most 4096 wait;
  /// further ones time out at once.
  void Wait(std::uint64_t seen, Millis timeout, Callback callback);

 private:
  struct Waiter {
    std::uint64_t seen;
    Millis deadline;
    Callback callback;
  };
  void Loop(const std::stop_token& stop);

  const Clock& clock_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable_any changed_;
  std::uint64_t generation_ = 1;
  std::list<Waiter> waiters_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace backplane::events
