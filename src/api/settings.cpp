// /settings: what plugins are told, who says so, and saying something else.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/api.h"
#include "api/setting_row.h"
#include "base/text.h"
#include "dispatch/setting_store.h"
#include "plugin/secret_ref.h"

namespace backplane::api {
namespace {

constexpr std::size_t kLargestValue = 64 << 10;

/// A setting that something declares.
struct Declared {
  const Codec* codec = nullptr;
  const Plugin* plugin = nullptr;  ///< null: it belongs to the dialect
  Setting setting;
};

// Those of each dialect first, unless a plugin declares the same.
std::vector<Declared> AllDeclared(const Catalog& catalog, const Codec& codec) {
  std::vector<Declared> plugins, all;
  std::set<std::string> keys;
  for (const Plugin& plugin : catalog.plugins()) {
    if (plugin.codec != &codec) continue;
    for (const Setting& setting : plugin.manifest.settings) {
      keys.insert(setting.key);
      plugins.push_back({&codec, &plugin, setting});
    }
  }
  for (Setting& setting : codec.CommonSettings())
    if (!keys.contains(setting.key)) all.push_back({&codec, nullptr, std::move(setting)});
  std::move(plugins.begin(), plugins.end(), std::back_inserter(all));
  return all;
}

Json ToJson(const Catalog& catalog, const Declared& declared) {
  const Setting& setting = declared.setting;
  const Settings& values =
      declared.plugin == nullptr ? catalog.DialectSettings(declared.codec->name()) : declared.plugin->settings;
  const GivenSettings& given = catalog.Given(declared.codec->name());
  const auto source = given.find(setting.key);
  Json row = {{"dialect", declared.codec->name()},
              {"plugin", declared.plugin == nullptr ? Json(nullptr) : Json(declared.plugin->manifest.id)},
              {"key", setting.key},
              {"type", setting.type},
              {"title", setting.title},
              {"secret", setting.secret},
              {"source", source == given.end() ? "default" : source->second.source},
              {"place", source == given.end() ? "" : source->second.place}};
  AddValue(row, setting, values);
  return row;
}

Result<const Codec*> CodecOf(const Catalog& catalog, const std::string& dialect) {
  for (const Codec* codec : catalog.codecs())
    if (codec->name() == dialect) return codec;
  return Fail(Errc::kNotFound, fmt::format("no such dialect: {}", Shorten(dialect, 40)), "dialect");
}

Error Unknown(const std::string& key, const std::vector<Declared>& declared) {
  std::vector<std::string_view> keys;
  for (const Declared& one : declared) keys.push_back(one.setting.key);
  const std::string_view meant = Nearest(key, keys);
  return {
      Errc::kNotFound,
      fmt::format("no setting {}{}", Shorten(key, 100), meant.empty() ? "" : fmt::format("; did you mean {}?", meant)),
      "key"};
}

Result<Declared> Find(const Catalog& catalog, const Codec& codec, const std::string& key) {
  std::vector<Declared> all = AllDeclared(catalog, codec);
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Declared& declared) { return declared.setting.key == key; });
  if (found == all.end()) return Fail(Unknown(key, all));
  return std::move(*found);
}

Result<Reply> List(const ApiParts& parts, const Call& call) {
  const auto catalog = CatalogOf(parts, call.org());
  const std::string dialect = call.Query("dialect"), name = call.Query("plugin"), key = call.Query("key");
  const Plugin* plugin = nullptr;
  if (!name.empty()) {
    BACKPLANE_ASSIGN(plugin, catalog->Find(name));
  }
  if (!dialect.empty()) BACKPLANE_TRY(CodecOf(*catalog, dialect));
  Json rows = Json::array();
  std::vector<Declared> others;
  for (const Codec* codec : catalog->codecs()) {
    if (!dialect.empty() && codec->name() != dialect) continue;
    // Nobody wants to read what a dialect that is not in use could be told.
    if (dialect.empty() && catalog->ManifestsOf(codec->name()).empty() && catalog->Given(codec->name()).empty())
      continue;
    for (Declared& declared : AllDeclared(*catalog, *codec)) {
      if (plugin != nullptr && declared.plugin != plugin) continue;
      if (key.empty() || declared.setting.key == key)
        rows.push_back(ToJson(*catalog, declared));
      else
        others.push_back(std::move(declared));
    }
  }
  if (!key.empty() && rows.empty()) return Fail(Unknown(key, others));
  return Reply{{{"settings", std::move(rows)}}};
}

Result<Reply> Get(const ApiParts& parts, const Call& call) {
  const auto catalog = CatalogOf(parts, call.org());
  BACKPLANE_ASSIGN(const Codec* codec, CodecOf(*catalog, call.Path("dialect")));
  BACKPLANE_ASSIGN(const Declared declared, Find(*catalog, *codec, call.Path("key")));
  return Reply{ToJson(*catalog, declared)};
}

// The value as runs would see it, if every plugin can be told so.
Result<Json> Fitting(const Catalog& catalog, const Declared& declared, const Json& value) {
  const std::string& key = declared.setting.key;
  Settings values;
  for (const auto& [name, given] : catalog.Given(declared.codec->name())) values[name] = given.value;
  values[key] = value;
  if (declared.plugin != nullptr) {
    Result<Settings> settings = declared.codec->Effective(declared.plugin->manifest, values);
    // A wrong value of another key must not stand in the way.
    if (!settings && settings.error().where != key)
      settings = declared.codec->Effective(declared.plugin->manifest, {{key, value}});
    if (!settings) return Fail(settings.error());
    return settings->contains(key) ? settings->at(key) : value;
  }
  BACKPLANE_ASSIGN(Json fitting, declared.codec->CommonValue(key, value));
  for (const Plugin& plugin : catalog.plugins()) {
    if (plugin.codec != declared.codec) continue;
    const auto settings = plugin.codec->Effective(plugin.manifest, values);
    if (!settings && settings.error().where == key) return Fail(settings.error());
  }
  return fitting;
}

Result<Reply> Set(const ApiParts& parts, const Call& call) {
  const auto catalog = CatalogOf(parts, call.org());
  BACKPLANE_ASSIGN(const Codec* codec, CodecOf(*catalog, call.Path("dialect")));
  BACKPLANE_ASSIGN(const Declared declared, Find(*catalog, *codec, call.Path("key")));
  // What the parser says of a broken body may quote it, and it may hold a secret.
  const auto body = call.Body();
  if (!body || body->size() != 1 || !body->contains("value"))
    return Fail(Errc::kInvalid, "the body is not {\"value\": VALUE}", "value");
  const Json& value = (*body)["value"];
  if (DumpJson(value).size() > kLargestValue)
    return Fail(Errc::kInvalid, fmt::format("value: is larger than {} bytes", kLargestValue), "value");
  BACKPLANE_ASSIGN(const Json fitting, Fitting(*catalog, declared, value));
  // A secret is kept as it is used; what else is stored is read again as if it stood in a file.
  BACKPLANE_TRY(
      dispatch::SettingStore(parts.database, parts.vault, parts.clock)
          .Set(std::string(codec->name()), declared.setting, declared.setting.secret ? fitting : value, call.actor()));
  BACKPLANE_TRY(parts.rescan());
  return Get(parts, call);
}

Result<Reply> Unset(const ApiParts& parts, const Call& call) {
  const auto catalog = CatalogOf(parts, call.org());
  const std::string &dialect = call.Path("dialect"), &key = call.Path("key");
  BACKPLANE_TRY(CodecOf(*catalog, dialect));
  BACKPLANE_TRY(dispatch::SettingStore(parts.database, parts.vault, parts.clock).Unset(dialect, key, call.actor()));
  BACKPLANE_TRY(parts.rescan());
  return Reply{{{"unset", key}}};
}

}  // namespace

std::vector<Endpoint> SettingEndpoints(const ApiParts& parts) {
  return {
      {"GET",
       "/settings",
       Permission::kRead,
       "What plugins are told: each setting with its value, its default, and who says so; of a secret only whether it "
       "is set.",
       {{"dialect", "Only those of a dialect."},
        {"plugin", "Only those of a plugin, by id or short name."},
        {"key", "Only the setting of this name."}},
       [&parts](const Call& call) { return List(parts, call); }},
      {"GET",
       "/settings/{dialect}/{key}",
       Permission::kRead,
       "One setting.",
       {},
       [&parts](const Call& call) { return Get(parts, call); }},
      {"PUT",
       "/settings/{dialect}/{key}",
       Permission::kAdmin,
       "Sets a value that counts more than every file but an override, from the next run on: {\"value\": VALUE}.",
       {},
       [&parts](const Call& call) { return Set(parts, call); }},
      {"DELETE",
       "/settings/{dialect}/{key}",
       Permission::kAdmin,
       "Forgets what was set, so that the files or the default count again.",
       {},
       [&parts](const Call& call) { return Unset(parts, call); }},
  };
}

}  // namespace backplane::api
