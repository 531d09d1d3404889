#include "dialects/netalertx/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "dialects/netalertx/encoding.h"
#include "dialects/netalertx/python_literal.h"
#include "dialects/netalertx/texts.h"
#include "plugin/secret_ref.h"

namespace backplane::netalertx {
namespace {

const Json* Find(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto at = object.find(key);
  return at == object.end() ? nullptr : &*at;
}

std::string Reversed(const std::vector<std::string>& transformers, std::string text) {
  for (auto step = transformers.rbegin(); step != transformers.rend(); ++step) {
    std::string_view encoded = text;
    if (*step == "prefix|base64") {
      constexpr std::string_view kPrefix = "base64:";
      if (!encoded.starts_with(kPrefix)) continue;
      encoded.remove_prefix(kPrefix.size());
    } else if (*step != "base64") {
      continue;
    }
    // A person who writes the plain text into the site configuration means just that.
    if (auto decoded = Base64Decode(encoded); decoded && IsUtf8(*decoded)) text = *std::move(decoded);
  }
  return text;
}

std::optional<std::int64_t> Integer(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) return std::nullopt;
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_string()) return std::nullopt;
  const std::string& whole = value.get_ref<const std::string&>();
  const std::string lower = ToLower(Trim(whole));
  if (lower == "true") return 1;
  if (lower == "false") return 0;
  std::int64_t number = 0;
  const char* end = lower.data() + lower.size();
  const auto [stop, error] = std::from_chars(lower.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

bool RefersToSecret(const Json& value) { return !SecretNames({{"", value}}).empty(); }

// JSON, a Python literal, or JSON with Python's single quotes. A text cannot refer to a secret: it may come from
// whoever writes the ecosystem's own files.
std::optional<Json> Parsed(const std::string& text, bool (Json::*is)() const noexcept) {
  for (const auto& parsed : {ParseJson(text), ParseLiteral(text), ParseJson(ReplaceAll(text, "'", "\""))})
    if (parsed && ((*parsed).*is)() && !RefersToSecret(*parsed)) return *parsed;
  return std::nullopt;
}

Result<Json> TypedArray(const SettingType& type, const Json& value) {
  Json list;
  if (value.is_array()) {
    list = value;
  } else if (value.is_string()) {
    auto parsed = Parsed(value.get_ref<const std::string&>(), &Json::is_array);
    if (!parsed) return Fail(Errc::kInvalid, "expected a list, such as [\"a\", \"b\"], got other text");
    list = *std::move(parsed);
  } else {
    return Fail(Errc::kInvalid, fmt::format("expected a list, got {}", value.type_name()));
  }
  for (Json& item : list)
    if (item.is_string()) item = Reversed(type.transformers, item.get<std::string>());
  return list;
}

void AppendQuoted(std::string& out, std::string_view text) {
  out += '\'';
  for (const char c : text) {
    if (c == '\'' || c == '\\')
      (out += '\\') += c;
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    else
      out += c;
  }
  out += '\'';
}

void AppendLiteral(std::string& out, const Json& value) {
  if (value.is_string()) return AppendQuoted(out, value.get_ref<const std::string&>());
  if (value.is_boolean()) {
    out += value.get<bool>() ? "True" : "False";
  } else if (value.is_null()) {
    out += "None";
  } else if (value.is_array()) {
    out += '[';
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) out += ", ";
      AppendLiteral(out, value[i]);
    }
    out += ']';
  } else if (value.is_object()) {
    out += '{';
    bool first = true;
    for (const auto& [key, item] : value.items()) {
      if (!first) out += ", ";
      first = false;
      AppendQuoted(out, key);
      out += ": ";
      AppendLiteral(out, item);
    }
    out += '}';
  } else {
    out += DumpJson(value);
  }
}

// What was approved must not change with a secret that nobody sees.
bool DecidesWhatRuns(std::string_view function) {
  return function == "CMD" || function == "RUN" || function == "RUN_SCHD";
}

}  // namespace

const Json* ValueElement(const Json& type) {
  const Json* elements = Find(type, "elements");
  if (!elements || !elements->is_array() || elements->empty()) return nullptr;
  for (const Json& element : *elements) {
    const Json* mark = Find(element, "elementHasInputValue");
    if (mark && (*mark == 1 || *mark == true)) return &element;
  }
  return &elements->back();
}

bool IsSecretName(std::string_view name) {
  const std::string lower = ToLower(name.substr(name.rfind('_') + 1));
  constexpr auto kWords = std::to_array<std::string_view>(
      {"password", "passwd", "pass", "pwd", "passphrase", "secret", "token", "key", "apikey"});
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

SettingType ReadType(const Json& setting) {
  SettingType out;
  const Json* type = Find(setting, "type");
  if (!type) return out;
  out.data_type = TextAt(*type, "dataType");
  const Json* element = ValueElement(*type);
  const Json* transformers = element ? Find(*element, "transformers") : nullptr;
  if (transformers && transformers->is_array())
    for (const Json& step : *transformers)
      if (step.is_string()) out.transformers.push_back(step.get<std::string>());
  return out;
}

Result<Json> TypedValue(const SettingType& type, const Json& value) {
  if (type.data_type == "string") {
    if (value.is_null()) return Json("");
    if (IsSecretRef(value)) return value;
    if (value.is_structured()) return Fail(Errc::kInvalid, fmt::format("expected text, got {}", value.type_name()));
    return Json(Reversed(type.transformers, PythonText(value)));
  }
  if (type.data_type == "integer") {
    const auto number = Integer(value);
    if (!number) return Fail(Errc::kInvalid, "expected a whole number");
    return Json(*number);
  }
  if (type.data_type == "boolean") {
    const std::string text = ToLower(PythonText(value));
    return Json(text == "true" || text == "1");
  }
  if (type.data_type == "array") return TypedArray(type, value);
  if (type.data_type == "object") {
    if (value.is_object()) return value;
    auto parsed = value.is_string() ? Parsed(value.get_ref<const std::string&>(), &Json::is_object) : std::nullopt;
    if (!parsed) return Fail(Errc::kInvalid, "expected a JSON object");
    return *std::move(parsed);
  }
  return value;
}

std::optional<Json> DefaultValue(const Json& setting) {
  const SettingType type = ReadType(setting);
  const Json* standard = Find(setting, "default_value");
  if (auto value = TypedValue(type, standard ? *standard : Json()); value && !RefersToSecret(*value))
    return *std::move(value);
  if (type.data_type == "array") return Json::array();
  return std::nullopt;
}

Result<Settings> EffectiveSettings(const Json& document, std::string_view prefix, const Settings& site) {
  Settings out;
  const Json* settings = Find(document, "settings");
  if (!settings || !settings->is_array()) return out;
  for (const Json& setting : *settings) {
    const std::string key = fmt::format("{}_{}", prefix, TextAt(setting, "function"));
    const SettingType type = ReadType(setting);
    out.erase(key);  // of a repeated function the last counts
    if (const auto given = site.find(key); given != site.end()) {
      if (IsSecretRef(given->second) && DecidesWhatRuns(TextAt(setting, "function")))
        return Fail(Errc::kInvalid, fmt::format("{}: says what runs and when: it cannot be a secret", key), key);
      auto value = TypedValue(type, given->second);
      if (!value) return Fail(Errc::kInvalid, fmt::format("{}: {}", key, value.error().message), key);
      out[key] = *std::move(value);
      continue;
    }
    if (auto value = DefaultValue(setting)) out[key] = *std::move(value);
  }
  return out;
}

Json StoredValue(const SettingType& type, const Json& value) {
  if (value.is_array()) {
    Json list = value;
    for (Json& item : list) item = item.is_string() ? StoredValue(type, item) : item;
    return list;
  }
  if (!value.is_string()) return value;
  std::string text = value.get<std::string>();
  for (const std::string& step : type.transformers) {
    if (step == "base64") text = Base64Encode(text);
    if (step == "prefix|base64") text = "base64:" + Base64Encode(text);
  }
  return text;
}

std::string PythonText(const Json& value) {
  return value.is_string() ? value.get<std::string>() : PythonLiteral(value);
}

std::string PythonLiteral(const Json& value) {
  std::string out;
  AppendLiteral(out, value);
  return out;
}

Result<std::string> ParamText(const Json& value) {
  if (value.is_object()) return Fail(Errc::kInvalid, "an object cannot stand in a command");
  if (!value.is_array()) return PythonText(value);
  std::string out;
  bool first = true;
  for (const Json& item : value) {
    std::string plain;
    for (const char c : PythonText(item))
      if (c != '[' && c != ']' && c != '\'') plain += c;
    for (const std::string_view part : Split(plain, ',')) {
      if (!first) out += ',';
      first = false;
      out += Trim(part);
    }
  }
  return out;
}

}  // namespace backplane::netalertx
