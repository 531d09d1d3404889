// /notifications: what people are told, and whom it was given to.
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/api.h"
#include "base/text.h"
#include "ingest/batch_body.h"
#include "store/journal.h"
#include "store/notifications.h"

namespace backplane::api {
namespace {

constexpr std::size_t kMaxTitle = 500;
constexpr std::size_t kMaxText = 64 << 10;
// How long an answer waits to be able to name the notification.
constexpr Millis kPatience{5'000};

Json ToJson(const store::Notification& notification) {
  Json deliveries = Json::array();
  for (const store::Delivery& delivery : notification.deliveries)
    deliveries.push_back({{"plugin", delivery.plugin},
                          {"state", store::DeliveryStateName(delivery.state)},
                          {"run", delivery.run == 0 ? Json(nullptr) : Json(delivery.run)},
                          {"message", delivery.message},
                          {"at", FormatIso(delivery.at)}});
  return {{"id", notification.id},
          {"source", notification.record.source},
          {"level", NotificationLevelName(notification.record.level)},
          {"title", notification.record.title},
          {"at", FormatIso(notification.record.at)},
          {"state", store::NotificationStateName(notification.state)},
          {"finished", notification.finished ? Json(FormatIso(*notification.finished)) : Json(nullptr)},
          {"deliveries", std::move(deliveries)}};
}

Json Describe(const store::Notification& notification) {
  Json json = ToJson(notification);
  json["text"] = notification.record.text;
  json["html"] = notification.record.html;
  const Result<Json> data = ParseJson(notification.record.data);
  json["data"] = data ? *data : Json(nullptr);
  return json;
}

Result<Reply> List(const ApiParts& parts, const Call& call) {
  store::NotificationFilter filter;
  if (const std::string state = call.Query("state"); !state.empty()) {
    filter.state = store::ParseNotificationState(state);
    if (!filter.state)
      return Fail(Errc::kInvalid, fmt::format("state: \"{}\" is none of waiting, sending, done", state), "state");
  }
  BACKPLANE_ASSIGN(filter.before, call.QueryInt("before", 0, 0, std::numeric_limits<std::int64_t>::max()));
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("limit", 50, 1, 1000));
  filter.limit = static_cast<int>(limit) + 1;
  Json body;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    auto notifications = store::Notifications(connection, call.org()).List(filter);
    const bool more = notifications.size() > static_cast<std::size_t>(limit);
    if (more) notifications.pop_back();
    body["notifications"] = Json::array();
    for (const store::Notification& one : notifications) body["notifications"].push_back(ToJson(one));
    body["next"] = more ? Json(notifications.back().id) : Json(nullptr);
    return {};
  }));
  return Reply{std::move(body)};
}

Result<store::Notification> Load(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const std::int64_t id, call.PathId("id"));
  std::optional<store::Notification> found;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    found = store::Notifications(connection, call.org()).Get(id);
    return {};
  }));
  if (!found) return Fail(Errc::kNotFound, fmt::format("no notification {}: it never was, or is no longer kept", id));
  return *std::move(found);
}

Result<Reply> Show(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const store::Notification notification, Load(parts, call));
  return Reply{Describe(notification)};
}

Result<std::string> TextOf(const Json& body, const char* key, std::size_t most) {
  const auto given = body.find(key);
  if (given == body.end()) return std::string();
  if (!given->is_string()) return Fail(Errc::kInvalid, fmt::format("{}: is not a text", key), key);
  auto text = given->get<std::string>();
  if (text.size() > most) return Fail(Errc::kInvalid, fmt::format("{}: has more than {} bytes", key, most), key);
  return text;
}

Result<NotificationRecord> RecordOf(const Call& call, TimePoint now) {
  BACKPLANE_ASSIGN(const Json body, call.Body());
  for (const auto& [key, value] : body.items())
    if (key != "title" && key != "text" && key != "level")
      return Fail(Errc::kInvalid, fmt::format("{}: there are title, text and level", key), key);
  NotificationRecord record{.source = call.actor(), .at = now};
  BACKPLANE_ASSIGN(record.title, TextOf(body, "title", kMaxTitle));
  BACKPLANE_ASSIGN(record.text, TextOf(body, "text", kMaxText));
  BACKPLANE_ASSIGN(const std::string level, TextOf(body, "level", kMaxTitle));
  if (Trim(record.title).empty() || record.title.find('\n') != std::string::npos)
    return Fail(Errc::kInvalid, "title: give one line", "title");
  if (level.empty()) return record;
  const auto known = ParseNotificationLevel(level);
  if (!known)
    return Fail(Errc::kInvalid, fmt::format("level: \"{}\" is none of info, warning, error, alert", level), "level");
  record.level = *known;
  return record;
}

Result<Reply> Raise(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const NotificationRecord record, RecordOf(call, parts.clock.Now()));
  const store::Entry entry{
      .org = call.org(), .at = record.at, .plugin = call.actor(), .body = ingest::EncodeRecords({record})};
  EntryId id = 0;
  BACKPLANE_TRY(parts.database.Write([&](store::Connection& connection) -> Status {
    id = store::AppendEntry(connection, entry);
    return {};
  }));
  parts.folder.WaitUntilFolded(kPatience);
  std::optional<store::Notification> raised;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    raised = store::Notifications(connection, call.org()).OfEntry(id);
    return {};
  }));
  return Reply{raised ? Describe(*raised) : Json{{"id", nullptr}}, 202, {}};
}

Result<Reply> SendAgain(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(store::Notification notification, Load(parts, call));
  bool again = false;
  BACKPLANE_TRY(parts.database.Write([&](store::Connection& connection) -> Status {
    again = store::Notifications(connection, call.org()).SendAgain(notification.id);
    return {};
  }));
  if (!again)
    return Fail(Errc::kConflict,
                fmt::format("notification {} is {} already", notification.id,
                            notification.state == store::NotificationState::kWaiting ? "waiting" : "being sent"));
  parts.sender.Send([] {});
  notification.state = store::NotificationState::kWaiting;
  return Reply{Describe(notification), 202, {}};
}

}  // namespace

std::vector<Endpoint> NotificationEndpoints(const ApiParts& parts) {
  return {
      {"GET",
       "/notifications",
       Permission::kRead,
       "Notifications, newest first, with what became of them at each plugin that sends some.",
       {{"state", "Only those that are waiting, sending or done."},
        {"before", "Cursor: the `next` of the page before."},
        {"limit", "Notifications per page, 1 to 1000; 50 unless given."}},
       [&parts](const Call& call) { return List(parts, call); }},
      {"GET",
       "/notifications/{id}",
       Permission::kRead,
       "One notification, with its text and what it says to programs.",
       {},
       [&parts](const Call& call) { return Show(parts, call); }},
      {"POST",
       "/notifications",
       Permission::kOperate,
       "Raises a notification with `title`, `text` and `level` (info, warning, error, alert); each plugin that sends "
       "notifications gets it.",
       {},
       [&parts](const Call& call) { return Raise(parts, call); }},
      {"POST",
       "/notifications/{id}/resend",
       Permission::kOperate,
       "Has a notification that was sent, or may have been, sent again, by each plugin that sends some.",
       {},
       [&parts](const Call& call) { return SendAgain(parts, call); }},
  };
}

}  // namespace backplane::api
