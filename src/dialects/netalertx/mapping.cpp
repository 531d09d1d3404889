#include "dialects/netalertx/mapping.h"

#include <algorithm>

#include "base/text.h"
#include "dialects/netalertx/texts.h"
#include "dialects/netalertx/words.h"

namespace backplane::netalertx {
namespace {

struct Target {
  std::string_view scan;    // CurrentScan's column, as Plain() makes it
  std::string_view device;  // the device column that SET_ALWAYS and SET_EMPTY name, likewise
  const char* field;        // ours
};

constexpr std::array<Target, 11> kTargets = {{{"lastip", "devlastip", "ip"},
                                              {"name", "devname", "name"},
                                              {"vendor", "devvendor", "vendor"},
                                              {"type", "devtype", "type"},
                                              {"ssid", "devssid", "ssid"},
                                              {"vlan", "devvlan", "vlan"},
                                              {"parentmac", "devparentmac", "parent"},
                                              {"parentport", "devparentport", "parent_port"},
                                              {"site", "devsite", "site"},
                                              {"synchubnode", "devsynchubnode", "hub"},
                                              {"fqdn", "devfqdn", "fqdn"}}};

// Spelling without case and underscores, which is all that changed when columns were renamed.
std::string Plain(std::string_view name) { return ReplaceAll(ToLower(name), "_", ""); }

// "scanLastIP" and the old "cur_IP" are "lastip".
std::string PlainTarget(std::string_view name) {
  std::string plain = Plain(name);
  if (plain.starts_with("scan"))
    plain.erase(0, 4);
  else if (plain.starts_with("cur"))
    plain.erase(0, 3);
  if (plain == "ip") return "lastip";
  if (plain == "scanmethod") return "sourceplugin";
  return plain;
}

std::vector<std::string> Names(const Manifest& manifest, const Settings& settings, const char* function) {
  std::vector<std::string> out;
  const auto list = settings.find(manifest.name + "_" + function);
  if (list == settings.end() || !list->second.is_array()) return out;
  for (const Json& name : list->second)
    if (name.is_string()) out.push_back(Plain(name.get_ref<const std::string&>()));
  return out;
}

// Where the value of a mapped column comes from. Nothing: from a field that a run has not.
std::optional<Origin> OriginOf(const Json& column, const Manifest& manifest) {
  const std::string name = TextAt(column, "column");
  if (const auto known = ColumnNamed(name)) return Origin{known, {}};
  if (Plain(name) == "plugin") return Origin{std::nullopt, manifest.name};
  const auto data = column.find("mapped_to_column_data");
  if (data == column.end() || !data->is_object()) return std::nullopt;
  return Origin{std::nullopt, TextAt(*data, "value")};
}

}  // namespace

std::optional<Column> ColumnNamed(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, Column>, 14> kNames = {{{"objectprimaryid", kPrimary},
                                                                                  {"objectsecondaryid", kSecondary},
                                                                                  {"watchedvalue1", kWatched1},
                                                                                  {"watchedvalue2", kWatched2},
                                                                                  {"watchedvalue3", kWatched3},
                                                                                  {"watchedvalue4", kWatched4},
                                                                                  {"extra", kExtra},
                                                                                  {"foreignkey", kForeignKey},
                                                                                  {"helpval1", kHelp1},
                                                                                  {"helpval2", kHelp2},
                                                                                  {"helpval3", kHelp3},
                                                                                  {"helpval4", kHelp4},
                                                                                  {"datetimecreated", kTimestamp},
                                                                                  {"datetimechanged", kTimestamp}}};
  const std::string plain = Plain(name);
  const auto at = std::find_if(kNames.begin(), kNames.end(), [&](const auto& known) { return known.first == plain; });
  if (at == kNames.end()) return std::nullopt;
  return at->second;
}

bool IsScanColumn(std::string_view name) {
  const std::string plain = PlainTarget(name);
  return std::any_of(kScanColumns.begin(), kScanColumns.end(),
                     [&](std::string_view column) { return PlainTarget(column) == plain; });
}

std::optional<DeviceMapping> ReadMapping(const Manifest& manifest, const Settings& settings) {
  if (TextAt(manifest.document, "mapped_to_table") != "CurrentScan") return std::nullopt;
  DeviceMapping out;
  const auto columns = manifest.document.find("database_column_definitions");
  if (columns == manifest.document.end() || !columns->is_array()) return out;

  const auto always = Names(manifest, settings, "SET_ALWAYS"), empty = Names(manifest, settings, "SET_EMPTY");
  const auto policy = [&](std::string_view device, ClaimPolicy otherwise) {
    if (std::find(always.begin(), always.end(), device) != always.end()) return ClaimPolicy::kAlways;
    if (std::find(empty.begin(), empty.end(), device) != empty.end()) return ClaimPolicy::kIfEmpty;
    return otherwise;
  };
  out.mac_policy = policy("devmac", ClaimPolicy::kIfEmpty);
  out.ip_policy = policy("devlastip", ClaimPolicy::kAlways);

  for (const Json& column : *columns) {
    const std::string target = PlainTarget(TextAt(column, "mapped_to_column"));
    if (target.empty()) continue;
    auto origin = OriginOf(column, manifest);
    if (!origin) continue;
    if (target == "mac") {
      out.mac = std::move(origin);
    } else if (target == "lastip") {
      out.ip = std::move(origin);
    } else if (target == "sourceplugin") {
      out.source = std::move(origin);
    } else if (const auto known = std::find_if(kTargets.begin(), kTargets.end(),
                                               [&](const Target& one) { return one.scan == target; });
               known != kTargets.end()) {
      // Two columns for one field: the later one counts, as the last of equal keys does elsewhere.
      std::erase_if(out.fields, [&](const DeviceMapping::Field& field) { return field.field == known->field; });
      out.fields.push_back({known->field, *std::move(origin), policy(known->device, ClaimPolicy::kIfEmpty)});
    }
  }
  return out;
}

std::vector<Column> WatchedColumns(const Manifest& manifest, const Settings& settings) {
  std::vector<Column> out;
  for (const std::string& name : Names(manifest, settings, "WATCH"))
    if (const auto column = ColumnNamed(name); column && out.size() < kColumns) out.push_back(*column);
  return out;
}

const char* StatusWord(ObjectStatus status) {
  switch (status) {
    case ObjectStatus::kNew: return "new";
    case ObjectStatus::kChanged: return "watched-changed";
    case ObjectStatus::kUnchanged: return "watched-not-changed";
    case ObjectStatus::kMissing: return "missing-in-last-scan";
  }
  return "watched-not-changed";
}

std::vector<ObjectStatus> ReportedStatuses(const Manifest& manifest, const Settings& settings) {
  const std::vector<std::string> listed = Names(manifest, settings, "REPORT_ON");
  std::vector<ObjectStatus> out;
  for (const ObjectStatus status : kObjectStatuses)
    if (std::find(listed.begin(), listed.end(), StatusWord(status)) != listed.end()) out.push_back(status);
  return out;
}

}  // namespace backplane::netalertx
