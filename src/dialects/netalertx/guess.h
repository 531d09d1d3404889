// What a device is, by its looks: a type and an icon for those of which nobody says one.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace backplane::netalertx {

/// What makes a device be of a type; every text in lower case.
struct DeviceRule {
  std::string type;
  std::string icon;                  ///< HTML
  std::vector<std::string> macs;     ///< beginnings of an address, or "internet"
  std::vector<std::string> names;    ///< words in a name; letters end a word, digits do not
  std::vector<std::string> vendors;  ///< parts of a vendor's name
  std::vector<std::string> ips;      ///< addresses
};

/// A JSON list of objects with the members of DeviceRule: type, icon, mac, name, vendor, ip. kInvalid names the rule.
Result<std::vector<DeviceRule>> ReadDeviceRules(const std::filesystem::path& file);

struct DeviceLooks {
  std::string_view mac, name, vendor, ip;
};

/// Whether the address was made up by the device itself, which many do for each network. `not_random` are
/// beginnings of addresses that only look so.
bool IsRandomMac(std::string_view mac, const std::vector<std::string>& not_random);

/// The first rule that fits, by the address first, then by the name, the vendor and the IP address; of a device with a
/// random address not by these two. Null: none does.
const DeviceRule* GuessDevice(const std::vector<DeviceRule>& rules, const DeviceLooks& device, bool random_mac);

}  // namespace backplane::netalertx
