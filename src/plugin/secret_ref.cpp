#include "plugin/secret_ref.h"

#include <map>
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

Result<OpenedSettings> OpenSettings(const Settings& own, const Settings& all, const SecretReader& read) {
  OpenedSettings opened{own, all, {}};
  std::map<std::string, std::string> values;
  if (const std::vector<std::string> names = SecretNames(own); !names.empty()) {
    BACKPLANE_ASSIGN(const std::vector<Secret> secrets, read(names));
    for (std::size_t i = 0; i < names.size(); ++i)
      opened.secrets.push_back(values[names[i]] = std::string(secrets.at(i).Reveal()));
  }
  for (Settings* settings : {&opened.own, &opened.all})
    for (auto& [key, value] : *settings)
      EachReference(value, [&](Json& reference) {
        const auto found = values.find(reference["secret"].get<std::string>());
        reference = found == values.end() ? std::string() : found->second;
      });
  return opened;
}

}  // namespace backplane
