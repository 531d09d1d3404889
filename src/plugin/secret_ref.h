// References to secrets in settings: { secret = "name" } in the site configuration, where a value
// stands or is part of one.
//
// They stay references until a run is prepared, so that no value is in the catalog, an answer or a log.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "plugin/manifest.h"

namespace backplane {

/// Whether `value` is an object with the one key "secret", whose value is a text.
bool IsSecretRef(const Json& value);

/// The names of all secrets that the settings refer to, each once, in order.
std::vector<std::string> SecretNames(const Settings& settings);

/// The settings with each reference replaced by what `value_of` returns for its name.
Settings ResolveSecrets(const Settings& settings, const std::function<std::string(const std::string& name)>& value_of);

}  // namespace backplane
