#include "dialects/netalertx/app_db_events.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "dialects/netalertx/app_db_event_rows.h"
#include "dialects/netalertx/app_db_writer.h"
#include "store/inventory.h"

namespace backplane::netalertx {
namespace {

constexpr int kPage = 500;
constexpr std::int64_t kMostPasses = 10'000;

template <typename Work>
Status Read(store::Database& core, const Work& work) {
  return core.Read([&](store::Connection& connection) -> Status { return work(connection), Status(); });
}

// As it was then, or, if it had none, what its row in Devices goes by.
std::string MacOf(store::Connection& core, EntityId entity, const std::string& mac) {
  return mac.empty() ? DeviceMac(entity, "", store::Inventory(core, kDefaultOrg).Identifiers(entity)) : mac;
}

void DeleteBefore(store::Connection& db, const AppTable& table, std::int64_t first) {
  if (first > 0) db.Execute(fmt::format("DELETE FROM {} WHERE \"{}\" < ?", table.name, table.columns[0]), first);
}

// Calls `next` for pages of rows with their ids, until one is not full; those up to `mark` are only brought up to date.
template <typename Next>
Status PutPages(store::Connection& db, const AppTable& table, std::int64_t& mark, const Next& next) {
  Writer writer(db, table, table.columns[0]);
  std::vector<std::pair<std::int64_t, AppRow>> page;
  std::int64_t after = 0;
  bool placed = false;
  do {
    page.clear();
    BACKPLANE_TRY(next(after, page));
    for (const auto& [id, row] : page) {
      after = id;
      if (id <= mark) {
        writer.Update(row);
        continue;
      }
      if (!std::exchange(placed, true)) writer.MakePlace(mark);
      writer.Put(row);
      mark = id;
    }
  } while (static_cast<int>(page.size()) == kPage);
  return {};
}

}  // namespace

Status FollowEvents(store::Connection& db, store::Database& core, EntryId since, Marks& marks) {
  std::int64_t first = 0;
  BACKPLANE_TRY(PutPages(db, EventsTable(), marks.events, [&](std::int64_t after, auto& page) {
    return Read(core, [&](store::Connection& c) {
      store::DeviceEvents events(c, kDefaultOrg);
      for (const store::DeviceEvent& event : events.TouchedSince(since, after, kPage))
        page.emplace_back(event.id, EventRow(event, MacOf(c, event.entity, event.mac)));
      first = events.First();
    });
  }));
  DeleteBefore(db, EventsTable(), first);
  return {};
}

Status FollowSessions(store::Connection& db, store::Database& core, EntryId since, Marks& marks) {
  std::int64_t first = 0;
  BACKPLANE_TRY(PutPages(db, SessionsTable(), marks.sessions, [&](std::int64_t after, auto& page) {
    return Read(core, [&](store::Connection& c) {
      store::DeviceEvents events(c, kDefaultOrg);
      for (const store::DeviceSession& session : events.SessionsTouchedSince(since, after, kPage))
        page.emplace_back(session.id, SessionRow(session, MacOf(c, session.entity, session.mac)));
      first = events.FirstSession();
    });
  }));
  DeleteBefore(db, SessionsTable(), first);
  return {};
}

Status FollowBus(store::Connection& db, store::Database& core, Marks& marks) {
  Writer writer(db, OnlineHistoryTable(), "index");
  const auto pass = [&](const store::Event& event, const Json& counts) {
    const AppRow row = OnlineHistoryRow(event, counts);
    writer.Put(row);
    db.Execute("DELETE FROM Online_History WHERE \"index\" <= CAST(? AS INTEGER) - ?", row[0], kMostPasses);
  };
  const auto removed = [&](const store::Event&, const Json& body) {
    db.Execute("DELETE FROM Plugins_Objects WHERE \"index\" = ?", body.value("object", std::int64_t{0}));
  };
  std::int64_t last = 0;
  const auto each = [&](const char* topic, const auto& take) -> Status {
    std::vector<store::Event> page;
    std::int64_t after = marks.bus;
    do {
      BACKPLANE_TRY(
          Read(core, [&](store::Connection& c) { page = store::Events(c, kDefaultOrg).After(after, kPage, topic); }));
      for (const store::Event& event : page) {
        after = event.seq;
        if (const auto body = ParseJson(event.body); body && body->is_object()) take(event, *body);
      }
    } while (static_cast<int>(page.size()) == kPage);
    return {};
  };
  BACKPLANE_TRY(Read(core, [&](store::Connection& c) { last = store::Events(c, kDefaultOrg).Last(); }));
  BACKPLANE_TRY(each("cycle.closed", pass));
  BACKPLANE_TRY(each("object.removed", removed));
  // What has come since is taken again: that does no harm.
  marks.bus = last;
  return {};
}

Result<Told> FollowNotifications(AppDb& db, store::Database& core, std::int64_t store) {
  store::Connection& connection = db.connection();
  const Marks before = ReadMarks(connection);
  std::vector<std::int64_t> open;  // in the file, as of yet to be sent
  {
    store::Rows rows = connection.Query("SELECT \"index\" FROM Notifications WHERE \"status\" = 'new'");
    while (rows.Next()) open.push_back(rows.Int(0));
  }
  Marks marks = before;
  std::vector<store::Notification> begun, changed;
  std::vector<std::int64_t> gone;
  std::int64_t first = 0;
  BACKPLANE_TRY(Read(core, [&](store::Connection& c) {
    store::Notifications notifications(c, kDefaultOrg);
    bool more = notifications.Last() > marks.notifications;
    while (more) {
      auto page = notifications.After(marks.notifications, kPage);
      more = static_cast<int>(page.size()) == kPage;
      for (store::Notification& one : page) {
        // Those behind it wait too.
        if (one.state == store::NotificationState::kWaiting) {
          more = false;
          break;
        }
        marks.notifications = one.id;
        begun.push_back(std::move(one));
      }
    }
    for (store::Notification& one : notifications.In(store::NotificationState::kSending))
      if (one.id <= before.notifications) changed.push_back(std::move(one));
    for (const std::int64_t id : open) {
      auto one = notifications.Get(id);
      if (!one && id < kForeignRows) gone.push_back(id);
      if (one && one->state == store::NotificationState::kDone) changed.push_back(*std::move(one));
    }
    first = notifications.First();
  }));
  if (begun.empty() && changed.empty() && gone.empty()) return Told{};
  Told told;
  const auto rows_before = sqlite3_total_changes64(db.connection().handle());
  BACKPLANE_TRY(db.Write([&]() -> Status {
    Writer writer(connection, NotificationsTable(), "index");
    if (!begun.empty()) writer.MakePlace(before.notifications);
    for (const store::Notification& one : begun) {
      AppRow row = NotificationRow(one, store);
      writer.Put(row);
      // What a new file gets is old news.
      if (before.notifications > 0 || one.state == store::NotificationState::kSending)
        told.begun.push_back(std::move(row));
    }
    for (const store::Notification& one : changed) {
      // What publishers are to send must be there, even if somebody has deleted it.
      if (one.state == store::NotificationState::kSending)
        writer.Put(NotificationRow(one, store));
      else
        writer.Update(NotificationRow(one, store));
    }
    for (const std::int64_t id : gone)
      connection.Execute("UPDATE Notifications SET \"status\" = 'processed' WHERE \"index\" = ?", id);
    DeleteBefore(connection, NotificationsTable(), first);
    WriteMarks(connection, before, marks);
    return {};
  }));
  told.changed = sqlite3_total_changes64(db.connection().handle()) != rows_before;
  return told;
}

}  // namespace backplane::netalertx
