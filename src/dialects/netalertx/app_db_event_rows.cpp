#include "dialects/netalertx/app_db_event_rows.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace backplane::netalertx {
namespace {

using store::DeviceEventKind;

constexpr const char* kMissing = "<missing event>";

std::string TimeText(const std::optional<TimePoint>& at) { return at ? FormatSeconds(*at) : std::string(); }

std::string Count(const Json& counts, const char* name) {
  const auto at = counts.find(name);
  return at != counts.end() && at->is_number_integer() ? std::to_string(at->get<std::int64_t>()) : "0";
}

// Reports say in their text what they are; others in their title.
std::string ReportText(const NotificationRecord& record) {
  if (!record.html.empty() || record.title.empty()) return record.text;
  return record.text.empty() ? record.title : fmt::format("{}\n\n{}", record.title, record.text);
}

// Publishers look for the five sections and find none: what is to be told is the text.
std::string ReportJson(const NotificationRecord& record) {
  if (!record.data.empty()) return record.data;
  Json report = Json::object();
  for (const char* section : {"new_devices", "down_devices", "down_reconnected", "events", "plugins"}) {
    report[section] = Json::array();
    report[fmt::format("{}_meta", section)] = {{"title", ""}, {"columnNames", Json::array()}};
  }
  report["title"] = record.title;
  report["text"] = ReportText(record);
  return DumpJson(report);
}

std::string ReportHtml(const NotificationRecord& record) {
  if (!record.html.empty()) return record.html;
  std::string text = ReportText(record);
  for (const auto& [mark, name] : {std::pair("&", "&amp;"), std::pair("<", "&lt;"), std::pair(">", "&gt;")})
    text = ReplaceAll(text, mark, name);
  return fmt::format("<pre>{}</pre>", text);
}

}  // namespace

const char* EventWord(DeviceEventKind kind) {
  switch (kind) {
    case DeviceEventKind::kNew: return "New Device";
    case DeviceEventKind::kConnected: return "Connected";
    case DeviceEventKind::kDisconnected: return "Disconnected";
    case DeviceEventKind::kDown: return "Device Down";
    case DeviceEventKind::kReconnected: return "Down Reconnected";
    case DeviceEventKind::kIpChanged: return "IP Changed";
  }
  return "Connected";
}

const AppTable& EventsTable() {
  static const AppTable table = {"Events",
                                 {"rowid", "eveMac", "eveIp", "eveDateTime", "eveEventType", "eveAdditionalInfo",
                                  "evePendingAlertEmail", "evePairEventRowid"},
                                 {},
                                 {"evePairEventRowid"}};
  return table;
}

const AppTable& SessionsTable() {
  static const AppTable table = {
      "Sessions",
      {"rowid", "sesMac", "sesIp", "sesEventTypeConnection", "sesDateTimeConnection", "sesEventTypeDisconnection",
       "sesDateTimeDisconnection", "sesStillConnected", "sesAdditionalInfo"},
      {},
      {"sesDateTimeConnection", "sesEventTypeDisconnection", "sesDateTimeDisconnection"}};
  return table;
}

const AppTable& OnlineHistoryTable() {
  static const AppTable table = {
      "Online_History",
      {"index", "scanDate", "onlineDevices", "downDevices", "allDevices", "archivedDevices", "offlineDevices"},
      {}};
  return table;
}

const AppTable& NotificationsTable() {
  static const AppTable table = {
      "Notifications",
      {"index", "guid", "dateTimeCreated", "dateTimePushed", "status", "json", "text", "html"},
      {"publishedVia", "extra"}};
  return table;
}

AppRow EventRow(const store::DeviceEvent& event, const std::string& mac) {
  return {std::to_string(event.id),
          mac,
          event.ip,
          FormatSeconds(event.at),
          EventWord(event.kind),
          event.info,
          event.pending ? "1" : "0",
          event.pair ? std::to_string(*event.pair) : ""};
}

AppRow SessionRow(const store::DeviceSession& session, const std::string& mac) {
  return {std::to_string(session.id),
          mac,
          session.ip,
          session.began_by ? EventWord(*session.began_by) : kMissing,
          TimeText(session.began),
          session.ended_by ? EventWord(*session.ended_by) : "",
          TimeText(session.ended),
          session.ended ? "0" : "1",
          ""};
}

AppRow OnlineHistoryRow(const store::Event& event, const Json& counts) {
  return {Count(counts, "cycle"), FormatSeconds(event.at),   Count(counts, "online"), Count(counts, "down"),
          Count(counts, "all"),   Count(counts, "archived"), Count(counts, "offline")};
}

AppRow NotificationRow(const store::Notification& notification, std::int64_t store) {
  const NotificationRecord& record = notification.record;
  return {std::to_string(notification.id),
          NotificationGuid(store, notification.id),
          FormatSeconds(record.at),
          TimeText(notification.finished),
          notification.state == store::NotificationState::kDone ? "processed" : "new",
          ReportJson(record),
          ReportText(record),
          ReportHtml(record),
          "",
          ""};
}

std::string NotificationGuid(std::int64_t store, std::int64_t notification) {
  std::string hex = Sha256Hex(fmt::format("{} notification {}", store, notification)).substr(0, 32);
  hex[12] = '8';
  hex[16] = '8';
  return AsGuid(hex);
}

}  // namespace backplane::netalertx
