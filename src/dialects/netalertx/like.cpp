#include "dialects/netalertx/like.h"

#include <cctype>

namespace backplane::netalertx {
namespace {

char Lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

// Behind the character of UTF-8 that begins at `at`.
std::size_t Behind(std::string_view text, std::size_t at) {
  ++at;
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
  return at;
}

}  // namespace

bool IsLike(std::string_view text, std::string_view pattern) {
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t t = 0, p = 0;
  std::size_t any = kNone, any_ends = 0;  // the last '%', and the end of what it stands for as far as it was tried
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      any = p++;
      any_ends = t;
    } else if (p < pattern.size() && pattern[p] == '_') {
      t = Behind(text, t);
      ++p;
    } else if (p < pattern.size() && Lower(pattern[p]) == Lower(text[t])) {
      ++t, ++p;
    } else if (any != kNone) {
      p = any + 1;
      t = any_ends = Behind(text, any_ends);
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

}  // namespace backplane::netalertx
