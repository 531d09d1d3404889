#include "dialects/netalertx/addresses.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

#include "base/text.h"

namespace backplane::netalertx {
namespace {

bool IsHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// Whether `text` is hex groups of `size` digits with `separator` between them.
bool IsGrouped(std::string_view text, std::size_t size, char separator) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool between = i % (size + 1) == size;
    if (between ? text[i] != separator : !IsHex(text[i])) return false;
  }
  return true;
}

bool Unspecified(const unsigned char* bytes, std::size_t size) {
  return std::all_of(bytes, bytes + size, [](unsigned char byte) { return byte == 0; });
}

}  // namespace

std::optional<std::string> NormalMac(std::string_view text) {
  text = Trim(text);
  if (text.size() < 12 || text.size() > 17) return std::nullopt;
  const std::string lower = ToLower(text);
  const bool grouped = lower.size() == 17   ? IsGrouped(lower, 2, ':') || IsGrouped(lower, 2, '-')
                       : lower.size() == 14 ? IsGrouped(lower, 4, '.')
                       : lower.size() == 12 ? std::all_of(lower.begin(), lower.end(), IsHex)
                                            : false;
  if (!grouped) return std::nullopt;
  std::string out;
  out.reserve(17);
  int digits = 0;
  for (const char c : lower) {
    if (!IsHex(c)) continue;
    if (digits != 0 && digits % 2 == 0) out += ':';
    out += c;
    ++digits;
  }
  if (out == "00:00:00:00:00:00" || out == "ff:ff:ff:ff:ff:ff") return std::nullopt;
  return out;
}

std::optional<std::string> NormalIp(std::string_view text) {
  text = Trim(text);
  text = text.substr(0, text.find('%'));
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (text.empty() || text.size() >= buffer.size()) return std::nullopt;
  std::copy(text.begin(), text.end(), buffer.begin());
  std::array<unsigned char, 16> bytes{};
  const int family = text.find(':') == std::string_view::npos ? AF_INET : AF_INET6;
  if (inet_pton(family, buffer.data(), bytes.data()) != 1 || Unspecified(bytes.data(), bytes.size()))
    return std::nullopt;
  if (!inet_ntop(family, bytes.data(), buffer.data(), buffer.size())) return std::nullopt;
  return std::string(buffer.data());
}

}  // namespace backplane::netalertx
