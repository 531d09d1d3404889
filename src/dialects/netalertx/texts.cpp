#include "dialects/netalertx/texts.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace backplane::netalertx {
namespace {

constexpr std::string_view kElsewhere = "_GLOBAL_LANG_FILES_";
constexpr std::string_view kEnglish = "en_us";

// How well a text in `code` serves who wants `language`; 0: as well as any.
int Fitness(std::string_view code, std::string_view language) {
  if (!language.empty() && code == language) return 3;
  if (!language.empty() && code.substr(0, 2) == language.substr(0, 2)) return 2;
  return code == kEnglish ? 1 : 0;
}

}  // namespace

std::string TextAt(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::string LocalText(const Json& object, const char* key, std::string_view language) {
  const auto list = object.find(key);
  if (list == object.end() || !list->is_array()) return {};
  const std::string wanted = ReplaceAll(ToLower(language), "-", "_");
  const Json* best = nullptr;
  int fitness = -1;
  for (const Json& entry : *list) {
    const auto text = entry.find("string");
    if (text == entry.end() || !text->is_string() || *text == kElsewhere) continue;
    const int now = Fitness(TextAt(entry, "language_code"), wanted);
    if (now <= fitness) continue;
    fitness = now;
    best = &*text;
  }
  return best ? best->get<std::string>() : std::string();
}

void AddLanguages(const Json& object, const char* key, std::vector<std::string>& languages) {
  const auto list = object.find(key);
  if (list == object.end() || !list->is_array()) return;
  for (const Json& entry : *list) {
    std::string code = TextAt(entry, "language_code");
    if (!code.empty() && std::find(languages.begin(), languages.end(), code) == languages.end())
      languages.push_back(std::move(code));
  }
}

}  // namespace backplane::netalertx
