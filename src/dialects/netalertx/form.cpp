#include "dialects/netalertx/form.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "dialects/netalertx/encoding.h"
#include "dialects/netalertx/settings.h"
#include "dialects/netalertx/texts.h"

namespace backplane::netalertx {
namespace {

struct Button {
  std::string_view call;  // theirs
  const char* word;       // ours
};

constexpr std::array<Button, 11> kButtons = {{{"addList", "add"},
                                              {"addViaPopupForm", "add_by_form"},
                                              {"removeFromList", "remove_last"},
                                              {"removeAllOptions", "remove_all"},
                                              {"selectChange", "change"},
                                              {"selectAll", "select_all"},
                                              {"unselectAll", "unselect_all"},
                                              {"removeDataTableRow", "remove_row"},
                                              {"cloneDataTableRow", "clone_row"},
                                              {"generateApiToken", "generate_token"},
                                              {"generateNaxNodeName", "generate_name"}}};

constexpr auto kHolders = std::to_array<std::string_view>({"input", "select", "textarea", "datatable"});

// What the elements of a setting say of its value, taken together.
struct Look {
  std::string element;  // the kind of the one that holds the value
  std::string placeholder;
  std::string pattern;
  bool multiple = false, ordered = false, editable = false, readonly = false;
  Json buttons = Json::array();
  Json form, table;
};

const Json* ListAt(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_array() ? &*at : nullptr;
}

bool IsOn(const Json& value) { return value == true || value == "true"; }

// The element that holds the value. Where that is a button, which only the order of elements says, it is the first
// one that can.
const Json* Holder(const Json& type) {
  const Json* marked = ValueElement(type);
  if (!marked || OneOf(kHolders, TextAt(*marked, "elementType"))) return marked;
  for (const Json& element : type["elements"])
    if (OneOf(kHolders, TextAt(element, "elementType"))) return &element;
  return marked;
}

void ReadOption(const std::string& key, const Json& value, bool holds, Look& look) {
  const std::string text = value.is_string() ? value.get<std::string>() : std::string();
  if (holds && key == "multiple") look.multiple = IsOn(value);
  if (holds && key == "orderable") look.ordered = IsOn(value);
  if (holds && key == "editable") look.editable = IsOn(value);
  if (holds && key == "readonly") look.readonly = IsOn(value);
  if (key == "placeholder" && look.placeholder.empty()) look.placeholder = text;
  if (key == "base64Regex")
    if (auto pattern = Base64Decode(text); pattern && IsUtf8(*pattern)) look.pattern = *std::move(pattern);
  if (key == "onClick") {
    const std::string_view call = Trim(std::string_view(text).substr(0, text.find('(')));
    const auto known = std::find_if(kButtons.begin(), kButtons.end(), [&](const Button& b) { return b.call == call; });
    if (known != kButtons.end()) look.buttons.push_back(known->word);
  }
  if (key == "popupForm" && value.is_array()) look.form = value;
  if (key == "columns" && value.is_array()) look.table = value;
}

Look LookOf(const Json& setting) {
  Look look;
  const auto type = setting.find("type");
  const Json* elements = type == setting.end() ? nullptr : ListAt(*type, "elements");
  if (!elements) return look;
  const Json* holder = Holder(*type);
  if (holder) look.element = TextAt(*holder, "elementType");
  for (const Json& element : *elements)
    if (const Json* options = ListAt(element, "elementOptions"))
      for (const Json& option : *options)
        if (option.is_object())
          for (const auto& [key, value] : option.items()) ReadOption(key, value, &element == holder, look);
  return look;
}

// The value, or one of a pop-up form that it is made of, is typed into a password field.
bool HasPassword(const Json& setting) {
  const auto type = setting.find("type");
  const Json* elements = type == setting.end() ? nullptr : ListAt(*type, "elements");
  if (!elements) return false;
  for (const Json& element : *elements) {
    const Json* options = ListAt(element, "elementOptions");
    if (!options) continue;
    for (const Json& option : *options) {
      if (TextAt(option, "type") == "password") return true;
      const Json* form = ListAt(option, "popupForm");
      if (form && std::any_of(form->begin(), form->end(), HasPassword)) return true;
    }
  }
  return false;
}

// {"setting": KEY} or {"sql": QUERY}.
Json Source(const Json& param) {
  const std::string type = TextAt(param, "type");
  if (!OneOf(kParamTypes, type)) return nullptr;
  return {{type, TextAt(param, "value")}};
}

// Where the choices come from, if `options` names a parameter: ["{value}"].
Json ChoicesFrom(const Json& setting) {
  const Json* options = ListAt(setting, "options");
  const Json* params = ListAt(setting, "options_params");
  if (!options || !params || options->empty() || !options->front().is_string()) return nullptr;
  Json from, with = Json::object();
  for (const Json& param : *params) {
    const std::string name = TextAt(param, "name");
    if (options->front() == "{" + name + "}")
      from = Source(param);
    else
      with[name] = Source(param);
  }
  if (!from.is_null() && !with.empty()) from["with"] = std::move(with);
  return from;
}

// Fixed choices as values of that type.
Json Choices(const Json& setting, std::string data_type) {
  Json out = Json::array();
  if (const Json* options = ListAt(setting, "options"))
    for (const Json& option : *options)
      if (auto value = TypedValue({data_type, {}}, option)) out.push_back(*std::move(value));
  return out;
}

Json PopupForm(const Json& entries, const std::string& key, std::string_view language) {
  Json properties = Json::object();
  for (const Json& entry : entries) {
    const Setting declared = DeclaredSetting(entry, TextAt(entry, "function"), language);
    properties[declared.key] = FormSchema(entry, declared, language);
  }
  return {{"group", key + "_popupform"}, {"properties", std::move(properties)}};
}

// What holds of the value, or of each item of a list.
void Constrain(Json& schema, const Json& setting, const std::string& data_type, const Look& look) {
  if (const auto limit = setting.find("maxLength");
      limit != setting.end() && limit->is_number_integer() && data_type == "string")
    schema["maxLength"] = *limit;
  if (!look.pattern.empty()) schema["pattern"] = look.pattern;
  const Json from = ChoicesFrom(setting);
  if (!from.is_null()) {
    schema["x-choices-from"] = from;
  } else if (Json choices = Choices(setting, data_type); !choices.empty()) {
    // Where others may be added they are a proposal.
    schema[look.editable || look.element != "select" ? "examples" : "enum"] = std::move(choices);
  }
}

void List(Json& schema, const Json& setting, const std::string& key, const Look& look, std::string_view language) {
  Json items = {{"type", "string"}};
  Constrain(items, setting, "string", look);
  if (items.contains("enum")) schema["uniqueItems"] = true;
  if (!look.form.is_null()) {
    items["contentEncoding"] = "base64";
    items["x-form"] = PopupForm(look.form, key, language);
  }
  schema["items"] = std::move(items);
  if (look.element == "select" && !look.multiple && !look.editable) schema["maxItems"] = 1;
  if (look.ordered) schema["x-ordered"] = true;
  if (look.editable) schema["x-editable"] = true;
}

}  // namespace

Words ButtonCalls() {
  static constexpr auto kCalls = [] {
    std::array<std::string_view, kButtons.size()> calls;
    std::transform(kButtons.begin(), kButtons.end(), calls.begin(), [](const Button& button) { return button.call; });
    return calls;
  }();
  return kCalls;
}

Setting DeclaredSetting(const Json& setting, std::string key, std::string_view language) {
  Setting out;
  out.key = std::move(key);
  out.type = ReadType(setting).data_type;
  if (auto value = DefaultValue(setting)) out.default_value = *std::move(value);
  out.title = LocalText(setting, "name", language);
  if (out.title.empty()) out.title = TextAt(setting, "function");
  out.help = LocalText(setting, "description", language);
  out.secret = HasPassword(setting) || (out.type == "string" && IsSecretName(TextAt(setting, "function")));
  return out;
}

Json FormSchema(const Json& setting, const Setting& declared, std::string_view language) {
  const Look look = LookOf(setting);
  Json schema = {{"title", declared.title}};
  if (!declared.help.empty()) schema["description"] = declared.help;
  if (OneOf(kDataTypes, declared.type) && declared.type != "none") schema["type"] = declared.type;
  if (declared.type == "array")
    List(schema, setting, declared.key, look, language);
  else
    Constrain(schema, setting, declared.type, look);
  if (const std::string format = TextAt(setting, "format"); !format.empty()) schema["format"] = format;
  if (declared.secret)
    schema["writeOnly"] = true;
  else if (!declared.default_value.is_null())
    schema["default"] = declared.default_value;
  if ((look.readonly && look.element != "select") || declared.type == "none") schema["readOnly"] = true;
  if (!look.element.empty()) schema["x-element"] = look.element;
  if (!look.placeholder.empty()) schema["x-placeholder"] = look.placeholder;
  if (!look.buttons.empty()) schema["x-buttons"] = look.buttons;
  if (const Json* events = ListAt(setting, "events"); events && !events->empty()) schema["x-actions"] = *events;
  if (const auto stored = ReadType(setting).transformers; !stored.empty()) schema["x-transformers"] = stored;
  if (!look.table.is_null()) schema["x-columns"] = look.table;
  return schema;
}

}  // namespace backplane::netalertx
