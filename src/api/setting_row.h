// What may be shown of a setting's value.
#pragma once

#include "plugin/manifest.h"

namespace backplane::api {

/// Adds "default" and "value" to `row`; of a secret only whether it is "set", which an empty text or list is not.
void AddValue(Json& row, const Setting& setting, const Settings& values);

}  // namespace backplane::api
