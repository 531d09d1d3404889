// The bounded pool that handlers run on.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "http/http.h"

namespace backplane::http {

/// Threads that run one handler. Thread-safe but for construction and destruction.
class Workers {
 public:
  Workers(std::size_t threads, std::size_t max_waiting, Handler handler);
  /// Stops.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// False, and `request` untouched: all threads are busy and `max_waiting` requests wait, or the
  /// pool has stopped.
  bool Submit(Request&& request, const Responder& responder);
  /// Drops what waits and returns when every handler in progress has returned. Not to be called
  /// from a handler.
  void Stop();

 private:
  struct Work {
    Request request;
    Responder responder;
  };
  void Run();
  void Handle(const Work& work);

  const Handler handler_;
  const std::size_t limit_;  ///< of requests running and waiting
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> waiting_;  ///< guarded by mutex_, like busy_ and stopped_
  std::size_t busy_ = 0;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace backplane::http
