// This machine as a device of its network.
#pragma once

#include <optional>
#include <string>

namespace backplane::netalertx {

struct OwnHost {
  std::string mac;  ///< in its one form
  std::string ip;   ///< IPv4; may be empty
  bool operator==(const OwnHost&) const = default;
};

/// The card that the default route goes out by. Nothing: there is none, or it has no address. Asks the kernel.
std::optional<OwnHost> FindOwnHost();

/// The name of the card in what /proc/net/route holds; empty: no default route.
std::string DefaultCard(std::string_view routes);

}  // namespace backplane::netalertx
