#include "events/bus.h"

#include <algorithm>

namespace backplane::events {
namespace {
constexpr std::size_t kMaxWaiters = 4096;
}

Bus::Bus(const Clock& clock) : clock_(clock), thread_([this](const std::stop_token& stop) { Loop(stop); }) {}

Bus::~Bus() {
  thread_.request_stop();
  thread_.join();
  for (const Waiter& waiter : waiters_) waiter.callback(Wake::kClosed);
}

void Bus::Notify() {
  {
    const std::lock_guard lock(mutex_);
    ++generation_;
  }
  changed_.notify_all();
}

std::uint64_t Bus::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

void Bus::Wait(std::uint64_t seen, Millis timeout, Callback callback) {
  {
    const std::lock_guard lock(mutex_);
    if (waiters_.size() < kMaxWaiters) {
      waiters_.push_back({seen, clock_.Monotonic() + timeout, std::move(callback)});
      callback = nullptr;
    }
  }
  if (callback) callback(Wake::kTimeout);
  changed_.notify_all();
}

void Bus::Loop(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const Millis now = clock_.Monotonic();
    Millis next = now + std::chrono::hours(1);
    std::list<Waiter> due;
    for (auto it = waiters_.begin(); it != waiters_.end();) {
      const auto here = it++;
      if (here->seen != generation_ || here->deadline <= now)
        due.splice(due.end(), waiters_, here);
      else
        next = std::min(next, here->deadline);
    }
    if (!due.empty()) {
      const std::uint64_t generation = generation_;
      lock.unlock();
      for (const Waiter& waiter : due) waiter.callback(waiter.seen != generation ? Wake::kNews : Wake::kTimeout);
      lock.lock();
      continue;
    }
    const std::uint64_t before = generation_;
    const std::size_t waiting = waiters_.size();
    changed_.wait_for(lock, stop, next - now, [&] { return generation_ != before || waiters_.size() != waiting; });
  }
}

}  // namespace backplane::events
