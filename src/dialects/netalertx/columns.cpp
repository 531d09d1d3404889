#include "dialects/netalertx/columns.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "dialects/netalertx/texts.h"

namespace backplane::netalertx {
namespace {

// What a kind of display takes from `options`.
enum class Takes { kNothing, kLimits, kReplacements, kPattern, kScript };

struct Kind {
  std::string_view type;  // theirs
  const char* kind;       // ours
  Takes takes;
};

constexpr std::array<Kind, 13> kKinds = {{{"label", "text", Takes::kNothing},
                                          {"none", "text", Takes::kNothing},
                                          {"device_mac", "device", Takes::kNothing},
                                          {"device_name_mac", "device_name", Takes::kNothing},
                                          {"device_ip", "device_at_ip", Takes::kNothing},
                                          {"url", "link", Takes::kNothing},
                                          {"url_http_https", "web_links", Takes::kNothing},
                                          {"textarea_readonly", "long_text", Takes::kNothing},
                                          {"textbox_save", "note", Takes::kNothing},
                                          {"threshold", "colour", Takes::kLimits},
                                          {"replace", "replace", Takes::kReplacements},
                                          {"regex", "match", Takes::kPattern},
                                          {"eval", "script", Takes::kScript}}};

const Kind* KindNamed(std::string_view type) {
  const auto at = std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& kind) { return kind.type == type; });
  return at == kKinds.end() ? nullptr : &*at;
}

Json Options(Takes takes, const Json& options) {
  if (takes == Takes::kNothing || !options.is_array()) return nullptr;
  Json out = Json::array();
  for (const Json& option : options) {
    const std::string type = TextAt(option, "type");
    if (takes == Takes::kLimits && option.contains("maximum"))
      out.push_back({{"below", option["maximum"]}, {"colour", TextAt(option, "hexColor")}});
    else if (takes == Takes::kReplacements && option.contains("equals"))
      out.push_back({{"equals", option["equals"]}, {"html", TextAt(option, "replacement")}});
    else if (takes == Takes::kPattern && type == "regex")
      return {{"pattern", TextAt(option, "param")}};
    else if (takes == Takes::kScript && type == "eval")
      return {{"source", TextAt(option, "param")}, {"executed", false}};
  }
  return out.empty() ? Json(nullptr) : out;
}

}  // namespace

std::string_view ObjectField(std::string_view column) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 20> kFields = {
      {{"index", "index"},
       {"plugin", "plugin"},
       {"objectprimaryid", "primary"},
       {"objectsecondaryid", "secondary"},
       {"datetimecreated", "created"},
       {"datetimechanged", "changed"},
       {"watchedvalue1", "watched1"},
       {"watchedvalue2", "watched2"},
       {"watchedvalue3", "watched3"},
       {"watchedvalue4", "watched4"},
       {"status", "status"},
       {"extra", "extra"},
       {"userdata", "user_data"},
       {"foreignkey", "foreign_key"},
       {"synchubnodename", "hub"},
       {"helpval1", "help1"},
       {"helpval2", "help2"},
       {"helpval3", "help3"},
       {"helpval4", "help4"},
       {"objectguid", "guid"}}};
  const std::string plain = ReplaceAll(ToLower(column), "_", "");
  const auto at = std::find_if(kFields.begin(), kFields.end(), [&](const auto& known) { return known.first == plain; });
  return at == kFields.end() ? std::string_view() : at->second;
}

std::vector<Display> Displays(std::string_view type, const Json& options) {
  std::vector<Display> out;
  for (const std::string_view part : Split(type, '.'))
    if (const Kind* kind = KindNamed(part)) out.push_back({kind->kind, Options(kind->takes, options)});
  return out;
}

Words DisplayTypes() {
  static constexpr auto kTypes = [] {
    std::array<std::string_view, kKinds.size()> types;
    std::transform(kKinds.begin(), kKinds.end(), types.begin(), [](const Kind& kind) { return kind.type; });
    return types;
  }();
  return kTypes;
}

}  // namespace backplane::netalertx
