// Text encodings that this ecosystem's files use.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace backplane::netalertx {

std::string Base64Encode(std::string_view bytes);
/// Standard alphabet with padding, nothing else; nothing if `text` is not that.
std::optional<std::string> Base64Decode(std::string_view text);

}  // namespace backplane::netalertx
