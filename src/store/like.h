// Patterns for "column LIKE ? ESCAPE '\\'".
#pragma once

#include <string>
#include <string_view>

namespace backplane::store {

/// Matches whatever has `part` in it; '%' and '_' in it stand for themselves.
std::string ContainsPattern(std::string_view part);

}  // namespace backplane::store
