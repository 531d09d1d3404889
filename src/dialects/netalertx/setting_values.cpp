#include "dialects/netalertx/setting_values.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "dialects/netalertx/settings.h"

namespace backplane::netalertx {
namespace {

// Null: not given, or not of that type.
Json ValueOf(const Settings& settings, const std::string& key, const char* type) {
  const auto at = settings.find(key);
  if (at == settings.end() || at->second.is_null() || at->second == "") return {};
  return TypedValue({type, {}}, at->second).value_or(Json());
}

}  // namespace

std::string TextOf(const Settings& settings, const std::string& key) {
  const Json value = ValueOf(settings, key, "string");
  return value.is_string() ? value.get<std::string>() : std::string();
}

bool FlagOf(const Settings& settings, const std::string& key, bool otherwise) {
  const Json value = ValueOf(settings, key, "boolean");
  return value.is_boolean() ? value.get<bool>() : otherwise;
}

std::int64_t NumberOf(const Settings& settings, const std::string& key, std::int64_t otherwise) {
  const Json value = ValueOf(settings, key, "integer");
  return value.is_number_integer() ? value.get<std::int64_t>() : otherwise;
}

std::vector<std::string> ListOf(const Settings& settings, const std::string& key) {
  std::vector<std::string> texts;
  for (const Json& item : ValueOf(settings, key, "array"))
    if (item.is_string()) texts.push_back(item.get<std::string>());
  return texts;
}

bool IsListed(const Settings& settings, const std::string& key, std::string_view text) {
  const std::vector<std::string> list = ListOf(settings, key);
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace backplane::netalertx
