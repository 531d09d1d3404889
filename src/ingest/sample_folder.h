// Turns the metrics of the journal into samples in a file of their own, and answers for both.
//
// A thread of its own follows the journal. Samples wait in memory, so that a block is written for
// many of them at once, and go into the file with the watermark in one transaction: a crash costs
// nothing, since what was in memory is read from the journal again, and doubles nothing, since a
// series has one sample per time. Queries see what waits, too. Thread-safe.
//
// Not taken, counted in backplane_samples_dropped_total and told in the log: samples more than a day
// after their entry, which no clock of ours made, and those that are older than what is kept.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/time.h"
#include "ingest/series_ids.h"
#include "model/ids.h"
#include "store/database.h"
#include "store/journal.h"
#include "store/samples.h"

namespace backplane::ingest {

struct SampleFolderOptions {
  Millis keep = std::chrono::hours(30 * 24);  ///< how long samples are kept
  /// Samples are written when so many wait, or the first has waited so long, and at the end.
  std::size_t most_waiting = 200'000;
  Millis longest_wait = std::chrono::seconds(30);
};

class SampleFolder {
 public:
  /// `journal` and `samples` (with store::SampleMigrations()) and `clock` outlive it.
  SampleFolder(store::Database& journal, store::Database& samples, const Clock& clock,
               const SampleFolderOptions& options = {});
  /// Writes what waits. What could not be read or written is read after the next start.
  ~SampleFolder();

  /// Says that the journal has grown.
  void Wake();

  /// Blocks until queries see everything accepted before the call; false if `timeout` passes first.
  bool WaitUntilFolded(Millis timeout);

  /// The last entry whose samples, and all before, are in the file.
  EntryId folded() const;

  struct Listed {
    store::Series series;
    std::optional<store::Sample> last;
  };
  Result<std::vector<Listed>> List(OrgId org, const store::SeriesFilter& filter) const;

  /// kNotFound: no such series.
  Result<store::Series> Get(OrgId org, store::SeriesId id) const;

  /// Hands out a series' samples from `from` to `to`, both included, in order, until `take` returns
  /// false. kInternal: a damaged block.
  Status Read(store::SeriesId id, TimePoint from, TimePoint to,
              const std::function<bool(const store::Sample&)>& take) const;

 private:
  struct Waiting {
    store::SeriesId series;
    store::Sample sample;
  };

  void Loop(const std::stop_token& stop);
  /// False: it is to stop.
  bool WaitForWork(const std::stop_token& stop);
  Status Work();
  Status Begin();
  Status ReadJournal();
  Status Take(const store::Entry& entry);
  /// Makes the records samples that wait; with them, `mark` is reached.
  Status Add(OrgId org, const std::vector<MetricsRecord>& records, const store::Watermark& mark);
  bool Full() const;
  Status Flush();
  Status Forget();
  std::vector<store::Sample> WaitingOf(store::SeriesId id, TimePoint from, TimePoint to) const;

  store::Database& journal_;
  store::Database& samples_;
  const Clock& clock_;
  const SampleFolderOptions options_;

  // Only of the thread.
  SeriesIds ids_;
  bool begun_ = false;
  std::optional<Millis> flush_due_;  // monotonic
  Millis forget_due_{0};             // monotonic

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable_any changed_;
  bool woken_ = true;
  std::vector<Waiting> waiting_;
  store::Watermark taken_;    // position: lines of the entry after it
  store::Watermark flushed_;  // the same, as it stands in the file
  std::jthread thread_;       // last: it uses all of the above
};

}  // namespace backplane::ingest
