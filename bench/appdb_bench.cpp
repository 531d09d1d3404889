// What it costs to keep app.db and its snapshots as the store is, beside writing them whole each time as the original
// does.
//
//   appdb_bench [ROWS]     devices, and as many objects (default 10,000)
#include <cstdio>
#include <optional>

#include <fmt/format.h>

#include "base/files.h"
#include "bench.h"
#include "dialects/netalertx/app_db_mirror.h"
#include "dialects/netalertx/app_db_query.h"
#include "dialects/netalertx/app_db_snapshots.h"
#include "dialects/netalertx/app_files.h"
#include "dialects/netalertx/installation.h"
#include "ingest/batch_body.h"
#include "ingest/core_fold.h"
#include "plugin/catalog.h"
#include "store/journal.h"
#include "store/sqlite/sqlite_database.h"

namespace backplane::bench {
namespace {

using namespace netalertx;

constexpr Millis kLong{600'000};
constexpr int kIdleRounds = 1'000;
constexpr std::int64_t kStore = 1;

[[noreturn]] void Die(const std::string& why) {
  fmt::print(stderr, "appdb_bench: {}\n", why);
  std::exit(1);
}
template <typename T>
T Must(Result<T> result) {
  if (!result) Die(result.error().message);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// A scan that finds `rows` devices, or reports as many objects, at `at` seconds.
std::vector<Record> Devices(int rows, int at) {
  std::vector<Record> records;
  for (int i = 0; i < rows; ++i) {
    const std::string mac = fmt::format("02:00:00:{:02x}:{:02x}:{:02x}", i >> 16 & 255, i >> 8 & 255, i & 255);
    records.push_back(Observation{.source = "BENCH",
                                  .identifiers = {{"mac", mac}},
                                  .claims = {{"mac", mac},
                                             {"ip", fmt::format("10.{}.{}.{}", i >> 16 & 255, i >> 8 & 255, i & 255)},
                                             {"name", fmt::format("host-{}.example", i)},
                                             {"vendor", "Acme Networks"}},
                                  .at = FromMillis(1'700'000'000'000 + at * 1000)});
  }
  return records;
}
std::vector<Record> Things(int rows) {
  std::vector<Record> records;
  for (int i = 0; i < rows; ++i)
    records.push_back(ObjectRecord{.key = fmt::format("k{}", i),
                                   .primary = fmt::format("02:00:00:00:{:02x}:{:02x}", i >> 8 & 255, i & 255),
                                   .secondary = fmt::format("{}/tcp", i),
                                   .at = FromMillis(1'700'000'000'000),
                                   .watched = {"open", "http", "a value", "null"},
                                   .extra = "extra text",
                                   .foreign_key = "null",
                                   .help = {},
                                   .watch_key = "open"});
  return records;
}

/// A file and its snapshots.
struct Copy {
  explicit Copy(const std::filesystem::path& home) : folders(home) {
    for (const auto& folder : {folders.database, folders.api}) std::filesystem::create_directories(folder);
    db.emplace(folders.database / kDatabaseFile);
  }
  Snapshots Files() const { return {folders.api, folders.database / kDatabaseFile}; }

  AppFolders folders;
  std::optional<AppDb> db;
};

class Bench {
 public:
  explicit Bench(int rows) : rows_(rows) {
    for (Copy* copy : {&ours_, &whole_})
      Must(copy->db->Write([&]() -> Status { return WriteCatalog(*copy->db, catalog_), Status(); }));
  }

  int Run() {
    fmt::print("{} devices, {} objects; processor time in ms: ours, all of it written anew, ratio\n", rows_, rows_);
    Compare("new devices", Devices(rows_, 0));
    Compare("new objects", Things(rows_));
    Compare("devices seen again", Devices(rows_, 60));
    Compare("objects no longer new", Things(rows_));
    const double unchanged = Compare("objects unchanged", Things(rows_));
    Compare("one device renamed", {Renamed()}, false);
    const double idle = Idle();
    fmt::print("  nothing new: {:.3f} ms\n", idle);
    const bool met = idle < 1 && unchanged < 10;
    fmt::print("target: nothing new under 1 ms, objects unchanged under 10 ms: {}\n", met ? "met" : "MISSED");
    return met ? 0 : 1;
  }

 private:
  static Record Renamed() {
    Observation seen = std::get<Observation>(Devices(1, 120)[0]);
    seen.claims[2] = {"name", "renamed", ClaimPolicy::kAlways};
    return seen;
  }

  double Compare(const char* what, const std::vector<Record>& records, bool complete = true) {
    // Of two plugins, since each result is complete.
    const bool devices = std::holds_alternative<Observation>(records[0]);
    const std::string plugin = devices ? "netalertx:SCAN" : "netalertx:BENCH";
    Must(database_->Write([&](store::Connection& c) -> Status {
      store::Entry entry{.at = clock_.Now(), .plugin = plugin, .run = 1, .body = ingest::EncodeRecords(records)};
      entry.complete = complete;
      store::AppendEntry(c, entry);
      return {};
    }));
    if (!folder_.WaitUntilFolded(kLong)) Die("not folded");
    const double start = CpuSeconds();
    Must(files_.Write(*ours_.db, catalog_, Take(ours_, false), clock_.Now(), kLongestQuery));
    const double middle = CpuSeconds();
    whole_.db->connection().Script(
        "DELETE FROM Devices; DELETE FROM Plugins_Objects; DELETE FROM Plugins_History; "
        "UPDATE Backplane_Marks SET value = -1 WHERE name = 'entry'; "
        "UPDATE Backplane_Marks SET value = 0 WHERE name = 'history'");
    Take(whole_, true);
    Must(whole_.Files().Write(*whole_.db, catalog_, kAllTables, clock_.Now(), kLongestQuery));
    const double ours = (middle - start) * 1e3, peer = (CpuSeconds() - middle) * 1e3;
    fmt::print("  {:<24} {:8.1f} {:8.1f}  {:.3f}\n", what, ours, peer, ours / peer);
    return ours;
  }

  unsigned Take(Copy& copy, bool all) {
    unsigned changed = 0;
    Must(copy.db->Write([&]() -> Status {
      BACKPLANE_ASSIGN(changed, Follow(*copy.db, *database_, kStore, catalog_, all));
      return {};
    }));
    return changed;
  }

  // A catch-up of the whole installation, as it comes before each script.
  double Idle() {
    const auto installation = Must(OpenInstallation({.database = *database_,
                                                     .folder = folder_,
                                                     .clock = clock_,
                                                     .home = home_.path() / "idle",
                                                     .share = Must(ShareFolder())}));
    installation->SetCatalog(std::make_shared<const Catalog>(Catalog::Load({}, {})));
    Must(installation->CatchUp(kLong));
    const double start = CpuSeconds();
    for (int i = 0; i < kIdleRounds; ++i) Must(installation->CatchUp(kLong));
    return (CpuSeconds() - start) * 1e3 / kIdleRounds;
  }

  const int rows_;
  TemporaryFolder home_;
  SystemClock clock_;
  std::unique_ptr<store::Database> database_ = Must(store::OpenSqlite({.file = home_.path() / "store.db"}));
  ingest::CoreFold core_;
  ingest::Folder folder_{*database_, core_, clock_, [] {}};
  const CatalogRows catalog_ = RowsOf(Catalog::Load({}, {}));
  Copy ours_{home_.path() / "ours"}, whole_{home_.path() / "whole"};
  Snapshots files_ = ours_.Files();
};

}  // namespace
}  // namespace backplane::bench

int main(int argc, char** argv) { return backplane::bench::Bench(argc > 1 ? std::atoi(argv[1]) : 10'000).Run(); }
