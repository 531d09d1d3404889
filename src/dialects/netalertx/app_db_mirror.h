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
  kOthers = 32,  ///< those that we do not write
  kAllTables = 63,
};

/// Writes the tables of settings and language strings, and the views that depend on a setting.
void WriteCatalog(AppDb& db, const CatalogRows& rows);

/// Takes over what the folds of `core`, whose StoreIdentity() is `store`, have done since. Of `catalog`, NEWDEV_* give
/// devices what nobody says of them; with `all` every row is looked at. Returns the tables that have changed.
/// kConflict: the file is of another store, or of a later state of this one.
Result<unsigned> Follow(AppDb& db, store::Database& core, std::int64_t store, const CatalogRows& catalog, bool all);

}  // namespace backplane::netalertx
