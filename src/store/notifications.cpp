#include "store/notifications.h"

#include <array>

#include <fmt/format.h>

namespace backplane::store {
namespace {

constexpr std::array kStates = {NotificationState::kWaiting, NotificationState::kSending, NotificationState::kDone};
constexpr std::array kDeliveryStates = {DeliveryState::kSent, DeliveryState::kFailed, DeliveryState::kUncertain};

constexpr const char* kColumns = "id, source, level, title, text, html, data, at, state, round, finished";

Notification Read(const Rows& rows) {
  Notification out;
  out.id = rows.Int(0);
  out.record = {rows.Text(1),           ParseNotificationLevel(rows.View(2)).value_or(NotificationLevel::kInfo),
                rows.Text(3),           rows.Text(4),
                rows.Text(5),           rows.Text(6),
                FromMillis(rows.Int(7))};
  out.state = ParseNotificationState(rows.View(8)).value_or(NotificationState::kDone);
  out.round = rows.MaybeInt(9).value_or(0);
  if (const auto finished = rows.MaybeInt(10)) out.finished = FromMillis(*finished);
  return out;
}

}  // namespace

const char* NotificationStateName(NotificationState state) {
  switch (state) {
    case NotificationState::kWaiting: return "waiting";
    case NotificationState::kSending: return "sending";
    case NotificationState::kDone: return "done";
  }
  return "done";
}

std::optional<NotificationState> ParseNotificationState(std::string_view name) {
  for (const NotificationState state : kStates)
    if (name == NotificationStateName(state)) return state;
  return std::nullopt;
}

const char* DeliveryStateName(DeliveryState state) {
  switch (state) {
    case DeliveryState::kSent: return "sent";
    case DeliveryState::kFailed: return "failed";
    case DeliveryState::kUncertain: return "uncertain";
  }
  return "uncertain";
}

std::int64_t Notifications::Append(const NotificationRecord& record, EntryId entry) {
  return db_.ExecuteReturning(
      "INSERT INTO notification (org, source, level, title, text, html, data, at, entry, state) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting') RETURNING id",
      org_, record.source, NotificationLevelName(record.level), record.title, record.text, record.html, record.data,
      ToMillis(record.at), entry);
}

std::vector<Delivery> Notifications::DeliveriesOf(std::int64_t id) {
  std::vector<Delivery> deliveries;
  Rows rows =
      db_.Query("SELECT plugin, state, run, message, at FROM delivery WHERE notification = ? ORDER BY plugin", id);
  while (rows.Next()) {
    Delivery delivery{.plugin = rows.Text(0),
                      .state = DeliveryState::kUncertain,
                      .run = rows.MaybeInt(2).value_or(0),
                      .message = rows.Text(3),
                      .at = FromMillis(rows.Int(4))};
    for (const DeliveryState state : kDeliveryStates)
      if (rows.View(1) == DeliveryStateName(state)) delivery.state = state;
    deliveries.push_back(std::move(delivery));
  }
  return deliveries;
}

std::optional<Notification> Notifications::Get(std::int64_t id) {
  std::optional<Notification> found;
  {
    Rows rows = db_.Query(fmt::format("SELECT {} FROM notification WHERE id = ? AND org = ?", kColumns), id, org_);
    if (rows.Next()) found = Read(rows);
  }
  if (found) found->deliveries = DeliveriesOf(id);
  return found;
}

std::optional<Notification> Notifications::OfEntry(EntryId entry) {
  std::int64_t id = 0;
  {
    Rows rows = db_.Query("SELECT COALESCE(MIN(id), 0) FROM notification WHERE org = ? AND entry = ?", org_, entry);
    if (rows.Next()) id = rows.Int(0);
  }
  return Get(id);
}

std::vector<Notification> Notifications::List(const NotificationFilter& filter) {
  std::string sql = fmt::format("SELECT {} FROM notification WHERE org = ?", kColumns);
  std::vector<Value> values{org_};
  if (filter.state) {
    sql += " AND state = ?";
    values.emplace_back(std::string_view(NotificationStateName(*filter.state)));
  }
  if (filter.before != 0) {
    sql += " AND id < ?";
    values.emplace_back(filter.before);
  }
  sql += " ORDER BY id DESC LIMIT ?";
  values.emplace_back(static_cast<std::int64_t>(filter.limit));
  std::vector<Notification> all;
  {
    Rows rows = db_.QueryList(sql, values);
    while (rows.Next()) all.push_back(Read(rows));
  }
  for (Notification& one : all) one.deliveries = DeliveriesOf(one.id);
  return all;
}

std::vector<Notification> Notifications::In(NotificationState state) {
  std::vector<Notification> all;
  // Few are not done, and have an index.
  const char* const open = state == NotificationState::kDone ? "" : "AND state <> 'done' ";
  Rows rows =
      db_.Query(fmt::format("SELECT {} FROM notification WHERE org = ? AND state = ? {}ORDER BY id", kColumns, open),
                org_, NotificationStateName(state));
  while (rows.Next()) all.push_back(Read(rows));
  return all;
}

std::int64_t Notifications::Last() {
  Rows rows = db_.Query("SELECT COALESCE(MAX(id), 0) FROM notification WHERE org = ?", org_);
  return rows.Next() ? rows.Int(0) : 0;
}

std::int64_t Notifications::First() {
  Rows rows = db_.Query("SELECT COALESCE(MIN(id), 0) FROM notification WHERE org = ?", org_);
  return rows.Next() ? rows.Int(0) : 0;
}

std::vector<Notification> Notifications::After(std::int64_t after, int limit) {
  std::vector<Notification> all;
  Rows rows =
      db_.Query(fmt::format("SELECT {} FROM notification WHERE org = ? AND id > ? ORDER BY id LIMIT ?", kColumns), org_,
                after, limit);
  while (rows.Next()) all.push_back(Read(rows));
  return all;
}

std::int64_t Notifications::BeginRound() {
  std::int64_t round = 0;
  {
    Rows rows = db_.Query("SELECT COALESCE(MAX(round), 0) + 1 FROM notification WHERE org = ?", org_);
    if (rows.Next()) round = rows.Int(0);
  }
  const std::int64_t begun = db_.Execute(
      "UPDATE notification SET state = 'sending', round = ? WHERE org = ? AND state = 'waiting'", round, org_);
  return begun > 0 ? round : 0;
}

std::int64_t Notifications::OpenRound() {
  Rows rows = db_.Query("SELECT COALESCE(MIN(round), 0) FROM notification WHERE org = ? AND state = 'sending'", org_);
  return rows.Next() ? rows.Int(0) : 0;
}

void Notifications::Deliver(std::int64_t round, const Delivery& delivery) {
  db_.Execute(
      "INSERT INTO delivery (notification, plugin, state, run, message, at) "
      "SELECT id, ?, ?, ?, ?, ? FROM notification WHERE org = ? AND round = ? AND state <> 'done' "
      "ON CONFLICT (notification, plugin) DO UPDATE SET state = excluded.state, run = excluded.run, "
      "message = excluded.message, at = excluded.at",
      delivery.plugin, DeliveryStateName(delivery.state), delivery.run, delivery.message, ToMillis(delivery.at), org_,
      round);
}

void Notifications::EndRound(std::int64_t round, TimePoint at) {
  db_.Execute("UPDATE notification SET state = 'done', finished = ? WHERE org = ? AND round = ? AND state = 'sending'",
              ToMillis(at), org_, round);
}

bool Notifications::SendAgain(std::int64_t id) {
  return db_.Execute("UPDATE notification SET state = 'waiting' WHERE id = ? AND org = ? AND state = 'done'", id,
                     org_) == 1;
}

int Notifications::Forget(std::int64_t keep, int limit) {
  constexpr std::string_view kOldest =
      "SELECT id FROM notification WHERE org = ? AND state = 'done' AND id <= (SELECT COALESCE(MAX(id), 0) FROM "
      "notification WHERE org = ?) - ? ORDER BY id LIMIT ?";
  db_.Execute(fmt::format("DELETE FROM delivery WHERE notification IN ({})", kOldest), org_, org_, keep, limit);
  return static_cast<int>(
      db_.Execute(fmt::format("DELETE FROM notification WHERE id IN ({})", kOldest), org_, org_, keep, limit));
}

}  // namespace backplane::store
