#include "api/setting_row.h"

#include <nlohmann/json.hpp>

namespace backplane::api {

void AddValue(Json& row, const Setting& setting, const Settings& values) {
  const auto at = values.find(setting.key);
  const Json value = at == values.end() ? setting.default_value : at->second;
  if (setting.secret) {
    row["set"] = value.is_string() ? value != "" : !value.empty();
  } else {
    row["default"] = setting.default_value;
    row["value"] = value;
  }
}

}  // namespace backplane::api
