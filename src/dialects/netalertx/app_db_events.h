// Keeps the tables of app.db that say what happened as the store is: events and sessions of devices, counts of each
// scan pass, and what people were told.
//
// Not thread-safe. Throws store::DatabaseError for app.db; the store's errors are the Status. What somebody has deleted
// does not come back, and what others put in stays, behind our own rows.
#pragma once

#include "dialects/netalertx/app_db.h"
#include "dialects/netalertx/app_db_marks.h"
#include "dialects/netalertx/app_db_rows.h"
#include "store/database.h"

namespace backplane::netalertx {

/// What journal entries after `since` brought or changed. Moves `marks` on.
Status FollowEvents(store::Connection& db, store::Database& core, EntryId since, Marks& marks);
Status FollowSessions(store::Connection& db, store::Database& core, EntryId since, Marks& marks);
/// What the bus says: the ends of passes, and objects that are no more.
Status FollowBus(store::Connection& db, store::Database& core, Marks& marks);

/// Notifications whose round has begun. Their state is no journal entry's affair, so this is asked each time. Nothing
/// is written where nothing has changed.
struct Told {
  bool changed = false;
  std::vector<AppRow> begun;  ///< rows of those whose round has begun since the last call
};
Result<Told> FollowNotifications(AppDb& db, store::Database& core, std::int64_t store);

}  // namespace backplane::netalertx
