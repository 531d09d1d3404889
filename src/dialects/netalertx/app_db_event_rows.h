// What became of devices, and what people are told, as rows of app.db. Pure.
#pragma once

#include "base/json.h"
#include "dialects/netalertx/app_db_rows.h"
#include "store/device_events.h"
#include "store/events.h"
#include "store/notifications.h"

namespace backplane::netalertx {

/// The number of a row is the id of the event, session, cycle or notification.
const AppTable& EventsTable();
const AppTable& SessionsTable();
const AppTable& OnlineHistoryTable();
const AppTable& NotificationsTable();

/// What this ecosystem calls it.
const char* EventWord(store::DeviceEventKind kind);

/// `mac` is that of its device.
AppRow EventRow(const store::DeviceEvent& event, const std::string& mac);
AppRow SessionRow(const store::DeviceSession& session, const std::string& mac);
/// Of an event "cycle.closed" with this body.
AppRow OnlineHistoryRow(const store::Event& event, const Json& counts);
/// One whose round has begun. `store` is the store's identity.
AppRow NotificationRow(const store::Notification& notification, std::int64_t store);

/// The same for each notification of a store.
std::string NotificationGuid(std::int64_t store, std::int64_t notification);

}  // namespace backplane::netalertx
