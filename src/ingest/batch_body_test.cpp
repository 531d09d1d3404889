#include "ingest/batch_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/test_journal.h"

namespace backplane::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Observation FullObservation() {
  return {.source = "scan",
          .identifiers = {{"mac", "aa:bb"}, {"ip", "10.0.0.1"}},
          .claims = {{"name", "a\"\\\n\t\x01 b", ClaimPolicy::kAlways},
                     {"ip", "", ClaimPolicy::kIfEmpty},
                     {"vendor", "\xc3\xa4\xf0\x9f\x98\x80", ClaimPolicy::kDefault}},
          .at = kNoon + Millis(123)};
}
ObjectRecord FullObject() {
  return {.key = std::string("k\0x", 3),
          .primary = "p\n",
          .secondary = "s",
          .at = kNoon,
          .watched = {"1", "", "3", "\r"},
          .extra = "e",
          .foreign_key = "f",
          .help = {"a", "b", "c", "d"},
          .watch_key = "w"};
}

TEST(BatchBody, ResourcesAndWhatIsKnownOfThemComeBackAsTheyWere) {
  const Resource resource{"dc1", "network", "switch", "acme", "sw1", "10.0.0.1", "P", {{"model", "X"}, {"os", ""}}};
  const std::string body = EncodeRecords(
      {ResourceRecord{resource, kNoon, Millis(900'000), 7}, ResourceGone{"a|b"},
       EnrichmentRecord{"sw1", "interface", R"({"data":{}})", "watch", kNoon, Millis(5)},
       MetricsRecord{.resource = "dc1|network|switch|acme|sw1",
                     .endpoint = "10.0.0.1",
                     .group = "interface",
                     .interval = Millis(60'000),
                     .at = kNoon,
                     .dimensions = {{"alias", "up"}},
                     .measurements = {{"in", MetricKind::kCounter, std::int64_t{9'007'199'254'740'993}, kNoon},
                                      {"load", MetricKind::kGauge, 0.1, kNoon + Millis(1)}}}});
  const auto lines = SplitBody(body);
  ASSERT_EQ(lines.size(), 4U);
  std::vector<Record> records;
  for (const auto line : lines) {
    auto record = DecodeRecord(line);
    ASSERT_TRUE(record) << record.error().message;
    records.push_back(*std::move(record));
  }
  EXPECT_EQ(EncodeRecords(records), body);
  const auto& known = std::get<ResourceRecord>(records[0]);
  EXPECT_EQ(known.resource, resource);
  EXPECT_EQ(known.at, kNoon);
  EXPECT_EQ(known.ttl, Millis(900'000));
  EXPECT_EQ(known.entity, 7);
  EXPECT_EQ(std::get<ResourceGone>(records[1]).key, "a|b");
  const auto& enrichment = std::get<EnrichmentRecord>(records[2]);
  EXPECT_EQ(enrichment.body, R"({"data":{}})");
  EXPECT_EQ(enrichment.watch_key, "watch");
  EXPECT_EQ(enrichment.ttl, Millis(5));
  const auto& metrics = std::get<MetricsRecord>(records[3]);
  ASSERT_EQ(metrics.measurements.size(), 2U);
  EXPECT_EQ(std::get<std::int64_t>(metrics.measurements[0].value), 9'007'199'254'740'993);
  EXPECT_EQ(std::get<double>(metrics.measurements[1].value), 0.1);
  EXPECT_EQ(metrics.measurements[0].kind, MetricKind::kCounter);
  EXPECT_EQ(metrics.dimensions, (std::vector<std::pair<std::string, std::string>>{{"alias", "up"}}));
}

TEST(BatchBody, RecordsComeBackAsTheyWere) {
  const std::string body = EncodeRecords({FullObservation(), FullObject(), Observation{.source = "bare"}});
  const auto lines = SplitBody(body);
  ASSERT_EQ(lines.size(), 3U);
  const auto first = DecodeRecord(lines[0]);
  const auto second = DecodeRecord(lines[1]);
  const auto third = DecodeRecord(lines[2]);
  ASSERT_TRUE(first && second && third);

  const auto& seen = std::get<Observation>(*first);
  const Observation expected = FullObservation();
  EXPECT_EQ(seen.source, expected.source);
  EXPECT_EQ(seen.at, expected.at);
  EXPECT_EQ(seen.identifiers, expected.identifiers);
  ASSERT_EQ(seen.claims.size(), expected.claims.size());
  for (std::size_t i = 0; i < seen.claims.size(); ++i) {
    EXPECT_EQ(seen.claims[i].field, expected.claims[i].field);
    EXPECT_EQ(seen.claims[i].value, expected.claims[i].value);
    EXPECT_EQ(seen.claims[i].policy, expected.claims[i].policy);
  }

  const auto& thing = std::get<ObjectRecord>(*second);
  const ObjectRecord object = FullObject();
  EXPECT_EQ(thing.key, object.key);
  EXPECT_EQ(thing.primary, object.primary);
  EXPECT_EQ(thing.secondary, object.secondary);
  EXPECT_EQ(thing.at, object.at);
  EXPECT_EQ(thing.watched, object.watched);
  EXPECT_EQ(thing.extra, object.extra);
  EXPECT_EQ(thing.foreign_key, object.foreign_key);
  EXPECT_EQ(thing.help, object.help);
  EXPECT_EQ(thing.watch_key, object.watch_key);
  EXPECT_EQ(std::get<Observation>(*third).source, "bare");
}

TEST(BatchBody, BytesThatAreNotUtf8BecomeReplacementCharacters) {
  const std::string body = EncodeRecords({Seen("m", {{"name",
                                                      "a\xff"
                                                      "b\xc3"}})});
  const auto record = DecodeRecord(SplitBody(body).at(0));
  ASSERT_TRUE(record);
  EXPECT_EQ(std::get<Observation>(*record).claims[0].value,
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
}

TEST(BatchBody, EveryByteIsSafeInALine) {
  std::string every;
  for (int byte = 1; byte < 128; ++byte) every += static_cast<char>(byte);
  every += '\0';
  const std::string body = EncodeRecords({Thing(every), Thing("next")});
  const auto lines = SplitBody(body);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(std::get<ObjectRecord>(*DecodeRecord(lines[0])).key, every);
}

TEST(BatchBody, AnEmptyBodyHasNoLines) {
  EXPECT_EQ(EncodeRecords({}), "");
  EXPECT_THAT(SplitBody(""), IsEmpty());
  EXPECT_THAT(SplitBody("a\nb\n"), ElementsAre("a", "b"));
}

TEST(BatchBody, OtherLinesAreRefused) {
  for (const char* line : {"",
                           "x",
                           "{}",
                           "[]",
                           "1",
                           "\"o\"",
                           "[\"z\"]",
                           "[1]",
                           "[\"o\"]",
                           "[\"o\",\"s\",1]",
                           "[\"o\",1,1,[],[]]",
                           "[\"o\",\"s\",\"x\",[],[]]",
                           "[\"o\",\"s\",1,[1,2],[]]",
                           "[\"o\",\"s\",1,[\"mac\"],[]]",
                           "[\"o\",\"s\",1,{},[]]",
                           "[\"o\",\"s\",1,[],[\"name\",\"a\"]]",
                           "[\"o\",\"s\",1,[],[\"name\",\"a\",3]]",
                           "[\"o\",\"s\",1,[],[\"name\",\"a\",-1]]",
                           "[\"o\",\"s\",1,[],[\"name\",\"a\",\"0\"]]",
                           "[\"x\",\"k\",\"p\",\"s\",1,[\"1\",\"2\",\"3\"],\"e\",\"f\",[\"\",\"\",\"\",\"\"],\"w\"]",
                           "[\"x\",\"k\",\"p\",\"s\",1,[\"1\",\"2\",\"3\",\"4\"],\"e\",\"f\",[\"\",\"\",\"\",\"\"]]"}) {
    const auto record = DecodeRecord(line);
    ASSERT_FALSE(record) << line;
    EXPECT_EQ(record.error().code, Errc::kInvalid) << line;
  }
}

}  // namespace
}  // namespace backplane::ingest
