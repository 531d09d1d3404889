// A value and its mutex in one, so that unlocked access does not compile.
#pragma once

#include <mutex>
#include <utility>

namespace backplane {

/// Guarded<Table> table; auto locked = table.Lock(); locked->Insert(...);
/// Never call out (callback, log sink, bus) while a Locked is alive.
template <typename T>
class Guarded {
 public:
  class Locked {
   public:
    Locked(std::mutex& mutex, T& value) : lock_(mutex), value_(value) {}
    T* operator->() { return &value_; }
    T& operator*() { return value_; }
    /// For condition variables.
    std::unique_lock<std::mutex>& lock() { return lock_; }

   private:
    std::unique_lock<std::mutex> lock_;
    T& value_;
  };

  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}
  [[nodiscard]] Locked Lock() { return Locked(mutex_, value_); }

 private:
  std::mutex mutex_;
  T value_{};
};

}  // namespace backplane
