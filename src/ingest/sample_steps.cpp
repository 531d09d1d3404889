#include "ingest/sample_steps.h"

#include <algorithm>

namespace backplane::ingest {
namespace {

using store::SampleValue;

double AsDouble(const SampleValue& value) {
  return std::visit([](const auto number) { return static_cast<double>(number); }, value);
}

bool Less(const SampleValue& a, const SampleValue& b) {
  // Integers that a double cannot tell apart are compared as integers.
  return a.index() == b.index() ? a < b : AsDouble(a) < AsDouble(b);
}

double Rise(const SampleValue& from, const SampleValue& to) {
  if (Less(to, from)) return std::max(AsDouble(to), 0.0);
  const auto *first = std::get_if<std::int64_t>(&from), *second = std::get_if<std::int64_t>(&to);
  if (first != nullptr && second != nullptr)
    return static_cast<double>(static_cast<std::uint64_t>(*second) - static_cast<std::uint64_t>(*first));
  return AsDouble(to) - AsDouble(from);
}

TimePoint BeginOfStep(TimePoint at, Millis step) {
  const Millis past = at.time_since_epoch() % step;
  return at - (past.count() < 0 ? past + step : past);
}

}  // namespace

void Steps::Add(const store::Sample& sample) {
  const std::optional<store::Sample> before = std::exchange(before_, sample);
  if (sample.at < from_) return;
  const TimePoint at = step_.count() > 0 ? BeginOfStep(sample.at, step_) : sample.at;
  if (points_.empty() || points_.back().at != at) {
    points_.push_back({.at = at, .min = sample.value, .max = sample.value});
    risen_ = 0;
    passed_ = Millis(0);
  }
  Point& point = points_.back();
  ++point.samples;
  if (Less(sample.value, point.min)) point.min = sample.value;
  if (Less(point.max, sample.value)) point.max = sample.value;
  point.last = sample.value;
  point.avg += (AsDouble(sample.value) - point.avg) / static_cast<double>(point.samples);
  if (kind_ != MetricKind::kCounter || !before) return;
  risen_ += Rise(before->value, sample.value);
  passed_ += sample.at - before->at;
  point.rate = risen_ / std::chrono::duration<double>(passed_).count();
}

}  // namespace backplane::ingest
