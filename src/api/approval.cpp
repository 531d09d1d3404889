// /plugins/...: what may run, and who said so.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/api.h"

namespace backplane::api {
namespace {

using package::VersionView;
using store::PluginVersion;

// The plugin that a caller names by id, by the last part of it, or by title.
Result<std::string> NamedPlugin(const ApiParts& parts, const Call& call) {
  const std::string& name = call.Path("id");
  std::vector<PluginVersion> all;
  // The site's plugins are the default organisation's.
  if (call.org() == kDefaultOrg) {
    BACKPLANE_ASSIGN(all, parts.registry.Newest());
  }
  std::vector<std::string> meant;
  for (const PluginVersion& one : all) {
    if (one.plugin == name) return name;
    if (one.title == name || one.plugin.ends_with(":" + name)) meant.push_back(one.plugin);
  }
  if (meant.empty()) return Fail(Errc::kNotFound, fmt::format("no plugin {}", name));
  if (meant.size() > 1)
    return Fail(Errc::kConflict, fmt::format("{} is {} or {}: name it in full", name, meant[0], meant[1]));
  return meant[0];
}

Json ToJson(const VersionView& view, const std::string& diff) {
  const PluginVersion& version = view.version;
  Json json = {{"plugin", version.plugin},
               {"title", version.title},
               {"dialect", version.dialect},
               {"hash", version.hash},
               {"state", store::VersionStateName(version.state)},
               {"enabled", view.enabled},
               {"source", version.source},
               {"found", FormatIso(version.found)},
               {"decided", version.decided ? Json(FormatIso(*version.decided)) : Json(nullptr)},
               {"decided_by", version.decided_by},
               {"in_force", view.approved ? Json(view.approved->hash) : Json(nullptr)}};
  const Result<Json> asks = ParseJson(version.asks);
  json["asks"] = asks ? *asks : Json::object();
  json["root"] = view.tree.root;
  json["files"] = Json::array();
  for (const package::TreeFile& file : view.tree.files)
    json["files"].push_back(
        {{"path", file.path}, {"size", file.size}, {"executable", file.executable}, {"sha256", file.content}});
  json["diff"] = diff;
  return json;
}

Result<Reply> Review(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const std::string plugin, NamedPlugin(parts, call));
  BACKPLANE_ASSIGN(const VersionView view, parts.registry.View(plugin, call.Query("hash")));
  BACKPLANE_ASSIGN(const std::string diff, parts.registry.Diff(view));
  return Reply{ToJson(view, diff)};
}

Result<Reply> Approve(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const std::string plugin, NamedPlugin(parts, call));
  BACKPLANE_ASSIGN(const Json body, call.Body());
  const auto hash = body.find("hash");
  if (body.size() != 1 || hash == body.end() || !hash->is_string())
    return Fail(Errc::kInvalid, "the body is {\"hash\": ...}: the whole hash of what was reviewed", "hash");
  BACKPLANE_ASSIGN(const PluginVersion version, parts.registry.Approve(plugin, hash->get<std::string>(), call.actor()));
  BACKPLANE_TRY(parts.rescan());
  return Reply{{{"plugin", plugin}, {"hash", version.hash}, {"state", "approved"}}};
}

Result<Reply> Switch(const ApiParts& parts, const Call& call, bool enabled) {
  BACKPLANE_ASSIGN(const std::string plugin, NamedPlugin(parts, call));
  BACKPLANE_TRY(parts.registry.SetEnabled(plugin, enabled, call.actor()));
  BACKPLANE_TRY(parts.rescan());
  return Reply{{{"plugin", plugin}, {"enabled", enabled}}};
}

Result<Reply> Remove(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const std::string plugin, NamedPlugin(parts, call));
  BACKPLANE_TRY(parts.registry.Remove(plugin, call.actor()));
  BACKPLANE_TRY(parts.rescan());
  return Reply{{{"plugin", plugin}, {"removed", true}}};
}

Result<Reply> Install(const ApiParts& parts, const Call& call) {
  if (call.org() != kDefaultOrg) return Fail(Errc::kDenied, "plugins are the default organisation's");
  BACKPLANE_ASSIGN(const Json body, call.Body());
  std::string path;
  std::string dialect;
  for (const auto& [key, value] : body.items()) {
    if (key == "path" && value.is_string() && value.get_ref<const std::string&>().starts_with('/'))
      path = std::filesystem::path(value.get<std::string>()).lexically_normal().string();
    else if (key == "dialect" && value.is_string())
      dialect = value.get<std::string>();
    else
      return Fail(Errc::kInvalid, "there are path, which is absolute, and dialect", key);
  }
  if (path.empty()) return Fail(Errc::kInvalid, "is missing", "path");
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    return Fail(Errc::kNotFound, fmt::format("{}: no such file or folder", path), "path");
  BACKPLANE_TRY(parts.registry.AddSource(path, dialect, call.actor()));
  BACKPLANE_TRY(parts.rescan());
  Json body_out = {{"path", path}, {"plugins", Json::array()}, {"findings", Json::array()}};
  BACKPLANE_ASSIGN(const auto newest, parts.registry.Newest());
  const auto lies_in = [&](const std::string& file) { return file == path || file.starts_with(path + "/"); };
  for (const PluginVersion& version : newest)
    if (lies_in(version.source))
      body_out["plugins"].push_back(
          {{"id", version.plugin}, {"hash", version.hash}, {"state", store::VersionStateName(version.state)}});
  const auto catalog = parts.host.catalog();
  for (const Finding& finding : catalog->findings())
    if (lies_in(finding.file)) body_out["findings"].push_back(backplane::ToJson(finding));
  return Reply{std::move(body_out), 201, {}};
}

}  // namespace

std::vector<Endpoint> ApprovalEndpoints(const ApiParts& parts) {
  return {
      {"POST",
       "/plugins",
       Permission::kAdmin,
       "Reads a path from now on, as if the site named it: the body is {\"path\", \"dialect\"}. What it holds waits "
       "for "
       "approval.",
       {},
       [&parts](const Call& call) { return Install(parts, call); }},
      {"GET",
       "/plugins/{id}/review",
       Permission::kRead,
       "What there is to know before a plugin is approved: what it runs, its files, and the difference to what is in "
       "force.",
       {{"hash", "Of this version, by its hash or the beginning of it; the newest unless given."}},
       [&parts](const Call& call) { return Review(parts, call); }},
      {"POST",
       "/plugins/{id}/approve",
       Permission::kAdmin,
       "Lets a version run: the body is {\"hash\"}, whole, of what was reviewed.",
       {},
       [&parts](const Call& call) { return Approve(parts, call); }},
      {"POST",
       "/plugins/{id}/enable",
       Permission::kAdmin,
       "Lets an approved plugin run again.",
       {},
       [&parts](const Call& call) { return Switch(parts, call, true); }},
      {"POST",
       "/plugins/{id}/disable",
       Permission::kAdmin,
       "Stops a plugin and its runs, and keeps it approved.",
       {},
       [&parts](const Call& call) { return Switch(parts, call, false); }},
      {"DELETE",
       "/plugins/{id}",
       Permission::kAdmin,
       "Forgets a plugin and what was decided about it. One that still lies in a folder of the site waits again.",
       {},
       [&parts](const Call& call) { return Remove(parts, call); }},
  };
}

}  // namespace backplane::api
