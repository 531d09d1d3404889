// Lists of devices, a page at a time: filtered, searched, and in the order that somebody wants.
//
// A page costs one look at each device at most, some 20 to 30 ms for 100,000; pages by id or by name of all devices
// find theirs at once. No other index is kept for lists, since each would have to be written whenever a device comes or
// goes.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/ids.h"
#include "store/database.h"
#include "store/inventory.h"

namespace backplane::store {

/// What a device is to those who look at a list; one of them at any time.
enum class DeviceStatus { kOnline, kOffline, kDown, kArchived };
/// "online", "offline", "down", "archived".
const char* DeviceStatusName(DeviceStatus status);
DeviceStatus StatusOf(const Entity& entity);

/// Which devices a list has.
enum class DeviceGroup {
  kShown,  ///< all but archived ones
  kNew,    ///< those of them that nobody has looked at yet
  kOnline,
  kOffline,
  kDown,
  kArchived,
  kAll,
};
inline constexpr std::array<std::string_view, 7> kDeviceGroups = {"shown", "new",      "online", "offline",
                                                                  "down",  "archived", "all"};
std::optional<DeviceGroup> ParseDeviceGroup(std::string_view name);

enum class DeviceSort { kId, kName, kMac, kIp, kVendor, kType, kFirstSeen, kLastSeen, kSince };
inline constexpr std::array<std::string_view, 9> kDeviceSorts = {"id",   "name",       "mac",       "ip",   "vendor",
                                                                 "type", "first_seen", "last_seen", "since"};
std::optional<DeviceSort> ParseDeviceSort(std::string_view name);

/// The device after which a page begins: what it is sorted by, and its id.
struct DevicePlace {
  std::string text;
  std::int64_t number = 0;
  EntityId id = 0;
  bool operator==(const DevicePlace&) const = default;
};

struct DeviceQuery {
  DeviceGroup group = DeviceGroup::kShown;
  std::optional<bool> present = {};
  std::string search = {};  ///< part of name, mac, ip, vendor or fqdn, without regard to the case of ASCII; empty: all
  /// Field → value. Of flags and numbers what an empty field counts as is compared too.
  std::map<std::string, std::string> equals = {};
  DeviceSort sort = DeviceSort::kId;  ///< by name without regard to case; addresses as numbers, IPv4 first
  bool descending = false;
  std::optional<DevicePlace> after = {};
  int limit = 100;
};

struct DevicePage {
  std::vector<Entity> devices;
  std::optional<DevicePlace> next;  ///< of the last device, if there are more
};

/// Devices of one organisation.
class DeviceList {
 public:
  DeviceList(Connection& connection, OrgId org) : db_(connection), org_(org) {}

  DevicePage Page(const DeviceQuery& query);
  /// Of all pages, wherever `after` is.
  std::int64_t Count(const DeviceQuery& query);

 private:
  Connection& db_;
  OrgId org_;
};

}  // namespace backplane::store
