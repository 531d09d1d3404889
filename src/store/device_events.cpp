#include "store/device_events.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace backplane::store {
namespace {

constexpr const char* kEvent = "id, entity, kind, at, mac, ip, info, pending, pair";
constexpr const char* kSession = "id, entity, mac, ip, began, began_by, ended, ended_by";

DeviceEvent ReadEvent(const Rows& rows) {
  DeviceEvent event;
  event.id = rows.Int(0);
  event.entity = rows.Int(1);
  event.kind = ParseDeviceEventKind(rows.View(2)).value_or(DeviceEventKind::kNew);
  event.at = FromMillis(rows.Int(3));
  event.mac = rows.Text(4);
  event.ip = rows.Text(5);
  event.info = rows.Text(6);
  event.pending = rows.Int(7) != 0;
  event.pair = rows.MaybeInt(8);
  return event;
}

std::optional<TimePoint> TimeAt(const Rows& rows, int column) {
  if (rows.IsNull(column)) return std::nullopt;
  return FromMillis(rows.Int(column));
}

DeviceSession ReadSession(const Rows& rows) {
  return {rows.Int(0),     rows.Int(1),
          rows.Text(2),    rows.Text(3),
          TimeAt(rows, 4), ParseDeviceEventKind(rows.View(5)),
          TimeAt(rows, 6), ParseDeviceEventKind(rows.View(7))};
}

std::optional<std::int64_t> Ms(const std::optional<TimePoint>& time) {
  if (!time) return std::nullopt;
  return ToMillis(*time);
}

const char* NameOrNone(const std::optional<DeviceEventKind>& kind) { return kind ? DeviceEventKindName(*kind) : ""; }

// Of a few that were touched the index knows which; all of them are walked by id.
std::string TouchedSql(const char* columns, const char* table, EntryId entry) {
  const char* const condition =
      entry < 0 ? "+touched > ? AND +org = ? AND id > ?" : "touched > ? AND org = ? AND +id > ?";
  return fmt::format("SELECT {} FROM {} WHERE {} ORDER BY id LIMIT ?", columns, table, condition);
}

template <typename Read>
auto All(Rows rows, const Read& read) {
  std::vector<decltype(read(rows))> all;
  while (rows.Next()) all.push_back(read(rows));
  return all;
}

}  // namespace

const char* DeviceEventKindName(DeviceEventKind kind) {
  switch (kind) {
    case DeviceEventKind::kNew: return "new";
    case DeviceEventKind::kConnected: return "connected";
    case DeviceEventKind::kDisconnected: return "disconnected";
    case DeviceEventKind::kDown: return "down";
    case DeviceEventKind::kReconnected: return "reconnected";
    case DeviceEventKind::kIpChanged: return "ip_changed";
  }
  return "new";
}

std::optional<DeviceEventKind> ParseDeviceEventKind(std::string_view name) {
  for (const DeviceEventKind kind : kDeviceEventKinds)
    if (name == DeviceEventKindName(kind)) return kind;
  return std::nullopt;
}

std::int64_t DeviceEvents::Append(const DeviceEvent& event, EntryId entry) {
  return db_.ExecuteReturning(
      "INSERT INTO device_event (org, entity, kind, at, mac, ip, info, pending, pair, touched) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
      org_, event.entity, DeviceEventKindName(event.kind), ToMillis(event.at), event.mac, event.ip, event.info,
      event.pending, event.pair, entry);
}

void DeviceEvents::Pair(std::int64_t one, std::int64_t other, EntryId entry) {
  for (const auto& [id, pair] : {std::pair(one, other), std::pair(other, one)})
    db_.Execute("UPDATE device_event SET pair = ?, touched = ? WHERE id = ? AND org = ?", pair, entry, id, org_);
}

std::optional<EntityId> DeviceEvents::Settle(std::int64_t id, EntryId entry) {
  Rows rows = db_.Query(
      "UPDATE device_event SET pending = 0, touched = ? WHERE id = ? AND org = ? AND pending = 1 RETURNING entity",
      entry, id, org_);
  if (!rows.Next()) return std::nullopt;
  const EntityId entity = rows.Int(0);
  rows.Next();  // runs the statement to its end
  return entity;
}

std::optional<DeviceEvent> DeviceEvents::Get(std::int64_t id) {
  Rows rows = db_.Query(fmt::format("SELECT {} FROM device_event WHERE id = ? AND org = ?", kEvent), id, org_);
  if (!rows.Next()) return std::nullopt;
  return ReadEvent(rows);
}

std::optional<DeviceEvent> DeviceEvents::Latest(EntityId entity, const std::vector<DeviceEventKind>& kinds) {
  Rows rows = db_.Query(
      fmt::format("SELECT {} FROM device_event WHERE entity = ? AND org = ? ORDER BY id DESC", kEvent), entity, org_);
  while (rows.Next()) {
    DeviceEvent event = ReadEvent(rows);
    if (std::find(kinds.begin(), kinds.end(), event.kind) != kinds.end()) return event;
  }
  return std::nullopt;
}

std::vector<DeviceEvent> DeviceEvents::List(const DeviceEventFilter& filter) {
  // Newest first is the order of ids: no other index is to be taken for the organisation's sake.
  std::string sql = fmt::format("SELECT {} FROM device_event WHERE {}org = ?", kEvent, filter.pending ? "" : "+");
  std::vector<Value> values{org_};
  const auto add = [&](const char* condition, Value value) {
    sql += fmt::format(" AND {}", condition);
    values.push_back(value);
  };
  if (filter.entity != 0) add("entity = ?", filter.entity);
  if (filter.kind) add("kind = ?", std::string_view(DeviceEventKindName(*filter.kind)));
  if (filter.from) add("at >= ?", ToMillis(*filter.from));
  if (filter.upto) add("at <= ?", ToMillis(*filter.upto));
  if (filter.pending) sql += " AND pending = 1";
  if (filter.before != 0) add("id < ?", filter.before);
  sql += " ORDER BY id DESC LIMIT ?";
  values.emplace_back(static_cast<std::int64_t>(filter.limit));
  return All(db_.QueryList(sql, values), ReadEvent);
}

std::vector<DeviceEvent> DeviceEvents::Pending() {
  return All(
      db_.Query(fmt::format("SELECT {} FROM device_event WHERE org = ? AND pending = 1 ORDER BY id", kEvent), org_),
      ReadEvent);
}

std::vector<DeviceEvent> DeviceEvents::TouchedSince(EntryId entry, std::int64_t after, int limit) {
  return All(db_.Query(TouchedSql(kEvent, "device_event", entry), entry, org_, after, limit), ReadEvent);
}

std::int64_t DeviceEvents::First() {
  Rows rows = db_.Query("SELECT id FROM device_event WHERE +org = ? ORDER BY id LIMIT 1", org_);
  return rows.Next() ? rows.Int(0) : 0;
}

std::int64_t DeviceEvents::FirstSession() {
  Rows rows = db_.Query("SELECT id FROM device_session WHERE +org = ? ORDER BY id LIMIT 1", org_);
  return rows.Next() ? rows.Int(0) : 0;
}

int DeviceEvents::Forget(TimePoint before, int limit) {
  const std::int64_t events = db_.Execute(
      "DELETE FROM device_event WHERE id IN (SELECT id FROM device_event WHERE org = ? AND at < ? AND pending = 0 "
      "ORDER BY at LIMIT ?)",
      org_, ToMillis(before), limit);
  const std::int64_t sessions = db_.Execute(
      "DELETE FROM device_session WHERE id IN (SELECT id FROM device_session WHERE org = ? AND ended < ? LIMIT ?)",
      org_, ToMillis(before), limit);
  return static_cast<int>(std::max(events, sessions));
}

void DeviceEvents::Begin(const DeviceSession& session, EntryId entry) {
  db_.Execute(
      "INSERT INTO device_session (org, entity, mac, ip, began, began_by, ended, ended_by, touched) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      org_, session.entity, session.mac, session.ip, Ms(session.began), NameOrNone(session.began_by), Ms(session.ended),
      NameOrNone(session.ended_by), entry);
}

std::optional<DeviceSession> DeviceEvents::Open(EntityId entity) {
  Rows rows = db_.Query(
      fmt::format("SELECT {} FROM device_session WHERE entity = ? AND org = ? ORDER BY id DESC LIMIT 1", kSession),
      entity, org_);
  if (!rows.Next() || !rows.IsNull(6)) return std::nullopt;
  return ReadSession(rows);
}

void DeviceEvents::End(std::int64_t session, TimePoint at, DeviceEventKind by, EntryId entry) {
  db_.Execute("UPDATE device_session SET ended = ?, ended_by = ?, touched = ? WHERE id = ? AND org = ?", ToMillis(at),
              DeviceEventKindName(by), entry, session, org_);
}

std::vector<DeviceSession> DeviceEvents::Sessions(EntityId entity, std::int64_t before, int limit) {
  return All(db_.Query(fmt::format("SELECT {} FROM device_session WHERE entity = ? AND org = ? AND (? = 0 OR id < ?) "
                                   "ORDER BY id DESC LIMIT ?",
                                   kSession),
                       entity, org_, before, before, limit),
             ReadSession);
}

std::vector<DeviceSession> DeviceEvents::SessionsTouchedSince(EntryId entry, std::int64_t after, int limit) {
  return All(db_.Query(TouchedSql(kSession, "device_session", entry), entry, org_, after, limit), ReadSession);
}

void DeviceEvents::Move(EntityId from, EntityId to, EntryId entry) {
  for (const char* table : {"device_event", "device_session"})
    db_.Execute(fmt::format("UPDATE {} SET entity = ?, touched = ? WHERE entity = ? AND org = ?", table), to, entry,
                from, org_);
}

}  // namespace backplane::store
