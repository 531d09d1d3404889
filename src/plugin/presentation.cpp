#include "plugin/presentation.h"

namespace backplane {

Json ToJson(const ColumnView& column) {
  Json json = {{"field", column.field.empty() ? Json(nullptr) : Json(column.field)},
               {"title", column.title},
               {"shown", column.shown},
               {"css", column.css},
               {"default", column.otherwise},
               {"display", Json::array()}};
  if (column.field.empty()) json["value"] = column.constant;
  if (!column.help.empty()) json["help"] = column.help;
  for (const Display& display : column.display) {
    Json step = {{"kind", display.kind}};
    if (!display.options.is_null()) step["options"] = display.options;
    json["display"].push_back(std::move(step));
  }
  return json;
}

Json ToJson(const RowFilter& filter) {
  return {{"field", filter.field}, {"compare", filter.compare}, {"with", filter.with}};
}

Presentation PresentPlainly(const Manifest& manifest) {
  Presentation out;
  out.title = manifest.title;
  out.description = manifest.description;
  for (const Setting& setting : manifest.settings) {
    Json schema = {{"title", setting.title}};
    if (!setting.help.empty()) schema["description"] = setting.help;
    if (!setting.type.empty()) schema["type"] = setting.type;
    if (setting.secret)
      schema["writeOnly"] = true;
    else if (!setting.default_value.is_null())
      schema["default"] = setting.default_value;
    out.settings.push_back({setting.key, setting.title, setting.help, std::move(schema)});
  }
  return out;
}

}  // namespace backplane
