// Counters and gauges in Prometheus' text exposition format (version 0.0.4).
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace backplane {

/// One time series. Lives as long as the program. Thread-safe.
class Metric {
 public:
  void Add(std::int64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  void Set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// The counter of that name, made at the first call. `name` ends in "_total"; `labels` is the
/// text between the braces (`status="ok"`), or empty. Keep the reference: the look-up locks.
Metric& Counter(const std::string& name, const std::string& help, const std::string& labels = {});
/// The gauge of that name, made at the first call.
Metric& Gauge(const std::string& name, const std::string& help, const std::string& labels = {});

/// All series, grouped by name, each group with its HELP and TYPE line.
std::string RenderMetrics();

}  // namespace backplane
