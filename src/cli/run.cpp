// backplane run PATH: one plugin, once, without a daemon.
#include <csignal>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/files.h"
#include "cli/command.h"
#include "cli/local.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "dialects/registry.h"

namespace backplane::cli {
namespace {

// A setting's value as written in a shell: JSON if it reads as JSON, else a text.
Json Value(const std::string& text) {
  Result<Json> json = ParseJson(text);
  return json ? *std::move(json) : Json(text);
}

Result<config::Site> SiteOf(const Args& args, const DialectList& dialects) {
  BACKPLANE_ASSIGN(config::Site site, config::LoadSite(args.Get("--config")));
  const auto path = std::filesystem::absolute(args.Get("PATH")).lexically_normal();
  site.folders = {{.path = path, .dialect = args.Get("--dialect")}};
  for (const std::string& text : args.All("--set")) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return Fail(Errc::kInvalid, fmt::format("--set {}: write KEY=VALUE", text));
    for (const auto& dialect : dialects)
      site.settings[std::string(dialect->name())][text.substr(0, equals)] = Value(text.substr(equals + 1));
  }
  return site;
}

Result<const Plugin*> OnlyPlugin(const Catalog& catalog, const std::string& path) {
  for (const Finding& finding : catalog.findings()) PrintFinding(finding);
  if (catalog.plugins().empty()) return Fail(Errc::kInvalid, fmt::format("{}: no plugin to run", path));
  if (catalog.plugins().size() > 1) {
    std::vector<std::string> names;
    for (const Plugin& plugin : catalog.plugins()) names.push_back(plugin.manifest.name);
    return Fail(Errc::kInvalid, fmt::format("{}: holds {} plugins ({}): name the folder of one", path, names.size(),
                                            fmt::join(names, ", ")));
  }
  const Plugin& plugin = catalog.plugins().front();
  if (plugin.manifest.runtime.empty())
    return Fail(Errc::kInvalid, fmt::format("{} declares settings only: there is nothing to run", plugin.manifest.id));
  return &plugin;
}

// Ctrl-C and SIGTERM end the run instead of us. Signals are blocked in every thread that is
// started after this, so that the waiting thread alone gets them.
class Interruption {
 public:
  Interruption() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    thread_ = std::jthread([this] {
      int signal = 0;
      sigwait(&signals_, &signal);
      stop_.request_stop();
    });
  }
  ~Interruption() {
    pthread_kill(thread_.native_handle(), SIGTERM);
    thread_.join();
  }
  std::stop_token token() const { return stop_.get_token(); }

 private:
  sigset_t signals_{};
  std::stop_source stop_;
  std::jthread thread_;
};

struct Outcome {
  Output output;
  Batch batch;
  std::string command;
};

Result<Outcome> Execute(const Plugin& plugin, const Catalog& catalog, const std::string& python,
                        const std::filesystem::path& folder) {
  const Interruption interruption;
  BACKPLANE_ASSIGN(const auto keeper, StartKeeper(folder / "keeper"));
  const runtime::RuntimeList runtimes = MakeRuntimes(*keeper);
  BACKPLANE_ASSIGN(const auto share, ShareFolder());
  const SystemClock clock;
  RunContext context{.run = 1,
                     .work = folder / "work",
                     .share = share,
                     .python = python,
                     .now = clock.Now(),
                     .all_settings = &catalog.DialectSettings(plugin.manifest.dialect)};
  BACKPLANE_TRY(MakePrivateFolder(context.work));
  const Job job{.lane = {kDefaultOrg, plugin.manifest.id, ""},
                .trigger = TriggerKind::kCall,
                .key = "cli",
                .due = context.now,
                .deadline = {}};
  Outcome outcome;
  Result<Invocation> invocation = plugin.codec->Prepare(plugin.manifest, job, plugin.settings, context);
  if (!invocation) {
    outcome.output.status = RunStatus::kNotStarted;
    outcome.output.message = invocation.error().message;
    return outcome;
  }
  outcome.command = DisplayCommand(*invocation);
  for (const auto& runtime : runtimes)
    if (runtime->name() == plugin.manifest.runtime)
      outcome.output = runtime->Run({1, *std::move(invocation), folder}, interruption.token());
  outcome.batch = plugin.codec->Decode(plugin.manifest, plugin.settings, outcome.output, clock.Now());
  return outcome;
}

Json ToJson(const Observation& observation) {
  Json identifiers = Json::object();
  for (const Identifier& identifier : observation.identifiers) identifiers[identifier.scheme] = identifier.value;
  Json fields = Json::object();
  for (const Claim& claim : observation.claims) fields[claim.field] = claim.value;
  return {{"identifiers", identifiers},
          {"fields", fields},
          {"source", observation.source},
          {"at", FormatIso(observation.at)}};
}

Json ToJson(const ObjectRecord& object) {
  return {{"primary", object.primary}, {"secondary", object.secondary},     {"watched", object.watched},
          {"extra", object.extra},     {"foreign_key", object.foreign_key}, {"help", object.help},
          {"at", FormatIso(object.at)}};
}

Json ToJson(const Plugin& plugin, const Outcome& outcome) {
  Json json = {{"plugin", plugin.manifest.id},
               {"status", RunStatusName(outcome.output.status)},
               {"exit_code", outcome.output.exit_code ? Json(*outcome.output.exit_code) : Json(nullptr)},
               {"message", outcome.output.message},
               {"command", outcome.command},
               {"taken", outcome.batch.records.size()}};
  json["refused"] = Json::array();
  for (const Refusal& refusal : outcome.batch.refused)
    json["refused"].push_back({{"where", refusal.where}, {"reason", refusal.reason}});
  json["devices"] = Json::array();
  json["objects"] = Json::array();
  for (const Record& record : outcome.batch.records) {
    if (const auto* observation = std::get_if<Observation>(&record)) json["devices"].push_back(ToJson(*observation));
    if (const auto* object = std::get_if<ObjectRecord>(&record)) json["objects"].push_back(ToJson(*object));
  }
  json["log"] = outcome.output.log;
  return json;
}

void PrintOutcome(const Json& outcome) {
  if (!outcome["log"].get_ref<const std::string&>().empty())
    std::fputs(outcome["log"].get<std::string>().c_str(), stderr);
  std::vector<std::vector<std::string>> devices;
  for (const Json& device : outcome["devices"]) {
    const Json& fields = device["fields"];
    devices.push_back({Text(fields, "name"), Text(fields, "ip"), Text(device["identifiers"], "mac"),
                       Text(fields, "vendor"), Text(fields, "type")});
  }
  if (!devices.empty()) PrintTable({"NAME", "IP", "MAC", "VENDOR", "TYPE"}, devices);
  std::vector<std::vector<std::string>> objects;
  if (devices.empty())
    for (const Json& object : outcome["objects"]) {
      std::vector<std::string> row = {Text(object, "primary"), Text(object, "secondary")};
      for (const Json& value : object["watched"]) row.push_back(value.get<std::string>());
      objects.push_back(std::move(row));
    }
  if (!objects.empty()) PrintTable({"PRIMARY", "SECONDARY", "WATCHED 1", "2", "3", "4"}, objects);
  for (const Json& refusal : outcome["refused"])
    std::puts(Harmless(fmt::format("refused {}: {}", Text(refusal, "where"), Text(refusal, "reason"))).c_str());
  std::puts(fmt::format("{}: {}{}{}; {} devices, {} objects, {} refused", Text(outcome, "plugin"),
                        Coloured(Text(outcome, "status")), Text(outcome, "message").empty() ? "" : ": ",
                        Harmless(Text(outcome, "message")), outcome["devices"].size(), outcome["objects"].size(),
                        outcome["refused"].size())
                .c_str());
}

int Run(const Args& args) {
  const DialectList dialects = MakeDialects();
  const auto site = SiteOf(args, dialects);
  if (!site) return Report(site.error());
  const Catalog catalog = Catalog::Load(*site, dialects);
  const auto plugin = OnlyPlugin(catalog, args.Get("PATH"));
  if (!plugin) return Report(plugin.error());
  const TemporaryFolder folder;
  auto progress = std::make_optional<Progress>(fmt::format("running {}", (*plugin)->manifest.name));
  const auto outcome = Execute(**plugin, catalog, site->options.python, folder.path());
  progress.reset();
  if (!outcome) return Report(outcome.error());
  const Json json = ToJson(**plugin, *outcome);
  if (args.Has("--json"))
    PrintJson(json);
  else
    PrintOutcome(json);
  return outcome->output.status == RunStatus::kOk ? kOk : kFailed;
}

}  // namespace

std::vector<Command> RunCommands() {
  return {{"run",
           "Run one plugin once, here and now, and print what it found; needs no daemon and stores nothing",
           {{"PATH", "The plugin's folder"}},
           {{"--dialect", "NAME", "Read it as this dialect's, instead of asking which recognises it"},
            {"--set", "KEY=VALUE", "Value of a setting, as JSON or text", true},
            {"--config", "FILE", "Site configuration whose settings apply"},
            {"--json", "", "Print JSON instead of tables"}},
           Run,
           "Naming a plugin here is your consent to run it, this once."}};
}

}  // namespace backplane::cli
