// Patterns for "column LIKE ? ESCAPE '\\'".
#pragma once

#include <string>
#include <string_view>

namespace backplane::store {

/// `text` with what has a meaning in a pattern escaped.
std::string EscapedForLike(std::string_view text);

/// Matches whatever has `part` in it.
std::string ContainsPattern(std::string_view part);

}  // namespace backplane::store
