// backplane check: the configuration, and the store against its journal.
#include <algorithm>

#include <fmt/format.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/local.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "dialects/registry.h"
#include "ingest/core_fold.h"
#include "ingest/folder.h"
#include "store/objects.h"
#include "store/samples.h"
#include "store/sqlite/sqlite_database.h"
#include "store/state.h"

namespace backplane::cli {
namespace {

int CheckSite(const Args& args) {
  const auto site = config::LoadSite(args.Get("--config"));
  if (!site) return Report(site.error());
  const DialectList dialects = MakeDialects();
  const Catalog catalog = Catalog::Load(*site, dialects);
  std::vector<Finding> findings = catalog.findings();
  for (Finding& finding : catalog.UnknownSettings(dialects)) findings.push_back(std::move(finding));
  const bool errors = std::any_of(findings.begin(), findings.end(), IsError);
  if (args.Has("--json")) {
    PrintJson({{"valid", !errors}, {"plugins", catalog.plugins().size()}, {"findings", ToJson(findings)}});
  } else {
    for (const Finding& finding : findings) PrintFinding(finding);
    std::puts(fmt::format("{}: {} plugin folders, {} plugins",
                          errors ? "there are errors" : "the configuration is right", site->folders.size(),
                          catalog.plugins().size())
                  .c_str());
  }
  return errors ? kFailed : kOk;
}

// The first row that one has and the other lacks.
Status Compare(const std::string& table, const std::vector<std::string>& stored,
               const std::vector<std::string>& replayed) {
  const auto [left, right] = std::mismatch(stored.begin(), stored.end(), replayed.begin(), replayed.end());
  if (left == stored.end() && right == replayed.end()) return {};
  return Fail(Errc::kInternal,
              fmt::format("table {} differs at row {}: the store has \"{}\", the replayed journal \"{}\"", table,
                          left - stored.begin(), left == stored.end() ? "(nothing)" : *left,
                          right == replayed.end() ? "(nothing)" : *right));
}

// The number of blocks, all of them whole.
Result<std::int64_t> CheckSamples(const std::filesystem::path& file) {
  BACKPLANE_ASSIGN(const auto metrics, store::OpenSqlite({.file = file, .migrations = store::SampleMigrations()}));
  BACKPLANE_TRY(store::CheckSqlite(file));
  std::int64_t blocks = 0;
  BACKPLANE_TRY(metrics->Read([&](store::Connection& connection) -> Status {
    BACKPLANE_ASSIGN(blocks, store::CheckBlocks(connection));
    return {};
  }));
  return blocks;
}

// Of the history and the reports of objects only the newest are kept: forgets what the store has forgotten.
Status ForgetAlike(store::Database& stored, store::Database& replayed) {
  return replayed.Write([&](store::Connection& connection) -> Status {
    for (const auto kind : {store::ObjectLogKind::kHistory, store::ObjectLogKind::kReports})
      for (const auto& [org, plugin] : store::PluginsInLog(connection, kind)) {
        std::int64_t kept = 0;
        BACKPLANE_TRY(stored.Read([&](store::Connection& other) -> Status {
          kept = store::ObjectLog(other, org, kind).Count(plugin);
          return {};
        }));
        store::ObjectLog(connection, org, kind).Forget(plugin, kept, std::numeric_limits<int>::max());
      }
    return {};
  });
}

Result<Json> ReplayAndCompare(const std::filesystem::path& data) {
  const SystemClock clock;
  const TemporaryFolder folder;
  ingest::CoreFold fold;
  std::error_code error;
  if (!std::filesystem::exists(data / "backplane.db", error))
    return Fail(Errc::kNotFound, fmt::format("{}: no store", (data / "backplane.db").string()));
  BACKPLANE_ASSIGN(const Fd lock, LockFolder(data));
  BACKPLANE_ASSIGN(const auto stored, store::OpenSqlite({.file = data / "backplane.db"}));
  {
    // What the daemon had accepted but not folded yet is folded as it would have gone on.
    ingest::Folder folder_of_store(*stored, fold, clock, [] {});
    if (!folder_of_store.WaitUntilFolded(std::chrono::minutes(10)))
      return Fail(Errc::kTimeout, "the journal could not be folded to its end in 10 minutes");
  }
  BACKPLANE_ASSIGN(const auto replayed, store::OpenSqlite({.file = folder.path() / "replayed.db"}));
  BACKPLANE_TRY(ingest::Replay(*stored, *replayed, fold));
  BACKPLANE_TRY(ForgetAlike(*stored, *replayed));
  Json rows = Json::object();
  for (const std::string& table : store::FoldedTables()) {
    std::vector<std::string> left, right;
    const auto read = [&table](std::vector<std::string>& into) {
      return [&](store::Connection& connection) -> Status {
        into = store::StateRows(connection, table);
        return {};
      };
    };
    BACKPLANE_TRY(stored->Read(read(left)));
    BACKPLANE_TRY(replayed->Read(read(right)));
    BACKPLANE_TRY(Compare(table, left, right));
    rows[table] = left.size();
  }
  BACKPLANE_ASSIGN(rows["block"], CheckSamples(data / "metrics.db"));
  return rows;
}

int Run(const Args& args) {
  if (!args.Has("--replay")) return CheckSite(args);
  const auto data = DataFolder(args);
  if (!data) return Report(data.error());
  auto progress = std::make_optional<Progress>("folding the journal");
  const auto rows = ReplayAndCompare(*data);
  progress.reset();
  if (!rows) return Report(rows.error());
  if (args.Has("--json")) return PrintJson({{"same", true}, {"rows", *rows}}), kOk;
  std::puts(fmt::format("the replayed journal gives the same state: {}", DumpJson(*rows)).c_str());
  return kOk;
}

}  // namespace

std::vector<Command> CheckCommands() {
  return {
      {"check",
       "Check the site configuration and every plugin it names; with --replay, the store",
       {},
       {{"--config", "FILE", "Site configuration (TOML)"},
        {"--replay", "",
         "Instead: fold the journal anew and compare with the store, and read all samples; the daemon must not run"},
        {"--data", "DIR", "Data folder, for --replay"},
        {"--json", "", "Print JSON instead of text"}},
       Run}};
}

}  // namespace backplane::cli
