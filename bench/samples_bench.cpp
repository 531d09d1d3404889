// Metrics from journal entries into the sample store, sustained, with the memory that it takes;
// beside plain SQLite with one row per sample.
//
//   samples_bench [ROUNDS [DEVICES]]
//
// 1,000 devices with 50 series each are polled once per round, 120 times, a minute of the samples' time apart. Each
// poll is a journal entry; the folds are those of the daemon: the core's, which passes over metrics,
// and the samples'. The peers get the same samples without journal and JSON, in transactions of the
// size in which ours are written: once with the key that makes writing idempotent and a series
// readable, once appended without any.
#include <sqlite3.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <future>

#include <fmt/format.h>

#include "base/log.h"
#include "bench.h"
#include "ingest/batch_body.h"
#include "ingest/core_fold.h"
#include "ingest/folder.h"
#include "ingest/sample_folder.h"
#include "store/journal.h"
#include "store/sqlite/sqlite_database.h"

namespace backplane::bench {
namespace {

namespace fs = std::filesystem;

constexpr int kPorts = 10;   // of a device
constexpr int kMetrics = 5;  // of a port
constexpr std::int64_t kRoundMillis = 60'000;
constexpr double kTarget = 50'000;
constexpr double kMostGrowth = 1.1;

// Numbers that look random and can be made again.
std::uint64_t Noise(int series, int round) {
  std::uint64_t x = static_cast<std::uint64_t>(series) * 0x9E3779B97F4A7C15 + static_cast<std::uint64_t>(round);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

struct Load {
  std::int64_t start = 0;  // ms since 1970
  int rounds = 0;
  int devices = 0;
  int series() const { return devices * kPorts * kMetrics; }
  std::int64_t samples() const { return std::int64_t{rounds} * series(); }
  // A poll starts up to 50 ms after its slot.
  std::int64_t At(int device, int round) const {
    return start + round * kRoundMillis + device * kRoundMillis / devices +
           static_cast<std::int64_t>(Noise(-device, round) % 50);
  }
};

[[noreturn]] void Die(const std::string& why) {
  fmt::print(stderr, "samples_bench: {}\n", why);
  std::exit(1);
}
void Must(const Status& status) {
  if (!status) Die(status.error().message);
}

double ResidentMegabytes() {
  std::int64_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return static_cast<double>(resident * sysconf(_SC_PAGESIZE)) / 1e6;
}

// Of a port's five metrics: bytes and packets in both directions, and how busy it is, in tenths of a percent.
bool IsCounter(int metric) { return metric < kMetrics - 1; }
std::int64_t CounterValue(int series, int round) {
  return static_cast<std::int64_t>(Noise(series, 0) % 1'000'000'000) + round * std::int64_t{1'000'000} +
         static_cast<std::int64_t>(Noise(series, round) % 500'000);
}
double GaugeValue(int series, int round) { return static_cast<double>(Noise(series, round) % 200) / 10; }

std::vector<Record> Poll(const Load& load, int device, int round) {
  constexpr const char* kNames[kMetrics] = {"bytes_in", "bytes_out", "packets_in", "packets_out", "utilization"};
  const TimePoint at = FromMillis(load.At(device, round));
  std::vector<Record> records;
  for (int port = 0; port < kPorts; ++port) {
    MetricsRecord record{.resource = fmt::format("lab|network|switch|acme|sw-{:04}.example.net", device),
                         .endpoint = fmt::format("10.0.{}.{}", device / 250, device % 250),
                         .group = "interface",
                         .interval = Millis(kRoundMillis),
                         .at = at};
    record.dimensions = {{"interface_name", fmt::format("Ethernet{}/1", port)}, {"speed", "10G"}};
    for (int metric = 0; metric < kMetrics; ++metric) {
      const int series = (device * kPorts + port) * kMetrics + metric;
      Measurement measurement{.name = kNames[metric], .at = at};
      if (IsCounter(metric)) {
        measurement.kind = MetricKind::kCounter;
        measurement.value = CounterValue(series, round);
      } else {
        measurement.value = GaugeValue(series, round);
      }
      record.measurements.push_back(std::move(measurement));
    }
    records.emplace_back(std::move(record));
  }
  return records;
}

struct Measured {
  double wall = 0;
  double cpu = 0;
  std::uint64_t bytes = 0;  // on disk
};

void Print(const char* who, const Measured& measured, double samples) {
  fmt::print("{:<28} {:>9.0f} samples/s  {:>6.2f} s of processor time per million  {:>6.2f} bytes per sample\n", who,
             samples / measured.wall, measured.cpu / samples * 1e6, static_cast<double>(measured.bytes) / samples);
}

// One entry per device, as accepting appends them: whoever waits is committed together.
void AppendRound(store::Database& database, const Load& load, int round) {
  std::promise<void> appended;
  for (int device = 0; device < load.devices; ++device) {
    store::Entry entry{.at = FromMillis(load.At(device, round)), .plugin = "bench:poll", .run = device + 1};
    entry.body = ingest::EncodeRecords(Poll(load, device, round));
    database.Submit(
        store::Priority::kNormal,
        [entry = std::move(entry)](store::Connection& connection) -> Status {
          store::AppendEntry(connection, entry);
          return {};
        },
        [&appended, last = device + 1 == load.devices](const Status& status) {
          Must(status);
          if (last) appended.set_value();
        });
  }
  appended.get_future().wait();
}

std::int64_t CountSamples(const fs::path& file) {
  const auto database = store::OpenSqlite({.file = file, .migrations = store::SampleMigrations()});
  if (!database) Die(database.error().message);
  std::int64_t samples = 0;
  Must((*database)->Read([&](store::Connection& connection) -> Status {
    store::Rows rows = connection.Query("SELECT data FROM block");
    while (rows.Next()) samples += static_cast<std::int64_t>(store::DecodeBlock(rows.Bytes(0)).value().size());
    return {};
  }));
  return samples;
}

Measured RunOurs(const fs::path& folder, const Load& load, bool& flat) {
  const SystemClock clock;
  Measured measured;
  double first = 0, most = 0;
  {
    const auto database = store::OpenSqlite({.file = folder / "backplane.db"});
    const auto metrics =
        store::OpenSqlite({.file = folder / "metrics.db", .readers = 2, .migrations = store::SampleMigrations()});
    if (!database || !metrics) Die("cannot open the stores");
    ingest::CoreFold fold;
    const double cpu = CpuSeconds(), wall = WallSeconds();
    {
      ingest::SampleFolder samples(**database, **metrics, clock);
      ingest::Folder core(**database, fold, clock, [&samples] { samples.Wake(); });
      fmt::print("{:>10} {:>10} {:>14}\n", "seconds", "samples", "resident, MB");
      for (int round = 0; round < load.rounds; ++round) {
        AppendRound(**database, load, round);
        core.Wake();
        // Not too far ahead, so that what is printed is folded.
        if (round % 4 == 3 && !samples.WaitUntilFolded(std::chrono::minutes(2))) Die("not folded within two minutes");
        if ((round + 1) * 10 % load.rounds >= 10) continue;
        const double resident = ResidentMegabytes();
        // The first tenths fill the caches.
        if (round < load.rounds * 3 / 10) first = std::max(first, resident);
        most = std::max(most, resident);
        fmt::print("{:>10.1f} {:>10} {:>14.1f}\n", WallSeconds() - wall, (round + 1) * load.series(), resident);
      }
      if (!core.WaitUntilFolded(std::chrono::minutes(2)) || !samples.WaitUntilFolded(std::chrono::minutes(2)))
        Die("not folded within two minutes");
    }  // writes what waits
    measured.wall = WallSeconds() - wall;
    measured.cpu = CpuSeconds() - cpu;
  }
  flat = most <= first * kMostGrowth;
  measured.bytes = fs::file_size(folder / "metrics.db");
  return measured;
}

class Plain {
 public:
  Plain(const fs::path& file, const char* table) {
    if (sqlite3_open(file.c_str(), &db_) != SQLITE_OK) Die("the peer cannot open its store");
    Script("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16000");
    Script(table);
    if (sqlite3_prepare_v2(db_, "INSERT INTO sample VALUES (?, ?, ?)", -1, &insert_, nullptr) != SQLITE_OK)
      Die(sqlite3_errmsg(db_));
  }
  ~Plain() {
    sqlite3_finalize(insert_);
    sqlite3_close(db_);
  }
  Plain(const Plain&) = delete;
  Plain& operator=(const Plain&) = delete;

  void Run(const Load& load, std::size_t per_transaction) {
    Script("BEGIN");
    std::size_t open = 0;
    for (int round = 0; round < load.rounds; ++round)
      for (int series = 0; series < load.series(); ++series) {
        sqlite3_bind_int64(insert_, 1, series);
        sqlite3_bind_int64(insert_, 2, load.At(series / (kPorts * kMetrics), round));
        if (IsCounter(series % kMetrics))
          sqlite3_bind_int64(insert_, 3, CounterValue(series, round));
        else
          sqlite3_bind_double(insert_, 3, GaugeValue(series, round));
        if (sqlite3_step(insert_) != SQLITE_DONE) Die(sqlite3_errmsg(db_));
        sqlite3_reset(insert_);
        if (++open % per_transaction == 0) Script("COMMIT; BEGIN");
      }
    Script("COMMIT");
  }

 private:
  void Script(const char* sql) {
    if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) Die(sqlite3_errmsg(db_));
  }
  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

Measured RunPlain(const fs::path& file, const char* table, const Load& load) {
  Measured measured;
  const double cpu = CpuSeconds(), wall = WallSeconds();
  Plain(file, table).Run(load, ingest::SampleFolderOptions().most_waiting);
  measured.wall = WallSeconds() - wall;
  measured.cpu = CpuSeconds() - cpu;
  measured.bytes = fs::file_size(file);
  return measured;
}

int Main(int rounds, int devices) {
  InitLog(LogLevel::kWarning, "samples_bench");
  const TemporaryFolder folder;
  const Load load{ToMillis(SystemClock().Now()) - rounds * kRoundMillis, rounds, devices};
  bool flat = false;
  const Measured ours = RunOurs(folder.path(), load, flat);
  if (const std::int64_t found = CountSamples(folder.path() / "metrics.db"); found != load.samples())
    Die(fmt::format("recount: {} samples, and should be {}", found, load.samples()));
  const Measured keyed = RunPlain(folder.path() / "keyed.db",
                                  "CREATE TABLE sample (series INTEGER NOT NULL, at INTEGER NOT NULL, value NOT NULL, "
                                  "PRIMARY KEY (series, at)) WITHOUT ROWID",
                                  load);
  const Measured appended =
      RunPlain(folder.path() / "appended.db",
               "CREATE TABLE sample (series INTEGER NOT NULL, at INTEGER NOT NULL, value NOT NULL)", load);
  const auto samples = static_cast<double>(load.samples());
  Print("ours, with journal and JSON", ours, samples);
  Print("a row per sample, keyed", keyed, samples);
  Print("a row per sample, appended", appended, samples);
  const auto bytes = static_cast<double>(ours.bytes);
  fmt::print("ratio, ours to keyed: {:.2f} of the processor time, {:.2f} of the disk\n", ours.cpu / keyed.cpu,
             bytes / static_cast<double>(keyed.bytes));
  fmt::print("ratio, ours to appended: {:.2f} of the processor time, {:.2f} of the disk\n", ours.cpu / appended.cpu,
             bytes / static_cast<double>(appended.bytes));
  const double rate = samples / ours.wall;
  const bool reached = rate >= kTarget && flat;
  fmt::print("target, at least {:.0f} samples/s in memory that does not grow by a tenth: {}\n", kTarget,
             reached ? "reached" : "missed");
  return reached ? 0 : 1;
}

}  // namespace
}  // namespace backplane::bench

int main(int argc, char** argv) {
  return backplane::bench::Main(argc > 1 ? std::atoi(argv[1]) : 120, argc > 2 ? std::atoi(argv[2]) : 1'000);
}
