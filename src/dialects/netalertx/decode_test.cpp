#include "dialects/netalertx/decode.h"

#include <array>
#include <ctime>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dialects/netalertx/addresses.h"
#include "dialects/netalertx/read.h"
#include "dialects/netalertx/test_plugin.h"

namespace backplane::netalertx {
namespace {

using testing::HasSubstr;

const TimePoint kAt = *ParseTime("2026-08-22T10:00:00Z");

Manifest Scanner() {
  Json document = TestManifest("SCAN");
  document["mapped_to_table"] = "CurrentScan";
  document["database_column_definitions"] = Json::parse(
      R"([{"column":"objectPrimaryId","mapped_to_column":"scanMac","localized":[]},
          {"column":"objectSecondaryId","mapped_to_column":"scanLastIP","localized":[]}])");
  return ReadManifest(document.dump(), "config.json", "/x", {}).manifest.value_or(Manifest());
}

Output WithFile(std::string content, RunStatus status = RunStatus::kOk) {
  Output output;
  output.status = status;
  output.files.push_back({"last_result.SCAN.log", std::move(content), {}});
  return output;
}

Batch Decode(const Output& output) { return DecodeOutput(Scanner(), {}, {}, output, kAt); }

constexpr const char* kRow = "00:11:22:33:44:55|10.0.0.1|2026-08-22 09:00:00||||||\n";

TEST(Decode, OnlyTheFileOfThatNameCounts) {
  Output output = WithFile(kRow);
  output.files[0].name = "last_result.SCANDEV.log";
  output.files.push_back({"last_result.SCAN.log.7.part", kRow, {}});
  const Batch astray = Decode(output);
  EXPECT_TRUE(astray.records.empty());
  ASSERT_EQ(astray.refused.size(), 1U);
  EXPECT_EQ(astray.refused[0].where, "last_result.SCANDEV.log");
  EXPECT_THAT(astray.refused[0].reason, HasSubstr("last_result.SCAN.log"));
  output.files.push_back({"last_result.SCAN.log", kRow, {}});
  EXPECT_EQ(Decode(output).records.size(), 2U);
}

TEST(Decode, IgnoredRowsAreObjectsButNoDevices) {
  const Settings all = {{"NEWDEV_ignored_MACs", Json::array({"00:11:%"})}};
  const Batch batch =
      DecodeOutput(Scanner(), {}, all, WithFile(std::string(kRow) + "00:22:22:33:44:55|10.0.0.2|||||||\n"), kAt);
  EXPECT_TRUE(batch.complete);
  EXPECT_TRUE(batch.refused.empty());
  ASSERT_EQ(batch.records.size(), 3U);
  EXPECT_EQ(std::get<ObjectRecord>(batch.records[0]).primary, "00:11:22:33:44:55");
  EXPECT_EQ(std::get<Observation>(batch.records[2]).identifiers[0].value, "00:22:22:33:44:55");
}

TEST(Decode, NewDevicesHaveWhatTheSettingsSay) {
  const Settings all = {{"NEWDEV_devParentMAC", "00:22:22:33:44:99"}, {"NEWDEV_devOwner", "me"}};
  using Fields = std::map<std::string, std::string>;
  EXPECT_EQ(DecodeOutput(Scanner(), {}, all, WithFile(kRow), kAt).defaults,
            (Fields{{"owner", "me"}, {"parent", "00:22:22:33:44:99"}}));
  EXPECT_EQ(DecodeOutput(Scanner(), {}, all, WithFile("internet|1.2.3.4|||||||\n"), kAt).defaults,
            (Fields{{"owner", "me"}}));
  Manifest other = Scanner();
  other.document.erase("mapped_to_table");
  EXPECT_TRUE(DecodeOutput(other, {}, all, WithFile(kRow), kAt).defaults.empty());
}

TEST(Decode, NoRowsDoNotMeanThatAllIsMissing) {
  EXPECT_FALSE(Decode({}).complete);
  EXPECT_FALSE(Decode(WithFile("")).complete);
  EXPECT_FALSE(Decode(WithFile("torn|row\n")).complete);
  EXPECT_TRUE(Decode(WithFile(kRow)).complete);
}

TEST(Decode, TheExitCodeDoesNotMatter) { EXPECT_TRUE(Decode(WithFile(kRow, RunStatus::kFailed)).complete); }

TEST(Decode, ARunCutShortKeepsItsRowsAndConcludesNothing) {
  for (const RunStatus status : {RunStatus::kTimeout, RunStatus::kKilled, RunStatus::kCancelled}) {
    const Batch batch = Decode(WithFile(kRow, status));
    EXPECT_EQ(batch.records.size(), 2U);
    EXPECT_FALSE(batch.complete);
  }
}

TEST(Decode, AnUnreadableFileIsRefused) {
  Output output = WithFile("");
  output.files[0].error = "a symbolic link, not a file";
  const Batch batch = Decode(output);
  ASSERT_EQ(batch.refused.size(), 1U);
  EXPECT_EQ(batch.refused[0].where, "last_result.SCAN.log");
  EXPECT_FALSE(batch.complete);
}

TEST(Decode, RowsAndRefusalsAreBounded) {
  std::string content;
  for (std::size_t i = 0; i < kMostRows + 5; ++i) content += fmt::format("{}|10.0.0.1|||||||\n", i);
  for (std::size_t i = 0; i < 2 * kMostRefusals; ++i) content += "x\n";
  const Batch batch = Decode(WithFile(content));
  EXPECT_EQ(batch.records.size(), 2 * kMostRows);
  EXPECT_FALSE(batch.complete);  // what was not read may not be called missing
  ASSERT_EQ(batch.refused.size(), kMostRefusals);
  EXPECT_THAT(batch.refused[0].reason, HasSubstr("beyond the limit"));
  EXPECT_EQ(batch.refused.back().reason, fmt::format("{} more were refused", kMostRefusals + 6));
}

TEST(Decode, AnEndlessLineIsRefused) {
  const Batch batch = Decode(WithFile(std::string(kLongestLine + 1, '|') + "\n" + kRow));
  EXPECT_EQ(batch.records.size(), 2U);
  ASSERT_EQ(batch.refused.size(), 1U);
  EXPECT_THAT(batch.refused[0].reason, HasSubstr("longer than"));
  EXPECT_FALSE(batch.complete);
}

// One row; nothing but the separators means anything in it.
ObjectRecord Decoded(const std::array<std::string, 13>& row) {
  const Batch batch = Decode(WithFile(fmt::format("{}\n", fmt::join(row, "|"))));
  EXPECT_EQ(batch.records.size(), 2U) << (batch.refused.empty() ? "" : batch.refused[0].reason);
  return batch.records.empty() ? ObjectRecord{} : std::get<ObjectRecord>(batch.records[0]);
}

TEST(Decode, HostileValuesAreData) {
  const std::string large(1'000'000, 'x');
  const std::string zero("a\0b", 3);
  const std::array<std::string, 13> row = {"00:11:22:33:44:55",
                                           "10.0.0.1",
                                           "2026-08-22 09:00:00",
                                           "'; DROP TABLE object; --",
                                           "<script>alert(1)</script>&amp;",
                                           large,
                                           "\x1b[31m\a%s{}\\n\"",
                                           zero,
                                           "\xe2\x80\xae\xf0\x9f\x92\xa9",
                                           "$(reboot) `id` {s-quote}",
                                           "../../etc/passwd",
                                           "=1+1",
                                           "None"};
  const ObjectRecord object = Decoded(row);
  EXPECT_EQ(object.key, row[0] + "|" + row[1]);
  EXPECT_EQ(object.watched, (std::array{row[3], row[4], row[5], row[6]}));
  EXPECT_EQ(object.extra, row[7]);
  EXPECT_EQ(object.foreign_key, row[8]);
  EXPECT_EQ(object.help, (std::array{row[9], row[10], row[11], row[12]}));
}

TEST(Decode, AFieldMayBeAMegabyteInEveryColumn) {
  std::array<std::string, 13> row;
  for (std::size_t i = 3; i < 7; ++i) row[i] = std::string(1'000'000, static_cast<char>('a' + i));
  row[0] = "00:11:22:33:44:55";
  EXPECT_EQ(Decoded(row).watched[3], row[6]);
}

TEST(Decode, MillionsOfLinesAreCountedNotKept) {
  constexpr std::size_t kLines = 2'000'000;
  std::string content;
  for (std::size_t i = 0; i < kLines; ++i) content += i % 2 == 0 ? "|\n" : "\n";
  const Batch batch = Decode(WithFile(content + kRow));
  EXPECT_EQ(batch.records.size(), 2U);
  ASSERT_EQ(batch.refused.size(), kMostRefusals);
  EXPECT_EQ(batch.refused.back().reason, fmt::format("{} more were refused", kLines / 2 - kMostRefusals + 1));
  EXPECT_TRUE(batch.complete);
}

TEST(Decode, MillionsOfRowsAreCutAtTheLimit) {
  std::string content;
  for (std::size_t i = 0; i < 5 * kMostRows; ++i) content += "||||||||\n";  // the smallest row, again and again
  const Batch batch = Decode(WithFile(content));
  EXPECT_EQ(batch.records.size(), 1U);
  EXPECT_EQ(batch.refused.size(), kMostRefusals);
  EXPECT_FALSE(batch.complete);
}

TEST(Decode, EveryRecordIsWellFormed) {
  const Batch batch = Decode(WithFile("\xFF|10.0.0.1|\xFE||||||\n00:11:22:33:44:55|::1||\x80|||||\n"));
  for (const Record& record : batch.records) {
    const auto* seen = std::get_if<Observation>(&record);
    EXPECT_TRUE(!seen || !seen->identifiers.empty());
  }
  EXPECT_EQ(batch.records.size(), 4U);
}

TEST(Addresses, MacHasOneForm) {
  for (const char* text :
       {"00:1A:2b:3c:4D:5e", "00-1a-2b-3c-4d-5e", "001a2b3c4d5e", "001a.2b3c.4d5e", " 00:1a:2b:3c:4d:5e "})
    EXPECT_EQ(NormalMac(text), "00:1a:2b:3c:4d:5e") << text;
  for (const char* text :
       {"", "internet", "00:1a:2b:3c:4d", "00:1a:2b:3c:4d:5g", "00:1a-2b:3c:4d:5e", "0:01a:2b:3c:4d:5e",
        "00:00:00:00:00:00", "FF:FF:FF:FF:FF:FF", "001a2b3c4d5e6", "001a:2b3c:4d5e"})
    EXPECT_FALSE(NormalMac(text)) << text;
}

TEST(Addresses, IpHasOneForm) {
  EXPECT_EQ(NormalIp(" 10.0.0.1 "), "10.0.0.1");
  EXPECT_EQ(NormalIp("FE80:0:0:0::1%eth0"), "fe80::1");
  for (const char* text : {"", "0.0.0.0", "::", "10.0.0", "10.0.0.256", "host", "null"})
    EXPECT_FALSE(NormalIp(text)) << text;
}

}  // namespace
}  // namespace backplane::netalertx
