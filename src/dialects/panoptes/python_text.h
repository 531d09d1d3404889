// Text as Python's str and int take it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace backplane::panoptes {

/// str.strip(), str.lstrip(), str.rstrip(): white space of ASCII.
std::string_view Strip(std::string_view text);
std::string_view StripLeft(std::string_view text);
std::string_view StripRight(std::string_view text);

/// The next line of `text`, without its end: \n, \r\n or \r. Removes both.
std::string_view TakeLine(std::string_view& text);

/// int(text) of up to 18 digits: " 60 ", "+1_000"; nothing if it is no such number.
std::optional<std::int64_t> ParseInt(std::string_view text);

}  // namespace backplane::panoptes
