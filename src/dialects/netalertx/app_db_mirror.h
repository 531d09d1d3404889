// Keeps app.db as the store is: rows of what was touched since the last time, in one transaction.
//
// Not thread-safe. Throws store::DatabaseError for app.db; the store's errors are the Status.
#pragma once

#include <cstdint>

#include "dialects/netalertx/app_db.h"
#include "dialects/netalertx/app_db_catalog.h"
#include "store/database.h"

namespace backplane::netalertx {

/// Tables of app.db, as a set.
enum AppTables : unsigned {
  kDevices = 1,
  kSettings = 2,  ///< and the language strings
  kObjects = 4,
  kObjectEvents = 8,
  kObjectHistory = 16,
  kEvents = 32,  ///< and sessions
  kOnlineHistory = 64,
  kNotifications = 128,
  kOthers = 256,  ///< those that we do not write
  kAllTables = 511,
};

/// Writes the tables of settings and language strings, and the views that depend on a setting.
void WriteCatalog(AppDb& db, const CatalogRows& rows);

/// For so long a device that may sleep, and is gone, is asleep.
int SleepMinutes(const Settings& values);

/// Whether the file follows `core`, whose StoreIdentity() is `store`. kConflict: it is of another store, or of a later
/// state of this one.
Status CheckOwner(AppDb& db, store::Database& core, std::int64_t store);

/// Takes over what the folds of `core` have done since: the store that the file follows, and whose StoreIdentity() is
/// `store`. `catalog` is what is in force; with `all` every device and object is looked at. Returns the tables that
/// have changed. What somebody has deleted from the tables of what happened does not come back.
Result<unsigned> Follow(AppDb& db, store::Database& core, std::int64_t store, const CatalogRows& catalog, bool all);

}  // namespace backplane::netalertx
