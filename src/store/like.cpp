#include "store/like.h"

namespace backplane::store {

std::string EscapedForLike(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string ContainsPattern(std::string_view part) { return "%" + EscapedForLike(part) + "%"; }

}  // namespace backplane::store
