// backplane serve: the daemon.
#include <algorithm>
#include <csignal>
#include <cstdlib>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/api.h"
#include "api/auth.h"
#include "base/core_dump.h"
#include "base/files.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/local.h"
#include "dialects/registry.h"
#include "dispatch/cycles.h"
#include "dispatch/drops.h"
#include "dispatch/host.h"
#include "dispatch/housekeeping.h"
#include "dispatch/rescan.h"
#include "dispatch/resource_watch.h"
#include "dispatch/sender.h"
#include "dispatch/setting_store.h"
#include "ingest/core_fold.h"
#include "ingest/mapper.h"
#include "package/registry.h"
#include "store/people.h"
#include "store/sqlite/sqlite_database.h"
#include "store/vault.h"

namespace backplane::cli {
namespace {

// Connections and runs take descriptors; the usual limit of 1024 is for programs that use select().
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Each read of a secret is in the audit log, with the run that it was for.
store::Caller ReaderOf(const Run& run) {
  return {
      .org = run.lane.org, .actor = "system", .detail = DumpJson(Json{{"run", run.id}, {"plugin", run.lane.plugin}})};
}

std::string HostName() {
  char name[256] = {};
  gethostname(name, sizeof(name) - 1);
  return name;
}

// It holds the token and everything that plugins reported. Its mode is not ours to change: it may be
// somebody's home or /tmp.
Status RefuseOpenFolder(const std::filesystem::path& data) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::perms mode = fs::status(data, error).permissions();
  if (error || (mode & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none) return {};
  return Fail(Errc::kDenied,
              fmt::format("{}: other users may look into this folder; close it with `chmod 700`, or name "
                          "another one",
                          data.string()));
}

// Who can reach us from elsewhere must be somebody, and there must be one who looks after that.
Status RefuseOpenDoor(store::Database& database, const config::Address& address) {
  if (address.loopback) return {};
  bool admin = false;
  BACKPLANE_TRY(database.Read([&](store::Connection& connection) -> Status {
    admin = store::People(connection, kDefaultOrg).HasAdmin();
    return {};
  }));
  if (admin) return {};
  return Fail(Errc::kDenied,
              fmt::format("listen: {} can be reached from other machines, and there is no admin yet: start on "
                          "127.0.0.1, add one with `backplane users add NAME --role admin`, then start here",
                          address.host));
}

// What requests may call us, besides loopback: the address that we listen on, and what is configured.
std::vector<std::string> Names(const std::string& configured, const config::Address& address) {
  std::vector<std::string> names;
  for (const std::string_view name : Split(configured, ','))
    if (!Trim(name).empty()) names.push_back(ToLower(Trim(name)));
  names.push_back(address.host.find(':') == std::string::npos ? address.host : "[" + address.host + "]");
  return names;
}

Result<config::Site> SiteOf(const Args& args) {
  // What is given on the command line wins: it is put where the file and environment are read.
  for (const auto& [option, variable] :
       {std::pair("--data", "BACKPLANE_DATA"), std::pair("--listen", "BACKPLANE_LISTEN")})
    if (args.Has(option)) setenv(variable, args.Get(option).c_str(), 1);
  return config::LoadSite(args.Get("--config"));
}

Result<std::string> LoadToken(const std::filesystem::path& file) {
  const Result<std::string> present = ReadFile(file, 4096);
  if (present && !Trim(*present).empty()) return std::string(Trim(*present));
  if (!present && present.error().code != Errc::kNotFound) return Fail(present.error());
  const std::string token = SecretHex(32);
  BACKPLANE_TRY(WriteFileAtomic(file, token + "\n", 0600));
  return token;
}

LogLevel Level(const std::string& name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "warning") return LogLevel::kWarning;
  if (name == "error") return LogLevel::kError;
  return LogLevel::kInfo;
}

void ReportFindings(const Catalog& catalog, const std::vector<Finding>& more) {
  std::vector<Finding> findings = catalog.findings();
  findings.insert(findings.end(), more.begin(), more.end());
  for (const Finding& finding : findings) {
    if (IsError(finding))
      LogError("{}", Describe(finding));
    else
      LogWarning("{}", Describe(finding));
  }
  LogInfo("{} plugins", catalog.plugins().size());
}

// Where scripts are that a person may start by hand, they should find their way.
void TellOfPlaces(const Catalog& catalog, const dispatch::Installation& installation,
                  const std::filesystem::path& data) {
  const std::string dialect(installation.dialect());
  const auto by_hand = ByHandIn(dialect, data / "dialects");
  const bool plugins = std::any_of(catalog.plugins().begin(), catalog.plugins().end(),
                                   [&](const Plugin& plugin) { return plugin.manifest.dialect == dialect; });
  if (!by_hand || !plugins) return;
  for (const auto& [place, target] : by_hand->places)
    if (!IsLinkTo(place, target))
      return LogInfo(
          "{} does not lead here: scripts that are started by hand need what `backplane env {}` prints, or "
          "the links that `backplane env {} --link` makes",
          place.string(), dialect, dialect);
}

// Everything that a daemon consists of, from the ground up; ends in the opposite order.
Status Serve(const config::Site& site, const sigset_t& signals) {
  const config::Options& options = site.options;
  const std::filesystem::path data = options.data;
  BACKPLANE_ASSIGN(const config::Address address, config::ParseAddress(options.listen));
  BACKPLANE_TRY(MakePrivateFolder(data));
  BACKPLANE_TRY(RefuseOpenFolder(data));
  BACKPLANE_TRY(MakePrivateFolder(data / "runs"));
  BACKPLANE_ASSIGN(const Fd lock, LockFolder(data));
  BACKPLANE_ASSIGN(const std::string token, LoadToken(data / "token"));
  BACKPLANE_ASSIGN(const auto share, ShareFolder());

  const SystemClock clock;
  const DialectList dialects = MakeDialects();
  BACKPLANE_TRY(RefuseDuplicateNames(dialects, "dialect"));
  // The keeper comes first: when it is ready, nothing of an earlier daemon runs any more.
  BACKPLANE_ASSIGN(const auto keeper, StartKeeper(data / "keeper"));
  const runtime::RuntimeList runtimes = MakeRuntimes(*keeper);
  BACKPLANE_TRY(RefuseDuplicateNames(runtimes, "runtime"));
  const auto synchronous = options.synchronous == "full" ? store::Synchronous::kFull : store::Synchronous::kNormal;
  BACKPLANE_ASSIGN(const auto database, store::OpenSqlite({.file = data / "backplane.db", .synchronous = synchronous}));
  BACKPLANE_ASSIGN(const auto metrics, store::OpenSqlite({.file = data / "metrics.db",
                                                          .synchronous = synchronous,
                                                          .readers = 2,
                                                          .migrations = store::SampleMigrations()}));
  const bool passphrase = !options.passphrase_file.empty();
  store::Vault vault(*database, clock,
                     {.source = {passphrase ? options.passphrase_file : options.key_file, passphrase}});
  // A daemon without its key still does what needs no secret.
  if (const Status unlocked = vault.Unlock(); !unlocked)
    LogError("secrets cannot be read: {}", unlocked.error().message);
  BACKPLANE_TRY(RefuseOpenDoor(*database, address));
  package::Registry registry(
      {.database = *database, .clock = clock, .folder = data / "plugins", .trust = options.trust == "auto"});
  if (const Status swept = registry.Sweep(); !swept) LogWarning("plugins: {}", swept.error().message);
  dispatch::SettingStore settings(*database, vault, clock);
  const auto read = [&](const Catalog* before) -> Result<std::shared_ptr<const Catalog>> {
    config::Site now = site;
    BACKPLANE_ASSIGN(now.folders, registry.Folders(site));
    BACKPLANE_ASSIGN(const StoredSettings stored, settings.Load());
    return std::make_shared<const Catalog>(Catalog::Load(now, dialects, before, registry.AsGate(), stored));
  };
  auto load = [&, kept = true](const Catalog* before) mutable  // Rescan calls one at a time
      -> Result<std::shared_ptr<const Catalog>> {
    BACKPLANE_ASSIGN(auto catalog, read(before));
    const Result<bool> made = settings.KeepFresh(*catalog);
    if (!made && kept) LogWarning("what plugins need and nobody gives cannot be kept: {}", made.error().message);
    kept = made.has_value();
    if (made && *made) return read(before);
    return catalog;
  };
  BACKPLANE_ASSIGN(const auto catalog, load(nullptr));
  // Settings of what waits for approval are known too.
  ReportFindings(*catalog, Catalog::Load(site, dialects).UnknownSettings(dialects));
  events::Bus bus(clock);
  ingest::CoreFold fold;
  ingest::SampleFolder samples(*database, *metrics, clock, {.keep = options.metrics_keep});
  ingest::Folder folder(*database, fold, clock, [&bus, &samples] {
    bus.Notify();
    samples.Wake();
  });
  BACKPLANE_ASSIGN(
      const auto installations,
      MakeInstallations(
          {.database = *database, .folder = folder, .clock = clock, .data = data / "dialects", .share = share}));
  std::vector<dispatch::Installation*> installed;
  for (const auto& installation : installations) installed.push_back(installation.get());
  const auto news = std::make_shared<dispatch::CycleNews>();
  BACKPLANE_ASSIGN(
      const auto host,
      dispatch::Host::Open(
          {.database = *database,
           .catalog = catalog,
           .runtimes = runtimes,
           .folder = folder,
           .clock = clock,
           .runs = data / "runs",
           .share = share,
           .python = options.python,
           .path = options.path,
           .installations = installed,
           .workers = static_cast<std::size_t>(options.workers),
           .ended = [&bus] { bus.Notify(); },
           .scan_began = [news](RunId run) { news->Began(run); },
           .scan_ended = [news](RunId run) { news->Ended(run); },
           .scanners_tell_absence = options.presence == "scanner",
           .secrets = [&vault](const Run& run, const auto& names) { return vault.Read(ReaderOf(run), names); }}));
  BACKPLANE_ASSIGN(
      const auto mapper,
      ingest::StartMapper({.database = *database,
                           .bus = bus,
                           .clock = clock,
                           .rules = site.mappings,
                           .hostname = HostName(),
                           .appended = [&folder] { return folder.WaitUntilFolded(std::chrono::minutes(1)); }}));
  BACKPLANE_ASSIGN(const auto watch, dispatch::WatchResources(*host, *database, bus));
  const auto follow_ups = MakeFollowUps(share, options.own_host == "yes");
  std::vector<const dispatch::FollowUp*> asked;
  for (const auto& follow_up : follow_ups) asked.push_back(follow_up.get());
  BACKPLANE_ASSIGN(const auto sender, dispatch::Sender::Start(*host, *database, bus, clock));
  BACKPLANE_ASSIGN(const auto cycles, dispatch::Cycles::Start({.host = *host,
                                                               .database = *database,
                                                               .folder = folder,
                                                               .sender = *sender,
                                                               .clock = clock,
                                                               .news = news,
                                                               .follow_ups = asked,
                                                               .passes_tell_absence = options.presence == "pass"}));
  dispatch::Rescan rescan(*host, [&](const Catalog& before) { return load(&before); }, options.rescan);
  const dispatch::Housekeeping housekeeping(*host, *database, folder, clock, data / "runs",
                                            {.runs_keep = static_cast<int>(options.runs_keep),
                                             .runs_keep_all = static_cast<int>(options.runs_keep_all),
                                             .objects_history_keep = options.objects_history_keep,
                                             .journal_keep = options.journal_keep,
                                             .events_keep = options.events_keep,
                                             .device_events_keep = options.device_events_keep,
                                             .notifications_keep = options.notifications_keep,
                                             .audit_keep = options.audit_keep},
                                            [&samples] { return samples.folded(); });
  api::Auth auth({.database = *database,
                  .clock = clock,
                  .local_token = token,
                  .setup_file = data / "setup-token",
                  .keep = options.sessions_keep,
                  .idle = options.sessions_idle});
  BACKPLANE_TRY(auth.OfferSetup());
  const api::Api api({.database = *database,
                      .host = *host,
                      .sender = *sender,
                      .cycles = *cycles,
                      .folder = folder,
                      .samples = samples,
                      .vault = vault,
                      .registry = registry,
                      .bus = bus,
                      .clock = clock,
                      .runs = data / "runs",
                      .auth = auth,
                      .hosts = Names(options.hosts, address),
                      .rescan = [&rescan] { return rescan.Now(); }});
  BACKPLANE_ASSIGN(const auto server,
                   http::Server::Start({.address = address.host, .port = address.port, .socket = data / "api.sock"},
                                       [&api](const http::Request& request, const http::Responder& responder) {
                                         api.Handle(request, responder);
                                       }));
  const std::string url = fmt::format(
      "http://{}:{}/", address.host.find(':') == std::string::npos ? address.host : "[" + address.host + "]",
      server->port());
  BACKPLANE_TRY(WriteFileAtomic(data / "address", url + "\n"));
  // Last: a daemon that cannot be reached must not run anything.
  host->StartScheduling();
  const auto drops = dispatch::Drops::Start(*host, installed, clock, data / "runs");
  if (!drops) LogError("results of scripts that are started by hand are not taken in: {}", drops.error().message);
  for (const dispatch::Installation* installation : installed) TellOfPlaces(*catalog, *installation, data);
  LogInfo("ready: {} (data in {})", url, data.string());

  int signal = 0;
  sigwait(&signals, &signal);
  LogInfo("stopping on {}", signal == SIGINT ? "SIGINT" : "SIGTERM");
  // A second signal ends the waiting.
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  return {};
}

int Run(const Args& args) {
  sigset_t signals{};
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  RaiseDescriptorLimit();
  ForbidCoreDumps();
  const auto site = SiteOf(args);
  if (!site) return Report(site.error());
  InitLog(Level(site->options.log_level), "backplane");
  const Status status = Serve(*site, signals);
  if (!status) return Report(status.error());
  LogInfo("stopped");
  return kOk;
}

}  // namespace

std::vector<Command> ServeCommands() {
  return {{"serve",
           "Run the daemon in the foreground",
           {},
           {{"--config", "FILE", "Site configuration (TOML)"},
            {"--data", "DIR", "Data folder"},
            {"--listen", "ADDR:PORT", "Address of the API"}},
           Run,
           "Options of the site configuration, with their defaults:\n" + config::OptionReference() +
               "Plugin folders are [[plugins]] tables with path, dialect, config and run_at_start; values of plugins' "
               "settings stand in [settings.<dialect>]."}};
}

}  // namespace backplane::cli
