// The checks of a manifest's settings.
#include <algorithm>
#include <set>

#include <fmt/ranges.h>

#include "base/text.h"
#include "dialects/netalertx/check.h"
#include "dialects/netalertx/checker.h"
#include "dialects/netalertx/encoding.h"
#include "dialects/netalertx/form.h"
#include "dialects/netalertx/mapping.h"
#include "dialects/netalertx/settings.h"
#include "schedule/cron.h"

namespace backplane::netalertx {
namespace {

// A pop-up form holds settings, which may hold a pop-up form.
constexpr int kDeepest = 4;

using Else = Checker::Else;

// The functions that the page's script has for elements other than buttons; each is written as a call.
constexpr auto kOnChange = std::to_array<std::string_view>({"updateIconPreview"});
constexpr auto kFocusOut = std::to_array<std::string_view>({"validateRegex"});

const Json* Get(const Json& object, const char* key) { return Checker::Get(object, key); }

bool IsSwitch(const Json& value) { return value.is_boolean() || value == "true" || value == "false" || value == ""; }

bool IsTruth(const Json& value) {
  const std::string text = ToLower(PythonText(value));
  return text == "true" || text == "false" || text == "1" || text == "0" || text.empty();
}

bool IsOn(const Json& value) { return value == true || value == "true"; }

class SettingChecker {
 public:
  explicit SettingChecker(Checker& checker) : checker_(checker) {}

  void All(const Json& document) {
    if (!document.contains("settings"))
      return checker_.Error("settings", "is missing: a list of settings, which may be empty");
    std::set<std::string> functions;
    bool scheduled = false;
    checker_.EachObject(document, "", "settings", [&](const Json& setting, const std::string& where) {
      const auto function = One(setting, where, 0);
      if (!function) return;
      if (!functions.insert(*function).second)
        Warn(where, "function", fmt::format("\"{}\" is declared twice: the last counts", Shorten(*function, 60)));
      if (*function == "RUN") scheduled = Offers(setting, "schedule");
    });
    if (scheduled && !functions.contains("RUN_SCHD"))
      checker_.Warn("settings", "RUN can be schedule, but there is no RUN_SCHD that says when");
    const Json* source = Get(document, "data_source");
    if (source && *source == "sqlite-db-query" && !functions.contains("DB_PATH"))
      checker_.Warn("settings", "there is no DB_PATH that says which file sqlite-db-query reads");
    OwnSettings(document, functions);
  }

 private:
  void Warn(const std::string& where, std::string_view key, std::string message) {
    checker_.Warn(Checker::Path(where, key), std::move(message));
  }

  std::optional<std::string> One(const Json& setting, const std::string& where, int depth) {
    checker_.UnknownKeys(setting, where, kSettingKeys);
    auto function = checker_.Text(setting, where, "function");
    if (function && !IsPrefix(*function))
      checker_.Error(Checker::Path(where, "function"), "expected letters, digits and _, a letter first");
    const Json* type = Get(setting, "type");
    if (!type || !type->is_object())
      checker_.Error(Checker::Path(where, "type"),
                     type ? fmt::format("expected an object, got {}", type->type_name()) : "is missing");
    else
      Type(*type, Checker::Path(where, "type"), depth);
    const Json* standard = Get(setting, "default_value");
    if (!standard)
      checker_.Error(Checker::Path(where, "default_value"), "is missing");
    else if (auto value = TypedValue(ReadType(setting), *standard); !value)
      Warn(where, "default_value",
           fmt::format("{} does not fit its type: {}", Shorten(DumpJson(*standard), 60), value.error().message));
    else if (ReadType(setting).data_type == "boolean" && !IsTruth(*standard))
      Warn(where, "default_value",
           fmt::format("expected true or false, got {}: it counts as false", Shorten(DumpJson(*standard), 60)));
    for (const char* key : {"name", "description"}) {
      const Json* texts = Get(setting, key);
      const bool told = !texts && Checker::IsLocalized(setting, key);
      if ((!texts && !told) || (texts && texts->is_array() && texts->empty()))
        checker_.Error(Checker::Path(where, key), "is missing: a list of {language_code, string}, at least one");
    }
    checker_.Localized(setting, where);
    checker_.WordList(setting, where, "events", kEvents, "its button does nothing");
    checker_.TextIfAny(setting, where, "format");
    MaxLength(setting, where);
    if (function && depth == 0) Reserved(*function, setting, where);
    Choices(setting, where);
    return function;
  }

  void Type(const Json& type, const std::string& where, int depth) {
    checker_.UnknownKeys(type, where, kTypeKeys);
    if (const auto data_type = checker_.Text(type, where, "dataType"))
      checker_.Word(Checker::Path(where, "dataType"), *data_type, kDataTypes, "the value is passed on as it is");
    const Json* elements = Get(type, "elements");
    if (!elements) return Warn(where, "elements", "is missing: a list of what the form shows");
    int marked = 0;
    checker_.EachObject(type, where, "elements", [&](const Json& element, const std::string& item) {
      Element(element, item, depth);
      const Json* mark = Get(element, "elementHasInputValue");
      if (mark && *mark != 0 && *mark != 1 && !mark->is_boolean())
        Warn(item, "elementHasInputValue", "expected 1 at the element that holds the value");
      if (mark && (*mark == 1 || *mark == true)) ++marked;
    });
    if (marked > 1) Warn(where, "elements", fmt::format("{} hold the value: the first counts", marked));
  }

  void Element(const Json& element, const std::string& where, int depth) {
    checker_.UnknownKeys(element, where, kElementKeys);
    if (const auto type = checker_.Text(element, where, "elementType", Else::kWarning))
      checker_.Word(Checker::Path(where, "elementType"), *type, kElementTypes, "it is shown as an input");
    checker_.WordList(element, where, "transformers", kTransformers, "it changes nothing");
    checker_.EachObject(element, where, "elementOptions", [&](const Json& options, const std::string& item) {
      checker_.UnknownKeys(options, item, kElementOptions);
      for (const auto& [key, value] : options.items()) Option(key, value, item);
      checker_.WordList(options, item, "transformers", kTransformers, "it changes nothing");
      if (depth < kDeepest)
        checker_.EachObject(options, item, "popupForm",
                            [&](const Json& entry, const std::string& place) { One(entry, place, depth + 1); });
      else if (Get(options, "popupForm"))
        checker_.Error(Checker::Path(item, "popupForm"), fmt::format("forms in forms: at most {}", kDeepest));
    });
  }

  void Option(const std::string& key, const Json& value, const std::string& where) {
    if (!OneOf(kElementOptions, key) || key == "transformers" || key == "popupForm") return;
    if (OneOf(kSwitches, key)) {
      if (!IsSwitch(value)) Warn(where, key, "expected \"true\" or \"false\"");
      return;
    }
    if (key == "sourceSuffixes" || key == "columns") {
      if (!value.is_array()) Warn(where, key, fmt::format("expected a list, got {}", value.type_name()));
      return;
    }
    if (!value.is_string()) return Warn(where, key, fmt::format("expected text, got {}", value.type_name()));
    const std::string& text = value.get_ref<const std::string&>();
    if (key == "type")
      checker_.Word(Checker::Path(where, key), text, kInputTypes, "it is shown as text");
    else if (key == "base64Regex")
      Regex(text, where);
    else if (key == "onClick")
      Called(text, ButtonCalls(), where, key);
    else if (key == "onChange")
      Called(text, kOnChange, where, key);
    else if (key == "focusout")
      Called(text, kFocusOut, where, key);
  }

  void Regex(const std::string& text, const std::string& where) {
    const auto decoded = Base64Decode(text);
    if (!decoded || !IsUtf8(*decoded))
      Warn(where, "base64Regex", "is not base64 of a regular expression: values are not checked");
  }

  void Called(const std::string& call, Words known, const std::string& where, const std::string& key) {
    const std::string_view name = Trim(std::string_view(call).substr(0, call.find('(')));
    checker_.Word(Checker::Path(where, key), name, known, "it does nothing");
  }

  void MaxLength(const Json& setting, const std::string& where) {
    const Json* limit = Get(setting, "maxLength");
    if (!limit) return;
    if (!limit->is_number_integer() || *limit < 1) return Warn(where, "maxLength", "expected a whole number above 0");
    const Json* standard = Get(setting, "default_value");
    // Counted in bytes, which are never fewer than the characters.
    if (standard && standard->is_string() &&
        standard->get_ref<const std::string&>().size() > 4 * limit->get<std::size_t>())
      Warn(where, "default_value", "is longer than its maxLength");
  }

  // `options`, and where "{name}" among them gets its choices from.
  void Choices(const Json& setting, const std::string& where) {
    std::vector<std::string> names;
    checker_.EachObject(
        setting, where, "options_params",
        [&](const Json& param, const std::string& item) {
          checker_.UnknownKeys(param, item, kOptionParamKeys);
          if (auto name = checker_.Text(param, item, "name", Else::kWarning)) names.push_back(*std::move(name));
          if (const auto type = checker_.Text(param, item, "type", Else::kWarning))
            checker_.Word(Checker::Path(item, "type"), *type, kParamTypes, "it gives no choices");
          checker_.Text(param, item, "value", Else::kWarning);
        },
        Else::kWarning);
    const Json* options = Get(setting, "options");
    if (!options) return;
    if (!options->is_array())
      return Warn(where, "options", fmt::format("expected a list, got {}", options->type_name()));
    bool fixed = !options->empty();
    for (std::size_t i = 0; i < options->size(); ++i) {
      const Json& option = (*options)[i];
      const std::string item = fmt::format("options[{}]", i);
      if (option.is_structured() || option.is_null())
        Warn(where, item, fmt::format("expected text, got {}", option.type_name()));
      if (!option.is_string()) continue;
      const std::string& text = option.get_ref<const std::string&>();
      if (text.size() < 3 || text.front() != '{' || text.back() != '}') continue;
      fixed = false;
      const std::string name = text.substr(1, text.size() - 2);
      const std::vector<std::string_view> known(names.begin(), names.end());
      if (!OneOf(known, name))
        Warn(where, item,
             fmt::format("options_params has no entry \"{}\": there is nothing to choose from{}", Shorten(name, 40),
                         DidYouMean(name, known)));
    }
    if (fixed) DefaultIsOffered(setting, *options, where);
  }

  void DefaultIsOffered(const Json& setting, const Json& options, const std::string& where) {
    const Json* type = Get(setting, "type");
    const Json* element = type ? ValueElement(*type) : nullptr;
    const Json* standard = Get(setting, "default_value");
    const bool select = element && Get(*element, "elementType") && *Get(*element, "elementType") == "select";
    if (!select || !standard || checker_.Told(Checker::Path(where, "default_value")) ||
        ElementOption(*element, "editable"))
      return;
    const auto offered = [&](const Json& value) {
      return std::any_of(options.begin(), options.end(),
                         [&](const Json& option) { return PythonText(option) == PythonText(value); });
    };
    const Json values = standard->is_array() ? *standard : Json::array({*standard});
    for (const Json& value : values)
      if (!offered(value))
        Warn(where, "default_value", fmt::format("{} is not among the options", Shorten(DumpJson(value), 60)));
  }

  static bool ElementOption(const Json& element, const char* key) {
    const Json* list = Get(element, "elementOptions");
    if (!list || !list->is_array()) return false;
    return std::any_of(list->begin(), list->end(), [&](const Json& options) {
      const Json* value = Get(options, key);
      return value && IsOn(*value);
    });
  }

  static bool Offers(const Json& setting, std::string_view word) {
    const Json* options = Get(setting, "options");
    return options && options->is_array() && std::find(options->begin(), options->end(), word) != options->end();
  }

  // What the host itself reads.
  void Reserved(const std::string& function, const Json& setting, const std::string& where) {
    if (function == "RUN") return Run(setting, where);
    if (function == "RUN_SCHD") return Schedule(setting, where);
    if (function == "RUN_TIMEOUT") return Timeout(setting, where);
    const bool watch = function == "WATCH";
    if (watch || function == "REPORT_ON" || function == "SET_ALWAYS" || function == "SET_EMPTY") {
      ExpectType(setting, where, "array");
      for (const char* key : {"default_value", "options"})
        if (const Json* list = Get(setting, key); list && list->is_array())
          watch ? Watched(*list, Checker::Path(where, key))
                : checker_.WordList(setting, where, key,
                                    function == "REPORT_ON" ? Words(kStatuses) : Words(kDeviceColumns),
                                    "nothing is ever called so");
      return;
    }
    if (function == "CMD" || function == "DB_PATH") return ExpectType(setting, where, "string");
    // "run" and "RUN_SCHED" declare a setting that the host does not look at.
    if (const std::string_view near = Nearest(function, kFunctions, 1); !near.empty())
      Warn(where, "function",
           fmt::format("\"{}\" means nothing to the host; did you mean {}?", Shorten(function, 60), near));
  }

  void ExpectType(const Json& setting, const std::string& where, std::string_view data_type) {
    const std::string given = ReadType(setting).data_type;
    if (!given.empty() && given != data_type && !checker_.Told(Checker::Path(where, "type.dataType")))
      Warn(where, "type.dataType", fmt::format("\"{}\": here the host expects {}", Shorten(given, 40), data_type));
  }

  void Run(const Json& setting, const std::string& where) {
    ExpectType(setting, where, "string");
    const Json* standard = Get(setting, "default_value");
    if (standard && standard->is_string() && *standard != "" && !OneOf(kRunValues, standard->get<std::string>()))
      checker_.Error(Checker::Path(where, "default_value"), UnknownRun(standard->get<std::string>()));
    if (const Json* options = Get(setting, "options"); options && options->is_array())
      checker_.WordList(setting, where, "options", kRunValues, "the plugin would never run");
  }

  void Schedule(const Json& setting, const std::string& where) {
    ExpectType(setting, where, "string");
    const Json* standard = Get(setting, "default_value");
    if (!standard || !standard->is_string() || *standard == "") return;
    if (const auto cron = schedule::Cron::Parse(standard->get<std::string>()); !cron)
      Warn(where, "default_value", cron.error().message);
  }

  void Timeout(const Json& setting, const std::string& where) {
    ExpectType(setting, where, "integer");
    const auto value = TypedValue(ReadType(setting), setting.value("default_value", Json()));
    if (value && value->is_number_integer() && *value < 1)
      Warn(where, "default_value", "expected seconds, at least 1: it counts as 10");
  }

  void Watched(const Json& list, const std::string& where) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (!list[i].is_string()) continue;
      const std::string& name = list[i].get_ref<const std::string&>();
      if (!ColumnNamed(name))
        checker_.Warn(fmt::format("{}[{}]", where, i),
                      fmt::format("\"{}\" is no column that a run reports: it is not watched{}", Shorten(name, 60),
                                  DidYouMean(name, kColumnNames)));
    }
  }

  // A parameter or choice that names a setting of this plugin's names one that is declared.
  void OwnSettings(const Json& document, const std::set<std::string>& functions) {
    const Json* prefix = Get(document, "unique_prefix");
    if (!prefix || !prefix->is_string()) return;
    const std::string start = prefix->get<std::string>() + "_";
    const Json* params = Get(document, "params");
    for (std::size_t i = 0; params && params->is_array() && i < params->size(); ++i) {
      const Json* type = Get((*params)[i], "type");
      const Json* key = Get((*params)[i], "value");
      if (!type || *type != "setting" || !key || !key->is_string()) continue;
      const std::string& text = key->get_ref<const std::string&>();
      if (!text.starts_with(start) || functions.contains(text.substr(start.size()))) continue;
      std::vector<std::string> keys;
      for (const std::string& function : functions) keys.push_back(start + function);
      const std::vector<std::string_view> known(keys.begin(), keys.end());
      Warn(fmt::format("params[{}]", i), "value",
           fmt::format("the plugin declares no setting {}{}", Shorten(text, 60), DidYouMean(text, known)));
    }
  }

  Checker& checker_;
};

}  // namespace

void CheckSettings(Checker& checker, const Json& document) { SettingChecker(checker).All(document); }

}  // namespace backplane::netalertx
