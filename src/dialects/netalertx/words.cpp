#include "dialects/netalertx/words.h"

#include <algorithm>

#include <fmt/format.h>

namespace backplane::netalertx {

bool OneOf(Words words, std::string_view word) { return std::find(words.begin(), words.end(), word) != words.end(); }

bool SaysNothing(std::string_view value) {
  static constexpr auto kNothing =
      std::to_array<std::string_view>({"", "null", "(unknown)", "(Unknown)", "(name not found)"});
  return OneOf(kNothing, value);
}

std::string DidYouMean(std::string_view word, Words words) {
  const std::string_view nearest = Nearest(word, words);
  return nearest.empty() ? std::string() : fmt::format("; did you mean {}?", nearest);
}

}  // namespace backplane::netalertx
