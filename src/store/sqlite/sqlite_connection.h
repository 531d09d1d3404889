// One SQLite connection behind store::Connection. For this folder, and for dialects that keep an SQLite file of their
// own (app_db*).
#pragma once

#include <filesystem>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <sqlite3.h>

#include "store/database.h"

namespace backplane::store {

/// The file is damaged, or no store at all.
class DamagedError : public DatabaseError {
 public:
  using DatabaseError::DatabaseError;
};

class SqliteConnection final : public Connection {
 public:
  static constexpr int kBusyTimeout = 10'000;  ///< ms
  enum class Mode { kReadWrite, kReadOnly };
  SqliteConnection(const std::filesystem::path& file, Mode mode);
  ~SqliteConnection() override;
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  /// Runs a script without parameters.
  void Script(const std::string& sql);
  sqlite3* handle() const { return db_; }

 protected:
  Rows DoQuery(std::string_view sql, std::span<const Value> values) override;
  std::int64_t DoExecute(std::string_view sql, std::span<const Value> values) override;

 private:
  class StatementCursor;
  class RowIdCursor;
  struct Prepared {
    sqlite3_stmt* statement = nullptr;
    bool busy = false;           // a Rows is reading it
    bool yields_row_id = false;  // was asked for RETURNING the key, and prepared without it
  };
  static constexpr std::size_t kMostTexts = 256;
  Prepared& Prepare(std::string_view sql);
  void ForgetIdle();
  std::optional<std::string_view> WithoutReturning(std::string_view sql) const;
  void Bind(sqlite3_stmt* statement, std::span<const Value> values);
  [[noreturn]] void Throw(std::string_view what) const;

  sqlite3* db_ = nullptr;
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  // Several entries per text only when one is read while the same text is asked for again.
  std::unordered_map<std::string, std::list<Prepared>, TextHash, std::equal_to<>> statements_;
};

}  // namespace backplane::store
