#include "dialects/netalertx/core_settings.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/rng.h"
#include "dialects/netalertx/settings.h"

namespace backplane::netalertx {
namespace {

struct CoreSetting {
  const char* key;
  const char* data_type;
  Json default_value;
  const char* title;
};

const std::vector<CoreSetting>& CoreTable() {
  static const std::vector<CoreSetting> table = {
      {"LOADED_PLUGINS", "array", Json::array(), "Loaded plugins"},
      {"DEEP_SLEEP", "boolean", false, "Sleep between scans"},
      {"DISCOVER_PLUGINS", "boolean", true, "Look for all plugins"},
      {"SCAN_SUBNETS", "array", Json::array({"--localnet"}), "Networks to scan"},
      {"LOG_LEVEL", "string", "verbose", "Log level"},
      {"TIMEZONE", "string", "UTC", "Time zone"},
      {"PLUGINS_KEEP_HIST", "integer", 250, "Plugin history to keep, entries"},
      {"REPORT_DASHBOARD_URL", "string", "update_REPORT_DASHBOARD_URL_setting", "Address of the page in reports"},
      {"BACKEND_API_URL", "string", "/server", "Address of the API"},
      {"DAYS_TO_KEEP_EVENTS", "integer", 90, "Events to keep, days"},
      {"DEV_HIST_DAYS", "integer", 1, "Device history to keep, days"},
      {"DEV_HIST_TRACKED", "array",
       Json::array({"devMac",         "devName",        "devOwner",      "devType",          "devVendor",
                    "devFavorite",    "devGroup",       "devComments",   "devLastIP",        "devFQDN",
                    "devPrimaryIPv4", "devPrimaryIPv6", "devVlan",       "devForceStatus",   "devStaticIP",
                    "devScan",        "devAlertDown",   "devCanSleep",   "devSkipRepeated",  "devLocation",
                    "devIsArchived",  "devParentMAC",   "devParentPort", "devParentRelType", "devReqNicsOnline",
                    "devIcon",        "devSite",        "devSSID",       "devSyncHubNode"}),
       "Columns of the device history"},
      {"HRS_TO_KEEP_NEWDEV", "integer", 0, "New devices to keep, hours"},
      {"HRS_TO_KEEP_OFFDEV", "integer", 0, "Offline devices to keep, hours"},
      {"CLEAR_NEW_FLAG", "integer", 0, "Devices are new for, hours"},
      {"PRAGMA_JOURNAL_SIZE_LIMIT", "integer", 50, "Size of the database journal, MB"},
      {"REFRESH_FQDN", "boolean", false, "Look names up again"},
      {"API_CUSTOM_SQL", "string", "SELECT * FROM Devices WHERE devPresentLastScan = 0",
       "Query of the custom endpoint"},
      {"VERSION", "string", BACKPLANE_VERSION, "Version"},
      {"NETWORK_DEVICE_TYPES", "array",
       Json::array({"AP", "Access Point", "Gateway", "Firewall", "Hypervisor", "Powerline", "Switch", "WLAN", "PLC",
                    "Router", "USB LAN Adapter", "USB WIFI Adapter", "internet"}),
       "Device types of a network"},
      {"GRAPHQL_PORT", "integer", 20212, "Port of the API"},
      {"API_TOKEN", "string", "", "Token of the API"},
      {"SYNC_node_name", "string", "", "Name of this node"},
      {"UI_LANG", "string", "English (en_us)", "Language"},
  };
  return table;
}

const CoreSetting* Find(std::string_view key) {
  const auto& table = CoreTable();
  const auto found = std::find_if(table.begin(), table.end(), [&](const CoreSetting& core) { return key == core.key; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace

const std::vector<Setting>& CoreDeclarations() {
  static const std::vector<Setting> declarations = [] {
    std::vector<Setting> out;
    for (const CoreSetting& core : CoreTable()) {
      Setting one{.key = core.key,
                  .type = core.data_type,
                  .default_value = core.default_value,
                  .title = core.title,
                  .help = {},
                  .secret = IsSecretName(core.key)};
      if (one.key == "API_TOKEN") one.fresh = [] { return "t_" + SecretHex(10); };
      if (one.key == "SYNC_node_name") one.fresh = [] { return "NAX-" + SecretHex(4); };
      out.push_back(std::move(one));
    }
    return out;
  }();
  return declarations;
}

std::string_view CoreGroup(std::string_view key) {
  if (Find(key) == nullptr) return {};
  return key == "UI_LANG" ? "UI" : "General";
}

Result<Json> CoreValue(const std::string& key, const Json& given) {
  const CoreSetting* core = Find(key);
  if (core == nullptr) return Fail(Errc::kNotFound, fmt::format("no setting {}", key), key);
  auto value = TypedValue({core->data_type, {}}, given);
  if (!value) return Fail(Errc::kInvalid, fmt::format("{}: {}", key, value.error().message), key);
  return value;
}

Settings CoreSettings(const Settings& given, const std::vector<const Manifest*>& manifests) {
  Json loaded = Json::array();
  for (const Manifest* manifest : manifests) loaded.push_back(manifest->name);
  Settings out;
  for (const CoreSetting& core : CoreTable()) {
    out[core.key] = core.key == std::string_view("LOADED_PLUGINS") ? loaded : core.default_value;
    const auto at = given.find(core.key);
    if (at == given.end()) continue;
    if (auto value = CoreValue(core.key, at->second)) out[core.key] = *std::move(value);
  }
  return out;
}

}  // namespace backplane::netalertx
