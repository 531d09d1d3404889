#include "dialects/netalertx/report.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include "dialects/netalertx/app_db_event_rows.h"
#include "dialects/netalertx/app_db_rows.h"
#include "dialects/netalertx/condition.h"
#include "dialects/netalertx/local_time.h"
#include "dialects/netalertx/mapping.h"
#include "dialects/netalertx/setting_values.h"
#include "store/device_events.h"
#include "store/inventory.h"
#include "store/objects.h"

namespace backplane::netalertx {
namespace {

using store::DeviceEvent;
using store::DeviceEventKind;
using store::Entity;

constexpr int kPage = 1'000;
constexpr unsigned kLongestSkip = 24 * 366 * 100;  // hours; more is for ever too
constexpr const char* kNewCondition = "NTFPRCS_new_dev_condition";
constexpr const char* kEventCondition = "NTFPRCS_event_condition";

// What a condition may ask of a row of devices.
std::string ConditionValue(std::string_view column, const Entity& device, const DeviceEvent& event,
                           const std::vector<std::string>& row) {
  const auto flag = [&](const char* field) { return std::string(store::ValueOf(device, field)); };
  if (column == "devName") return row[0];
  if (column == "eveMac") return row[1];
  if (column == "devVendor") return row[2];
  if (column == "eveIp") return event.ip;
  if (column == "eveDateTime") return FormatSeconds(event.at);
  if (column == "eveEventType") return row[5];
  if (column == "devComments") return row[6];
  if (column == "devLastIP") return device.Field("ip");
  if (column == "devAlertEvents") return flag("alert_events");
  if (column == "devAlertDown") return flag("alert_down");
  if (column == "devIsArchived") return flag("archived");
  if (column == "devFavorite") return flag("favorite");
  if (column == "devIsNew") return flag("is_new");
  if (column == "devPresentLastScan") return device.present ? "1" : "0";
  return {};  // a column of the plugins' section
}

Condition ConditionOf(const Settings& settings, const char* key) {
  return Condition::Parse(TextOf(settings, key)).value_or(Condition());
}

class Deciding {
 public:
  Deciding(store::Connection& core, const Settings& settings, TimePoint now)
      : core_(core),
        inventory_(core, kDefaultOrg),
        now_(now),
        zone_(TextOf(settings, "TIMEZONE")),
        window_(std::chrono::minutes(std::max<std::int64_t>(NumberOf(settings, "NTFPRCS_alert_down_time", 5), 0))),
        new_condition_(ConditionOf(settings, kNewCondition)),
        event_condition_(ConditionOf(settings, kEventCondition)) {
    out_.report = EmptyReport();
    const bool given = settings.contains("NTFPRCS_INCLUDED_SECTIONS");
    for (std::size_t i = 0; i < kSections; ++i)
      included_[i] = given ? IsListed(settings, "NTFPRCS_INCLUDED_SECTIONS", out_.report[i].name)
                           : i == kNewDevices || i == kDownDevices || i == kEvents;
  }

  ReportDecision Run() {
    const std::vector<DeviceEvent> pending = store::DeviceEvents(core_, kDefaultOrg).Pending();
    for (const DeviceEvent& event : pending) {
      if (event.kind == DeviceEventKind::kDown) last_down_[event.entity] = event.id;
      if (event.kind == DeviceEventKind::kReconnected) last_back_[event.entity] = event.id;
    }
    for (const DeviceEvent& event : pending) Decide(event);
    AddPlugins();
    for (ReportSection& section : out_.report) {
      out_.empty = out_.empty && section.rows.empty();
      if (section.rows.empty()) section.columns.clear();
    }
    return std::move(out_);
  }

 private:
  // Nobody is told of a device that is gone for good or out of the way, or that people were told of not long ago.
  bool MayBeTold(const std::optional<Entity>& device) const {
    if (!device || store::IsOn(*device, "archived")) return false;
    const std::string_view hours = store::ValueOf(*device, "skip_repeated");
    unsigned skip = 0;
    std::from_chars(hours.data(), hours.data() + hours.size(), skip);
    // What is said to have been told in the future was told before the clock was set back.
    return skip == 0 || !device->notified || *device->notified > now_ ||
           *device->notified + std::chrono::hours(std::min(skip, kLongestSkip)) <= now_;
  }

  void Decide(const DeviceEvent& event) {
    const std::optional<Entity>& device = Device(event.entity);
    if (!MayBeTold(device)) return Drop(event);
    switch (event.kind) {
      case DeviceEventKind::kNew: return Tell(kNewDevices, event, *device);
      case DeviceEventKind::kDown: return DecideDown(event, *device);
      case DeviceEventKind::kReconnected: return DecideBack(event, *device);
      default: break;
    }
    if (!store::IsOn(*device, "alert_events")) return Drop(event);
    Tell(kEvents, event, *device);
  }

  void DecideDown(const DeviceEvent& event, const Entity& device) {
    if (!store::IsOn(device, "alert_down") || !included_[kDownDevices]) return Drop(event);
    // It came back before its time, or went again since then.
    if (device.present || last_down_.at(event.entity) != event.id) return Drop(event);
    if (event.at + window_ > now_) return;
    Tell(kDownDevices, event, device);
  }

  void DecideBack(const DeviceEvent& event, const Entity& device) {
    if (!store::IsOn(device, "alert_down")) return Drop(event);
    if (!included_[kDownReconnected]) return Tell(kEvents, event, device);
    if (last_back_.at(event.entity) != event.id) return Drop(event);
    Tell(kDownReconnected, event, device);
  }

  void Tell(SectionIndex section, const DeviceEvent& event, const Entity& device) {
    if (!included_[section]) return Drop(event);
    const std::string& name = device.Field("name");
    std::vector<std::string> row = {name.empty() ? kUnknown : name, MacOf(event, device), device.Field("vendor"),
                                    // Where it is now; of one that is down, where it was.
                                    section == kNewDevices || section == kEvents ? device.Field("ip") : event.ip,
                                    LocalIso(event.at, zone_), EventWord(event.kind), device.Field("comment"),
                                    device.Field("vlan"), device.Field("site"), device.Field("ssid")};
    const auto value = [&](std::string_view column) { return ConditionValue(column, device, event, row); };
    const bool wanted = section == kNewDevices ? new_condition_.Holds(value)
                        : section == kEvents   ? event_condition_.Holds(value)
                                               : true;
    if (!wanted) return Drop(event);
    out_.report[section].rows.push_back(std::move(row));
    out_.told.push_back(event.id);
  }

  void Drop(const DeviceEvent& event) { out_.dropped.push_back(event.id); }

  void AddPlugins() {
    store::ObjectLog log(core_, kDefaultOrg, store::ObjectLogKind::kReports);
    for (std::size_t found = kPage; found == kPage;) {
      const std::vector<store::LoggedObject> page = log.After(out_.reports_upto, kPage);
      found = page.size();
      if (found > 0) out_.reports_upto = page.back().id;
      if (!included_[kPlugins]) continue;
      for (const store::LoggedObject& line : page) {
        const ObjectRecord& record = line.object.record;
        const std::string_view prefix = PrefixOf(line.object.plugin);
        out_.report[kPlugins].rows.push_back({prefix.empty() ? line.object.plugin : std::string(prefix), record.primary,
                                              record.secondary, LocalIso(line.object.changed, zone_), record.watched[0],
                                              record.watched[1], record.watched[2], record.watched[3],
                                              StatusWord(line.object.status)});
      }
    }
  }

  const std::optional<Entity>& Device(EntityId id) {
    const auto [at, added] = devices_.try_emplace(id);
    if (added) at->second = inventory_.Get(id);
    return at->second;
  }

  std::string MacOf(const DeviceEvent& event, const Entity& device) {
    if (!event.mac.empty()) return event.mac;
    return DeviceMac(device.id, device.Field("mac"), inventory_.Identifiers(device.id));
  }

  store::Connection& core_;
  store::Inventory inventory_;
  const TimePoint now_;
  const std::string zone_;
  const Millis window_;
  const Condition new_condition_, event_condition_;
  std::array<bool, kSections> included_{};
  std::unordered_map<EntityId, std::optional<Entity>> devices_;
  std::unordered_map<EntityId, std::int64_t> last_down_, last_back_;  // of the events that wait
  ReportDecision out_;
};

}  // namespace

Report EmptyReport() {
  const std::vector<std::string_view> device = {"devName",      "eveMac",      "devVendor", "eveIp",   "eveDateTime",
                                                "eveEventType", "devComments", "devVlan",   "devSite", "devSSID"};
  return {{{"new_devices", "🆕 New devices", device, {}},
           {"down_devices", "🔴 Down devices", device, {}},
           {"down_reconnected", "🔁 Reconnected down devices", device, {}},
           {"events", "⚡ Events", device, {}},
           {"plugins",
            "🔌 Plugins",
            {"plugin", "objectPrimaryId", "objectSecondaryId", "dateTimeChanged", "watchedValue1", "watchedValue2",
             "watchedValue3", "watchedValue4", "status"},
            {}}}};
}

ReportDecision DecideReport(store::Connection& core, const Settings& settings, TimePoint now) {
  return Deciding(core, settings, now).Run();
}

std::vector<std::string> UnreadableConditions(const Settings& settings) {
  std::vector<std::string> problems;
  for (const char* key : {kNewCondition, kEventCondition})
    if (const auto parsed = Condition::Parse(TextOf(settings, key)); !parsed)
      problems.push_back(fmt::format("{}: {}; every row counts", key, parsed.error().message));
  return problems;
}

std::vector<Record> OversleptDevices(store::Connection& core, const Settings& settings, TimePoint now) {
  const auto minutes = std::chrono::minutes(std::max<std::int64_t>(NumberOf(settings, "NTFPRCS_sleep_time", 30), 0));
  std::vector<Record> records;
  for (const Entity& device : store::Inventory(core, kDefaultOrg).AsleepSince(now - minutes))
    records.emplace_back(DeviceDownRecord{device.id, device.since});
  return records;
}

}  // namespace backplane::netalertx
