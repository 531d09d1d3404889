// SQL's LIKE, as people write it into settings.
#pragma once

#include <string_view>

namespace backplane::netalertx {

/// '%' stands for any text, '_' for any one character; the case of ASCII letters does not matter.
bool IsLike(std::string_view text, std::string_view pattern);

}  // namespace backplane::netalertx
