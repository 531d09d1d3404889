#include "dialects/netalertx/present.h"

#include <map>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "dialects/netalertx/columns.h"
#include "dialects/netalertx/encoding.h"
#include "dialects/netalertx/form.h"
#include "dialects/netalertx/texts.h"

namespace backplane::netalertx {
namespace {

const Json& List(const Json& object, const char* key) {
  static const Json kNone = Json::array();
  const auto at = object.find(key);
  return at != object.end() && at->is_array() ? *at : kNone;
}

// HTML, or base64 of it.
std::string Icon(std::string text) {
  if (text.find('<') != std::string::npos) return text;
  auto decoded = Base64Decode(text);
  return decoded && IsUtf8(*decoded) ? *std::move(decoded) : text;
}

ColumnView Column(const Json& column, std::string_view language) {
  ColumnView out;
  const std::string name = TextAt(column, "column");
  out.field = ObjectField(name);
  if (const auto data = column.find("mapped_to_column_data"); out.field.empty() && data != column.end())
    out.constant = TextAt(*data, "value");
  out.title = LocalText(column, "name", language);
  if (out.title.empty()) out.title = name;
  out.help = LocalText(column, "description", language);
  out.css = TextAt(column, "css_classes");
  const auto show = column.find("show");
  out.shown = show != column.end() && *show == true;
  out.otherwise = TextAt(column, "default_value");
  out.display = Displays(TextAt(column, "type"), List(column, "options"));
  if (out.display.empty()) out.display.push_back({"text"});
  return out;
}

std::vector<RowFilter> Filters(const Json& document) {
  std::vector<RowFilter> out;
  for (const Json& filter : List(document, "data_filters")) {
    const std::string_view field = ObjectField(TextAt(filter, "compare_column"));
    const std::string compare = TextAt(filter, "compare_operator");
    if (!field.empty() && OneOf(kOperators, compare) && TextAt(filter, "compare_field_id") == "txtMacFilter")
      out.push_back({std::string(field), compare, "mac"});
  }
  return out;
}

std::vector<std::string> Languages(const Json& document) {
  std::vector<std::string> out;
  AddLanguages(document, "display_name", out);
  AddLanguages(document, "description", out);
  for (const char* key : {"settings", "database_column_definitions"})
    for (const Json& entry : List(document, key)) {
      AddLanguages(entry, "name", out);
      AddLanguages(entry, "description", out);
    }
  return out;
}

}  // namespace

Presentation PresentManifest(const Manifest& manifest, std::string_view language) {
  const Json& document = manifest.document;
  Presentation out;
  out.languages = Languages(document);
  out.title = LocalText(document, "display_name", language);
  out.description = LocalText(document, "description", language);
  out.icon = Icon(LocalText(document, "icon", language));
  // Of a repeated function the last counts.
  std::map<std::string, const Json*> declared;
  for (const Json& setting : List(document, "settings"))
    declared[manifest.name + "_" + TextAt(setting, "function")] = &setting;
  for (const Setting& setting : manifest.settings) {
    const Json& source = *declared.at(setting.key);
    Setting shown = DeclaredSetting(source, setting.key, language);
    shown.secret = setting.secret;
    out.settings.push_back({shown.key, shown.title, shown.help, FormSchema(source, shown, language)});
  }
  for (const Json& column : List(document, "database_column_definitions"))
    out.columns.push_back(Column(column, language));
  out.filters = Filters(document);
  return out;
}

}  // namespace backplane::netalertx
