// /plugins: what the site's folders hold, and running it.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/api.h"
#include "api/setting_row.h"
#include "base/rng.h"
#include "store/runs.h"

namespace backplane::api {
namespace {

constexpr std::size_t kMostSummarised = 1'000;

Json ToJson(const Trigger& trigger) {
  Json json = {{"kind", TriggerName(trigger.kind)}};
  if (!trigger.cron.empty()) json["cron"] = trigger.cron;
  if (trigger.kind == TriggerKind::kCron) json["zone"] = trigger.zone.empty() ? "UTC" : trigger.zone;
  if (trigger.interval.count() > 0) json["interval"] = FormatDuration(trigger.interval);
  if (!trigger.name.empty()) json["name"] = trigger.name;
  return json;
}

using LaneView = dispatch::Host::LaneView;

void AddLane(Json& json, const LaneView& lane) {
  json["next_run"] = lane.next ? Json(FormatIso(*lane.next)) : Json(nullptr);
  json["running"] = lane.running ? Json(*lane.running) : Json(nullptr);
  json["last_decision"] = nullptr;
  if (lane.decision)
    json["last_decision"] = {{"what", dispatch::DecisionText(*lane.decision)},
                             {"key", lane.decision->key},
                             {"at", FormatIso(lane.decision->at)}};
}

// Of a plugin with many lanes: the earliest slot, one of the runs, and the latest decision.
LaneView Summary(const ApiParts& parts, OrgId org, const std::string& plugin) {
  LaneView summary;
  if (parts.host.CountTargets(plugin) > kMostSummarised) return summary;
  for (const std::string& target : parts.host.TargetsOf(plugin, "", kMostSummarised)) {
    const LaneView lane = parts.host.View({org, plugin, target});
    if (lane.next && (!summary.next || *lane.next < *summary.next)) summary.next = lane.next;
    if (lane.running) summary.running = lane.running;
    if (lane.decision && (!summary.decision || lane.decision->at > summary.decision->at))
      summary.decision = lane.decision;
  }
  return summary;
}

// Why a plugin that was found once is not in force.
std::string StateOf(const ApiParts& parts, const store::PluginVersion& version) {
  if (version.state == store::VersionState::kWaiting) return "waiting";
  const auto view = parts.registry.View(version.plugin);
  return view && !view->enabled ? "disabled" : "absent";
}

// The plugin of the path. One that was found and does not run is told from one that is unknown.
Result<const Plugin*> PluginOf(const ApiParts& parts, const Call& call, const Catalog& catalog) {
  const std::string& name = call.Path("id");
  auto plugin = catalog.Find(name);
  if (plugin || plugin.error().code != Errc::kNotFound || call.org() != kDefaultOrg) return plugin;
  BACKPLANE_ASSIGN(const auto newest, parts.registry.Newest());
  for (const store::PluginVersion& version : newest)
    if (version.plugin == name || version.plugin.ends_with(":" + name))
      return Fail(Errc::kNotFound, fmt::format("{} does not run: it is {}{}", version.plugin, StateOf(parts, version),
                                               version.state == store::VersionState::kWaiting ? " for approval" : ""));
  return plugin;
}

Result<Reply> Lanes(const ApiParts& parts, const Call& call) {
  const auto catalog = CatalogOf(parts, call.org());
  BACKPLANE_ASSIGN(const Plugin* plugin, PluginOf(parts, call, *catalog));
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("limit", 100, 1, 1000));
  const auto most = static_cast<std::size_t>(limit);
  const auto targets = parts.host.TargetsOf(plugin->manifest.id, call.Query("after"), most + 1);
  const auto shown = std::min(targets.size(), most);
  Json body = {{"lanes", Json::array()}};
  for (std::size_t i = 0; i < shown; ++i) {
    Json lane = {{"target", targets[i]}, {"resource", ResourceIdOf(targets[i])}};
    AddLane(lane, parts.host.View({call.org(), plugin->manifest.id, targets[i]}));
    body["lanes"].push_back(std::move(lane));
  }
  body["next"] = shown < targets.size() ? Json(targets[shown - 1]) : Json(nullptr);
  return Reply{std::move(body)};
}

// The lane that a caller means: by a resource's whole key, or by its id if that is the only one.
Result<LaneKey> LaneOf(const ApiParts& parts, const Plugin& plugin, const Call& call) {
  LaneKey lane{call.org(), plugin.manifest.id, ""};
  const std::string target = call.Query("target");
  if (plugin.manifest.targets == nullptr) {
    if (!target.empty())
      return Fail(Errc::kInvalid, fmt::format("{} runs about nothing in particular", lane.plugin), "target");
    return lane;
  }
  const std::size_t targets = parts.host.CountTargets(lane.plugin);
  if (target.empty())
    return Fail(Errc::kInvalid,
                fmt::format("{} runs about resources, {} of them now: name one by its id", lane.plugin, targets),
                "target");
  const std::vector<std::string> meant = parts.host.TargetsNamed(lane.plugin, target);
  if (meant.empty())
    return Fail(Errc::kNotFound,
                fmt::format("{} does not run about {}: {}", lane.plugin, target,
                            targets == 0 ? "no resource matches its filter"
                                         : "its filter does not match it, or there is no such one"),
                "target");
  if (meant.size() > 1)
    return Fail(Errc::kConflict,
                fmt::format("{} is the id of {} resources: name one by its key ({})", target, meant.size(), meant[0]),
                "target");
  lane.target = meant[0];
  return lane;
}

Json ToJson(const ApiParts& parts, const Plugin& plugin, const Call& call) {
  const Manifest& manifest = plugin.manifest;
  Json json = {{"id", manifest.id},          {"dialect", manifest.dialect}, {"name", manifest.name},
               {"title", manifest.title},    {"kind", manifest.kind},       {"folder", manifest.folder},
               {"runtime", manifest.runtime}};
  json["triggers"] = Json::array();
  for (const Trigger& trigger : manifest.triggers) json["triggers"].push_back(ToJson(trigger));
  json["targets"] = nullptr;
  if (manifest.targets != nullptr)
    json["targets"] = {{"filter", manifest.targets->text}, {"count", parts.host.CountTargets(manifest.id)}};
  AddLane(json, Summary(parts, call.org(), manifest.id));
  json["state"] = "enabled";
  return json;
}

Json ToJson(const SettingForm& form, const Setting& setting, const Settings& values) {
  Json row = {{"key", setting.key},
              {"type", setting.type},
              {"title", form.title},
              {"help", form.help},
              {"schema", form.schema}};
  AddValue(row, setting, values);
  return row;
}

Json Describe(const ApiParts& parts, const Plugin& plugin, const Call& call) {
  Json json = ToJson(parts, plugin, call);
  const Manifest& manifest = plugin.manifest;
  const Presentation shown = plugin.codec->Present(manifest, call.Query("language"));
  json["title"] = shown.title;
  json["description"] = shown.description;
  json["icon"] = shown.icon;
  json["languages"] = shown.languages;
  json["limits"] = {{"timeout", FormatDuration(manifest.limits.timeout)},
                    {"output_bytes", manifest.limits.output_bytes},
                    {"result_bytes", manifest.limits.result_bytes}};
  json["settings"] = Json::array();
  for (std::size_t i = 0; i < manifest.settings.size(); ++i)
    json["settings"].push_back(ToJson(shown.settings[i], manifest.settings[i], plugin.settings));
  for (const char* key : {"columns", "filters"}) json[key] = Json::array();
  for (const ColumnView& column : shown.columns) json["columns"].push_back(backplane::ToJson(column));
  for (const RowFilter& filter : shown.filters) json["filters"].push_back(backplane::ToJson(filter));
  return json;
}

// What was found and does not run has a row too, and what runs says whether another version waits.
Status AddStates(const ApiParts& parts, const Call& call, const Catalog& catalog, Json& rows) {
  if (call.org() != kDefaultOrg) return {};
  std::map<std::string, store::PluginVersion> waiting;
  BACKPLANE_ASSIGN(const auto newest, parts.registry.Newest());
  for (const store::PluginVersion& version : newest) {
    const bool waits = version.state == store::VersionState::kWaiting;
    if (waits) waiting.emplace(version.plugin, version);
    if (catalog.FindById(version.plugin) != nullptr) continue;
    rows.push_back({{"id", version.plugin},
                    {"dialect", version.dialect},
                    {"name", version.title},
                    {"title", version.title},
                    {"kind", ""},
                    {"folder", version.source},
                    {"runtime", ""},
                    {"triggers", Json::array()},
                    {"targets", nullptr},
                    {"next_run", nullptr},
                    {"running", nullptr},
                    {"last_decision", nullptr},
                    {"state", StateOf(parts, version)}});
  }
  for (Json& row : rows) {
    const auto version = waiting.find(row["id"].get_ref<const std::string&>());
    row["waits"] = version == waiting.end() ? Json(nullptr) : Json(version->second.hash);
  }
  return {};
}

Reply JobReply(const std::string& key, const Json& run, std::string_view state) {
  return {{{"job", key}, {"run", run}, {"state", state}}, 202, {}};
}

// The run that a job with this key came to; nothing if there is none yet.
Result<std::optional<RunId>> RunOf(const ApiParts& parts, const LaneKey& lane, const std::string& key) {
  std::optional<RunId> id;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    if (const auto run = store::Runs(connection, lane.org).FindByKey(lane, key)) id = run->id;
    return {};
  }));
  return id;
}

void RunNow(const ApiParts& parts, const Call& call, const http::Responder& responder) {
  const auto catalog = CatalogOf(parts, call.org());
  const auto plugin = PluginOf(parts, call, *catalog);
  if (!plugin) return responder.Send(ToResponse(Fail(plugin.error())));
  if ((*plugin)->manifest.runtime.empty())
    return responder.Send(ToResponse(Fail(
        Errc::kConflict, fmt::format("{} declares settings only: there is nothing to run", (*plugin)->manifest.id))));
  const std::string_view given = call.request().Header("Idempotency-Key");
  if (given.size() > 200)
    return responder.Send(
        ToResponse(Fail(Errc::kInvalid, "Idempotency-Key: has more than 200 bytes", "Idempotency-Key")));
  const std::string key = fmt::format("call/{}", given.empty() ? SecretHex(12) : std::string(given));
  const auto found = LaneOf(parts, **plugin, call);
  if (!found) return responder.Send(ToResponse(Fail(found.error())));
  const LaneKey& lane = *found;
  if (!given.empty()) {
    const auto earlier = RunOf(parts, lane, key);
    if (!earlier) return responder.Send(ToResponse(Fail(earlier.error())));
    if (*earlier) return responder.Send(ToResponse(JobReply(key, **earlier, "started")));
  }
  // By value: the host may call back when the Api is gone already.
  parts.host.Call(lane, key, [parts, lane, key, responder](const dispatch::CallAnswer& answer) {
    using State = dispatch::CallAnswer::State;
    // What was dropped as a repetition may have begun and ended since we looked.
    const auto run = answer.state == State::kDropped ? RunOf(parts, lane, key) : std::nullopt;
    if (run && *run)
      responder.Send(ToResponse(JobReply(key, **run, "started")));
    else if (answer.state == State::kDropped)
      responder.Send(ToResponse(Fail(Errc::kConflict, fmt::format("not run: {}", answer.reason))));
    else if (answer.state == State::kStarted)
      responder.Send(ToResponse(JobReply(key, answer.run, "started")));
    else
      responder.Send(ToResponse(JobReply(key, nullptr, answer.reason)));
  });
}

}  // namespace

Result<std::string> PluginId(const ApiParts& parts, OrgId org, const std::string& name) {
  const auto catalog = CatalogOf(parts, org);
  const auto plugin = catalog->Find(name);
  if (plugin) return (*plugin)->manifest.id;
  if (plugin.error().code != Errc::kNotFound) return Fail(plugin.error());
  if (name.find(':') != std::string::npos) return name;
  // What one that does not run now has reported is still there.
  if (org == kDefaultOrg) {
    BACKPLANE_ASSIGN(const auto newest, parts.registry.Newest());
    for (const store::PluginVersion& version : newest)
      if (version.plugin.ends_with(":" + name)) return version.plugin;
  }
  return Fail(plugin.error());
}

std::vector<Endpoint> PluginEndpoints(const ApiParts& parts) {
  return {
      {"GET",
       "/plugins",
       Permission::kRead,
       "The site's plugins, with those that wait for approval or are disabled, and what is wrong in its folders.",
       {},
       [&parts](const Call& call) -> Result<Reply> {
         const auto catalog = CatalogOf(parts, call.org());
         Json body = {{"plugins", Json::array()}, {"findings", backplane::ToJson(catalog->findings())}};
         for (const Plugin& plugin : catalog->plugins()) body["plugins"].push_back(ToJson(parts, plugin, call));
         BACKPLANE_TRY(AddStates(parts, call, *catalog, body["plugins"]));
         return Reply{std::move(body)};
       }},
      {"GET",
       "/plugins/{id}",
       Permission::kRead,
       "One plugin: settings with a form for each, columns of its objects, limits, triggers, next run and the last "
       "decision about it.",
       {{"language", "Which of its `languages` texts are wanted in, such as de_de; English unless given."}},
       [&parts](const Call& call) -> Result<Reply> {
         const auto catalog = CatalogOf(parts, call.org());
         BACKPLANE_ASSIGN(const Plugin* plugin, PluginOf(parts, call, *catalog));
         return Reply{Describe(parts, *plugin, call)};
       }},
      {"GET",
       "/plugins/{id}/lanes",
       Permission::kRead,
       "What a plugin runs about now: for each resource its next run, what runs and the last decision.",
       {{"after", "Cursor: the `next` of the page before."}, {"limit", "Lanes per page, 1 to 1000; 100 unless given."}},
       [&parts](const Call& call) { return Lanes(parts, call); }},
      {"POST",
       "/plugins/rescan",
       Permission::kOperate,
       "Reads the plugin folders again, as happens by itself now and then.",
       {},
       [&parts](const Call& call) -> Result<Reply> {
         if (call.org() != kDefaultOrg)
           return Fail(Errc::kDenied, "the plugin folders of the site belong to the default organisation");
         BACKPLANE_TRY(parts.rescan());
         const auto catalog = CatalogOf(parts, call.org());
         return Reply{{{"plugins", catalog->plugins().size()}, {"findings", backplane::ToJson(catalog->findings())}}};
       }},
      {"POST",
       "/plugins/{id}/run",
       Permission::kOperate,
       "Runs a plugin now, whatever its schedule: 202 with the job's key and, once it has started, the run's id. "
       "Repeating the Idempotency-Key finds the first run.",
       {{"target", "Which resource to run about, by id or key; only for plugins that run about resources."}},
       [&parts](const Call& call, const http::Responder& responder) { RunNow(parts, call, responder); }},
  };
}

}  // namespace backplane::api
