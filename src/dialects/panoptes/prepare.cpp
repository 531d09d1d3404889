#include "dialects/panoptes/prepare.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "dialects/panoptes/decode.h"
#include "dialects/panoptes/site.h"

namespace backplane::panoptes {
namespace {

constexpr const char* kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

Json ResourceJson(const Resource& resource, TimePoint now) {
  return {{"resource_site", resource.site},
          {"resource_class", resource.class_name},
          {"resource_subclass", resource.subclass},
          {"resource_type", resource.type},
          {"resource_id", resource.id},
          {"resource_endpoint", resource.endpoint},
          {"resource_metadata", resource.metadata},
          {"resource_creation_timestamp", static_cast<double>(ToMillis(now)) / 1000},
          {"resource_plugin", resource.plugin}};
}

Status AddEnrichments(const RunContext& context, const std::string& id, const std::string& name_space, Json& out) {
  BACKPLANE_ASSIGN(const auto found, context.enrichments(id, name_space));
  for (const Enrichment& one : found) out[one.resource_id][one.name_space] = one.body;
  return {};
}

// What a plugin may read: all that is known of its resource, and what "[enrichment] preload" names.
Result<Json> Enrichments(const Json& config, const RunContext& context) {
  Json out = Json::object();
  const auto section = config.find("enrichment");
  if (section == config.end() || section->empty() || !context.resource || !context.enrichments) return out;
  BACKPLANE_TRY(AddEnrichments(context, context.resource->id, {}, out));
  const std::string preload = section->value("preload", "");
  for (const std::string_view item : Split(preload, ',')) {
    const auto colon = item.rfind(':');
    if (colon == std::string_view::npos) continue;
    const std::string id(Trim(item.substr(0, colon))), name_space(Trim(item.substr(colon + 1)));
    if (id.empty() || name_space.empty() || id == "self") continue;
    BACKPLANE_TRY(AddEnrichments(context, id, name_space == "*" ? std::string() : name_space, out));
  }
  return out;
}

}  // namespace

Result<Invocation> PrepareRun(const Manifest& manifest, const Settings& settings, const RunContext& context) {
  const std::filesystem::path framework = context.share / "python/panoptes";
  const std::filesystem::path request = context.work / "request.json";
  const std::filesystem::path result = context.work / kResultFile;
  const std::filesystem::path error = context.work / "error.json";

  const Json& document = manifest.document;
  const Json& site = document.at("site");
  Json snmp = site.at("snmp");
  if (const auto community = settings.find(std::string(kCommunity)); community != settings.end())
    snmp["community"] = community->second;
  BACKPLANE_ASSIGN(Json enrichments, Enrichments(document.at("config"), context));
  const Json content = {{"type", document.at("type")},
                        {"name", manifest.name},
                        {"module", document.at("module")},
                        {"config", document.at("config")},
                        {"resource", context.resource ? ResourceJson(*context.resource, context.now) : Json()},
                        {"sites", site.at("sites")},
                        {"snmp", std::move(snmp)},
                        {"x509", site.at("x509")},
                        {"enrichments", std::move(enrichments)},
                        {"level", "INFO"},
                        {"limit", manifest.limits.result_bytes},
                        {"result", result.string()},
                        {"error", error.string()}};
  BACKPLANE_TRY(WriteFileAtomic(request, DumpJson(content), 0600));

  Invocation out;
  out.runtime = manifest.runtime;
  out.argv = {context.python, framework / "run_plugin.py", request};
  out.environment = {{"PATH", context.path.empty() ? std::string(kPath) : fmt::format("{}:{}", context.path, kPath)},
                     {"HOME", context.work},
                     {"TMPDIR", context.work},
                     {"LANG", "C.UTF-8"},
                     {"PYTHONPATH", framework},
                     {"PYTHONDONTWRITEBYTECODE", "1"},
                     {"PYTHONUNBUFFERED", "1"}};
  out.working_folder = context.work;
  out.limits = manifest.limits;
  out.result_files = {result, error};
  return out;
}

}  // namespace backplane::panoptes
