// Values of settings: how a manifest's type turns what is stored into what a script sees, and
// how values are written for Python.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/manifest.h"

namespace backplane::netalertx {

/// What a manifest says of one setting's value.
struct SettingType {
  std::string data_type;                  ///< "string", "integer", "boolean", "array", "object", or another word
  std::vector<std::string> transformers;  ///< of the element that holds the value
};

/// Of a setting's `type`, the element that holds the value: the first that is marked, else the last; null if
/// there is none.
const Json* ValueElement(const Json& type);

/// Whether a text of this name is nobody else's business, though its author may not say so: its last word is
/// password, pass, token, key or another such word.
bool IsSecretName(std::string_view name);

/// Never fails: what is missing or of the wrong kind is left empty.
SettingType ReadType(const Json& setting);

/// The stored `value` as a script sees it: of the right JSON type, transformers reversed.
/// A reference to a secret stands for a text, or for an item of a list, and is left as it is; none can be part of a
/// text that is parsed.
/// kInvalid says what was expected; the message does not hold the value, which may be secret.
Result<Json> TypedValue(const SettingType& type, const Json& value);

/// The default of a manifest's setting, typed. One that does not fit its type, or refers to a secret, is an empty
/// list for an array, and nothing otherwise.
std::optional<Json> DefaultValue(const Json& setting);

/// The settings of the manifest `document`, by key: defaults overlaid by `site`; left out where there is no
/// value. kInvalid: a value of `site` does not fit; `where` is its key.
Result<Settings> EffectiveSettings(const Json& document, std::string_view prefix, const Settings& site);

/// A value as the ecosystem stores it: transformers applied, so that TypedValue() gives it back.
Json StoredValue(const SettingType& type, const Json& value);

/// As Python's str() prints the value: True, 5, text as it is, ['a', 'b'].
std::string PythonText(const Json& value);
/// As Python source: 'text', True, None, {'a': 1}. One line, whatever is in it.
std::string PythonLiteral(const Json& value);
/// As a placeholder of a command: lists become a,b,c. kInvalid: an object.
Result<std::string> ParamText(const Json& value);

}  // namespace backplane::netalertx
