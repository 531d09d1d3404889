// NetAlertX's database file, app.db, as scripts and clients open it beside us.
//
// Not thread-safe. Functions throw store::DatabaseError; store::DamagedError if the file is damaged.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "store/sqlite/sqlite_connection.h"

namespace backplane::netalertx {

class AppDb {
 public:
  /// Opens the file, or makes it, and makes what is missing of its tables. Reads it once to find damage. Waits for
  /// others as SetPatience() says.
  explicit AppDb(std::filesystem::path file, Millis patience = Millis(store::SqliteConnection::kBusyTimeout));
  AppDb(const AppDb&) = delete;
  AppDb& operator=(const AppDb&) = delete;

  store::SqliteConnection& connection() { return *connection_; }

  /// Others who hold the file are waited for until so long from now, by everything together.
  void SetPatience(Millis patience);

  /// Runs `work` as one transaction, which its error undoes.
  Status Write(const std::function<Status()>& work);

  /// Whether somebody else has written since the last call.
  bool WrittenByOthers();

  /// Whether what is at the path now is another file, or none.
  bool Replaced() const;

  /// Moves what is at `file` aside, so that it can be made anew: to "app.db.aside", over what was there.
  static void PutAside(const std::filesystem::path& file);

 private:
  static int Wait(void* self, int times);

  std::filesystem::path file_;
  std::chrono::steady_clock::time_point until_;
  std::unique_ptr<store::SqliteConnection> connection_;
  std::pair<std::uint64_t, std::uint64_t> identity_;  // device and inode
  std::int64_t version_ = 0;                          // SQLite's count of others' commits
};

/// Calls `row` for each row of `sql`, which is one statement. Throws as above.
void EachRow(sqlite3* database, std::string_view sql, const std::function<void(sqlite3_stmt*)>& row);

/// {"data": [{column: value, ...}, ...]}: the rows of a query, numbers as numbers; at most 256 MiB.
std::string RowsAsJson(sqlite3* database, std::string_view sql);

}  // namespace backplane::netalertx
