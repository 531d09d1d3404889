#include "store/samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/test_store.h"

namespace backplane::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Hour kHour = 496'500;
const TimePoint kStart = FromMillis(kHour * 3'600'000);

Sample At(int seconds, SampleValue value) { return {kStart + std::chrono::seconds(seconds), value}; }

class SamplesTest : public ::testing::TestWithParam<Backend> {
 protected:
  SeriesId Put(Series series, OrgId org = kDefaultOrg) {
    if (series.dimensions.empty()) series.dimensions = "{}";
    return store_.Write([&](Connection& c) { return SeriesTable(c, org).Put(series); });
  }
  std::vector<SeriesId> Found(const SeriesFilter& filter, OrgId org = kDefaultOrg) {
    std::vector<SeriesId> ids;
    for (const Series& series : store_.Read([&](Connection& c) { return SeriesTable(c, org).List(filter); }))
      ids.push_back(series.id);
    return ids;
  }
  void Add(std::int64_t block, const std::vector<Sample>& samples) {
    store_.Write([&](Connection& c) { AddToBlock(c, block, samples); });
  }
  std::vector<Sample> Block(std::int64_t block) {
    return store_.Read([&](Connection& c) { return ReadBlock(c, block).value_or(std::vector<Sample>{At(0, 0.0)}); });
  }
  std::optional<Series> Get(SeriesId id, OrgId org = kDefaultOrg) {
    return store_.Read([&](Connection& c) { return SeriesTable(c, org).Get(id); });
  }

  TestStore store_{GetParam(), SampleMigrations()};
};

TEST_P(SamplesTest, ASeriesIsKnownByWhatItMeasures) {
  const Series series = {.resource = "s|c|b|t|router",
                         .group = "interface",
                         .dimensions = R"({"port":"1"})",
                         .name = "in",
                         .kind = MetricKind::kCounter,
                         .endpoint = "10.0.0.1",
                         .interval = Millis(60'000),
                         .last_hour = kHour};
  const SeriesId id = Put(series);
  Series moved = series;
  moved.endpoint = "10.0.0.2";
  moved.interval = Millis(30'000);
  moved.last_hour = kHour + 1;
  EXPECT_EQ(Put(moved), id);
  const auto stored = Get(id);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->resource, series.resource);
  EXPECT_EQ(stored->group, series.group);
  EXPECT_EQ(stored->dimensions, series.dimensions);
  EXPECT_EQ(stored->name, series.name);
  EXPECT_EQ(stored->kind, MetricKind::kCounter);
  EXPECT_EQ(stored->endpoint, "10.0.0.2");
  EXPECT_EQ(stored->interval, Millis(30'000));
  EXPECT_EQ(stored->last_hour, kHour);  // blocks say when it was measured last

  std::vector<SeriesId> ids = {id};
  for (auto member : {&Series::resource, &Series::group, &Series::dimensions, &Series::name}) {
    Series other = series;
    other.*member += "x";
    ids.push_back(Put(other));
  }
  Series gauge = series;
  gauge.kind = MetricKind::kGauge;
  ids.push_back(Put(gauge));
  ids.push_back(Put(series, 2));
  EXPECT_THAT(ids, ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_EQ(Get(7), std::nullopt);
  EXPECT_TRUE(Get(7, 2));
}

TEST_P(SamplesTest, FiltersNarrowTheList) {
  const SeriesId a =
      Put({.resource = "s|c|b|t|Router_1", .group = "if", .dimensions = R"({"p":"a","q":"b"})", .name = "in"});
  const SeriesId b =
      Put({.resource = "s|c|b|t|router21", .group = "if", .dimensions = R"({"p":"A","q":"b"})", .name = "out"});
  const SeriesId c = Put({.resource = "", .group = "cpu", .dimensions = R"({"x":"\"p\":\"a\""})", .name = "in"});
  Put({.resource = "s|c|b|t|Router_1", .group = "if", .name = "in"}, 2);
  EXPECT_THAT(Found({}), ElementsAre(a, b, c));
  EXPECT_THAT(Found({.resource = "ROUTER"}), ElementsAre(a, b));
  EXPECT_THAT(Found({.resource = "router_"}), ElementsAre(a));  // no wildcard
  EXPECT_THAT(Found({.group = "i"}), IsEmpty());
  EXPECT_THAT(Found({.group = "if", .name = "out"}), ElementsAre(b));
  EXPECT_THAT(Found({.dimensions = {{"p", "a"}}}), ElementsAre(a));
  EXPECT_THAT(Found({.dimensions = {{"q", "b"}, {"p", "A"}}}), ElementsAre(b));
  EXPECT_THAT(Found({.dimensions = {{"x", "\"p\":\"a\""}}}), ElementsAre(c));
  EXPECT_THAT(Found({.dimensions = {{"q", "b"}}, .limit = 1}), ElementsAre(a));
  EXPECT_THAT(Found({.dimensions = {{"q", "b"}}, .after = a, .limit = 1}), ElementsAre(b));
}

TEST_P(SamplesTest, BlocksTakeSamplesOnce) {
  const SeriesId id = Put({.name = "in", .last_hour = kHour});
  EXPECT_THAT(Block(BlockId(id, kHour)), IsEmpty());
  for (int i = 0; i < 2; ++i) Add(BlockId(id, kHour), {At(60, 1.5), At(0, std::int64_t{7})});
  Add(BlockId(id, kHour), {At(60, 2.5)});
  EXPECT_THAT(Block(BlockId(id, kHour)), ElementsAre(At(0, std::int64_t{7}), At(60, 2.5)));
  EXPECT_EQ(Get(id)->last_hour, kHour);
  Add(BlockId(id, kHour + 2), {At(7200, 1.0)});
  Add(BlockId(id, kHour + 1), {At(3600, 1.0)});
  EXPECT_EQ(Get(id)->last_hour, kHour + 2);
  EXPECT_EQ(HourOf(kStart), kHour);
  EXPECT_EQ(HourOf(kStart - Millis(1)), kHour - 1);
}

TEST_P(SamplesTest, OldHoursAreForgottenInSteps) {
  const SeriesId old = Put({.name = "old", .last_hour = kHour});
  const SeriesId live = Put({.name = "live", .last_hour = kHour});
  for (const SeriesId id : {old, live}) Add(BlockId(id, kHour), {At(0, 1.0)});
  Add(BlockId(live, kHour + 1), {At(3600, 1.0)});
  const auto forget = [&](Hour before) {
    return store_.Write([&](Connection& c) { return ForgetBlocks(c, before, 1); });
  };
  const auto forget_series = [&](Hour before) {
    return store_.Write([&](Connection& c) { return ForgetSeries(c, before, 1); });
  };
  EXPECT_EQ(forget(kHour), 0);
  EXPECT_EQ(forget_series(kHour), 0);
  EXPECT_EQ(forget(kHour + 1), 1);
  EXPECT_EQ(forget(kHour + 1), 1);
  EXPECT_EQ(forget(kHour + 1), 0);
  EXPECT_EQ(forget_series(kHour + 1), 1);
  EXPECT_EQ(forget_series(kHour + 1), 0);
  EXPECT_THAT(Found({}), ElementsAre(live));
  EXPECT_THAT(Block(BlockId(live, kHour + 1)), ElementsAre(At(3600, 1.0)));
}

TEST_P(SamplesTest, DamageIsNamedAndWrittenOver) {
  const SeriesId id = Put({.name = "in"});
  Add(BlockId(id, kHour), {At(0, 1.0)});
  const auto check = [&] { return store_.Read([](Connection& c) { return CheckBlocks(c); }); };
  EXPECT_EQ(check(), 1);
  store_.Write([&](Connection& c) { c.Execute("UPDATE block SET data = ?", Blob{"nonsense"}); });
  const auto damaged = store_.Read([&](Connection& c) { return ReadBlock(c, BlockId(id, kHour)); });
  ASSERT_FALSE(damaged);
  EXPECT_THAT(damaged.error().message, HasSubstr("series 1 from 2026-08-22 12:00:00 on"));
  EXPECT_EQ(check().error().message, damaged.error().message);
  Add(BlockId(id, kHour), {At(60, 2.0)});
  EXPECT_THAT(Block(BlockId(id, kHour)), ElementsAre(At(60, 2.0)));
}

BACKPLANE_OVER_BACKENDS(SamplesTest);

}  // namespace
}  // namespace backplane::store
