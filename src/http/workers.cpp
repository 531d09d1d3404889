#include "http/workers.h"

#include <algorithm>
#include <exception>

#include "base/log.h"

namespace backplane::http {

Workers::Workers(std::size_t threads, std::size_t max_waiting, Handler handler)
    : handler_(std::move(handler)), limit_(std::max<std::size_t>(threads, 1) + max_waiting) {
  for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i) threads_.emplace_back([this] { Run(); });
}

Workers::~Workers() { Stop(); }

bool Workers::Submit(Request&& request, const Responder& responder) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || busy_ + waiting_.size() >= limit_) return false;
    waiting_.push_back({std::move(request), responder});
  }
  wake_.notify_one();
  return true;
}

void Workers::Stop() {
  std::deque<Work> dropped;  // its responders answer outside the lock
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped.swap(waiting_);
  }
  wake_.notify_all();
  dropped.clear();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

void Workers::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    ++busy_;
    {
      const Work work = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      Handle(work);
    }
    lock.lock();
    --busy_;
  }
}

void Workers::Handle(const Work& work) {
  try {
    handler_(work.request, work.responder);
  } catch (const std::exception& error) {
    LogError("http: {} {}: the handler threw: {}", work.request.method, work.request.path, error.what());
  } catch (...) {
    LogError("http: {} {}: the handler threw", work.request.method, work.request.path);
  }
}

}  // namespace backplane::http
