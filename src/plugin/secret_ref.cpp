#include "plugin/secret_ref.h"

#include <set>

#include <nlohmann/json.hpp>

namespace backplane {
namespace {

// Calls `found` with each reference in `value`, which it may replace.
template <typename Value, typename Found>
void EachReference(Value& value, const Found& found) {
  if (IsSecretRef(value)) return found(value);
  if (!value.is_structured()) return;
  for (auto& item : value) EachReference(item, found);
}

}  // namespace

bool IsSecretRef(const Json& value) {
  if (!value.is_object() || value.size() != 1) return false;
  const auto name = value.find("secret");
  return name != value.end() && name->is_string();
}

std::vector<std::string> SecretNames(const Settings& settings) {
  std::set<std::string> names;
  for (const auto& [key, value] : settings)
    EachReference(value, [&](const Json& reference) { names.insert(reference["secret"].get<std::string>()); });
  return {names.begin(), names.end()};
}

Settings ResolveSecrets(const Settings& settings, const std::function<std::string(const std::string& name)>& value_of) {
  Settings resolved = settings;
  for (auto& [key, value] : resolved)
    EachReference(value, [&](Json& reference) { reference = value_of(reference["secret"].get<std::string>()); });
  return resolved;
}

}  // namespace backplane
