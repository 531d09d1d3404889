#include "ingest/sample_folder.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <future>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/metrics.h"
#include "ingest/test_journal.h"

namespace backplane::ingest {
namespace {

using store::Sample;
using store::SampleValue;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Millis kPatience = std::chrono::seconds(60);
constexpr Millis kNever = std::chrono::hours(24 * 365);

TimePoint At(int seconds) { return kNoon + std::chrono::seconds(seconds); }

MetricsRecord Measured(const std::string& resource, int seconds,
                       std::vector<std::pair<std::string, SampleValue>> values, MetricKind kind = MetricKind::kGauge) {
  MetricsRecord record{.resource = resource, .endpoint = "10.0.0.1", .group = "cpu", .interval = Millis(60'000)};
  record.at = At(seconds);
  record.dimensions = {{"core", "0"}};
  for (auto& [name, value] : values) record.measurements.push_back({name, kind, value, At(seconds)});
  return record;
}

class SampleFolderTest : public ::testing::Test {
 protected:
  ~SampleFolderTest() override { folder_.reset(); }

  void Start(const SampleFolderOptions& options = {.longest_wait = kNever}) {
    folder_.reset();
    folder_ = std::make_unique<SampleFolder>(*journal_, *samples_, clock_, options);
  }
  EntryId Append(const std::vector<Record>& records, int seconds = 0, OrgId org = kDefaultOrg) {
    store::Entry entry = Entry(records, seconds * 1000);
    entry.org = org;
    const EntryId id = journal_.Write([&](store::Connection& c) { return store::AppendEntry(c, entry); });
    if (folder_) {
      EXPECT_TRUE(folder_->WaitUntilFolded(kPatience));
    }
    return id;
  }
  std::vector<SampleFolder::Listed> List(const store::SeriesFilter& filter = {}, OrgId org = kDefaultOrg) {
    const auto listed = folder_->List(org, filter);
    EXPECT_TRUE(listed);
    return listed.value_or(std::vector<SampleFolder::Listed>());
  }
  std::vector<Sample> Read(store::SeriesId id, int from = -86'400, int to = 86'400) {
    std::vector<Sample> samples;
    EXPECT_TRUE(folder_->Read(id, At(from), At(to), [&](const Sample& sample) {
      samples.push_back(sample);
      return true;
    }));
    return samples;
  }
  // Tidying up is nothing that anybody waits for.
  bool Eventually(const std::function<bool()>& condition) {
    const SystemClock clock;
    const Millis end = clock.Monotonic() + kPatience;
    while (!condition() && clock.Monotonic() < end) std::this_thread::yield();
    return condition();
  }

  ManualClock clock_{kNoon};
  store::TestStore journal_;
  store::TestStore samples_{store::Backends().front(), store::SampleMigrations()};
  std::unique_ptr<SampleFolder> folder_;
};

TEST_F(SampleFolderTest, SamplesAreSeenBeforeAndAfterTheyAreWritten) {
  Start();
  const EntryId first =
      Append({Measured("r", 0, {{"load", 1.5}, {"idle", std::int64_t{7}}}), Seen("aa:00:00:00:00:01")});
  const auto check = [&] {
    const auto listed = List();
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_EQ(listed[0].series.name, "load");
    EXPECT_EQ(listed[0].series.resource, "r");
    EXPECT_EQ(listed[0].series.dimensions, R"({"core":"0"})");
    EXPECT_EQ(listed[0].last, (Sample{At(0), 1.5}));
    EXPECT_EQ(listed[1].last, (Sample{At(0), std::int64_t{7}}));
    EXPECT_THAT(Read(1), ElementsAre(Sample{At(0), 1.5}));
    EXPECT_THAT(Read(1, 1, 2), IsEmpty());
  };
  check();
  EXPECT_EQ(folder_->folded(), 0);
  Start();  // the end writes what waits
  EXPECT_TRUE(folder_->WaitUntilFolded(kPatience));
  check();
  EXPECT_EQ(folder_->folded(), first);
  // Both together.
  Append({Measured("r", 3600, {{"load", 2.5}}), Measured("r", 60, {{"load", 2.0}})}, 3600);
  EXPECT_THAT(Read(1), ElementsAre(Sample{At(0), 1.5}, Sample{At(60), 2.0}, Sample{At(3600), 2.5}));
  EXPECT_EQ(List()[0].last, (Sample{At(3600), 2.5}));
  EXPECT_THAT(Read(1, 60, 60), ElementsAre(Sample{At(60), 2.0}));
}

TEST_F(SampleFolderTest, ReadingStopsWhenToldTo) {
  Start();
  Append({Measured("r", 0, {{"a", 1.0}}), Measured("r", 1, {{"a", 2.0}})});
  int seen = 0;
  EXPECT_TRUE(folder_->Read(1, At(0), At(9), [&](const Sample&) { return ++seen < 1; }));
  EXPECT_EQ(seen, 1);
  EXPECT_FALSE(folder_->Get(kDefaultOrg, 2));
  EXPECT_EQ(folder_->Get(kDefaultOrg, 1)->name, "a");
}

TEST_F(SampleFolderTest, WritesWhenEnoughWaits) {
  Start({.most_waiting = 2, .longest_wait = kNever});
  Append({Measured("r", 0, {{"a", 1.0}})});
  EXPECT_EQ(folder_->folded(), 0);
  const EntryId second = Append({Measured("r", 1, {{"a", 2.0}})});
  EXPECT_TRUE(Eventually([&] { return folder_->folded() == second; }));
}

TEST_F(SampleFolderTest, WritesAfterAWhile) {
  Start({.longest_wait = Millis(0)});
  // Also when an entry has no samples: the journal is not kept for those.
  const EntryId entry = Append({Seen("aa:00:00:00:00:01")});
  EXPECT_TRUE(Eventually([&] { return folder_->folded() == entry; }));
}

TEST_F(SampleFolderTest, OfOneTimeTheLastSampleCounts) {
  Start();
  Append({Measured("r", 0, {{"a", 1.0}, {"a", 2.0}})});
  EXPECT_THAT(Read(1), ElementsAre(Sample{At(0), 2.0}));
  EXPECT_EQ(List()[0].last, (Sample{At(0), 2.0}));
  Start();
  Append({Measured("r", 0, {{"a", 3.0}})});
  EXPECT_THAT(Read(1), ElementsAre(Sample{At(0), 3.0}));
  EXPECT_EQ(List()[0].last, (Sample{At(0), 3.0}));
  Start();
  EXPECT_THAT(Read(1), ElementsAre(Sample{At(0), 3.0}));
}

TEST_F(SampleFolderTest, ASeriesIsOneWhateverItsEndpointAndTheOrderOfItsDimensions) {
  Start();
  auto record = Measured("r", 0, {{"a", 1.0}});
  record.dimensions = {{"y", "1"}, {"x", "2"}};
  Append({record});
  record.endpoint = "10.0.0.2";
  record.dimensions = {{"x", "2"}, {"y", "1"}};
  record.measurements[0].at = At(1);
  Append({record});
  record.dimensions.clear();
  Append({record});
  Append({record}, 0, 2);  // another organisation's
  const auto listed = List();
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0].series.dimensions, R"({"x":"2","y":"1"})");
  EXPECT_EQ(listed[0].series.endpoint, "10.0.0.2");
  EXPECT_EQ(Read(1).size(), 2U);
  EXPECT_EQ(listed[1].series.dimensions, "{}");
  EXPECT_EQ(List({}, 2).size(), 1U);
}

TEST_F(SampleFolderTest, TimesThatCannotBeAreNotTaken) {
  Metric& dropped = Counter("backplane_samples_dropped_total", "");
  const auto before = dropped.value();
  Start({.keep = std::chrono::hours(1), .longest_wait = kNever});
  Append({Measured("r", -3601, {{"old", 1.0}}), Measured("r", -3600, {{"a", 1.0}}), Measured("r", 86'400, {{"a", 2.0}}),
          Measured("r", 86'401, {{"future", 1.0}})});
  EXPECT_EQ(dropped.value() - before, 2);
  EXPECT_EQ(List().size(), 1U);
  EXPECT_EQ(Read(1).size(), 2U);
}

TEST_F(SampleFolderTest, DamagedLinesSayNothing) {
  Start();
  store::Entry entry = Entry({Measured("r", 0, {{"a", 1.0}})});
  entry.body = "[\"m\",nonsense\n[\"m\",1]\n" + entry.body;
  journal_.Write([&](store::Connection& c) { store::AppendEntry(c, entry); });
  EXPECT_TRUE(folder_->WaitUntilFolded(kPatience));
  EXPECT_EQ(Read(1).size(), 1U);
}

TEST_F(SampleFolderTest, OldSamplesAreForgotten) {
  Start({.keep = std::chrono::hours(2), .longest_wait = kNever});
  Append({Measured("r", 0, {{"a", 1.0}, {"b", 1.0}})});
  Append({Measured("r", 4 * 3600, {{"a", 2.0}})}, 4 * 3600);
  folder_.reset();
  clock_.Advance(std::chrono::hours(4));
  Start({.keep = std::chrono::hours(2), .longest_wait = kNever});
  EXPECT_TRUE(Eventually([&] { return List().size() == 1; }));
  EXPECT_EQ(List()[0].series.name, "a");
  EXPECT_THAT(Read(1), ElementsAre(Sample{At(4 * 3600), 2.0}));
  EXPECT_EQ(samples_.Read([](store::Connection& c) { return store::CheckBlocks(c); }), 1);
  // A series that comes back is a new one.
  Append({Measured("r", 4 * 3600, {{"b", 3.0}})}, 4 * 3600);
  EXPECT_EQ(List()[1].last, (Sample{At(4 * 3600), 3.0}));
}

TEST_F(SampleFolderTest, AJournalThatWasPutBackIsReadFromItsBeginning) {
  Append({Measured("r", 0, {{"a", 1.0}})});
  samples_.Write([](store::Connection& c) { store::SetWatermark(c, "samples", {9, 0}); });
  Start();
  Append({Measured("r", 1, {{"a", 2.0}})});
  EXPECT_EQ(Read(1).size(), 2U);
}

// The first writes fail.
class FailingDatabase final : public store::Database {
 public:
  FailingDatabase(store::Database& inner, int failures) : inner_(inner), left_(failures) {}
  void Submit(store::Priority priority, Work work, Done done) override {
    if (left_-- > 0) work = [](store::Connection&) -> Status { return Fail(Errc::kUnavailable, "disk full"); };
    inner_.Submit(priority, std::move(work), std::move(done));
  }
  Status Read(const std::function<Status(store::Connection&)>& work) override { return inner_.Read(work); }

 private:
  store::Database& inner_;
  std::atomic<int> left_;
};

TEST_F(SampleFolderTest, WhatCannotBeWrittenIsTriedAgain) {
  FailingDatabase failing(*samples_, 2);
  {
    const EntryId entry = Append({Measured("r", 0, {{"a", 1.0}}), Measured("r", 1, {{"a", 2.0}})});
    SampleFolder folder(*journal_, failing, clock_, {.most_waiting = 1, .longest_wait = kNever});
    EXPECT_TRUE(folder.WaitUntilFolded(kPatience));
    EXPECT_TRUE(Eventually([&] { return folder.folded() == entry; }));
  }
  Start();
  EXPECT_THAT(Read(1), ElementsAre(Sample{At(0), 1.0}, Sample{At(1), 2.0}));
}

// Killed at the second writing, in the middle of an entry; then everything is there once.
class SampleFolderCrash : public ::testing::TestWithParam<const char*> {};

constexpr int kLines = 6;
constexpr int kPerLine = 6'000;  // two lines are one step

TEST_P(SampleFolderCrash, NothingIsLostOrThereTwice) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const ManualClock clock(kNoon);
  // The process that dies is given the folder of this one.
  std::optional<TestFolder> own;
  if (std::getenv("BACKPLANE_TEST_FOLDER") == nullptr) {
    own.emplace();
    setenv("BACKPLANE_TEST_FOLDER", own->path().c_str(), 1);
  }
  const std::filesystem::path path = std::getenv("BACKPLANE_TEST_FOLDER");
  const auto run = [&] {
    const auto journal = store::OpenSqlite({.file = path / "journal.db"}).value_or(nullptr);
    const auto samples =
        store::OpenSqlite({.file = path / "samples.db", .migrations = store::SampleMigrations()}).value_or(nullptr);
    std::vector<Record> records;
    for (int line = 0; line < kLines; ++line) {
      std::vector<std::pair<std::string, SampleValue>> values;
      for (int i = 0; i < kPerLine; ++i) values.emplace_back("m" + std::to_string(i), std::int64_t{line});
      records.emplace_back(Measured("r", line, std::move(values)));
    }
    EXPECT_TRUE(journal->Write([&](store::Connection& c) -> Status {
      if (store::LastEntry(c) == 0) store::AppendEntry(c, Entry(records));
      return {};
    }));
    SampleFolder folder(*journal, *samples, clock, {.most_waiting = 1, .longest_wait = kNever});
    EXPECT_TRUE(folder.WaitUntilFolded(kPatience));
    const auto listed = folder.List(kDefaultOrg, {.limit = 2 * kPerLine});
    ASSERT_EQ(listed.value().size(), static_cast<std::size_t>(kPerLine));
    for (const auto& [series, last] : *listed) {
      std::vector<SampleValue> values;
      EXPECT_TRUE(folder.Read(series.id, At(0), At(60), [&](const Sample& sample) {
        EXPECT_EQ(sample.at, At(static_cast<int>(values.size())));
        values.push_back(sample.value);
        return true;
      }));
      ASSERT_EQ(values.size(), static_cast<std::size_t>(kLines));
      EXPECT_EQ(values.back(), SampleValue(std::int64_t{kLines - 1}));
    }
  };
  setenv("BACKPLANE_CRASH_AT", GetParam(), 1);
  EXPECT_EXIT((run(), _exit(0)), ::testing::KilledBySignal(SIGKILL), "");
  unsetenv("BACKPLANE_CRASH_AT");
  unsetenv("BACKPLANE_TEST_FOLDER");
  run();
}

INSTANTIATE_TEST_SUITE_P(Points, SampleFolderCrash,
                         ::testing::Values("samples.flush.before:2", "samples.flush.inside:2",
                                           "samples.flush.after:2"));

}  // namespace
}  // namespace backplane::ingest
