// backplane run PATH: one plugin, once, without a daemon.
#include <algorithm>
#include <csignal>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/files.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/local.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "dialects/registry.h"
#include "plugin/secret_ref.h"

namespace backplane::cli {
namespace {

// A setting's value as written in a shell: JSON if it reads as JSON, else a text.
Json Value(const std::string& text) {
  Result<Json> json = ParseJson(text);
  return json ? *std::move(json) : Json(text);
}

Result<config::Site> SiteOf(const Args& args) {
  BACKPLANE_ASSIGN(config::Site site, config::LoadSite(args.Get("--config")));
  const auto path = std::filesystem::absolute(args.Get("PATH")).lexically_normal();
  // The configuration that the site names for the folder in which the plugin lies.
  config::PluginFolder folder{.path = path, .dialect = args.Get("--dialect")};
  for (const config::PluginFolder& known : site.folders)
    if (path == known.path || path.string().starts_with(known.path.string() + "/")) folder.config = known.config;
  site.folders = {std::move(folder)};
  return site;
}

// What --set gives: of whichever dialect the plugin is.
Result<StoredSettings> SetValues(const Args& args, const DialectList& dialects) {
  StoredSettings values;
  for (const std::string& text : args.All("--set")) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return Fail(Errc::kInvalid, fmt::format("--set {}: write KEY=VALUE", text));
    for (const auto& dialect : dialects)
      values[std::string(dialect->name())][text.substr(0, equals)] = {Value(text.substr(equals + 1)),
                                                                      SettingLayer::kSet, "--set", "--set"};
  }
  return values;
}

// Values that nothing will look at are probably misspelt.
void WarnOfUnknown(const GivenSettings& values, const Plugin& plugin) {
  std::vector<std::string> keys = plugin.manifest.reads;
  for (const Setting& setting : plugin.manifest.settings) keys.push_back(setting.key);
  for (const Setting& setting : plugin.codec->CommonSettings()) keys.push_back(setting.key);
  const std::vector<std::string_view> known(keys.begin(), keys.end());
  for (const auto& [key, value] : values) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string_view nearest = Nearest(key, known);
    PrintFinding({Finding::Severity::kWarning, "--set", key,
                  fmt::format("{} declares no such setting{}", plugin.manifest.id,
                              nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest))});
  }
}

// {"id": "sw1", "endpoint": "10.0.0.1", "metadata": {...}, ...}; keys may begin with "resource_".
Result<Resource> ParseTarget(const std::string& text) {
  BACKPLANE_ASSIGN(const Json json, ParseJson(text));
  Resource resource{.site = "local", .class_name = "system", .subclass = "host", .type = "generic", .plugin = "cli"};
  const std::map<std::string_view, std::string*> members = {{"site", &resource.site},
                                                            {"class", &resource.class_name},
                                                            {"subclass", &resource.subclass},
                                                            {"type", &resource.type},
                                                            {"id", &resource.id},
                                                            {"endpoint", &resource.endpoint},
                                                            {"plugin", &resource.plugin}};
  constexpr std::string_view kPrefix = "resource_";
  if (!json.is_object()) return Fail(Errc::kInvalid, "is not a JSON object");
  for (const auto& [key, value] : json.items()) {
    const std::string_view name = std::string_view(key).starts_with(kPrefix)
                                      ? std::string_view(key).substr(kPrefix.size())
                                      : std::string_view(key);
    const auto member = members.find(name);
    if (name == "metadata" && value.is_object()) {
      for (const auto& [item, content] : value.items()) {
        if (!content.is_string()) return Fail(Errc::kInvalid, fmt::format("{}.{} is not a text", key, item));
        resource.metadata[item] = content.get<std::string>();
      }
    } else if (member != members.end() && value.is_string() && value != "") {
      *member->second = value.get<std::string>();
    } else if (name != "creation_timestamp") {
      return Fail(Errc::kInvalid, fmt::format("{}: unknown key or not a text; there are id, endpoint, site, class, "
                                              "subclass, type, plugin and metadata",
                                              key));
    }
  }
  if (resource.id.empty()) return Fail(Errc::kInvalid, "id is missing");
  if (resource.endpoint.empty()) resource.endpoint = resource.id;
  for (const auto& [name, member] : members)
    if (member->find('|') != std::string::npos) return Fail(Errc::kInvalid, fmt::format("{} holds a '|'", name));
  return resource;
}

// What the run is to be about; nothing if its plugin has no targets.
Result<std::optional<Resource>> TargetOf(const Args& args, const Plugin& plugin) {
  const bool given = args.Has("--target");
  if (plugin.manifest.targets == nullptr) {
    if (given)
      return Fail(Errc::kInvalid, fmt::format("--target: {} runs about nothing in particular", plugin.manifest.id));
    return std::optional<Resource>();
  }
  if (!given)
    return Fail(Errc::kInvalid,
                fmt::format("{} runs about a resource: name one with --target '{{\"id\": \"host1\", \"endpoint\": "
                            "\"10.0.0.1\"}}'",
                            plugin.manifest.id));
  auto resource = ParseTarget(args.Get("--target"));
  if (!resource) return Fail(resource.error().code, "--target: " + resource.error().message);
  if (!plugin.manifest.targets->matches(*resource))
    std::fputs(
        fmt::format("note: its filter does not match this resource: {}\n", plugin.manifest.targets->text).c_str(),
        stderr);
  return std::optional(*std::move(resource));
}

Result<const Plugin*> OnlyPlugin(const Catalog& catalog, const std::string& path) {
  for (const Finding& finding : catalog.findings()) PrintFinding(finding);
  if (catalog.plugins().empty()) return Fail(Errc::kInvalid, fmt::format("{}: no plugin to run", path));
  if (catalog.plugins().size() > 1) {
    std::vector<std::string> names;
    for (const Plugin& plugin : catalog.plugins()) names.push_back(plugin.manifest.name);
    return Fail(Errc::kInvalid, fmt::format("{}: holds {} plugins ({}): name the folder or file of one", path,
                                            names.size(), fmt::join(names, ", ")));
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

Result<Outcome> Execute(const Plugin& plugin, const Catalog& catalog, const config::Options& options,
                        const std::optional<Resource>& resource, const std::filesystem::path& folder) {
  for (const auto& [key, value] : plugin.settings)
    if (IsSecretRef(value))
      return Fail(Errc::kInvalid,
                  fmt::format("{} refers to a secret, which a daemon keeps: give it with --set {}=VALUE", key, key),
                  key);
  BACKPLANE_ASSIGN(const OpenedSettings opened,
                   OpenSettings(plugin.settings, catalog.DialectSettings(plugin.manifest.dialect),
                                [](const auto&) { return std::vector<Secret>(); }));
  const Interruption interruption;
  BACKPLANE_ASSIGN(const auto keeper, StartKeeper(folder / "keeper"));
  const runtime::RuntimeList runtimes = MakeRuntimes(*keeper);
  BACKPLANE_ASSIGN(const auto share, ShareFolder());
  const SystemClock clock;
  RunContext context{.run = 1,
                     .work = folder / "work",
                     .share = share,
                     .python = options.python,
                     .path = options.path,
                     .installation = {},
                     .now = clock.Now(),
                     .all_settings = &opened.all,
                     .manifests = catalog.ManifestsOf(plugin.manifest.dialect),
                     .given = &catalog.Given(plugin.manifest.dialect),
                     .resource = resource ? &*resource : nullptr,
                     .enrichments = [](const std::string&, const std::string&) { return std::vector<Enrichment>(); }};
  BACKPLANE_TRY(MakePrivateFolder(context.work));
  const Job job{.lane = {kDefaultOrg, plugin.manifest.id, resource ? ResourceKey(*resource) : ""},
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
      outcome.output = runtime->Run({1, *std::move(invocation), folder, folder / "results"}, interruption.token());
  outcome.batch = plugin.codec->Decode(plugin.manifest, plugin.settings, opened.all, outcome.output, clock.Now());
  if (!outcome.batch.failure.empty() && outcome.output.status == RunStatus::kOk) {
    outcome.output.status = RunStatus::kFailed;
    outcome.output.message = outcome.batch.failure;
  }
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

Json ToJson(const ResourceRecord& record) {
  const Resource& resource = record.resource;
  return {{"key", ResourceKey(resource)},     {"site", resource.site},     {"class", resource.class_name},
          {"subclass", resource.subclass},    {"type", resource.type},     {"id", resource.id},
          {"endpoint", resource.endpoint},    {"plugin", resource.plugin}, {"metadata", resource.metadata},
          {"ttl", FormatDuration(record.ttl)}};
}

Json ToJson(const EnrichmentRecord& record) {
  const Result<Json> body = ParseJson(record.body);
  return {{"resource_id", record.resource_id},
          {"namespace", record.name_space},
          {"ttl", FormatDuration(record.ttl)},
          {"body", body ? *body : Json(record.body)}};
}

Json ToJson(const MetricsRecord& record) {
  Json json = {{"resource", record.resource}, {"group", record.group}, {"at", FormatIso(record.at)}};
  json["dimensions"] = Json::object();
  for (const auto& [name, value] : record.dimensions) json["dimensions"][name] = value;
  json["metrics"] = Json::array();
  for (const Measurement& measurement : record.measurements)
    json["metrics"].push_back({{"name", measurement.name},
                               {"kind", MetricKindName(measurement.kind)},
                               {"value", std::visit([](const auto value) { return Json(value); }, measurement.value)}});
  return json;
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
  for (const char* list : {"devices", "objects", "resources", "enrichments", "metrics"}) json[list] = Json::array();
  for (const Record& record : outcome.batch.records) {
    if (const auto* observation = std::get_if<Observation>(&record)) json["devices"].push_back(ToJson(*observation));
    if (const auto* object = std::get_if<ObjectRecord>(&record)) json["objects"].push_back(ToJson(*object));
    if (const auto* resource = std::get_if<ResourceRecord>(&record)) json["resources"].push_back(ToJson(*resource));
    if (const auto* fact = std::get_if<EnrichmentRecord>(&record)) json["enrichments"].push_back(ToJson(*fact));
    if (const auto* metrics = std::get_if<MetricsRecord>(&record)) json["metrics"].push_back(ToJson(*metrics));
  }
  json["log"] = outcome.output.log;
  return json;
}

void PrintTargets(const Json& outcome) {
  std::vector<std::vector<std::string>> resources;
  for (const Json& resource : outcome["resources"])
    resources.push_back(
        {Text(resource, "id"), Text(resource, "endpoint"), Text(resource, "site"),
         fmt::format("{}/{}/{}", Text(resource, "class"), Text(resource, "subclass"), Text(resource, "type"))});
  if (!resources.empty()) PrintTable({"RESOURCE", "ENDPOINT", "SITE", "CLASS/SUBCLASS/TYPE"}, resources);
  std::vector<std::vector<std::string>> facts;
  for (const Json& fact : outcome["enrichments"])
    facts.push_back({Text(fact, "resource_id"), Text(fact, "namespace"), Text(fact, "ttl"), DumpJson(fact["body"])});
  if (!facts.empty()) PrintTable({"RESOURCE", "ENRICHMENT", "FOR", "BODY"}, facts);
  std::vector<std::vector<std::string>> values;
  for (const Json& group : outcome["metrics"]) {
    std::string dimensions;
    for (const auto& [name, value] : group["dimensions"].items())
      dimensions += fmt::format("{}{}={}", dimensions.empty() ? "" : " ", name, value.get<std::string>());
    for (const Json& metric : group["metrics"])
      values.push_back(
          {Text(group, "group"), dimensions, Text(metric, "name"), Text(metric, "kind"), Text(metric, "value")});
  }
  if (!values.empty()) PrintTable({"GROUP", "DIMENSIONS", "METRIC", "KIND", "VALUE"}, values);
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
  PrintTargets(outcome);
  for (const Json& refusal : outcome["refused"])
    std::puts(Harmless(fmt::format("refused {}: {}", Text(refusal, "where"), Text(refusal, "reason"))).c_str());
  std::string counts;
  for (const char* list : {"devices", "objects", "resources", "enrichments", "metrics", "refused"})
    if (!outcome[list].empty()) counts += fmt::format(", {} {}", outcome[list].size(), list);
  std::puts(fmt::format("{}: {}{}{}; {}", Text(outcome, "plugin"), Coloured(Text(outcome, "status")),
                        Text(outcome, "message").empty() ? "" : ": ", Harmless(Text(outcome, "message")),
                        counts.empty() ? "it reported nothing" : counts.substr(2))
                .c_str());
}

int Run(const Args& args) {
  const DialectList dialects = MakeDialects();
  const auto site = SiteOf(args);
  if (!site) return Report(site.error());
  const auto values = SetValues(args, dialects);
  if (!values) return Report(values.error());
  const Catalog catalog = Catalog::Load(*site, dialects, nullptr, {}, *values);
  const auto plugin = OnlyPlugin(catalog, args.Get("PATH"));
  if (!plugin) return Report(plugin.error());
  if (const auto given = values->find((*plugin)->manifest.dialect); given != values->end())
    WarnOfUnknown(given->second, **plugin);
  const auto resource = TargetOf(args, **plugin);
  if (!resource) return Report(resource.error());
  const TemporaryFolder folder;
  auto progress = std::make_optional<Progress>(fmt::format("running {}", (*plugin)->manifest.name));
  const auto outcome = Execute(**plugin, catalog, site->options, *resource, folder.path());
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
  return {
      {"run",
       "Run one plugin once, here and now, and print what it found; needs no daemon and stores nothing",
       {{"PATH", "The plugin's folder, or the file that declares it"}},
       {{"--dialect", "NAME", "Read it as this dialect's, instead of asking which recognises it"},
        {"--set", "KEY=VALUE", "Value of a setting, as JSON or text", true},
        {"--target", "JSON", "The resource to run about: {\"id\": ..., \"endpoint\": ..., \"metadata\": {...}, ...}"},
        {"--config", "FILE", "Site configuration whose settings apply"},
        {"--json", "", "Print JSON instead of tables"}},
       Run,
       "Naming a plugin here is your consent to run it, this once. What other plugins stored is not there: one that "
       "needs their enrichments runs in a daemon only."}};
}

}  // namespace backplane::cli
