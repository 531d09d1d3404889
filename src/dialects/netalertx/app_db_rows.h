// What the store knows, as rows of app.db. Pure.
//
// A row is a list of texts in the order of its table's columns; SQLite makes numbers of them where the column holds
// numbers.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/manifest.h"
#include "store/inventory.h"
#include "store/objects.h"

namespace backplane::netalertx {

using AppRow = std::vector<std::string>;

struct AppTable {
  std::string name;
  std::vector<std::string> columns;             ///< the primary key first
  std::vector<std::string> initial;             ///< behind the others, for new rows only: what others write there stays
  std::vector<std::string> null_if_empty = {};  ///< of `columns`: an empty text stands for NULL
  /// A row that has this primary key already becomes the new one; else it stays, and there is no new one.
  bool takes_over = false;
};

/// Makes a row.
std::string InsertSql(const AppTable& table);

/// A column of Devices that shows a field of the core, and the column beside it that says whose value that is, or null.
struct FieldColumn {
  const char* column;
  const char* field;
  const char* source;
};
inline constexpr std::array kFieldColumns = std::to_array<FieldColumn>({
    {"devName", "name", "devNameSource"},
    {"devOwner", "owner", nullptr},
    {"devType", "type", nullptr},
    {"devVendor", "vendor", "devVendorSource"},
    {"devGroup", "group_name", nullptr},
    {"devComments", "comment", nullptr},
    {"devLastIP", "ip", "devLastIPSource"},
    {"devVlan", "vlan", "devVlanSource"},
    {"devLocation", "location", nullptr},
    {"devParentMAC", "parent", "devParentMACSource"},
    {"devParentPort", "parent_port", "devParentPortSource"},
    {"devParentRelType", "parent_relation", "devParentRelTypeSource"},
    {"devSite", "site", nullptr},
    {"devSSID", "ssid", "devSSIDSource"},
    {"devSyncHubNode", "hub", nullptr},
    {"devFQDN", "fqdn", "devFQDNSource"},
    {"devIcon", "icon", nullptr},
    {"devCustomProps", "custom", nullptr},
    {"devFavorite", "favorite", nullptr},
    {"devIsArchived", "archived", nullptr},
    {"devIsNew", "is_new", nullptr},
    {"devStaticIP", "static_ip", nullptr},
    {"devScan", "scan", nullptr},
    {"devLogEvents", "log_events", nullptr},
    {"devAlertEvents", "alert_events", nullptr},
    {"devAlertDown", "alert_down", nullptr},
    {"devCanSleep", "can_sleep", nullptr},
    {"devReqNicsOnline", "require_nics", nullptr},
    {"devSkipRepeated", "skip_repeated", nullptr},
    {"devForceStatus", "force_status", nullptr},
});
/// Columns that the core works out from other things than a field.
inline constexpr std::array kWorkedOutColumns = {
    "devMac",  "devFirstConnection", "devLastConnection",   "devPrimaryIPv4", "devPrimaryIPv6", "devPresentLastScan",
    "devGUID", "devSourcePlugin",    "devLastNotification", "devMacSource"};

/// What stands in a column for a field of which nobody says anything.
inline constexpr const char* kUnknown = "(unknown)";

/// Every column of Devices.
const AppTable& DevicesTable();
/// Plugins_Objects, and the other two tables of its shape: "Objects", "Events", "History".
AppTable PluginTable(std::string_view name);

/// The key of a device in app.db: its MAC address, the one that it claims if it has several, or a word of ours. `named`
/// are its identifiers.
std::string DeviceMac(EntityId entity, std::string_view claimed, const std::vector<Identifier>& named);

/// Makes rows of devices.
class DeviceRows {
 public:
  /// `settings` are those of the dialect: a device of which nobody says by which node it is known is this node's.
  /// `store` is the store's identity.
  DeviceRows(const Settings& settings, std::int64_t store);
  AppRow Of(const store::EntityFacts& facts) const;
  /// Whether the same devices have the same rows.
  bool operator==(const DeviceRows&) const = default;

 private:
  std::string hub_;
  std::int64_t store_;
};

/// The same for each device of a store: EntityOf() finds the entity again.
std::string DeviceGuid(std::int64_t store, EntityId entity);
/// 0: no text that DeviceGuid() made.
EntityId EntityOf(std::string_view guid);

/// 32 hexadecimal digits with dashes.
std::string AsGuid(std::string_view hex);

/// `index` is the row's; `prefix` the plugin's.
AppRow ObjectRow(std::int64_t index, std::string_view prefix, const store::Object& object);

/// The prefix of a plugin of this dialect by its id; empty: it is of another.
std::string_view PrefixOf(std::string_view plugin);

}  // namespace backplane::netalertx
