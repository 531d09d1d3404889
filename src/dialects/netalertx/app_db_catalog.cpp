#include "dialects/netalertx/app_db_catalog.h"

#include <fmt/format.h>

#include "dialects/netalertx/core_settings.h"
#include "dialects/netalertx/settings.h"
#include "dialects/netalertx/texts.h"
#include "plugin/catalog.h"
#include "plugin/secret_ref.h"

namespace backplane::netalertx {
namespace {

const Json& ListAt(const Json& object, const char* key) {
  static const Json none = Json::array();
  if (!object.is_object()) return none;
  const auto at = object.find(key);
  return at != object.end() && at->is_array() ? *at : none;
}

bool HoldsSecret(const Json& value) {
  if (IsSecretRef(value)) return true;
  if (!value.is_array()) return false;
  for (const Json& item : value)
    if (IsSecretRef(item)) return true;
  return false;
}

void HideSecrets(const std::vector<Setting>& declared, Settings& values) {
  for (const Setting& setting : declared)
    if (const auto at = values.find(setting.key); at != values.end() && setting.secret) at->second = "";
}

// The translations of what `object` says is translated, under PREFIX_<what>.
void AddStrings(const Json& object, const std::string& prefix, std::vector<LanguageString>& out) {
  for (const Json& what : ListAt(object, "localized")) {
    if (!what.is_string()) continue;
    const std::string& name = what.get_ref<const std::string&>();
    for (const Json& entry : ListAt(object, name.c_str()))
      if (entry.is_object())
        out.push_back({TextAt(entry, "language_code"), fmt::format("{}_{}", prefix, name), TextAt(entry, "string")});
  }
}

void AddFormStrings(const Json& setting, const std::string& key, std::vector<LanguageString>& out) {
  const auto type = setting.find("type");
  if (type == setting.end()) return;
  for (const Json& element : ListAt(*type, "elements"))
    for (const Json& option : ListAt(element, "elementOptions"))
      for (const Json& entry : ListAt(option, "popupForm"))
        AddStrings(entry, fmt::format("{}_popupform_{}", key, TextAt(entry, "function")), out);
}

void AddManifest(const Manifest& manifest, const Settings& values, CatalogRows& rows, Json& plugins) {
  Json document = manifest.document;
  AddStrings(document, manifest.name, rows.strings);
  for (Json& setting : document["settings"]) {
    const std::string key = fmt::format("{}_{}", manifest.name, TextAt(setting, "function"));
    AddFormStrings(setting, key, rows.strings);
    AddStrings(setting, key, rows.strings);
    const auto value = values.find(key);
    setting["value"] = value == values.end() ? Json() : value->second;
  }
  for (const Json& column : ListAt(document, "database_column_definitions"))
    AddStrings(column, fmt::format("{}_{}", manifest.name, TextAt(column, "column")), rows.strings);
  plugins.push_back(std::move(document));
}

}  // namespace

CatalogRows RowsOf(const Catalog& catalog) {
  const Settings& common = catalog.DialectSettings("netalertx");
  Settings values = CoreSettings(common, catalog.ManifestsOf("netalertx"));
  for (const auto& [key, value] : common) values.try_emplace(key, value);
  for (const Plugin& plugin : catalog.plugins())
    if (plugin.manifest.dialect == "netalertx")
      for (const auto& [key, value] : plugin.settings) values[key] = value;
  return RowsOf(catalog.ManifestsOf("netalertx"), values, &catalog.Given("netalertx"));
}

CatalogRows RowsOf(const std::vector<const Manifest*>& manifests, const Settings& values, const GivenSettings* given) {
  CatalogRows rows{.values = values, .settings = {}, .strings = {}, .plugins = {}};
  HideSecrets(CoreDeclarations(), rows.values);
  for (const Manifest* manifest : manifests) HideSecrets(manifest->settings, rows.values);
  for (auto& [key, value] : rows.values) {
    // What nobody declares may be one all the same.
    if (HoldsSecret(value) || (value.is_string() && IsSecretName(key)))
      value = value.is_array() ? Json::array() : Json("");
  }
  rows.settings = SettingRows(manifests, rows.values, given);
  Json plugins = Json::array();
  for (const Manifest* manifest : manifests) AddManifest(*manifest, rows.values, rows, plugins);
  rows.plugins = DumpJson(Json{{"data", std::move(plugins)}}) + "\n";
  return rows;
}

}  // namespace backplane::netalertx
