// The store on an embedded SQLite file: WAL, one writer thread that groups commits without a
// timer, a pool of readers.
//
// Survives kill -9 exactly. With Synchronous::kNormal a power loss may undo the last commits
// (never part of one); kFull pays an fsync per group for not losing them.
#pragma once

#include <filesystem>
#include <memory>

#include "store/database.h"
#include "store/migrations.h"

namespace backplane::store {

enum class Synchronous { kNormal, kFull };

struct SqliteOptions {
  std::filesystem::path file;
  Synchronous synchronous = Synchronous::kNormal;
  int readers = 4;
  std::span<const Migration> migrations = Migrations();  ///< what the file holds
};

/// Opens or makes the file and brings its schema up to date. kUnavailable: cannot be opened;
/// kConflict: made by a newer version; kInternal: damaged.
Result<std::unique_ptr<Database>> OpenSqlite(const SqliteOptions& options);

/// Copies a database as it is now to `to`, which is not there yet; who uses it meanwhile is not disturbed.
/// kUnavailable: it cannot be read or written; kInternal: it is damaged.
Status CopySqlite(const std::filesystem::path& from, const std::filesystem::path& to);

/// Reads the whole file and looks for damage. kInternal says what is damaged.
Status CheckSqlite(const std::filesystem::path& file);

}  // namespace backplane::store
