#include "ingest/sample_steps.h"

#include <limits>

#include <gtest/gtest.h>

namespace backplane::ingest {
namespace {

using store::Sample;
using store::SampleValue;

constexpr std::int64_t kStart = 1'787'400'000'000;  // a whole minute

TimePoint At(std::int64_t seconds) { return FromMillis(kStart + seconds * 1000); }

std::vector<Point> Points(MetricKind kind, Millis step, const std::vector<Sample>& samples, std::int64_t from = 0) {
  Steps steps(kind, At(from), step);
  for (const Sample& sample : samples) steps.Add(sample);
  return steps.points();
}

TEST(Steps, WithoutStepsEachSampleIsAPoint) {
  const auto points = Points(MetricKind::kGauge, Millis(0), {{At(1), 1.5}, {At(2), std::int64_t{7}}});
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points[0].at, At(1));
  EXPECT_EQ(points[0].last, SampleValue(1.5));
  EXPECT_EQ(points[1].last, SampleValue(std::int64_t{7}));
  EXPECT_EQ(points[1].samples, 1);
  EXPECT_EQ(points[1].rate, std::nullopt);  // a gauge has none
}

TEST(Steps, AStepSumsUpWhatIsInIt) {
  const auto points = Points(MetricKind::kGauge, Millis(60'000),
                             {{At(0), 4.0}, {At(30), std::int64_t{1}}, {At(59), 1.0}, {At(60), 5.0}, {At(240), 6.0}});
  ASSERT_EQ(points.size(), 3U);  // steps without samples are left out
  EXPECT_EQ(points[0].at, At(0));
  EXPECT_EQ(points[0].samples, 3);
  EXPECT_EQ(points[0].min, SampleValue(std::int64_t{1}));
  EXPECT_EQ(points[0].max, SampleValue(4.0));
  EXPECT_EQ(points[0].last, SampleValue(1.0));
  EXPECT_DOUBLE_EQ(points[0].avg, 2.0);
  EXPECT_EQ(points[1].at, At(60));
  EXPECT_EQ(points[2].at, At(240));
}

TEST(Steps, StepsBeginAtWholeMultiples) {
  EXPECT_EQ(Points(MetricKind::kGauge, Millis(60'000), {{At(90), 1.0}}, 75)[0].at, At(60));
  EXPECT_EQ(Points(MetricKind::kGauge, Millis(1000), {{FromMillis(-1), 1.0}}, -2'000'000'000)[0].at, FromMillis(-1000));
}

TEST(Steps, ACounterHasARate) {
  const auto points = Points(MetricKind::kCounter, Millis(60'000),
                             {{At(-30), std::int64_t{100}},
                              {At(0), std::int64_t{130}},
                              {At(30), std::int64_t{220}},
                              {At(120), std::int64_t{220}}});
  ASSERT_EQ(points.size(), 2U);
  EXPECT_DOUBLE_EQ(points[0].rate.value(), 2.0);  // 120 in 60 s, from before the first point on
  EXPECT_DOUBLE_EQ(points[1].rate.value(), 0.0);
  const auto first = Points(MetricKind::kCounter, Millis(0), {{At(0), std::int64_t{5}}, {At(10), std::int64_t{25}}});
  EXPECT_EQ(first[0].rate, std::nullopt);
  EXPECT_DOUBLE_EQ(first[1].rate.value(), 2.0);
}

TEST(Steps, ACounterThatFellHasBegunAnew) {
  const auto points = Points(MetricKind::kCounter, Millis(0),
                             {{At(0), std::int64_t{1000}}, {At(10), std::int64_t{30}}, {At(20), 50.0}, {At(30), -5.0}});
  EXPECT_DOUBLE_EQ(points[1].rate.value(), 3.0);
  EXPECT_DOUBLE_EQ(points[2].rate.value(), 2.0);
  EXPECT_DOUBLE_EQ(points[3].rate.value(), 0.0);
}

TEST(Steps, LargeIntegersAreTold) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const auto points = Points(MetricKind::kCounter, Millis(60'000), {{At(0), kMost - 1}, {At(1), kMost}});
  EXPECT_EQ(points[0].min, SampleValue(kMost - 1));
  EXPECT_EQ(points[0].max, SampleValue(kMost));
  EXPECT_DOUBLE_EQ(points[0].rate.value(), 1.0);
  const auto all =
      Points(MetricKind::kCounter, Millis(0), {{At(0), std::numeric_limits<std::int64_t>::min()}, {At(1), kMost}});
  EXPECT_DOUBLE_EQ(all[1].rate.value(), 18446744073709551615.0);
}

}  // namespace
}  // namespace backplane::ingest
