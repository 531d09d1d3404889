#include "dialects/netalertx/app_db_rows.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/text.h"
#include "dialects/netalertx/mapping.h"
#include "dialects/netalertx/setting_values.h"
#include "ingest/identity.h"

namespace backplane::netalertx {
namespace {

using store::ClaimRow;

constexpr std::string_view kInternet = "internet";
// The last twelve digits of a GUID of ours are the entity's id.
constexpr std::size_t kGuidLength = 36, kIdDigits = 12;

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

// As the original makes it: MD5 of what names the object.
std::string ObjectGuid(std::string_view prefix, const ObjectRecord& record) {
  const std::string text = fmt::format("{}-{}-{}", prefix, record.primary, record.secondary);
  std::array<char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_md5(), nullptr);
  return AsGuid(ToHex(std::string_view(digest.data(), size)));
}

}  // namespace

// Addresses are the key of the table, so a device that has none gets one of the private range that ends in its id.
std::string DeviceMac(EntityId entity, std::string_view claimed, const std::vector<Identifier>& named) {
  std::string mac;
  for (const Identifier& identifier : named) {
    if (identifier.scheme == "netalertx" && identifier.value == kInternet) return std::string(kInternet);
    if (identifier.scheme != "mac") continue;
    if (mac.empty() || identifier.value == claimed) mac = identifier.value;
  }
  if (!mac.empty()) return ToLower(mac);
  const auto id = static_cast<std::uint64_t>(entity);
  return fmt::format("fa:ce:{:02x}:{:02x}:{:02x}:{:02x}", id >> 24 & 0xFF, id >> 16 & 0xFF, id >> 8 & 0xFF, id & 0xFF);
}

std::string AsGuid(std::string_view hex) {
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20, 12));
}

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
  const std::string taken =
      table.takes_over ? fmt::format("(\"{}\") DO UPDATE SET {}", table.columns[0], changes) : "DO NOTHING";
  return fmt::format("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT {}", table.name, names, marks, taken);
}

const AppTable& DevicesTable() {
  static const AppTable table = [] {
    AppTable out{"Devices", {kWorkedOutColumns.begin(), kWorkedOutColumns.end()}, {}, {"devLastNotification"}, true};
    for (const FieldColumn& one : kFieldColumns) {
      out.columns.emplace_back(one.column);
      if (one.source != nullptr) out.columns.emplace_back(one.source);
    }
    return out;
  }();
  return table;
}

AppTable PluginTable(std::string_view name) {
  return {fmt::format("Plugins_{}", name),
          {"index", "plugin", "objectPrimaryId", "objectSecondaryId", "dateTimeCreated", "dateTimeChanged",
           "watchedValue1", "watchedValue2", "watchedValue3", "watchedValue4", "status", "extra", "foreignKey",
           "syncHubNodeName", "helpVal1", "helpVal2", "helpVal3", "helpVal4", "objectGuid"},
          {"userData"},
          {},
          true};
}

DeviceRows::DeviceRows(const Settings& settings, std::int64_t store)
    : hub_(TextOf(settings, "SYNC_node_name")), store_(store) {}

AppRow DeviceRows::Of(const store::EntityFacts& facts) const {
  const Device device(facts);
  const store::Entity& entity = facts.entity;
  const std::string mac = DeviceMac(entity.id, device.Field("mac"), facts.identifiers);
  AppRow row = {mac,
                FormatSeconds(entity.first_seen),
                FormatSeconds(entity.last_seen),
                entity.ip4,
                entity.ip6,
                entity.present ? "1" : "0",
                DeviceGuid(store_, entity.id),
                device.FirstSource(),
                entity.notified ? FormatSeconds(*entity.notified) : "",
                device.SourceOf("mac")};
  for (const FieldColumn& one : kFieldColumns) {
    const std::string_view field = one.field, value = store::ValueOf(entity, field);
    if (!value.empty())
      row.emplace_back(value);
    else if (field == "name" || field == "owner")
      row.emplace_back(kUnknown);
    else if (field == "parent")
      row.emplace_back(mac == kInternet ? "null" : "");
    else if (field == "parent_relation")
      row.emplace_back("default");
    else
      row.push_back(field == "hub" ? hub_ : "");
    if (one.source != nullptr) row.push_back(device.SourceOf(field));
  }
  return row;
}

std::string DeviceGuid(std::int64_t store, EntityId entity) {
  std::string hex = Sha256Hex(fmt::format("{} device {}", store, entity)).substr(0, 20);
  hex[12] = '8';  // the version of GUIDs that are made as one likes
  hex[16] = '8';
  return AsGuid(hex + fmt::format("{:012x}", entity));
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
          StatusWord(object.status),
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
