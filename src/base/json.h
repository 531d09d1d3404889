// JSON as the program uses it: nlohmann's ordered_json, parsed without exceptions.
//
// Headers include this one; only sources that build or read documents include nlohmann/json.hpp.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace backplane {

using Json = nlohmann::ordered_json;

/// Parses one document. kInvalid: not JSON, deeper than `max_depth`, an object with more than
/// 10,000 keys, or not UTF-8; the message
/// names line and column. Bound the size of `text` before calling. Thread-safe.
Result<Json> ParseJson(std::string_view text, int max_depth = 64);

/// Compact text. Bytes that are not UTF-8 become U+FFFD; never throws.
std::string DumpJson(const Json& value);

}  // namespace backplane
