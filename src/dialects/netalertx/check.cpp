#include "dialects/netalertx/check.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <span>

#include <fmt/format.h>

#include "base/text.h"
#include "dialects/netalertx/settings.h"

namespace backplane::netalertx {
namespace {

using Severity = Finding::Severity;
using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 20> kManifestKeys = {"code_name",
                                                            "unique_prefix",
                                                            "plugin_type",
                                                            "execution_order",
                                                            "enabled",
                                                            "show_ui",
                                                            "data_source",
                                                            "localized",
                                                            "mapped_to_table",
                                                            "data_filters",
                                                            "params",
                                                            "display_name",
                                                            "description",
                                                            "icon",
                                                            "settings",
                                                            "database_column_definitions",
                                                            "template_type",
                                                            "required",
                                                            "additionalProperties",
                                                            "timeout"};
constexpr std::array<std::string_view, 14> kSettingKeys = {
    "function", "type",   "default_value", "options",   "options_params", "localized",      "name",
    "events",   "format", "description",   "maxLength", "readonly",       "override_value", "ignored"};
constexpr std::array<std::string_view, 2> kTypeKeys = {"dataType", "elements"};
constexpr std::array<std::string_view, 11> kColumnKeys = {"column",
                                                          "mapped_to_column",
                                                          "mapped_to_column_data",
                                                          "css_classes",
                                                          "show",
                                                          "type",
                                                          "default_value",
                                                          "options",
                                                          "localized",
                                                          "name",
                                                          "filter_info"};
constexpr std::array<std::string_view, 5> kParamKeys = {"name", "type", "value", "base64", "timeoutMultiplier"};
constexpr std::array<std::string_view, 6> kDataTypes = {"string", "integer", "boolean", "array", "object", "none"};
constexpr std::array<std::string_view, 4> kDataSources = {"script", "template", "app-db-query", "sqlite-db-query"};
constexpr std::array<std::string_view, 9> kRunValues = {"disabled",
                                                        "once",
                                                        "schedule",
                                                        "always_after_scan",
                                                        "before_name_updates",
                                                        "on_new_device",
                                                        "on_notification",
                                                        "before_config_save",
                                                        "unused"};

// Of a dozen keys that can be translated; each is looked up.
constexpr std::size_t kMostLocalized = 64;

bool OneOf(Names names, std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); }

std::string Join(Names names) { return fmt::format("{}", fmt::join(names, ", ")); }

// A name that may stand in a file name and in Python source.
bool IsPrefix(std::string_view text) {
  return !text.empty() && text.size() <= 64 && (text[0] < '0' || text[0] > '9') &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

class Checker {
 public:
  explicit Checker(const std::string& file) : file_(file) {}

  void Manifest(const Json& document) {
    if (!document.is_object()) return Error("", fmt::format("expected an object, got {}", document.type_name()));
    UnknownKeys(document, "", kManifestKeys);
    Prefix(document);
    Order(document);
    if (const auto source = Text(document, "", "data_source"); source && !OneOf(kDataSources, *source))
      Error("data_source", fmt::format("\"{}\" is none of {}", Shorten(*source, 40), Join(kDataSources)));
    Text(document, "", "plugin_type");
    Localized(document, "");
    SettingList(document);
    EachObject(document, "", "database_column_definitions", [&](const Json& column, const std::string& where) {
      UnknownKeys(column, where, kColumnKeys);
      Text(column, where, "column");
      Localized(column, where);
    });
    EachObject(document, "", "params", [&](const Json& param, const std::string& where) { Param(param, where); });
    if (const Json* table = Get(document, "mapped_to_table")) {
      if (!table->is_string())
        Error("mapped_to_table", "expected text");
      else if (*table != "CurrentScan")
        Warn("mapped_to_table", "only CurrentScan is known: rows are kept as objects and not mapped");
    }
    if (document.contains("timeout")) Warn("timeout", "has no effect: the limit is the setting RUN_TIMEOUT");
  }

  std::vector<Finding> Take() { return std::move(findings_); }

 private:
  static const Json* Get(const Json& object, const char* key) {
    const auto at = object.find(key);
    return at == object.end() ? nullptr : &*at;
  }
  static std::string Path(const std::string& where, std::string_view key) {
    return where.empty() ? std::string(key) : fmt::format("{}.{}", where, key);
  }

  void Add(Severity severity, std::string where, std::string message) {
    // The one beyond the last says that more was left out; an error may not get lost among warnings.
    if (findings_.size() >= kMostFindings) return;
    if (findings_.size() == kMostFindings - 1)
      severity = Severity::kError, where.clear(), message = "more than this is wrong; the rest is not listed";
    findings_.push_back({severity, file_, std::move(where), std::move(message)});
  }
  void Error(std::string where, std::string message) { Add(Severity::kError, std::move(where), std::move(message)); }
  void Warn(std::string where, std::string message) { Add(Severity::kWarning, std::move(where), std::move(message)); }

  void UnknownKeys(const Json& object, const std::string& where, Names known) {
    for (const auto& [key, value] : object.items())
      if (!OneOf(known, key)) Warn(Path(where, Shorten(key, 60)), "unknown key: it is kept, and has no effect");
  }

  // The text at `key`; an error if it is missing or no text.
  std::optional<std::string> Text(const Json& object, const std::string& where, const char* key) {
    const Json* value = Get(object, key);
    if (value && value->is_string()) return value->get<std::string>();
    Error(Path(where, key), value ? fmt::format("expected text, got {}", value->type_name()) : "is missing");
    return std::nullopt;
  }

  template <typename Function>
  void EachObject(const Json& object, const std::string& where, const char* key, Function function) {
    const Json* list = Get(object, key);
    if (!list) return;
    const std::string path = Path(where, key);
    if (!list->is_array()) return Error(path, fmt::format("expected a list, got {}", list->type_name()));
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string item = fmt::format("{}[{}]", path, i);
      if ((*list)[i].is_object())
        function((*list)[i], item);
      else
        Error(item, fmt::format("expected an object, got {}", (*list)[i].type_name()));
    }
  }

  void Prefix(const Json& document) {
    const auto prefix = Text(document, "", "unique_prefix");
    if (prefix && !IsPrefix(*prefix))
      Error("unique_prefix",
            fmt::format("\"{}\": expected letters, digits and _, a letter first, 64 at most", Shorten(*prefix, 70)));
  }

  void Order(const Json& document) {
    const Json* order = Get(document, "execution_order");
    if (!order) return;
    const std::string text = order->is_string() ? order->get<std::string>() : std::string();
    const std::string layer = text.starts_with("Layer_") ? text.substr(6) : std::string();
    const bool number =
        !layer.empty() && layer.size() < 10 && layer.find_first_not_of("0123456789") == std::string::npos;
    if (!number && layer != "N") Error("execution_order", "expected Layer_ and a number, or Layer_N");
  }

  // `localized` names lists of {language_code, string}; each must be there.
  void Localized(const Json& object, const std::string& where) {
    const Json* names = Get(object, "localized");
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
      if (!object.contains(key)) {
        Error(Path(where, Shorten(key, 60)), "is missing, but named in localized");
        continue;
      }
      EachObject(object, where, key.c_str(), [&](const Json& entry, const std::string& item) {
        Text(entry, item, "language_code");
        Text(entry, item, "string");
      });
    }
  }

  void SettingList(const Json& document) {
    if (!document.contains("settings")) return Error("settings", "is missing: a list of settings, which may be empty");
    std::set<std::string> functions;
    EachObject(document, "", "settings", [&](const Json& setting, const std::string& where) {
      const auto function = Setting(setting, where, 0);
      if (function && !functions.insert(*function).second)
        Warn(Path(where, "function"), fmt::format("\"{}\" is declared twice: the last counts", Shorten(*function, 60)));
      if (function == "RUN") RunOptions(setting, where);
    });
  }

  std::optional<std::string> Setting(const Json& setting, const std::string& where, int depth) {
    UnknownKeys(setting, where, kSettingKeys);
    auto function = Text(setting, where, "function");
    if (function && !IsPrefix(*function))
      Error(Path(where, "function"), "expected letters, digits and _, a letter first");
    const Json* type = Get(setting, "type");
    if (!type || !type->is_object())
      Error(Path(where, "type"), type ? fmt::format("expected an object, got {}", type->type_name()) : "is missing");
    else
      Type(*type, Path(where, "type"), depth);
    const Json* standard = Get(setting, "default_value");
    if (!standard)
      Error(Path(where, "default_value"), "is missing");
    else if (auto value = TypedValue(ReadType(setting), *standard); !value)
      Warn(Path(where, "default_value"), fmt::format("does not fit its type: {}", value.error().message));
    for (const char* key : {"name", "description"}) {
      const Json* texts = Get(setting, key);
      if (!texts || (texts->is_array() && texts->empty()))
        Error(Path(where, key), "is missing: a list of {language_code, string}, at least one");
    }
    Localized(setting, where);
    return function;
  }

  void Type(const Json& type, const std::string& where, int depth) {
    UnknownKeys(type, where, kTypeKeys);
    if (const auto data_type = Text(type, where, "dataType"); data_type && !OneOf(kDataTypes, *data_type))
      Warn(Path(where, "dataType"), fmt::format("\"{}\" is none of {}: the value is passed on as it is",
                                                Shorten(*data_type, 40), Join(kDataTypes)));
    EachObject(type, where, "elements", [&](const Json& element, const std::string& item) {
      EachObject(element, item, "elementOptions", [&](const Json& option, const std::string& place) {
        // A pop-up form holds settings, which may hold a pop-up form.
        if (depth < 4)
          EachObject(option, place, "popupForm",
                     [&](const Json& entry, const std::string& path) { Setting(entry, path, depth + 1); });
      });
    });
  }

  void RunOptions(const Json& setting, const std::string& where) {
    const Json* standard = Get(setting, "default_value");
    if (standard && standard->is_string() && !OneOf(kRunValues, standard->get<std::string>()))
      Warn(Path(where, "default_value"), fmt::format("\"{}\" is none of {}: the plugin never runs by itself",
                                                     Shorten(standard->get<std::string>(), 40), Join(kRunValues)));
  }

  void Param(const Json& param, const std::string& where) {
    UnknownKeys(param, where, kParamKeys);
    const auto name = Text(param, where, "name");
    if (name && name->empty()) Error(Path(where, "name"), "is empty");
    Text(param, where, "value");
    if (const auto type = Text(param, where, "type"); type && *type != "setting" && *type != "sql")
      Error(Path(where, "type"), fmt::format("\"{}\" is neither setting nor sql", Shorten(*type, 40)));
  }

  const std::string& file_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> CheckManifest(const Json& document, const std::string& file) {
  Checker checker(file);
  checker.Manifest(document);
  return checker.Take();
}

bool HasError(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.severity == Severity::kError; });
}

}  // namespace backplane::netalertx
