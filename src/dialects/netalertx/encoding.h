// Text encodings that this ecosystem's files use.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace backplane::netalertx {

bool IsUtf8(std::string_view bytes);
/// Each byte that is no part of well-formed UTF-8 becomes U+FFFD. Linear.
std::string ToUtf8(std::string_view bytes);

std::string Base64Encode(std::string_view bytes);
/// Standard alphabet with padding, nothing else; nothing if `text` is not that.
std::optional<std::string> Base64Decode(std::string_view text);

}  // namespace backplane::netalertx
