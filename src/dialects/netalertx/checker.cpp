#include "dialects/netalertx/checker.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/ranges.h>

#include "base/text.h"
#include "dialects/netalertx/check.h"

namespace backplane::netalertx {
namespace {

// Of a dozen keys that can be translated; each is looked up.
constexpr std::size_t kMostLocalized = 64;
constexpr std::size_t kMostListed = 20;
constexpr std::array kTexts = {"display_name", "description", "icon", "name"};

// "\"x\" is none of a, b", or without the list if that is long.
std::string NoneOf(std::string_view word, Words known) {
  if (known.size() > kMostListed) return fmt::format("\"{}\" is unknown", Shorten(word, 60));
  return fmt::format("\"{}\" is none of {}", Shorten(word, 60), fmt::join(known, ", "));
}

}  // namespace

void Checker::Add(Else otherwise, std::string where, std::string message) {
  // The one beyond the last says that more was left out; an error may not get lost among warnings.
  if (findings_.size() >= kMostFindings) return;
  if (findings_.size() == kMostFindings - 1) {
    otherwise = Else::kError;
    where.clear();
    message = "more than this is wrong; the rest is not listed";
  }
  findings_.push_back({otherwise == Else::kError ? Finding::Severity::kError : Finding::Severity::kWarning, file_,
                       std::move(where), std::move(message)});
}

bool Checker::Told(const std::string& where) const {
  return std::any_of(findings_.begin(), findings_.end(), [&](const Finding& finding) {
    return finding.where.starts_with(where) &&
           (finding.where.size() == where.size() || finding.where[where.size()] == '[' ||
            finding.where[where.size()] == '.');
  });
}

const Json* Checker::Get(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at == object.end() ? nullptr : &*at;
}

std::string Checker::Path(const std::string& where, std::string_view key) {
  return where.empty() ? std::string(key) : fmt::format("{}.{}", where, key);
}

void Checker::UnknownKeys(const Json& object, const std::string& where, Words known) {
  for (const auto& [key, value] : object.items())
    if (!OneOf(known, key))
      Warn(Path(where, Shorten(key, 60)), "unknown key: it is kept, and has no effect" + DidYouMean(key, known));
}

std::optional<std::string> Checker::Text(const Json& object, const std::string& where, const char* key,
                                         Else otherwise) {
  const Json* value = Get(object, key);
  if (value && value->is_string()) return value->get<std::string>();
  Add(otherwise, Path(where, key), value ? fmt::format("expected text, got {}", value->type_name()) : "is missing");
  return std::nullopt;
}

std::optional<std::string> Checker::TextIfAny(const Json& object, const std::string& where, const char* key) {
  const Json* value = Get(object, key);
  if (!value) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  Warn(Path(where, key), fmt::format("expected text, got {}", value->type_name()));
  return std::nullopt;
}

void Checker::Flag(const Json& object, const std::string& where, const char* key) {
  if (const Json* value = Get(object, key); value && !value->is_boolean())
    Warn(Path(where, key), fmt::format("expected true or false, got {}", value->type_name()));
}

void Checker::Word(const std::string& where, std::string_view word, Words known, std::string_view otherwise) {
  if (!OneOf(known, word))
    Warn(where, fmt::format("{}: {}{}", NoneOf(word, known), otherwise, DidYouMean(word, known)));
}

void Checker::WordList(const Json& object, const std::string& where, const char* key, Words known,
                       std::string_view otherwise) {
  const Json* list = Get(object, key);
  if (!list) return;
  if (!list->is_array())
    return Warn(Path(where, key), fmt::format("expected a list of texts, got {}", list->type_name()));
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string item = fmt::format("{}[{}]", Path(where, key), i);
    if ((*list)[i].is_string())
      Word(item, (*list)[i].get_ref<const std::string&>(), known, otherwise);
    else
      Warn(item, fmt::format("expected text, got {}", (*list)[i].type_name()));
  }
}

void Checker::Language(const std::string& code, const std::string& where) {
  const auto letter = [&](std::size_t at) { return code[at] >= 'a' && code[at] <= 'z'; };
  if (code.size() == 5 && code[2] == '_' && letter(0) && letter(1) && letter(3) && letter(4)) return;
  const std::string like = ReplaceAll(ToLower(Trim(code)), "-", "_");
  Warn(where, fmt::format("\"{}\" is no language code such as en_us{}", Shorten(code, 20),
                          like.size() == 5 && like[2] == '_' ? fmt::format("; did you mean {}?", like) : ""));
}

bool Checker::IsLocalized(const Json& object, std::string_view key) {
  const Json* names = Get(object, "localized");
  return names && names->is_array() && std::find(names->begin(), names->end(), key) != names->end();
}

void Checker::Texts(const Json& object, const std::string& where, const std::string& key) {
  std::set<std::string> languages;
  EachObject(object, where, key.c_str(), [&](const Json& entry, const std::string& item) {
    const auto code = Text(entry, item, "language_code");
    Text(entry, item, "string");
    if (!code) return;
    Language(*code, Path(item, "language_code"));
    if (!languages.insert(*code).second)
      Warn(Path(item, "language_code"), fmt::format("\"{}\" is there already: the first counts", Shorten(*code, 20)));
  });
}

void Checker::Localized(const Json& object, const std::string& where) {
  const Json* names = Get(object, "localized");
  // A setting's texts may lie in the host's own language files: then its list is empty.
  if (where.empty() || !names || !names->is_array())
    for (const char* key : kTexts)
      if (object.contains(key) && !IsLocalized(object, key)) Texts(object, where, key);
  const std::string path = Path(where, "localized");
  if (!names) return Error(path, "is missing: a list of the keys that hold translations");
  if (!names->is_array()) return Error(path, fmt::format("expected a list, got {}", names->type_name()));
  if (names->size() > kMostLocalized)
    return Error(path, fmt::format("names {} keys, more than {}", names->size(), kMostLocalized));
  for (std::size_t i = 0; i < names->size(); ++i) {
    if (!(*names)[i].is_string()) {
      Error(fmt::format("{}[{}]", path, i), "expected text");
      continue;
    }
    const std::string key = (*names)[i].get<std::string>();
    if (object.contains(key))
      Texts(object, where, key);
    else
      Error(Path(where, Shorten(key, 60)), "is missing, but named in localized");
  }
}

}  // namespace backplane::netalertx
