// Columns of a plugin's objects as a manifest declares them: how their values are shown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dialects/netalertx/words.h"
#include "plugin/presentation.h"

namespace backplane::netalertx {

/// The field of an object that `column` names, in the core's words ("objectPrimaryId", or as it was spelt
/// before, "Object_PrimaryID": "primary"). Empty: none, it is a placeholder.
std::string_view ObjectField(std::string_view column);

/// How the display type `type` ("replace", or "regex.url_http_https": one after the other) shows a value, in the
/// core's words; of `options` those that each of them knows. What is unknown is left out.
std::vector<Display> Displays(std::string_view type, const Json& options);

/// Every display type.
Words DisplayTypes();

}  // namespace backplane::netalertx
