// Where people and scripts find what was last reported, beside the table: files, and a message of the page.
#pragma once

#include "base/result.h"
#include "dialects/netalertx/app_db_rows.h"
#include "dialects/netalertx/app_files.h"

namespace backplane::netalertx {

/// `row` is one of Notifications, whose round has begun. The message is added once, however often it is told.
/// kUnavailable: a file cannot be written, or somebody has held the messages for too long.
Status WriteReport(const AppFolders& folders, const AppRow& row);

}  // namespace backplane::netalertx
