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
#include "base/secret.h"
#include "plugin/manifest.h"

namespace backplane {

/// Whether `value` is an object with the one key "secret", whose value is a text.
bool IsSecretRef(const Json& value);

/// The names of all secrets that the settings refer to, each once, in order.
std::vector<std::string> SecretNames(const Settings& settings);

/// The values of these names, in their order.
using SecretReader = std::function<Result<std::vector<Secret>>(const std::vector<std::string>& names)>;

/// What a run may know.
struct OpenedSettings {
  Settings own;                      ///< of the plugin, each reference replaced by its value
  Settings all;                      ///< of the dialect, likewise; references that are not its own are empty texts
  std::vector<std::string> secrets;  ///< the values, for Invocation::secrets
};

/// Calls `read` once, or not at all if `own` has no reference; its error is the answer.
Result<OpenedSettings> OpenSettings(const Settings& own, const Settings& all, const SecretReader& read);

}  // namespace backplane
