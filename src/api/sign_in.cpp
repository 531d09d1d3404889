#include "api/sign_in.h"

#include <algorithm>
#include <exception>

#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

namespace backplane::api {

Millis Backoff::Wait(const std::string& name, Millis now) const {
  const auto found = names_.find(name);
  if (found == names_.end() || now - found->second->last >= limits_.forget) return Millis(0);
  return std::max(Millis(0), found->second->until - now);
}

void Backoff::Failed(const std::string& name, Millis now) {
  auto found = names_.find(name);
  if (found == names_.end()) {
    if (names_.size() >= limits_.most_names) Forget(std::string(entries_.front().name));
    found = names_.emplace(name, entries_.insert(entries_.end(), Entry{.name = name})).first;
  } else {
    entries_.splice(entries_.end(), entries_, found->second);
  }
  Entry& entry = *found->second;
  if (now - entry.last >= limits_.forget) entry.failures = 0;
  ++entry.failures;
  entry.last = now;
  const int doublings = std::min(entry.failures - limits_.free, 20);
  entry.until = doublings < 0 ? now : now + std::min(limits_.most, limits_.first * (1 << doublings));
}

void Backoff::Forgive(const std::string& name) {
  const auto found = names_.find(name);
  if (found == names_.end()) return;
  if (--found->second->failures <= 0)
    Forget(name);
  else
    found->second->until = Millis(0);
}

void Backoff::Forget(const std::string& name) {
  const auto found = names_.find(name);
  if (found == names_.end()) return;
  entries_.erase(found->second);
  names_.erase(found);
}

Millis SignInLimiter::Begin(const std::string& account, const std::string& address) {
  const Millis now = clock_.Monotonic();
  const std::lock_guard lock(mutex_);
  Millis wait = accounts_.Wait(account, now);
  if (!address.empty()) wait = std::max(wait, addresses_.Wait(address, now));
  if (wait.count() > 0) return wait;
  accounts_.Failed(account, now);
  if (!address.empty()) addresses_.Failed(address, now);
  return Millis(0);
}

void SignInLimiter::Succeeded(const std::string& account, const std::string& address) {
  const std::lock_guard lock(mutex_);
  accounts_.Forget(account);
  // Not Forget(): whoever guesses may have an account, too.
  addresses_.Forgive(address);
}

PasswordPool::PasswordPool(std::size_t most_waiting)
    : most_waiting_(most_waiting), thread_([this](const std::stop_token& stop) { Loop(stop); }) {}

PasswordPool::~PasswordPool() { Stop(); }

void PasswordPool::Stop() {
  std::deque<std::function<void()>> dropped;  // goes outside the lock: its responders answer then
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped.swap(waiting_);
  }
  dropped.clear();
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

bool PasswordPool::Submit(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || waiting_.size() >= most_waiting_) return false;
    waiting_.push_back(std::move(work));
  }
  arrived_.notify_one();
  return true;
}

void PasswordPool::Loop(const std::stop_token& stop) {
  // Linux has priorities per thread. Not the least: it shares locks with threads that answer requests, and
  // would keep them waiting when the machine is busy.
  constexpr int kALittleNice = 5;
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kALittleNice);
  std::unique_lock lock(mutex_);
  while (arrived_.wait(lock, stop, [this] { return !waiting_.empty(); }) && !stop.stop_requested()) {
    {
      const std::function<void()> work = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      try {
        work();
      } catch (const std::exception& error) {
        LogError("a password could not be looked at: {}", error.what());
      }
    }
    lock.lock();
  }
}

}  // namespace backplane::api
