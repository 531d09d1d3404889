// 10,000 and 20,000 result rows from file to folded devices, objects and events, in processor
// time; beside a set-based Python/SQLite program (intake_peer.py) in the same run.
//
//   intake_bench [REPETITIONS]
//
// Each repetition takes three files of the same devices in: all new, all unchanged, all changed.
// Ours goes the whole way: the file is taken, decoded by the dialect, accepted into the journal
// and folded in slices, on disk. The peer reads the same files and leaves the same devices,
// identifiers, claims, sightings, device events, sessions, objects with their history and events, in one transaction
// per file, without a journal. Afterwards the two stores are compared.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <future>
#include <map>

#include <fmt/format.h>

#include "base/files.h"
#include "base/text.h"
#include "bench.h"
#include "dialects/netalertx/netalertx.h"
#include "ingest/accept.h"
#include "ingest/core_fold.h"
#include "ingest/folder.h"
#include "store/runs.h"
#include "store/sqlite/sqlite_database.h"
#include "store/state.h"

namespace backplane::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::array kPasses = {"new", "unchanged", "changed"};
constexpr std::size_t kUnchanged = 1;
constexpr const char* kResultFile = "last_result.ROWS.log";
using Times = std::array<double, kPasses.size()>;  // seconds of processor time

[[noreturn]] void Die(const std::string& why) {
  fmt::print(stderr, "intake_bench: {}\n", why);
  std::exit(1);
}
void Must(const Status& status) {
  if (!status) Die(status.error().message);
}

std::string MakeRows(int count, int generation) {
  std::string rows;
  for (int i = 0; i < count; ++i) {
    const std::string mac = fmt::format("02:00:00:{:02x}:{:02x}:{:02x}", i >> 16 & 255, i >> 8 & 255, i & 255);
    rows += fmt::format(
        "{0}|10.{1}.{2}.{3}|2026-08-22 10:00:00|host-{4}-{5}|Vendor {6}|eth{7}|null|"
        "found on port {8}|{0}|null|null|null|null\n",
        mac, i >> 16 & 255, i >> 8 & 255, i & 255, i, generation, i % 50, i % 4, i % 48);
  }
  return rows;
}

void WriteRows(const fs::path& file, int count, std::size_t pass) {
  std::ofstream(file) << MakeRows(count, pass == 2 ? 2 : 1);
}

struct Measured {
  Times total{};
  Times decode{};  // of it: reading and decoding the file
  Times wall{};
};

class Ours {
 public:
  explicit Ours(const fs::path& folder) : folder_(folder) {
    ReadResult read = codec_.Read(fs::path(BACKPLANE_SOURCE_DIR) / "bench/rows", {});
    if (read.manifests.size() != 1) Die(read.findings.empty() ? "no plugin" : read.findings[0].message);
    manifest_ = std::move(read.manifests[0]);
    settings_ = codec_.Effective(manifest_, {}).value();
    auto opened = store::OpenSqlite({.file = folder / "backplane.db"});
    if (!opened) Die(opened.error().message);
    database_ = *std::move(opened);
    folder_thread_ = std::make_unique<ingest::Folder>(*database_, fold_, clock_, [] {});
  }

  void Intake(std::size_t pass, Measured& measured) {
    const double cpu = CpuSeconds(), wall = WallSeconds();
    Run run{.lane = {kDefaultOrg, manifest_.id, ""}, .key = fmt::format("call/{}", pass)};
    run.token = {1, static_cast<std::int64_t>(pass) + 1};
    run.started = clock_.Now();
    Must(database_->Write([&](store::Connection& connection) -> Status {
      run.id = store::Runs(connection, kDefaultOrg).Begin(run);
      return {};
    }));
    Output output{.exit_code = 0};
    auto content = TakeFile(folder_ / kResultFile, folder_ / "taken", geteuid(), 64 << 20);
    if (!content) Die(content.error().message);
    output.files.push_back({kResultFile, *std::move(content), {}});
    run.status = RunStatus::kOk;
    run.finished = clock_.Now();
    ingest::Acceptance acceptance{run, codec_.Decode(manifest_, settings_, {}, output, clock_.Now()),
                                  std::chrono::minutes(5)};
    measured.decode[pass] = CpuSeconds() - cpu;
    if (!acceptance.batch.refused.empty()) Die("a row was refused: " + acceptance.batch.refused[0].reason);
    std::promise<Status> accepted;
    ingest::Accept(*database_, std::make_shared<const ingest::Sealed>(ingest::Seal(acceptance)),
                   [&](Status status) { accepted.set_value(std::move(status)); });
    Must(accepted.get_future().get());
    if (!folder_thread_->WaitUntilFolded(Millis(60'000))) Die("not folded within a minute");
    measured.total[pass] = CpuSeconds() - cpu;
    measured.wall[pass] = WallSeconds() - wall;
  }

 private:
  const fs::path folder_;
  const netalertx::NetAlertX codec_;
  const SystemClock clock_;
  Manifest manifest_;
  Settings settings_;
  std::unique_ptr<store::Database> database_;
  ingest::CoreFold fold_;
  std::unique_ptr<ingest::Folder> folder_thread_;  // last: it uses the others
};

Measured RunOurs(const fs::path& folder, int rows) {
  fs::create_directories(folder);
  Ours ours(folder);
  Measured measured;
  for (std::size_t pass = 0; pass < kPasses.size(); ++pass) {
    WriteRows(folder / kResultFile, rows, pass);
    ours.Intake(pass, measured);
  }
  return measured;
}

// Three numbers, one per line, in the order of the passes.
Times RunPeer(const fs::path& folder, int rows) {
  fs::create_directories(folder);
  if (const auto made = store::OpenSqlite({.file = folder / "peer.db"}); !made) Die(made.error().message);
  for (std::size_t pass = 0; pass < kPasses.size(); ++pass)
    WriteRows(folder / fmt::format("{}.log", kPasses[pass]), rows, pass);
  const std::string command =
      fmt::format("python3 -I '{}/bench/intake_peer.py' '{}'", BACKPLANE_SOURCE_DIR, folder.string());
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) Die("cannot start python3");
  Times times{};
  for (double& time : times)
    if (std::fscanf(pipe, "%lf", &time) != 1) Die("the peer failed");
  if (pclose(pipe) != 0) Die("the peer failed");
  return times;
}

// The folded tables in a form that does not depend on times and run numbers.
std::map<std::string, std::vector<std::string>> State(const fs::path& file) {
  const auto database = store::OpenSqlite({.file = file});
  if (!database) Die(database.error().message);
  const std::map<std::string, std::vector<std::size_t>> ignored = {
      {"entity", {3, 4, 9}}, {"claim", {4}},          {"sighting", {2, 3, 4, 6}}, {"scanner", {3, 4}},
      {"device_event", {4}}, {"device_session", {5}}, {"object", {18, 19, 20}},   {"object_history", {3, 4, 19, 20}},
      {"event", {3, 6}}};
  std::map<std::string, std::vector<std::string>> state;
  Must((*database)->Read([&](store::Connection& connection) -> Status {
    for (const std::string& table : store::FoldedTables()) {
      for (const std::string& row : store::StateRows(connection, table)) {
        // Bodies and keys may hold the separator: only plain columns are left out, which stand before them or last.
        auto cells = Split(row, '|');
        std::string line;
        const auto left_out = ignored.find(table);
        for (std::size_t i = 0; i < cells.size(); ++i) {
          const bool skip = left_out != ignored.end() &&
                            std::find(left_out->second.begin(), left_out->second.end(),
                                      table == "object" ? i - (cells.size() - 22) : i) != left_out->second.end();
          if (!skip) (line += cells[i]) += '|';
        }
        state[table].push_back(std::move(line));
      }
    }
    return {};
  }));
  return state;
}

void Compare(const fs::path& ours, const fs::path& peers) {
  const auto left = State(ours), right = State(peers);
  for (const std::string& table : store::FoldedTables()) {
    const auto a = left.find(table), b = right.find(table);
    const std::size_t rows = a == left.end() ? 0 : a->second.size();
    if ((a == left.end()) != (b == right.end()) || (a != left.end() && a->second != b->second)) {
      std::string example;
      if (a != left.end() && b != right.end())
        for (std::size_t i = 0; i < std::min(a->second.size(), b->second.size()) && example.empty(); ++i)
          if (a->second[i] != b->second[i])
            example = fmt::format("\n  ours: {}\n  peer: {}", a->second[i], b->second[i]);
      Die(fmt::format("the two stores differ in {} ({} and {} rows){}", table, rows,
                      b == right.end() ? 0 : b->second.size(), example));
    }
    fmt::print("  {} {}", rows, table);
  }
  fmt::print(": the same in both stores\n");
}

int Main(int repetitions) {
  const std::array sizes = {10'000, 20'000};
  std::map<int, std::array<std::vector<double>, kPasses.size()>> ours, peers, walls, decodes;
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    for (const int size : sizes) {
      const TemporaryFolder folder;
      const Measured measured = RunOurs(folder.path() / "ours", size);
      const Times peer = RunPeer(folder.path() / "peer", size);
      for (std::size_t pass = 0; pass < kPasses.size(); ++pass) {
        ours[size][pass].push_back(measured.total[pass]);
        walls[size][pass].push_back(measured.wall[pass]);
        decodes[size][pass].push_back(measured.decode[pass]);
        peers[size][pass].push_back(peer[pass]);
      }
      if (repetition == 0) Compare(folder.path() / "ours/backplane.db", folder.path() / "peer/peer.db");
    }
  }
  fmt::print("seconds of processor time, median of {}\n", repetitions);
  fmt::print("{:>7} {:>10} {:>8} {:>10} {:>8} {:>8} {:>10}\n", "rows", "pass", "ours", "of it file", "(wall)", "peer",
             "ours/peer");
  for (const int size : sizes)
    for (std::size_t pass = 0; pass < kPasses.size(); ++pass) {
      const double us = Median(ours[size][pass]), them = Median(peers[size][pass]);
      fmt::print("{:>7} {:>10} {:>8.3f} {:>10.3f} {:>8.3f} {:>8.3f} {:>10.2f}\n", size, kPasses[pass], us,
                 Median(decodes[size][pass]), Median(walls[size][pass]), them, us / them);
    }
  bool reached = true;
  for (std::size_t pass = 0; pass < kPasses.size(); ++pass) {
    const double once = Median(ours[sizes[0]][pass]), ratio = Median(ours[sizes[1]][pass]) / once;
    reached = reached && once < (pass == kUnchanged ? 0.3 : 1.0) && ratio <= 2.2;
    fmt::print("T(20,000)/T(10,000), {}: {:.2f} (peer {:.2f})\n", kPasses[pass], ratio,
               Median(peers[sizes[1]][pass]) / Median(peers[sizes[0]][pass]));
  }
  fmt::print("target for 10,000 rows, under 1 s of processor time, 0.3 s unchanged, and a ratio of at most 2.2: {}\n",
             reached ? "reached" : "missed");
  return reached ? 0 : 1;
}

}  // namespace
}  // namespace backplane::bench

int main(int argc, char** argv) { return backplane::bench::Main(argc > 1 ? std::atoi(argv[1]) : 5); }
