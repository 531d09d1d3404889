// What the checks of a manifest's parts have in common: places, findings, and how words are looked at.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "dialects/netalertx/words.h"
#include "plugin/manifest.h"

namespace backplane::netalertx {

class Checker {
 public:
  /// What it means that something is not as it must be: a warning where only the page would notice.
  enum class Else { kError, kWarning };

  /// `file` outlives this, and goes into each finding.
  explicit Checker(const std::string& file) : file_(file) {}

  /// At most kMostFindings, the last of which says so.
  std::vector<Finding> Take() { return std::move(findings_); }

  void Error(std::string where, std::string message) { Add(Else::kError, std::move(where), std::move(message)); }
  void Warn(std::string where, std::string message) { Add(Else::kWarning, std::move(where), std::move(message)); }

  /// Whether there is a finding about that place, or one in it.
  bool Told(const std::string& where) const;

  /// The member, or null.
  static const Json* Get(const Json& object, const char* key);
  static std::string Path(const std::string& where, std::string_view key);

  void UnknownKeys(const Json& object, const std::string& where, Words known);
  /// The text at `key`; a finding if it is missing or no text.
  std::optional<std::string> Text(const Json& object, const std::string& where, const char* key,
                                  Else otherwise = Else::kError);
  /// The text at `key`, if there is one; a warning if it is something else.
  std::optional<std::string> TextIfAny(const Json& object, const std::string& where, const char* key);
  /// A warning if it is there and neither true nor false.
  void Flag(const Json& object, const std::string& where, const char* key);
  /// A warning if `word` is none of them. `otherwise` says what that means: "it is shown as text".
  void Word(const std::string& where, std::string_view word, Words known, std::string_view otherwise);
  /// The same of each text in the list at `key`, if there is one.
  void WordList(const Json& object, const std::string& where, const char* key, Words known, std::string_view otherwise);
  /// `localized` names lists of {language_code, string}; each must be there. A plugin's own texts are
  /// looked at though it does not name them, and all texts if it is no list.
  void Localized(const Json& object, const std::string& where);
  /// Whether `localized` names the key.
  static bool IsLocalized(const Json& object, std::string_view key);

  /// Calls function(object, where) for each object in the list at `key`, if there is one; a finding for what is
  /// no list or object.
  template <typename Function>
  void EachObject(const Json& object, const std::string& where, const char* key, Function function,
                  Else otherwise = Else::kError) {
    const Json* list = Get(object, key);
    if (!list) return;
    const std::string path = Path(where, key);
    if (!list->is_array()) return Add(otherwise, path, fmt::format("expected a list, got {}", list->type_name()));
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string item = fmt::format("{}[{}]", path, i);
      if ((*list)[i].is_object())
        function((*list)[i], item);
      else
        Add(otherwise, item, fmt::format("expected an object, got {}", (*list)[i].type_name()));
    }
  }

 private:
  void Add(Else severity, std::string where, std::string message);
  void Texts(const Json& object, const std::string& where, const std::string& key);
  void Language(const std::string& code, const std::string& where);

  const std::string& file_;
  std::vector<Finding> findings_;
};

/// check_command.cpp: what the plugin runs. `file` as in CheckManifest().
void CheckCommand(Checker& checker, const Json& document, const std::string& file);
/// check_settings.cpp
void CheckSettings(Checker& checker, const Json& document);
/// check_columns.cpp
void CheckColumns(Checker& checker, const Json& document);

}  // namespace backplane::netalertx
