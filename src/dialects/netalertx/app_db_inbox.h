// What others write into app.db, on its way into the core.
//
// Triggers put it into a table, Backplane_Inbox; our own connection has triggers switched off. A line is taken exactly
// once: the number of the last one that was taken lies in the store, and moves with the journal entry that it became.
#pragma once

#include <string>

#include "base/time.h"
#include "dialects/netalertx/app_db.h"
#include "dialects/netalertx/app_db_catalog.h"
#include "ingest/folder.h"
#include "store/database.h"

namespace backplane::netalertx {

/// Who says what others have written, as claims, sightings and journal entries have it.
inline constexpr const char* kInboxSource = "app.db";
inline constexpr const char* kInboxPlugin = "netalertx:app.db";

/// Statements that make the triggers anew.
const std::string& InboxTriggers();

/// Takes in what others have written:
/// - a value of a device is a claim that takes the field from every source, but for a person and a lock;
/// - a source column: LOCKED locks the field, and makes a value that was written along with it a person's, USER makes
///   it a person's, and anything else ends both and leaves the value that is there;
/// - a new row of Devices is a device that is known and not there; a row that is deleted is a device that is deleted;
/// - an object that is deleted is new when it is reported again;
/// - a notification with the status "new" is one of the core's; its row makes place for that.
/// What the core works out by itself is put back: the device counts as changed. Returns whether there was anything:
/// then the journal has grown. Throws store::DatabaseError for app.db; the store's errors are the Status.
Result<bool> TakeInbox(AppDb& db, store::Database& core, ingest::Folder& folder, const Clock& clock,
                       const CatalogRows& catalog);

}  // namespace backplane::netalertx
