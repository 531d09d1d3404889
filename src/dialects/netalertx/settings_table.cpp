#include "dialects/netalertx/settings_table.h"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "dialects/netalertx/core_settings.h"
#include "dialects/netalertx/python_literal.h"
#include "dialects/netalertx/settings.h"
#include "dialects/netalertx/texts.h"

namespace backplane::netalertx {
namespace {

constexpr const char* kMetadataType =
    R"({"dataType":"json","elements":[{"elementType":"textarea","elementOptions":[],"transformers":[]}]})";

/// What a manifest says of a setting.
struct Declared {
  const Manifest* manifest = nullptr;
  const Json* setting = nullptr;
};

std::map<std::string, Declared> DeclaredBy(const std::vector<const Manifest*>& manifests) {
  std::map<std::string, Declared> out;
  for (const Manifest* manifest : manifests) {
    const auto settings = manifest->document.find("settings");
    if (settings == manifest->document.end() || !settings->is_array()) continue;
    for (const Json& setting : *settings)
      out[fmt::format("{}_{}", manifest->name, TextAt(setting, "function"))] = {manifest, &setting};
  }
  return out;
}

bool IsName(std::string_view key) { return !key.empty() && IsWordStart(key[0]) && WordAt(key).size() == key.size(); }

// The type of what no manifest declares.
std::string PlainType(const Json& value) {
  const char* type = value.is_array()            ? "array"
                     : value.is_boolean()        ? "boolean"
                     : value.is_number_integer() ? "integer"
                     : value.is_object()         ? "object"
                                                 : "string";
  return fmt::format(R"({{"dataType":"{}","elements":[{{"elementType":"{}","elementOptions":[],"transformers":[]}}]}})",
                     type, value.is_array() ? "select" : "input");
}

// The first text, in whatever language, as it stands there.
std::string FirstText(const Json& setting, const char* key) {
  const auto list = setting.find(key);
  return list != setting.end() && list->is_array() && !list->empty() ? TextAt(list->front(), "string") : std::string();
}

std::string ListText(const Json& setting, const char* key) {
  const auto list = setting.find(key);
  return list == setting.end() || list->is_null() ? "[]" : PythonText(*list);
}

SettingRow DeclaredRow(const std::string& key, const Declared& declared, const Json& value) {
  const Json& setting = *declared.setting;
  const auto type = setting.find("type");
  return {.key = key,
          .name = FirstText(setting, "name"),
          .description = FirstText(setting, "description"),
          .type = type == setting.end() ? "{}" : PythonText(*type),
          .options = ListText(setting, "options"),
          .group = declared.manifest->name,
          .value = PythonText(StoredValue(ReadType(setting), value)),
          .events = ListText(setting, "events")};
}

SettingRow PlainRow(const std::string& key, const std::string& title, const Json& value) {
  const std::string_view group = CoreGroup(key);
  return {.key = key,
          .name = title,
          .description = "",
          .type = PlainType(value),
          .options = "[]",
          .group = group.empty() ? key.substr(0, key.find('_')) : std::string(group),
          .value = PythonText(value),
          .events = "[]"};
}

}  // namespace

std::vector<SettingRow> SettingRows(const std::vector<const Manifest*>& manifests, const Settings& values,
                                    const GivenSettings* given) {
  const std::map<std::string, Declared> declared = DeclaredBy(manifests);
  std::map<std::string_view, std::string_view> titles;
  for (const Setting& core : CoreDeclarations()) titles[core.key] = core.title;
  std::vector<SettingRow> rows;
  rows.reserve(2 * values.size());
  for (const auto& [key, value] : values) {
    const auto known = declared.find(key);
    const auto core = titles.find(key);
    SettingRow row = known != declared.end()
                         ? DeclaredRow(key, known->second, value)
                         : PlainRow(key, std::string(core == titles.end() ? key : core->second), value);
    const auto at = given == nullptr ? GivenSettings::const_iterator() : given->find(key);
    row.overridden = given != nullptr && at != given->end() && at->second.layer == SettingLayer::kOverride;
    const bool has_metadata = known != declared.end() || core != titles.end();
    SettingRow metadata{.key = key + "__metadata",
                        .name = "metadata",
                        .description = "",
                        .type = kMetadataType,
                        .options = "[]",
                        .group = row.group,
                        .value = known == declared.end() ? "{}" : DumpJson(*known->second.setting),
                        .events = "[]",
                        .overridden = row.overridden};
    rows.push_back(std::move(row));
    if (has_metadata) rows.push_back(std::move(metadata));
  }
  return rows;
}

// The snapshot has a megabyte and is written for each run: one document of it all would cost several times as much.
std::string TableSettings(const std::vector<SettingRow>& rows) {
  std::string out = "{\"data\":[";
  for (const SettingRow& row : rows) {
    if (&row != &rows.front()) out += ',';
    auto add = [&out, before = '{'](std::string_view column, const std::string& text) mutable {
      (out += std::exchange(before, ',')) += '"';
      (out += column) += "\":";
      out += DumpJson(text);
    };
    add("setKey", row.key);
    add("setName", row.name);
    add("setDescription", row.description);
    add("setType", row.type);
    add("setOptions", row.options);
    add("setGroup", row.group);
    add("setValue", row.value);
    add("setEvents", row.events);
    out += row.overridden ? ",\"setOverriddenByEnv\":1}" : ",\"setOverriddenByEnv\":0}";
  }
  return out += "]}";
}

std::string AppConfText(const std::vector<const Manifest*>& manifests, const Settings& values) {
  const std::map<std::string, Declared> declared = DeclaredBy(manifests);
  std::string out;
  for (const auto& [key, value] : values) {
    if (!IsName(key)) continue;
    const auto known = declared.find(key);
    const Json stored = known == declared.end() ? value : StoredValue(ReadType(*known->second.setting), value);
    out += fmt::format("{}={}\n", key, PythonLiteral(stored));
  }
  return out;
}

}  // namespace backplane::netalertx
