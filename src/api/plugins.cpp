// /plugins: what the site's folders hold, and running it.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/api.h"
#include "base/rng.h"
#include "store/runs.h"

namespace backplane::api {
namespace {

Json ToJson(const Trigger& trigger) {
  Json json = {{"kind", TriggerName(trigger.kind)}};
  if (!trigger.cron.empty()) json["cron"] = trigger.cron;
  if (trigger.kind == TriggerKind::kCron) json["zone"] = trigger.zone.empty() ? "UTC" : trigger.zone;
  if (trigger.interval.count() > 0) json["interval"] = FormatDuration(trigger.interval);
  if (!trigger.name.empty()) json["name"] = trigger.name;
  return json;
}

Json ToJson(const ApiParts& parts, const Plugin& plugin, const Call& call) {
  const Manifest& manifest = plugin.manifest;
  Json json = {{"id", manifest.id},          {"dialect", manifest.dialect}, {"name", manifest.name},
               {"title", manifest.title},    {"kind", manifest.kind},       {"folder", manifest.folder},
               {"runtime", manifest.runtime}};
  json["triggers"] = Json::array();
  for (const Trigger& trigger : manifest.triggers) json["triggers"].push_back(ToJson(trigger));
  const auto lane = parts.host.View({call.org(), manifest.id, ""});
  json["next_run"] = lane.next ? Json(FormatIso(*lane.next)) : Json(nullptr);
  json["running"] = lane.running ? Json(*lane.running) : Json(nullptr);
  json["last_decision"] = nullptr;
  if (lane.decision)
    json["last_decision"] = {{"what", dispatch::DecisionText(*lane.decision)},
                             {"key", lane.decision->key},
                             {"at", FormatIso(lane.decision->at)}};
  return json;
}

Json Describe(const ApiParts& parts, const Plugin& plugin, const Call& call) {
  Json json = ToJson(parts, plugin, call);
  const Manifest& manifest = plugin.manifest;
  json["description"] = manifest.description;
  json["limits"] = {{"timeout", FormatDuration(manifest.limits.timeout)},
                    {"output_bytes", manifest.limits.output_bytes},
                    {"result_bytes", manifest.limits.result_bytes}};
  json["settings"] = Json::array();
  for (const Setting& setting : manifest.settings) {
    const auto value = plugin.settings.find(setting.key);
    Json row = {{"key", setting.key}, {"type", setting.type}, {"title", setting.title}, {"help", setting.help}};
    if (setting.secret) {
      row["set"] = value != plugin.settings.end() && value->second != "";
    } else {
      row["default"] = setting.default_value;
      row["value"] = value == plugin.settings.end() ? setting.default_value : value->second;
    }
    json["settings"].push_back(std::move(row));
  }
  return json;
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
  const auto plugin = parts.catalog.Find(call.Path("id"));
  if (!plugin) return responder.Send(ToResponse(Fail(plugin.error())));
  if ((*plugin)->manifest.runtime.empty())
    return responder.Send(ToResponse(Fail(
        Errc::kConflict, fmt::format("{} declares settings only: there is nothing to run", (*plugin)->manifest.id))));
  const std::string_view given = call.request().Header("Idempotency-Key");
  if (given.size() > 200)
    return responder.Send(
        ToResponse(Fail(Errc::kInvalid, "Idempotency-Key: has more than 200 bytes", "Idempotency-Key")));
  const std::string key = fmt::format("call/{}", given.empty() ? SecretHex(12) : std::string(given));
  const LaneKey lane{call.org(), (*plugin)->manifest.id, ""};
  if (!given.empty()) {
    const auto earlier = RunOf(parts, lane, key);
    if (!earlier) return responder.Send(ToResponse(Fail(earlier.error())));
    if (*earlier) return responder.Send(ToResponse(JobReply(key, **earlier, "started")));
  }
  // By value: the host may call back when the Api is gone already.
  parts.host.Call(**plugin, key, [parts, lane, key, responder](const dispatch::CallAnswer& answer) {
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

Result<std::string> PluginId(const ApiParts& parts, const std::string& name) {
  const auto plugin = parts.catalog.Find(name);
  if (plugin) return (*plugin)->manifest.id;
  if (plugin.error().code == Errc::kNotFound && name.find(':') != std::string::npos) return name;
  return Fail(plugin.error());
}

std::vector<Endpoint> PluginEndpoints(const ApiParts& parts) {
  return {
      {"GET",
       "/plugins",
       Permission::kRead,
       "The site's plugins, and what is wrong in its folders.",
       {},
       [&parts](const Call& call) -> Result<Reply> {
         Json body = {{"plugins", Json::array()}, {"findings", backplane::ToJson(parts.catalog.findings())}};
         for (const Plugin& plugin : parts.catalog.plugins()) body["plugins"].push_back(ToJson(parts, plugin, call));
         return Reply{std::move(body)};
       }},
      {"GET",
       "/plugins/{id}",
       Permission::kRead,
       "One plugin: settings, limits, triggers, next run and the last decision about it.",
       {},
       [&parts](const Call& call) -> Result<Reply> {
         BACKPLANE_ASSIGN(const Plugin* plugin, parts.catalog.Find(call.Path("id")));
         return Reply{Describe(parts, *plugin, call)};
       }},
      {"POST",
       "/plugins/{id}/run",
       Permission::kOperate,
       "Runs a plugin now, whatever its schedule: 202 with the job's key and, once it has started, the run's id. "
       "Repeating the Idempotency-Key finds the first run.",
       {},
       [&parts](const Call& call, const http::Responder& responder) { RunNow(parts, call, responder); }},
  };
}

}  // namespace backplane::api
