#include "dialects/netalertx/app_db_rows.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/text.h"
#include "dialects/netalertx/settings.h"
#include "ingest/identity.h"

namespace backplane::netalertx {
namespace {

using store::ClaimRow;

constexpr std::string_view kInternet = "internet";
constexpr const char* kUnknown = "(unknown)";
// The last twelve digits of a GUID of ours are the entity's id.
constexpr std::size_t kGuidLength = 36, kIdDigits = 12;

// Columns of Devices that the core knows, in the order in which DeviceRow() fills them.
const std::vector<std::string>& DeviceColumns() {
  static const std::vector<std::string> columns = {"devMac",
                                                   "devName",
                                                   "devOwner",
                                                   "devType",
                                                   "devVendor",
                                                   "devGroup",
                                                   "devComments",
                                                   "devFirstConnection",
                                                   "devLastConnection",
                                                   "devLastIP",
                                                   "devPrimaryIPv4",
                                                   "devPrimaryIPv6",
                                                   "devVlan",
                                                   "devPresentLastScan",
                                                   "devLocation",
                                                   "devParentMAC",
                                                   "devParentPort",
                                                   "devGUID",
                                                   "devSite",
                                                   "devSSID",
                                                   "devSyncHubNode",
                                                   "devSourcePlugin",
                                                   "devFQDN",
                                                   "devMacSource",
                                                   "devNameSource",
                                                   "devFQDNSource",
                                                   "devLastIPSource",
                                                   "devVendorSource",
                                                   "devSSIDSource",
                                                   "devParentMACSource",
                                                   "devParentPortSource",
                                                   "devVlanSource"};
  return columns;
}

// Columns that a new device gets from the settings of the same name behind "NEWDEV_", and what it gets without them.
struct Initial {
  const char* column;
  const char* otherwise;
  bool flag;  // 0 or 1
};
constexpr std::array<Initial, 12> kInitial = {{{"devFavorite", "0", true},
                                               {"devStaticIP", "0", true},
                                               {"devScan", "1", false},
                                               {"devLogEvents", "1", true},
                                               {"devAlertEvents", "1", true},
                                               {"devAlertDown", "0", true},
                                               {"devSkipRepeated", "0", false},
                                               {"devIsNew", "1", true},
                                               {"devIsArchived", "0", true},
                                               {"devReqNicsOnline", "0", true},
                                               {"devCanSleep", "0", true},
                                               {"devCustomProps", "", false}}};

std::string SettingText(const Settings& settings, const std::string& key) {
  const auto at = settings.find(key);
  return at == settings.end() ? std::string() : PythonText(at->second);
}

std::string InitialValue(const Settings& settings, const Initial& initial) {
  std::string value = SettingText(settings, fmt::format("NEWDEV_{}", initial.column));
  if (value == "True") value = "1";
  if (value == "False") value = "0";
  const bool fits = initial.flag ? value == "0" || value == "1" : !value.empty();
  return fits ? value : initial.otherwise;
}

// The setting is a list with at most one item, in the original's text the list as a whole.
std::string ParentRelation(const Settings& settings) {
  const auto at = settings.find("NEWDEV_devParentRelType");
  if (at == settings.end()) return "default";
  const Json& value = at->second;
  if (value.is_array()) return value.empty() ? "default" : PythonText(value.front());
  return PythonText(value);
}

// Addresses are the key of the table, so a device that has none gets one of the private range that ends in its id.
std::string MacOf(const store::EntityFacts& facts) {
  const std::string& claimed = facts.entity.fields[*store::FieldIndex("mac")];
  std::string mac;
  for (const Identifier& identifier : facts.identifiers) {
    if (identifier.scheme == "netalertx" && identifier.value == kInternet) return std::string(kInternet);
    if (identifier.scheme != "mac") continue;
    if (mac.empty() || identifier.value == claimed) mac = identifier.value;
  }
  if (!mac.empty()) return ToLower(mac);
  const auto id = static_cast<std::uint64_t>(facts.entity.id);
  return fmt::format("fa:ce:{:02x}:{:02x}:{:02x}:{:02x}", id >> 24 & 0xFF, id >> 16 & 0xFF, id >> 8 & 0xFF, id & 0xFF);
}

class Device {
 public:
  explicit Device(const store::EntityFacts& facts) : facts_(facts) {}

  const std::string& Field(std::string_view name) const { return facts_.entity.fields[*store::FieldIndex(name)]; }

  // Who wrote it: a tag, or one of the original's words.
  std::string SourceOf(std::string_view field) const {
    if (std::find(facts_.locks.begin(), facts_.locks.end(), field) != facts_.locks.end()) return "LOCKED";
    for (const ClaimRow& claim : facts_.claims)
      if (claim.wins && claim.field == field) return claim.source == ingest::kPersonSource ? "USER" : claim.source;
    return "NEWDEV";
  }

  std::string FirstSource() const {
    const auto first =
        std::min_element(facts_.sightings.begin(), facts_.sightings.end(), [](const auto& one, const auto& other) {
          return std::tie(one.first_at, one.source) < std::tie(other.first_at, other.source);
        });
    return first == facts_.sightings.end() ? std::string() : first->source;
  }

 private:
  const store::EntityFacts& facts_;
};

const std::string& OrElse(const std::string& value, const std::string& otherwise) {
  return value.empty() ? otherwise : value;
}

const char* StatusText(ObjectStatus status) {
  switch (status) {
    case ObjectStatus::kNew: return "new";
    case ObjectStatus::kChanged: return "watched-changed";
    case ObjectStatus::kUnchanged: return "watched-not-changed";
    case ObjectStatus::kMissing: return "missing-in-last-scan";
  }
  return "watched-not-changed";
}

std::string AsGuid(std::string_view hex) {
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20, 12));
}

// As the original makes it: MD5 of what names the object.
std::string ObjectGuid(std::string_view prefix, const ObjectRecord& record) {
  const std::string text = fmt::format("{}-{}-{}", prefix, record.primary, record.secondary);
  std::array<char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_md5(), nullptr);
  return AsGuid(ToHex(std::string_view(digest.data(), size)));
}

}  // namespace

std::string InsertSql(const AppTable& table) {
  std::string names, marks, changes;
  for (const auto* list : {&table.columns, &table.initial}) {
    for (const std::string& column : *list) {
      names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", column);
      marks += marks.empty() ? "?" : ", ?";
      if (list == &table.columns)
        changes += fmt::format("{0}\"{1}\" = excluded.\"{1}\"", changes.empty() ? "" : ", ", column);
    }
  }
  return fmt::format("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT (\"{}\") DO UPDATE SET {}", table.name, names, marks,
                     table.columns[0], changes);
}

const AppTable& DevicesTable() {
  static const AppTable table = [] {
    AppTable out{"Devices", DeviceColumns(), {}};
    for (const Initial& initial : kInitial) out.initial.push_back(initial.column);
    out.initial.insert(out.initial.end(), {"devParentRelType", "devParentRelTypeSource"});
    return out;
  }();
  return table;
}

AppTable PluginTable(std::string_view name) {
  return {fmt::format("Plugins_{}", name),
          {"index", "plugin", "objectPrimaryId", "objectSecondaryId", "dateTimeCreated", "dateTimeChanged",
           "watchedValue1", "watchedValue2", "watchedValue3", "watchedValue4", "status", "extra", "foreignKey",
           "syncHubNodeName", "helpVal1", "helpVal2", "helpVal3", "helpVal4", "objectGuid"},
          {"userData"}};
}

DeviceRows::DeviceRows(const Settings& settings)
    : owner_(settings.contains("NEWDEV_devOwner") ? SettingText(settings, "NEWDEV_devOwner") : kUnknown),
      type_(SettingText(settings, "NEWDEV_devType")),
      group_(SettingText(settings, "NEWDEV_devGroup")),
      comments_(SettingText(settings, "NEWDEV_devComments")),
      location_(SettingText(settings, "NEWDEV_devLocation")),
      parent_(SettingText(settings, "NEWDEV_devParentMAC")),
      hub_(SettingText(settings, "SYNC_node_name")) {
  for (const Initial& initial : kInitial) initial_.push_back(InitialValue(settings, initial));
  initial_.push_back(ParentRelation(settings));
  initial_.emplace_back("NEWDEV");
}

AppRow DeviceRows::Of(const store::EntityFacts& facts) const {
  const Device device(facts);
  const std::string mac = MacOf(facts);
  const std::string& ip = device.Field("ip");
  const bool v6 = ip.find(':') != std::string::npos;
  AppRow row = {mac,
                OrElse(device.Field("name"), kUnknown),
                OrElse(device.Field("owner"), owner_),
                OrElse(device.Field("type"), type_),
                device.Field("vendor"),
                OrElse(device.Field("group_name"), group_),
                OrElse(device.Field("comment"), comments_),
                FormatSeconds(facts.entity.first_seen),
                FormatSeconds(facts.entity.last_seen),
                ip,
                v6 ? "" : ip,
                v6 ? ip : "",
                device.Field("vlan"),
                facts.entity.present ? "1" : "0",
                OrElse(device.Field("location"), location_),
                OrElse(device.Field("parent"), mac == kInternet ? "null" : parent_),
                device.Field("parent_port"),
                DeviceGuid(facts.entity),
                device.Field("site"),
                device.Field("ssid"),
                OrElse(device.Field("hub"), hub_),
                device.FirstSource(),
                device.Field("fqdn")};
  for (const char* field : {"mac", "name", "fqdn", "ip", "vendor", "ssid", "parent", "parent_port", "vlan"})
    row.push_back(device.SourceOf(field));
  row.insert(row.end(), initial_.begin(), initial_.end());
  return row;
}

std::string DeviceGuid(const store::Entity& entity) {
  std::string hex = Sha256Hex(fmt::format("{} {}", entity.id, ToMillis(entity.first_seen))).substr(0, 20);
  hex[12] = '8';  // the version of GUIDs that are made as one likes
  hex[16] = '8';
  return AsGuid(hex + fmt::format("{:012x}", entity.id));
}

EntityId EntityOf(std::string_view guid) {
  if (guid.size() != kGuidLength || guid[14] != '8') return 0;
  EntityId id = 0;
  const auto [end, error] = std::from_chars(guid.end() - kIdDigits, guid.end(), id, 16);
  return error == std::errc() && end == guid.end() ? id : 0;
}

AppRow ObjectRow(std::int64_t index, std::string_view prefix, const store::Object& object) {
  const ObjectRecord& record = object.record;
  return {std::to_string(index),
          std::string(prefix),
          record.primary,
          record.secondary,
          FormatSeconds(object.created),
          FormatSeconds(object.changed),
          record.watched[0],
          record.watched[1],
          record.watched[2],
          record.watched[3],
          StatusText(object.status),
          record.extra,
          record.foreign_key,
          "",
          record.help[0],
          record.help[1],
          record.help[2],
          record.help[3],
          ObjectGuid(prefix, record),
          "null"};
}

std::string_view PrefixOf(std::string_view plugin) {
  constexpr std::string_view kDialect = "netalertx:";
  return plugin.starts_with(kDialect) ? plugin.substr(kDialect.size()) : std::string_view();
}

}  // namespace backplane::netalertx
