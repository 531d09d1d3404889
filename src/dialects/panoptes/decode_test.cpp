#include "dialects/panoptes/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace backplane::panoptes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::StartsWith;

const TimePoint kAt = *ParseTime("2026-08-22T10:00:00Z");

// Each is right; the tests break one thing at a time.
const Json kResource =
    Json::parse(R"({"resource_site": "dc1", "resource_class": "network", "resource_subclass": "switch",
    "resource_type": "arista", "resource_id": "sw1", "resource_endpoint": "sw1.example",
    "resource_metadata": {"_resource_ttl": "900", "model": "X"}, "resource_creation_timestamp": "1512629517.03",
    "resource_plugin": "My_Plug"})");
const Json kEnrichment = Json::parse(R"({"resource_id": "sw1", "namespace": "interface", "ttl": 900,
    "body": "{\"data\": {\"1\": {}}, \"metadata\": {\"_enrichment_group_creation_timestamp\": 1.5}}"})");
const Json kGroup = Json::parse(R"({"metrics_group_type": "interface", "metrics_group_interval": 60,
    "metrics_group_creation_timestamp": 1700000000.25, "metrics_group_schema_version": "0.2",
    "metrics": [{"metric_creation_timestamp": 1700000000.031, "metric_name": "octets", "metric_value": 5,
                 "metric_type": "counter"}],
    "dimensions": [{"dimension_name": "name", "dimension_value": "eth0"},
                   {"dimension_name": "alias", "dimension_value": "a|b"}]})");

Json Group() {
  Json group = kGroup;
  group["resource"] = kResource;
  return group;
}

Batch DecodeText(const std::string& type, std::string content) {
  Manifest manifest;
  manifest.document = {{"type", type}};
  Output output;
  output.files.push_back({kResultFile, std::move(content), {}});
  return DecodeOutput(manifest, output, kAt);
}

Batch Discovery(const Json& resource) {
  return DecodeText("discovery", Json{{"kind", "resources"}, {"value", Json::array({resource})}}.dump());
}
Batch Enrichment(const Json& enrichment) {
  return DecodeText("enrichment", Json{{"kind", "enrichments"}, {"value", Json::array({enrichment})}}.dump());
}
Batch Polling(const Json& group) {
  return DecodeText("polling", Json{{"kind", "metrics"}, {"value", Json::array({group})}}.dump());
}

template <typename T>
T Only(const Batch& batch) {
  EXPECT_EQ(batch.failure, "");
  EXPECT_EQ(batch.records.size(), 1U);
  return batch.records.size() == 1 ? std::get<T>(batch.records[0]) : T();
}

// What is wrong with a batch of which nothing is taken.
std::string Refused(const Batch& batch) {
  EXPECT_TRUE(batch.records.empty());
  EXPECT_TRUE(batch.refused.empty());
  EXPECT_FALSE(batch.complete);
  return batch.failure;
}

TEST(Decode, AResource) {
  const Batch batch = Discovery(kResource);
  const auto record = Only<ResourceRecord>(batch);
  EXPECT_EQ(ResourceKey(record.resource),
            "plugin|My_Plug|site|dc1|class|network|subclass|switch|type|arista|id|sw1|endpoint|sw1.example");
  EXPECT_THAT(record.resource.metadata, ElementsAre(Pair("_resource_ttl", "900"), Pair("model", "X")));
  EXPECT_EQ(record.ttl, Millis(900'000));
  EXPECT_EQ(record.at, kAt);
  EXPECT_EQ(record.entity, 0);
  EXPECT_TRUE(batch.complete);
}

TEST(Decode, AResourceLivesForAWeekUnlessItSaysOtherwise) {
  Json resource = kResource;
  resource["resource_metadata"] = Json::object();
  EXPECT_EQ(Only<ResourceRecord>(Discovery(resource)).ttl, Millis(604'800'000));
}

TEST(Decode, NothingLivesForMoreThanTenYears) {
  Json resource = kResource;
  resource["resource_metadata"]["_resource_ttl"] = "315360001";
  EXPECT_EQ(Only<ResourceRecord>(Discovery(resource)).ttl, std::chrono::seconds(315'360'000));
  Json enrichment = kEnrichment;
  enrichment["ttl"] = 253'402'300'799;
  EXPECT_EQ(Only<EnrichmentRecord>(Enrichment(enrichment)).ttl, std::chrono::seconds(315'360'000));
}

TEST(Decode, NoResourcesSayNothingOfThoseThatWereThere) {
  const Batch batch = DecodeText("discovery", R"({"kind": "resources", "value": []})");
  EXPECT_EQ(batch.failure, "");
  EXPECT_FALSE(batch.complete);
}

TEST(Decode, AnEnrichmentKeepsItsText) {
  const auto record = Only<EnrichmentRecord>(Enrichment(kEnrichment));
  EXPECT_EQ(record.resource_id, "sw1");
  EXPECT_EQ(record.name_space, "interface");
  EXPECT_EQ(record.body, kEnrichment["body"]);
  EXPECT_EQ(record.ttl, Millis(900'000));
  EXPECT_EQ(record.at, kAt);
}

TEST(Decode, AnEnrichmentIsTheSameIfOnlyItsTimeIsAnother) {
  const std::string key = Only<EnrichmentRecord>(Enrichment(kEnrichment)).watch_key;
  Json other = kEnrichment;
  other["body"] = R"({"data": {"1": {}}, "metadata": {"_enrichment_group_creation_timestamp": 2.5}})";
  EXPECT_EQ(Only<EnrichmentRecord>(Enrichment(other)).watch_key, key);
  other["body"] = R"({"data": {"2": {}}, "metadata": {"_enrichment_group_creation_timestamp": 1.5}})";
  EXPECT_NE(Only<EnrichmentRecord>(Enrichment(other)).watch_key, key);
}

TEST(Decode, AGroupOfMetrics) {
  const auto record = Only<MetricsRecord>(Polling(Group()));
  EXPECT_EQ(record.resource, "dc1|network|switch|arista|sw1");
  EXPECT_EQ(record.endpoint, "sw1.example");
  EXPECT_EQ(record.group, "interface");
  EXPECT_EQ(record.interval, Millis(60'000));
  EXPECT_EQ(ToMillis(record.at), 1'700'000'000'250);
  EXPECT_THAT(record.dimensions, ElementsAre(Pair("alias", "a|b"), Pair("name", "eth0")));
  ASSERT_EQ(record.measurements.size(), 1U);
  const Measurement& one = record.measurements[0];
  EXPECT_EQ(one.name, "octets");
  EXPECT_EQ(one.kind, MetricKind::kCounter);
  EXPECT_EQ(std::get<std::int64_t>(one.value), 5);
  EXPECT_EQ(ToMillis(one.at), 1'700'000'000'031);
}

std::variant<std::int64_t, double> Value(const char* text) {
  Json group = Group();
  group["metrics"][0]["metric_value"] = Json::parse(text);
  return Only<MetricsRecord>(Polling(group)).measurements.at(0).value;
}

TEST(Decode, WholeNumbersStayWhole) {
  EXPECT_EQ(std::get<std::int64_t>(Value("9223372036854775807")), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(std::get<std::int64_t>(Value("-9223372036854775808")), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(std::get<double>(Value("9223372036854775808")), 9223372036854775808.0);
  EXPECT_EQ(std::get<double>(Value("100000000000000000000000")), 1e23);
  EXPECT_EQ(std::get<double>(Value("5.0")), 5.0);
}

TEST(Decode, SaysWhereAResourceIsWrong) {
  for (const auto& [key, value] : kResource.items()) {
    if (key == "resource_creation_timestamp") continue;
    Json resource = kResource;
    resource[key] = key == "resource_metadata" ? Json("text") : Json("a|b");
    EXPECT_THAT(Refused(Discovery(resource)), StartsWith("resources[0]." + key + ": ")) << key;
    resource[key] = key == "resource_metadata" ? Json{{"a b", "x"}} : Json("");
    EXPECT_THAT(Refused(Discovery(resource)), StartsWith("resources[0]." + key + ": ")) << key;
    resource.erase(key);
    EXPECT_THAT(Refused(Discovery(resource)), StartsWith("resources[0]." + key + ": ")) << key;
  }
  Json resource = kResource;
  for (const char* ttl : {"0", "-5", "soon", "900.5", "99999999999999999999"}) {
    resource["resource_metadata"]["_resource_ttl"] = ttl;
    EXPECT_THAT(Refused(Discovery(resource)), StartsWith("resources[0].resource_metadata._resource_ttl: ")) << ttl;
  }
}

TEST(Decode, SaysWhereAnEnrichmentIsWrong) {
  const auto refused = [](const char* key, Json value) {
    Json enrichment = kEnrichment;
    enrichment[key] = std::move(value);
    return Refused(Enrichment(enrichment));
  };
  EXPECT_THAT(refused("resource_id", ""), StartsWith("enrichments[0].resource_id: "));
  EXPECT_THAT(refused("namespace", 5), StartsWith("enrichments[0].namespace: "));
  EXPECT_THAT(refused("ttl", 0), StartsWith("enrichments[0].ttl: "));
  EXPECT_THAT(refused("ttl", 1.5), StartsWith("enrichments[0].ttl: "));
  EXPECT_THAT(refused("body", "{NaN}"), StartsWith("enrichments[0].body: "));
  EXPECT_THAT(refused("body", "[]"), StartsWith("enrichments[0].body: "));
}

TEST(Decode, SaysWhereAGroupIsWrong) {
  const auto refused = [](const char* pointer, Json value) {
    Json group = Group();
    group[Json::json_pointer(pointer)] = std::move(value);
    return Refused(Polling(group));
  };
  EXPECT_THAT(refused("/metrics_group_type", ""), StartsWith("metrics[0].metrics_group_type: "));
  EXPECT_THAT(refused("/metrics_group_interval", -1), StartsWith("metrics[0].metrics_group_interval: "));
  EXPECT_THAT(refused("/metrics_group_creation_timestamp", "now"),
              StartsWith("metrics[0].metrics_group_creation_timestamp: "));
  EXPECT_THAT(refused("/metrics_group_creation_timestamp", 1e300),
              StartsWith("metrics[0].metrics_group_creation_timestamp: "));
  EXPECT_THAT(refused("/resource", nullptr), StartsWith("metrics[0].resource.resource_site: "));
  EXPECT_THAT(refused("/metrics", Json::object()), StartsWith("metrics[0].metrics: "));
  EXPECT_THAT(refused("/metrics/0", 5), StartsWith("metrics[0].metrics[0].metric_name: "));
  EXPECT_THAT(refused("/metrics/0/metric_name", "9m"), StartsWith("metrics[0].metrics[0].metric_name: \"9m\""));
  EXPECT_THAT(refused("/metrics/0/metric_value", true), StartsWith("metrics[0].metrics[0].metric_value: "));
  EXPECT_THAT(refused("/metrics/0/metric_value", "1"), StartsWith("metrics[0].metrics[0].metric_value: "));
  EXPECT_THAT(refused("/metrics/0/metric_type", "rate"), StartsWith("metrics[0].metrics[0].metric_type: \"rate\""));
  EXPECT_THAT(refused("/metrics/0/metric_creation_timestamp", -1),
              StartsWith("metrics[0].metrics[0].metric_creation_timestamp: "));
  EXPECT_THAT(refused("/dimensions/1/dimension_value", ""), StartsWith("metrics[0].dimensions[1].dimension_value: "));
  EXPECT_THAT(refused("/dimensions/1/dimension_name", "name"), StartsWith("metrics[0].dimensions: \"name\""));
}

TEST(Decode, OneMistakeRefusesAll) {
  Json wrong = Group();
  wrong["metrics"][0]["metric_name"] = "a b";
  const Json value = Json::array({Group(), wrong});
  EXPECT_THAT(Refused(DecodeText("polling", Json{{"kind", "metrics"}, {"value", value}}.dump())),
              StartsWith("metrics[1].metrics[0].metric_name: "));
}

TEST(Decode, AResultThatCannotBeRead) {
  EXPECT_THAT(Refused(DecodeText("polling", "")), StartsWith("result.json: "));
  EXPECT_THAT(Refused(DecodeText("polling", "[]")), StartsWith("result.json: "));
  EXPECT_THAT(Refused(DecodeText("polling", "{}")), StartsWith("kind: "));
  EXPECT_THAT(Refused(DecodeText("polling", R"({"kind": "resources", "value": []})")), StartsWith("kind: "));
  EXPECT_THAT(Refused(DecodeText("polling", R"({"kind": "metrics"})")), StartsWith("metrics: "));
  EXPECT_THAT(Refused(DecodeText("polling", R"({"kind": "metrics", "value": [NaN]})")), StartsWith("result.json: "));
  EXPECT_THAT(Refused(DecodeText("polling", R"({"kind": "metrics", "value": [1e999]})")), StartsWith("result.json: "));
}

TEST(Decode, ARunThatEndsWithoutAResultHasFailed) {
  Manifest manifest;
  manifest.document = {{"type", "polling"}};
  Output output;
  EXPECT_THAT(Refused(DecodeOutput(manifest, output, kAt)), HasSubstr("before it gave a result"));
  output.files.push_back({kResultFile, {}, "larger than 64 bytes"});
  EXPECT_EQ(Refused(DecodeOutput(manifest, output, kAt)), "result.json: larger than 64 bytes");
  output.status = RunStatus::kFailed;
  EXPECT_EQ(Refused(DecodeOutput(manifest, output, kAt)), "");
}

TEST(Decode, MeasurementsAreLimited) {
  Json group = Group();
  group["metrics"] = Json(kMostMeasurements, Json());
  EXPECT_THAT(Refused(Polling(group)), StartsWith("metrics[0].metrics[0].metric_name: "));
  group["metrics"].push_back(Json());
  EXPECT_EQ(Refused(Polling(group)), "metrics[0].metrics: the run has more than 200000 measurements");
}

TEST(Decode, Words) {
  for (const char* word : {"a", "_", "a1_B", "größe"}) EXPECT_TRUE(IsWord(word)) << word;
  for (const char* word : {"", "1a", "a b", "a-b", "a\n"}) EXPECT_FALSE(IsWord(word)) << word;
}

}  // namespace
}  // namespace backplane::panoptes
