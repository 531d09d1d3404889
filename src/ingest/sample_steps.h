// Samples of one series as points: each as it is, or summed up in steps of time. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/record.h"
#include "store/sample_block.h"

namespace backplane::ingest {

/// What a series was in one step; without steps, one sample.
struct Point {
  TimePoint at;  ///< of the sample, or where the step begins
  std::int64_t samples = 0;
  store::SampleValue min, max, last;
  double avg = 0;
  /// Of a counter: how fast it rose, per second, from each sample to the next one up to those of this
  /// step; nothing if the first is not known. A counter that fell has begun anew at 0.
  std::optional<double> rate;
};

class Steps {
 public:
  /// Steps begin at whole multiples of `step` since 1970; 0: each sample is a point. Samples before
  /// `from` are no points, only what a rate begins with.
  Steps(MetricKind kind, TimePoint from, Millis step) : kind_(kind), from_(from), step_(step) {}

  /// In the order of time.
  void Add(const store::Sample& sample);
  const std::vector<Point>& points() const { return points_; }

 private:
  const MetricKind kind_;
  const TimePoint from_;
  const Millis step_;
  std::vector<Point> points_;
  std::optional<store::Sample> before_;
  // Of the last point.
  double risen_ = 0;
  Millis passed_{0};
};

}  // namespace backplane::ingest
