// Jobs of the fake runtime through schedule, guard, accept and journal, with `kill -9` in the
// middle and a recount; beside a bare loop over SQLite that writes the same rows.
//
//   jobs_bench [SECONDS]
//
// A child process runs the real scheduler, dispatcher, host, folder and store on disk. It is
// killed in the middle; what it had reported as accepted must be in the store, and nothing may
// be there twice. A second child opens the same store and runs the rest.
//
// A job writes: its lane (updated, and once more at the end of a run that reported something), its run
// (inserted, updated at its end, and once more with what the fold found changed), a journal entry; the fold of its one
// record updates an object and appends an event. The watermark is one row per slice.
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <new>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/metrics.h"
#include "bench.h"
#include "dispatch/host.h"
#include "ingest/core_fold.h"
#include "runtime/fake/fake_runtime.h"
#include "store/events.h"
#include "store/journal.h"
#include "store/objects.h"
#include "store/sqlite/sqlite_database.h"

namespace backplane::bench {
namespace {

namespace fs = std::filesystem;

constexpr int kLanes = 4'000;
constexpr Millis kInterval{200};  // 20,000 jobs due per second
constexpr std::size_t kWorkers = 64;
constexpr double kTarget = 10'000;

[[noreturn]] void Die(const std::string& why) {
  fmt::print(stderr, "jobs_bench: {}\n", why);
  std::exit(1);
}

// Plugins whose runs say which job they were for.
class FakeCodec final : public Codec {
 public:
  std::string_view name() const override { return "fake"; }
  bool Recognises(const fs::path&) const override { return true; }
  ReadResult Read(const fs::path& path, const Settings&, const fs::path&) const override {
    ReadResult result;
    for (int i = 0; i < kLanes; ++i) {
      Manifest manifest{.id = fmt::format("fake:plugin{}", i), .dialect = "fake", .name = fmt::format("plugin{}", i)};
      manifest.folder = path.string();
      manifest.runtime = "fake";
      manifest.triggers = {{.kind = TriggerKind::kInterval, .interval = kInterval}};
      result.manifests.push_back(std::move(manifest));
    }
    return result;
  }
  Result<Settings> Effective(const Manifest&, const Settings&) const override { return Settings{}; }
  Result<Invocation> Prepare(const Manifest&, const Job& job, const Settings&, const RunContext&) const override {
    return Invocation{.runtime = "fake", .argv = {"ok", job.key}};
  }
  Batch Decode(const Manifest& manifest, const Settings&, const Settings&, const Output& output,
               TimePoint at) const override {
    ObjectRecord object{.key = "it", .primary = manifest.name, .secondary = "", .at = at};
    object.watched[0] = output.log;
    object.watch_key = output.log;
    Batch batch;
    batch.records.emplace_back(std::move(object));
    return batch;
  }
};

// What the children say, in memory that outlives them.
struct Report {
  std::atomic<std::int64_t> accepted{0};
  std::atomic<std::int64_t> dropped{0};
  std::atomic<double> cpu{0};
  std::atomic<double> wall{0};
  std::atomic<double> drained{0};  // seconds until all was folded
  std::atomic<std::int64_t> commits{0};
  std::atomic<std::int64_t> slices{0};
};

// Runs jobs until `seconds` have passed, then ends as a daemon does, and folds what is left.
void Work(const fs::path& folder, double seconds, Report& report) {
  InitLog(LogLevel::kError, "jobs_bench");
  DialectList dialects;
  dialects.push_back(std::make_unique<FakeCodec>());
  config::Site site;
  site.folders.push_back({.path = folder, .dialect = "fake"});
  const auto catalog = std::make_shared<const Catalog>(Catalog::Load(site, dialects));
  runtime::RuntimeList runtimes;
  runtimes.push_back(std::make_unique<runtime::FakeRuntime>());
  const auto database = store::OpenSqlite({.file = folder / "backplane.db"});
  if (!database) Die(database.error().message);
  const SystemClock clock;
  ingest::CoreFold fold;
  ingest::Folder folder_thread(**database, fold, clock, [] {});
  const double cpu = CpuSeconds(), wall = WallSeconds();
  {
    const auto host = dispatch::Host::Open({.database = **database,
                                            .catalog = catalog,
                                            .runtimes = runtimes,
                                            .folder = folder_thread,
                                            .clock = clock,
                                            .runs = folder / "runs",
                                            .workers = kWorkers,
                                            .ended = [&report] { report.accepted.fetch_add(1); }});
    if (!host) Die(host.error().message);
    (*host)->StartScheduling();
    while (WallSeconds() - wall < seconds) usleep(10'000);
  }
  report.wall = WallSeconds() - wall;
  if (!folder_thread.WaitUntilFolded(Millis(120'000))) Die("not folded within two minutes");
  report.drained = WallSeconds() - wall;
  report.cpu = CpuSeconds() - cpu;
  report.dropped = Counter("backplane_jobs_dropped_total", "").value();
  report.commits = Counter("backplane_store_commits_total", "").value();
  report.slices = Counter("backplane_fold_slices_total", "").value();
}

pid_t Start(const fs::path& folder, double seconds, Report& report) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child != 0) return child;
  Work(folder, seconds, report);
  _exit(0);
}

std::int64_t Count(sqlite3* db, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) != SQLITE_OK) Die(sqlite3_errmsg(db));
  if (sqlite3_step(statement) != SQLITE_ROW) Die(sqlite3_errmsg(db));
  const std::int64_t count = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return count;
}

void Same(const char* what, std::int64_t is, std::int64_t should) {
  if (is != should) Die(fmt::format("recount: {}: {}, and should be {}", what, is, should));
}

struct Recount {
  std::int64_t accepted = 0;
  std::int64_t folded = 0;
};

// Counts from outside the program, and stops at the first thing that is lost or there twice.
Recount CountAgain(const fs::path& folder) {
  sqlite3* db = nullptr;
  if (sqlite3_open((folder / "backplane.db").c_str(), &db) != SQLITE_OK) Die("recount: the store cannot be opened");
  const auto count = [db](const char* sql) { return Count(db, sql); };
  Recount result;
  result.accepted = count("SELECT COUNT(*) FROM run WHERE status = 'ok'");
  Same("journal entries of runs that went well", count("SELECT COUNT(*) FROM journal WHERE status = 'ok'"),
       result.accepted);
  Same("journal entries without their run, or twice",
       count("SELECT COUNT(*) - COUNT(DISTINCT run) FROM journal") +
           count("SELECT COUNT(*) FROM journal LEFT JOIN run ON run.id = journal.run WHERE run.id IS NULL"),
       0);
  result.folded = count(
      "SELECT COUNT(*) FROM journal WHERE status = 'ok' AND entry <= "
      "(SELECT COALESCE(MAX(entry), 0) FROM watermark)");
  Same("events of objects", count("SELECT COUNT(*) FROM event WHERE topic LIKE 'object.%'"), result.folded);
  Same("runs with such an event", count("SELECT COUNT(DISTINCT run) FROM event WHERE topic LIKE 'object.%'"),
       result.folded);
  Same("changes counted at runs", count("SELECT COALESCE(SUM(changed), 0) FROM run"), result.folded);
  Same("jobs that ran twice",
       count(
           "SELECT COUNT(*) FROM (SELECT 1 FROM run WHERE status = 'ok' GROUP BY plugin, job_key HAVING COUNT(*) > 1)"),
       0);
  sqlite3_close(db);
  return result;
}

// The same rows by a loop that does nothing else: no schedule, no threads, no JSON.
class BareLoop {
 public:
  explicit BareLoop(const fs::path& file) {
    if (const auto made = store::OpenSqlite({.file = file}); !made) Die(made.error().message);
    if (sqlite3_open(file.c_str(), &db_) != SQLITE_OK) Die("the bare loop cannot open its store");
    Script("PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8000; PRAGMA wal_autocheckpoint = 2000");
    lane_ = Prepare(
        "INSERT INTO lane (org, plugin, target, epoch, counter, last_started, last_slot) "
        "VALUES (1, ?1, '', 1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET epoch = excluded.epoch, counter = "
        "excluded.counter, "
        "former_started = lane.last_started, last_started = excluded.last_started, last_slot = excluded.last_slot");
    begin_ = Prepare(
        "INSERT INTO run (org, plugin, target, cause, job_key, epoch, counter, status, started) "
        "VALUES (1, ?1, '', 'interval', ?4, 1, ?2, 'running', ?3)");
    close_ = Prepare(
        "UPDATE run SET status = 'ok', exit_code = 0, finished = ?3, taken = 1, command = ?4 WHERE id = ?2 "
        "AND EXISTS (SELECT 1 FROM lane WHERE org = 1 AND plugin = ?1 AND target = '' AND counter = ?2)");
    reported_ = Prepare("UPDATE lane SET last_results = last_started WHERE org = 1 AND plugin = ?1 AND target = ''");
    journal_ = Prepare(
        "INSERT INTO journal (org, kind, at, plugin, run, status, body) VALUES (1, 'batch', ?3, ?1, ?2, 'ok', ?5)");
    object_ = Prepare(
        "INSERT INTO object (org, plugin, object_key, primary_id, secondary_id, watched1, watched2, watched3, "
        "watched4, "
        "extra, foreign_key, help1, help2, help3, help4, watch_key, status, created, changed, entry) VALUES (1, ?1, "
        "'it', "
        "?1, '', ?4, '', '', '', '', '', '', '', '', '', ?4, 'new', ?3, ?3, ?2) ON CONFLICT DO UPDATE SET "
        "watched1 = excluded.watched1, watch_key = excluded.watch_key, status = 'changed', changed = excluded.changed, "
        "entry = excluded.entry");
    event_ = Prepare(
        "INSERT INTO event (org, topic, at, plugin, entity, run, body) VALUES (1, 'object.changed', ?3, ?1, 0, "
        "?2, ?5)");
    changed_ = Prepare("UPDATE run SET changed = changed + 1 WHERE id = ?2");
    watermark_ =
        Prepare("INSERT INTO watermark VALUES ('core', ?2, 0) ON CONFLICT DO UPDATE SET entry = excluded.entry");
  }
  ~BareLoop() {
    for (sqlite3_stmt* statement : {lane_, begin_, close_, reported_, journal_, object_, event_, changed_, watermark_})
      sqlite3_finalize(statement);
    sqlite3_close(db_);
  }
  BareLoop(const BareLoop&) = delete;
  BareLoop& operator=(const BareLoop&) = delete;

  // `group` jobs are begun in one transaction, accepted in the next, and folded in that too.
  void Run(std::int64_t jobs, std::int64_t group) {
    for (std::int64_t first = 1; first <= jobs; first += group) {
      const std::int64_t last = std::min(jobs, first + group - 1);
      Script("BEGIN IMMEDIATE");
      for (std::int64_t job = first; job <= last; ++job) Step(lane_, job), Step(begin_, job);
      Script("COMMIT; BEGIN IMMEDIATE");
      for (std::int64_t job = first; job <= last; ++job) Step(close_, job), Step(reported_, job), Step(journal_, job);
      for (std::int64_t job = first; job <= last; ++job) Step(object_, job), Step(event_, job), Step(changed_, job);
      Step(watermark_, last);
      Script("COMMIT");
    }
  }

 private:
  void Script(const char* sql) {
    if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) Die(sqlite3_errmsg(db_));
  }
  sqlite3_stmt* Prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
      Die(sqlite3_errmsg(db_));
    return statement;
  }
  void Step(sqlite3_stmt* statement, std::int64_t job) {
    const auto text = [&](int at, const std::string& value) {
      if (sqlite3_bind_parameter_count(statement) >= at)
        sqlite3_bind_text(statement, at, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
    };
    plugin_ = fmt::format("fake:plugin{}", job % kLanes);
    key_ = fmt::format("slot/{}", 1'700'000'000'000 + job);
    body_ = fmt::format(R"(["x","it","plugin{}","",1700000000000,["{}","","",""],"","",["","","",""],"{}"])",
                        job % kLanes, key_, key_);
    text(1, plugin_);
    sqlite3_bind_int64(statement, 2, job);
    sqlite3_bind_int64(statement, 3, 1'700'000'000'000 + job);
    text(4, key_);
    text(5, body_);
    if (sqlite3_step(statement) != SQLITE_DONE) Die(sqlite3_errmsg(db_));
    sqlite3_reset(statement);
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt *lane_, *begin_, *close_, *reported_, *journal_, *object_, *event_, *changed_, *watermark_;
  std::string plugin_, key_, body_;
};

int Main(double seconds) {
  const TemporaryFolder folder;
  void* memory = mmap(nullptr, 2 * sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) Die("no shared memory");
  auto* reports = static_cast<Report*>(memory);
  new (&reports[0]) Report;
  new (&reports[1]) Report;

  const double start = WallSeconds();
  const pid_t first = Start(folder.path(), 3600, reports[0]);
  usleep(static_cast<useconds_t>(seconds / 2 * 1e6));
  kill(first, SIGKILL);
  rusage used{};
  int status = 0;
  wait4(first, &status, 0, &used);
  const double first_wall = WallSeconds() - start;
  if (!WIFSIGNALED(status)) Die("the first child ended by itself");
  const std::int64_t reported = reports[0].accepted;
  const Recount killed = CountAgain(folder.path());
  fmt::print(
      "killed after {:.1f} s: {} jobs reported as accepted, {} in the store and in the journal, {} of them folded\n",
      first_wall, reported, killed.accepted, killed.folded);
  if (killed.accepted < reported) Die("recount: accepted jobs were lost");

  const pid_t second = Start(folder.path(), seconds / 2, reports[1]);
  waitpid(second, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) Die("the second child failed");
  const Recount ended = CountAgain(folder.path());
  const Report& report = reports[1];
  Same("jobs accepted after the restart", ended.accepted - killed.accepted, report.accepted);
  Same("jobs folded in the end", ended.folded, ended.accepted);
  fmt::print("ended: {} jobs accepted, all folded exactly once\n", ended.accepted);

  if (report.accepted == 0) Die("no job was accepted");
  const auto jobs = static_cast<double>(report.accepted);
  const double rate = jobs / report.wall;
  const double cpu = report.cpu / jobs * 10'000;
  const auto group =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(2 * jobs / static_cast<double>(report.commits)));
  fmt::print("until the kill: {:.0f} jobs/s\n", static_cast<double>(reported) / first_wall);
  fmt::print("after the restart: {:.0f} jobs/s accepted, {:.0f} jobs/s with folding to the end; {} dropped\n", rate,
             jobs / report.drained, report.dropped.load());
  fmt::print("  {:.2f} s of processor time per 10,000 jobs; {} commits, {} slices, about {} jobs a commit\n", cpu,
             report.commits.load(), report.slices.load(), group);

  const fs::path bare_file = folder.path() / "bare.db";
  const double bare_cpu = CpuSeconds(), bare_wall = WallSeconds();
  BareLoop(bare_file).Run(report.accepted, group);
  const double bare_rate = jobs / (WallSeconds() - bare_wall);
  const double bare = (CpuSeconds() - bare_cpu) / jobs * 10'000;
  fmt::print("bare SQLite loop, the same rows in groups of {}: {:.0f} jobs/s, {:.2f} s of processor time per 10,000\n",
             group, bare_rate, bare);
  fmt::print("ratio of processor time, ours to bare: {:.2f}\n", cpu / bare);
  fmt::print("target, at least {:.0f} jobs/s: {}\n", kTarget, rate >= kTarget ? "reached" : "missed");
  return rate >= kTarget ? 0 : 1;
}

}  // namespace
}  // namespace backplane::bench

int main(int argc, char** argv) { return backplane::bench::Main(argc > 1 ? std::atof(argv[1]) : 10); }
