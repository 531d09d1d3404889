#include "ingest/sample_folder.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ingest/batch_body.h"

namespace backplane::ingest {
namespace {

using store::Sample;
using store::Watermark;

constexpr const char* kName = "samples";  // of the watermark
constexpr int kEntriesPerRead = 500;
constexpr std::size_t kBytesPerRead = 1 << 20;
// Records are decoded until they have so many measurements, so that a long entry takes little memory.
constexpr std::size_t kMeasurementsPerStep = 10'000;
constexpr int kRowsPerStep = 1'000;
constexpr Millis kForgetEvery = std::chrono::minutes(10);
constexpr Millis kRetryDelay{1'000};
constexpr Millis kMostAhead = std::chrono::hours(24);

std::int64_t BlockOf(store::SeriesId series, TimePoint at) { return store::BlockId(series, store::HourOf(at)); }

// Nothing if the line is no record of metrics. Times that are not taken are removed and counted.
std::optional<MetricsRecord> Decode(const store::Entry& entry, std::string_view line, Millis keep,
                                    std::size_t& dropped) {
  if (!IsMetrics(line)) return std::nullopt;
  Result<Record> record = DecodeRecord(line);
  auto* metrics = record ? std::get_if<MetricsRecord>(&*record) : nullptr;
  if (metrics == nullptr) {
    LogError("journal entry {}: {}", entry.id, record ? "not metrics" : record.error().message);
    return std::nullopt;
  }
  const TimePoint first = std::max(entry.at - keep, TimePoint());
  dropped += std::erase_if(metrics->measurements, [&](const Measurement& metric) {
    return metric.at < first || metric.at > entry.at + kMostAhead;
  });
  if (metrics->measurements.empty()) return std::nullopt;
  return std::move(*metrics);
}

}  // namespace

SampleFolder::SampleFolder(store::Database& journal, store::Database& samples, const Clock& clock,
                           const SampleFolderOptions& options)
    : journal_(journal), samples_(samples), clock_(clock), options_(options) {
  thread_ = std::jthread([this](const std::stop_token& stop) { Loop(stop); });
}

SampleFolder::~SampleFolder() {
  thread_.request_stop();
  thread_.join();
}

void SampleFolder::Wake() {
  bool asleep = false;
  {
    const std::lock_guard lock(mutex_);
    asleep = !std::exchange(woken_, true);
  }
  if (asleep) changed_.notify_all();
}

bool SampleFolder::WaitUntilFolded(Millis timeout) {
  EntryId last = 0;
  const Status read = journal_.Read([&](store::Connection& connection) -> Status {
    last = store::LastEntry(connection);
    return {};
  });
  if (!read) return false;
  Wake();
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return taken_.entry >= last; });
}

EntryId SampleFolder::folded() const {
  const std::lock_guard lock(mutex_);
  return flushed_.entry;
}

void SampleFolder::Loop(const std::stop_token& stop) {
  while (WaitForWork(stop)) {
    const Status status = Work();
    if (status) continue;
    LogError("samples: {}; trying again", status.error().message);
    std::unique_lock lock(mutex_);
    woken_ = true;
    changed_.wait_for(lock, stop, kRetryDelay, [] { return false; });
  }
  if (const Status status = Flush(); !status)
    LogWarning("samples: {}; they stay in the journal until the next start", status.error().message);
}

bool SampleFolder::WaitForWork(const std::stop_token& stop) {
  const Millis due = std::min(flush_due_.value_or(forget_due_), forget_due_);
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, due - clock_.Monotonic(), [this] { return woken_; });
  return !stop.stop_requested();
}

Status SampleFolder::Work() {
  if (!begun_) BACKPLANE_TRY(Begin());
  // First what waits: when it cannot be written, nothing is added to it.
  if (Full() || (flush_due_ && clock_.Monotonic() >= *flush_due_)) BACKPLANE_TRY(Flush());
  if (clock_.Monotonic() >= forget_due_) BACKPLANE_TRY(Forget());
  bool woken = false;
  {
    const std::lock_guard lock(mutex_);
    woken = std::exchange(woken_, false);
  }
  if (woken) BACKPLANE_TRY(ReadJournal());
  return {};
}

Status SampleFolder::Begin() {
  Watermark mark;
  BACKPLANE_TRY(samples_.Read([&](store::Connection& connection) -> Status {
    mark = store::GetWatermark(connection, kName);
    return {};
  }));
  EntryId last = 0;
  BACKPLANE_TRY(journal_.Read([&](store::Connection& connection) -> Status {
    // A journal that has forgotten everything ends where its own fold stands.
    last = std::max(store::LastEntry(connection), store::GetWatermark(connection, "core").entry);
    return {};
  }));
  if (mark.entry > last) {
    LogWarning("samples: the store is older than they are; reading its journal from the beginning");
    mark = {};
  }
  const std::lock_guard lock(mutex_);
  taken_ = flushed_ = mark;
  begun_ = true;
  return {};
}

Status SampleFolder::ReadJournal() {
  std::vector<store::Entry> entries;
  BACKPLANE_TRY(journal_.Read([&](store::Connection& connection) -> Status {
    entries = store::ReadEntries(connection, taken_.entry, kEntriesPerRead, kBytesPerRead);
    return {};
  }));
  for (const store::Entry& entry : entries) BACKPLANE_TRY(Take(entry));
  if (!entries.empty()) Wake();  // there may be more behind these
  changed_.notify_all();
  return {};
}

Status SampleFolder::Take(const store::Entry& entry) {
  const auto lines = SplitBody(entry.body);
  const EntryId before = taken_.entry;
  std::size_t at = std::min(static_cast<std::size_t>(taken_.position), lines.size());
  std::size_t dropped = 0;
  do {
    std::vector<MetricsRecord> records;
    for (std::size_t count = 0; at < lines.size() && count < kMeasurementsPerStep; ++at) {
      auto record = Decode(entry, lines[at], options_.keep, dropped);
      if (!record) continue;
      count += record->measurements.size();
      records.push_back(*std::move(record));
    }
    BACKPLANE_TRY(Add(entry.org, records,
                      at == lines.size() ? Watermark{entry.id, 0} : Watermark{before, static_cast<std::int64_t>(at)}));
  } while (at < lines.size());
  if (dropped == 0) return {};
  static Metric& counter = Counter("backplane_samples_dropped_total", "Samples too old or too far ahead to be kept");
  counter.Add(static_cast<std::int64_t>(dropped));
  LogWarning("journal entry {} of {}: {} samples are older than {} or more than {} ahead, and not kept", entry.id,
             entry.plugin, dropped, FormatDuration(options_.keep), FormatDuration(kMostAhead));
  return {};
}

Status SampleFolder::Add(OrgId org, const std::vector<MetricsRecord>& records, const Watermark& mark) {
  std::vector<store::SeriesId> ids;
  if (!records.empty()) {
    BACKPLANE_ASSIGN(ids, ids_.Of(samples_, org, records));
  }
  if (!flush_due_) flush_due_ = clock_.Monotonic() + options_.longest_wait;
  {
    const std::lock_guard lock(mutex_);
    auto id = ids.begin();
    for (const MetricsRecord& record : records)
      for (const Measurement& metric : record.measurements) waiting_.push_back({*id++, {metric.at, metric.value}});
    taken_ = mark;
  }
  return Full() ? Flush() : Status();
}

Status SampleFolder::Flush() {
  static Metric& written = Counter("backplane_samples_total", "Samples written");
  if (taken_ == flushed_) return {};
  {
    // Stable: of samples of one time the last one counts.
    const std::lock_guard lock(mutex_);
    std::stable_sort(waiting_.begin(), waiting_.end(), [](const Waiting& a, const Waiting& b) {
      return BlockOf(a.series, a.sample.at) < BlockOf(b.series, b.sample.at);
    });
  }
  CrashPoint("samples.flush.before");
  // Only this thread changes waiting_.
  BACKPLANE_TRY(samples_.Write([this](store::Connection& connection) -> Status {
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < waiting_.size();) {
      const std::int64_t block = BlockOf(waiting_[i].series, waiting_[i].sample.at);
      samples.clear();
      for (; i < waiting_.size() && BlockOf(waiting_[i].series, waiting_[i].sample.at) == block; ++i)
        samples.push_back(waiting_[i].sample);
      store::AddToBlock(connection, block, samples);
    }
    CrashPoint("samples.flush.inside");
    store::SetWatermark(connection, kName, taken_);
    return {};
  }));
  CrashPoint("samples.flush.after");
  written.Add(static_cast<std::int64_t>(waiting_.size()));
  flush_due_.reset();
  const std::lock_guard lock(mutex_);
  waiting_ = {};
  flushed_ = taken_;
  return {};
}

Status SampleFolder::Forget() {
  const store::Hour before = store::HourOf(clock_.Now() - options_.keep);
  const auto step = [&](auto forget, int& forgotten) {
    return samples_.Write([&](store::Connection& connection) -> Status {
      forgotten = forget(connection, before, kRowsPerStep);
      return {};
    });
  };
  // One step at a time, and again at once while there is more: the journal goes on in between.
  int forgotten = 0;
  BACKPLANE_TRY(step(store::ForgetBlocks, forgotten));
  if (forgotten == kRowsPerStep) return {};
  BACKPLANE_TRY(Flush());  // a series whose samples wait looks forgotten
  BACKPLANE_TRY(step(store::ForgetSeries, forgotten));
  if (forgotten > 0) ids_.Clear();
  if (forgotten < kRowsPerStep) forget_due_ = clock_.Monotonic() + kForgetEvery;
  return {};
}

bool SampleFolder::Full() const { return waiting_.size() >= options_.most_waiting; }

std::vector<Sample> SampleFolder::WaitingOf(store::SeriesId id, TimePoint from, TimePoint to) const {
  std::vector<Sample> samples;
  const std::lock_guard lock(mutex_);
  for (const Waiting& one : waiting_)
    if (one.series == id && one.sample.at >= from && one.sample.at <= to) samples.push_back(one.sample);
  return samples;
}

Result<std::vector<SampleFolder::Listed>> SampleFolder::List(OrgId org, const store::SeriesFilter& filter) const {
  std::vector<Listed> listed;
  BACKPLANE_TRY(samples_.Read([&](store::Connection& connection) -> Status {
    for (store::Series& series : store::SeriesTable(connection, org).List(filter))
      listed.push_back({std::move(series), std::nullopt});
    return {};
  }));
  const auto later = [](Listed& one, const Sample& sample, bool or_same) {
    if (!one.last || sample.at > one.last->at || (or_same && sample.at == one.last->at)) one.last = sample;
  };
  {
    // First what waits: what is written in between is then found in its block, never in neither.
    const std::lock_guard lock(mutex_);
    for (const Waiting& waiting : waiting_) {
      const auto found = std::lower_bound(listed.begin(), listed.end(), waiting.series,
                                          [](const Listed& one, store::SeriesId id) { return one.series.id < id; });
      if (found != listed.end() && found->series.id == waiting.series) later(*found, waiting.sample, true);
    }
  }
  BACKPLANE_TRY(samples_.Read([&](store::Connection& connection) -> Status {
    for (Listed& one : listed) {
      // Damage is told when it is asked for.
      const auto block = store::ReadBlock(connection, store::BlockId(one.series.id, one.series.last_hour));
      if (block && !block->empty()) later(one, block->back(), false);
    }
    return {};
  }));
  return listed;
}

Result<store::Series> SampleFolder::Get(OrgId org, store::SeriesId id) const {
  std::optional<store::Series> series;
  BACKPLANE_TRY(samples_.Read([&](store::Connection& connection) -> Status {
    series = store::SeriesTable(connection, org).Get(id);
    return {};
  }));
  if (!series) return Fail(Errc::kNotFound, fmt::format("no such series: {}", id));
  return *std::move(series);
}

Status SampleFolder::Read(store::SeriesId id, TimePoint from, TimePoint to,
                          const std::function<bool(const Sample&)>& take) const {
  // There is nothing beyond these.
  from = std::max(from, clock_.Now() - options_.keep - std::chrono::hours(1));
  to = std::min(to, clock_.Now() + kMostAhead);
  const std::vector<Sample> waiting = store::MergeSamples({}, WaitingOf(id, from, to));
  return samples_.Read([&](store::Connection& connection) -> Status {
    auto next = waiting.begin();
    for (store::Hour hour = store::HourOf(from); hour <= store::HourOf(to); ++hour) {
      BACKPLANE_ASSIGN(std::vector<Sample> samples, store::ReadBlock(connection, store::BlockId(id, hour)));
      const auto begin = next;
      while (next != waiting.end() && store::HourOf(next->at) == hour) ++next;
      for (const Sample& sample : store::MergeSamples(std::move(samples), {begin, next}))
        if (sample.at >= from && sample.at <= to && !take(sample)) return {};
    }
    return {};
  });
}

}  // namespace backplane::ingest
