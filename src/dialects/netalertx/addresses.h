// MAC and IP addresses as scripts write them, in one form each.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace backplane::netalertx {

/// Six hex pairs joined by ':', '-' or nothing, or three groups of four joined by '.', as
/// "00:11:22:33:44:55". Nothing for other text, the zero address and the broadcast address.
std::optional<std::string> NormalMac(std::string_view text);

/// An IPv4 or IPv6 address in its canonical text, without zone ("%eth0"). Nothing for other
/// text and for the unspecified address.
std::optional<std::string> NormalIp(std::string_view text);

}  // namespace backplane::netalertx
