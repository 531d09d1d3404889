// Small text helpers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane {

/// "a||b" split at '|' gives {"a", "", "b"}; an empty text gives {""}.
std::vector<std::string_view> Split(std::string_view text, char separator);
/// Without white space (space, \t, \r, \n) at both ends.
std::string_view Trim(std::string_view text);
/// ASCII only.
std::string ToLower(std::string_view text);
/// Every occurrence of `from` (not empty) becomes `to`.
std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to);
/// The first `limit` bytes, cut at a UTF-8 boundary, with "..." if something was cut.
std::string Shorten(std::string_view text, std::size_t limit);
bool IsUtf8(std::string_view bytes);
/// Each byte that is no part of well-formed UTF-8 becomes U+FFFD. Linear.
std::string ToUtf8(std::string_view bytes);
/// Two lower-case digits for each byte.
std::string ToHex(std::string_view bytes);
/// Nothing if `hex` is not pairs of hexadecimal digits.
std::optional<std::string> FromHex(std::string_view hex);
/// SHA-256 as 64 lower-case hex digits.
std::string Sha256Hex(std::string_view bytes);
/// The word that was probably meant by `word`: the nearest to it, whatever the case, by at most `most` letters left
/// out, added, exchanged or swapped; fewer in a short word. Empty: none is near.
std::string_view Nearest(std::string_view word, std::span<const std::string_view> words, std::size_t most = 3);
/// 64-bit FNV-1a: stable across versions and machines, for spreading; not for security.
std::uint64_t StableHash(std::string_view bytes);
/// Compares secrets in time that depends on the length only.
bool EqualSecret(std::string_view a, std::string_view b);

}  // namespace backplane
