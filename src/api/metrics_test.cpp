#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/api_fixture.h"
#include "ingest/batch_body.h"
#include "store/journal.h"

namespace backplane::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class MetricsTest : public ::testing::Test {
 protected:
  // Two hours ago, at a whole minute.
  MetricsTest() : start_(std::chrono::floor<std::chrono::minutes>(f_.host().clock.Now()) - std::chrono::hours(2)) {}

  void Measure(const std::string& resource, const std::string& name, MetricKind kind,
               std::vector<std::pair<int, std::variant<std::int64_t, double>>> values) {
    std::vector<Record> records;
    for (const auto& [second, value] : values) {
      MetricsRecord record{.resource = resource, .endpoint = "10.0.0.1", .group = "g", .interval = Millis(60'000)};
      record.at = start_ + std::chrono::seconds(second);
      record.dimensions = {{"port", name == "in" ? "1" : "2"}};
      record.measurements = {{name, kind, value, record.at}};
      records.emplace_back(std::move(record));
    }
    f_.host().store.Write([&](store::Connection& c) {
      store::AppendEntry(c, {.at = f_.host().clock.Now(), .plugin = "t:scan", .body = ingest::EncodeRecords(records)});
    });
  }
  Json Get(const std::string& path, std::map<std::string, std::string> query = {}) {
    return f_.GetJson("/api/v1/metrics" + path, std::move(query));
  }
  std::string Iso(int second) const { return FormatIso(start_ + std::chrono::seconds(second)); }
  std::vector<std::string> Names(std::map<std::string, std::string> query) {
    std::vector<std::string> names;
    const Json page = Get("", std::move(query));
    for (const Json& series : page.at("series")) names.push_back(series.at("name"));
    return names;
  }
  // "field detail" of a refusal.
  std::string Refusal(const std::string& path, std::map<std::string, std::string> query) {
    const auto response = f_.Get("/api/v1/metrics" + path, std::move(query));
    EXPECT_EQ(response.status, 400) << response.body;
    const Json problem = ParseJson(response.body).value_or(Json());
    return problem.value("field", "") + " " + problem.value("detail", "");
  }

  ApiFixture f_;
  const TimePoint start_;
};

TEST_F(MetricsTest, SeriesAreListedAtOnceWithTheirLastSample) {
  EXPECT_EQ(Get(""), (Json{{"series", Json::array()}, {"next", nullptr}}));
  Measure("s|c|b|t|router", "in", MetricKind::kCounter, {{0, std::int64_t{9'007'199'254'740'993}}});
  EXPECT_EQ(Get("").at("series"), (Json::array({{{"id", 1},
                                                 {"resource", "s|c|b|t|router"},
                                                 {"endpoint", "10.0.0.1"},
                                                 {"group", "g"},
                                                 {"name", "in"},
                                                 {"kind", "counter"},
                                                 {"dimensions", {{"port", "1"}}},
                                                 {"interval", "1m"},
                                                 {"last", {{"at", Iso(0)}, {"value", 9'007'199'254'740'993}}}}})));
}

TEST_F(MetricsTest, TheListCanBeNarrowedAndPaged) {
  for (const char* name : {"in", "out", "load"}) Measure("s|c|b|t|router", name, MetricKind::kGauge, {{0, 1.0}});
  Measure("s|c|b|t|switch", "in", MetricKind::kGauge, {{0, 1.0}});
  EXPECT_THAT(Names({{"resource", "ROUTER"}}), ElementsAre("in", "out", "load"));
  EXPECT_THAT(Names({{"name", "in"}}), ElementsAre("in", "in"));
  EXPECT_THAT(Names({{"group", "x"}}), ElementsAre());
  EXPECT_THAT(Names({{"dimensions", R"({"port":"2"})"}, {"group", "g"}}), ElementsAre("out", "load"));
  const Json page = Get("", {{"limit", "3"}});
  EXPECT_EQ(page.at("series").size(), 3U);
  EXPECT_THAT(Names({{"after", page.at("next").dump()}}), ElementsAre("in"));
  EXPECT_THAT(Refusal("", {{"dimensions", "port=1"}}), HasSubstr("dimensions dimensions: \"port=1\""));
  EXPECT_THAT(Refusal("", {{"dimensions", R"({"port":1})"}}), HasSubstr("port"));
}

TEST_F(MetricsTest, SamplesAreShownAsTheyAre) {
  Measure("", "load", MetricKind::kGauge, {{0, 1.5}, {60, std::int64_t{2}}, {120, 2.5}});
  const Json shown = Get("/1", {{"from", Iso(0)}, {"to", Iso(60)}});
  EXPECT_EQ(shown.at("series").at("name"), "load");
  EXPECT_EQ(shown.at("points"), (Json::array({{{"at", Iso(0)}, {"value", 1.5}}, {{"at", Iso(60)}, {"value", 2}}})));
  EXPECT_EQ(shown.at("next"), nullptr);
  EXPECT_EQ(Get("/1").at("points").size(), 0U);  // the last hour
  EXPECT_EQ(Get("/1", {{"from", "-3h"}}).at("points").size(), 3U);
  const Json part = Get("/1", {{"from", "-3h"}, {"limit", "2"}});
  EXPECT_EQ(part.at("points").size(), 2U);
  EXPECT_EQ(part.at("next"), Iso(120));
}

TEST_F(MetricsTest, StepsSumUp) {
  using I = std::int64_t;
  Measure("", "in", MetricKind::kCounter, {{-60, I{0}}, {0, I{60}}, {30, I{120}}, {60, I{30}}});
  const Json points = Get("/1", {{"from", Iso(0)}, {"to", "now"}, {"step", "1m"}}).at("points");
  EXPECT_EQ(
      points,
      (Json::array(
          {{{"at", Iso(0)},
            {"samples", 2},
            {"min", 60},
            {"avg", 90.0},
            {"max", 120},
            {"last", 120},
            {"rate", 120 / 90.0}},
           {{"at", Iso(60)}, {"samples", 1}, {"min", 30}, {"avg", 30.0}, {"max", 30}, {"last", 30}, {"rate", 1.0}}})));
}

TEST_F(MetricsTest, WrongQuestionsAreNamed) {
  EXPECT_THAT(Refusal("/1", {{"from", "yesterday"}}), HasSubstr("from from: \"yesterday\""));
  EXPECT_THAT(Refusal("/1", {{"to", "-1"}}), HasSubstr("to to: \"-1\""));
  EXPECT_THAT(Refusal("/1", {{"step", "x"}}), HasSubstr("step step: \"x\""));
  EXPECT_THAT(Refusal("/1", {{"limit", "0"}}), HasSubstr("limit"));
  EXPECT_EQ(f_.Get("/api/v1/metrics/1").status, 404);
}

}  // namespace
}  // namespace backplane::api
