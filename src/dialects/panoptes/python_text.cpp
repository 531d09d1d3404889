#include "dialects/panoptes/python_text.h"

#include <algorithm>

namespace backplane::panoptes {
namespace {

constexpr std::string_view kBlank = " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f";
constexpr int kDigits = 18;

}  // namespace

std::string_view StripLeft(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(kBlank), text.size()));
}

std::string_view StripRight(std::string_view text) { return text.substr(0, text.find_last_not_of(kBlank) + 1); }

std::string_view Strip(std::string_view text) { return StripRight(StripLeft(text)); }

std::string_view TakeLine(std::string_view& text) {
  const auto end = std::min(text.find_first_of("\r\n"), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end);
  text.remove_prefix(text.starts_with("\r\n") ? 2 : std::min<std::size_t>(text.size(), 1));
  return line;
}

std::optional<std::int64_t> ParseInt(std::string_view text) {
  text = Strip(text);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  int digits = 0;
  bool digit_before = false;  // an underscore stands between digits
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c != '_' || !digit_before)) return std::nullopt;
    digit_before = digit;
    if (!digit) continue;
    if (++digits > kDigits) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  if (!digit_before) return std::nullopt;
  return negative ? -value : value;
}

}  // namespace backplane::panoptes
