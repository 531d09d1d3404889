#include "dialects/netalertx/new_device.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "dialects/netalertx/addresses.h"
#include "dialects/netalertx/setting_values.h"
#include "dialects/netalertx/words.h"
#include "model/record.h"

namespace backplane::netalertx {
namespace {

struct Origin {
  const char* setting;
  const char* field;
};
// devName, devVendor and the like are what somebody finds out of one device, not what all new ones have.
constexpr auto kOrigins = std::to_array<Origin>({{"NEWDEV_devType", "type"},
                                                 {"NEWDEV_devOwner", "owner"},
                                                 {"NEWDEV_devGroup", "group_name"},
                                                 {"NEWDEV_devLocation", "location"},
                                                 {"NEWDEV_devComments", "comment"},
                                                 {"NEWDEV_devSite", "site"},
                                                 {"NEWDEV_devSSID", "ssid"},
                                                 {"NEWDEV_devVlan", "vlan"},
                                                 {"NEWDEV_devParentMAC", "parent"},
                                                 {"NEWDEV_devParentRelType", "parent_relation"},
                                                 {"NEWDEV_devCustomProps", "custom"},
                                                 {"SYNC_node_name", "hub"},
                                                 {"NEWDEV_devFavorite", "favorite"},
                                                 {"NEWDEV_devIsArchived", "archived"},
                                                 {"NEWDEV_devIsNew", "is_new"},
                                                 {"NEWDEV_devStaticIP", "static_ip"},
                                                 {"NEWDEV_devScan", "scan"},
                                                 {"NEWDEV_devLogEvents", "log_events"},
                                                 {"NEWDEV_devAlertEvents", "alert_events"},
                                                 {"NEWDEV_devAlertDown", "alert_down"},
                                                 {"NEWDEV_devCanSleep", "can_sleep"},
                                                 {"NEWDEV_devReqNicsOnline", "require_nics"},
                                                 {"NEWDEV_devSkipRepeated", "skip_repeated"},
                                                 {"NEWDEV_devForceStatus", "force_status"}});

// A list has one item at most, as the relation of a device to its parent.
std::string PlainText(const Settings& settings, const std::string& key) {
  const auto at = settings.find(key);
  if (at == settings.end()) return {};
  if (const std::vector<std::string> list = ListOf(settings, key); !list.empty()) return list.front();
  return at->second.is_array() ? std::string() : std::string(Trim(TextOf(settings, key)));
}

// Empty: the setting says nothing that the field can hold.
std::string FieldValue(const Settings& settings, const std::string& key, const DeviceField& field) {
  const std::string text = PlainText(settings, key);
  switch (field.kind) {
    case FieldKind::kFlag:
      if (text.empty()) return {};
      return NumberOf(settings, key, FlagOf(settings, key, false) ? 1 : 0) != 0 ? "1" : "0";
    case FieldKind::kNumber: {
      const std::int64_t number = NumberOf(settings, key, -1);
      return number < 0 ? std::string() : std::to_string(number);
    }
    case FieldKind::kForced: {
      const std::string word = ToLower(text);
      return word == "online" || word == "offline" ? word : std::string();
    }
    case FieldKind::kText: break;
  }
  if (SaysNothing(text)) return {};
  if (field.name == std::string_view("parent_relation") && text == "default") return {};
  if (field.name == std::string_view("parent")) return NormalMac(text).value_or(text);
  return text;
}

}  // namespace

std::map<std::string, std::string> NewDeviceFields(const Settings& settings) {
  std::map<std::string, std::string> fields;
  for (const Origin& origin : kOrigins) {
    const auto field = std::find_if(kDeviceFieldList.begin(), kDeviceFieldList.end(),
                                    [&](const DeviceField& one) { return one.name == std::string_view(origin.field); });
    std::string value = FieldValue(settings, origin.setting, *field);
    if (!value.empty() && value != field->otherwise) fields[origin.field] = std::move(value);
  }
  return fields;
}

}  // namespace backplane::netalertx
