#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace backplane {
namespace {

using ::testing::HasSubstr;

TEST(Metrics, OneSeriesPerNameAndLabels) {
  Metric& ok = Counter("test_runs_total", "Runs", "status=\"ok\"");
  Metric& failed = Counter("test_runs_total", "Runs", "status=\"failed\"");
  EXPECT_EQ(&ok, &Counter("test_runs_total", "Runs", "status=\"ok\""));
  EXPECT_NE(&ok, &failed);
  ok.Add();
  ok.Add(4);
  EXPECT_EQ(ok.value(), 5);
  EXPECT_EQ(failed.value(), 0);
}

TEST(Metrics, RenderGroupsSeriesUnderTheirName) {
  Counter("test_group_total", "Groups", "a=\"2\"").Add(2);
  Gauge("test_level", "Level").Set(-3);
  Counter("test_group_total", "Groups", "a=\"1\"").Add(1);
  const std::string text = RenderMetrics();
  EXPECT_THAT(text, HasSubstr("# HELP test_group_total Groups\n# TYPE test_group_total counter\n"
                              "test_group_total{a=\"1\"} 1\ntest_group_total{a=\"2\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("# HELP test_level Level\n# TYPE test_level gauge\ntest_level -3\n"));
}

}  // namespace
}  // namespace backplane
