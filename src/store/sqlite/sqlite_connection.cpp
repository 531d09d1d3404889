#include "store/sqlite/sqlite_connection.h"

#include <fmt/format.h>

namespace backplane::store {

SqliteConnection::SqliteConnection(const std::filesystem::path& file, Mode mode) {
  const int flags = (mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
                    SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(file.c_str(), &db_, flags, nullptr) != SQLITE_OK) {
    const std::string reason = db_ == nullptr ? "out of memory" : sqlite3_errmsg(db_);
    sqlite3_close(db_);
    throw DatabaseError(fmt::format("{}: {}", file.string(), reason));
  }
  sqlite3_extended_result_codes(db_, 1);
  sqlite3_busy_timeout(db_, kBusyTimeout);
}

SqliteConnection::~SqliteConnection() {
  for (auto& [sql, list] : statements_)
    for (Prepared& prepared : list) sqlite3_finalize(prepared.statement);
  sqlite3_close(db_);
}

void SqliteConnection::Throw(std::string_view what) const {
  const std::string message = fmt::format("{}: {}", what, sqlite3_errmsg(db_));
  const int code = sqlite3_errcode(db_) & 0xFF;
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) throw DamagedError(message);
  throw DatabaseError(message);
}

void SqliteConnection::Script(const std::string& sql) {
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) Throw(sql.substr(0, 80));
}

SqliteConnection::Prepared& SqliteConnection::Prepare(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    if (statements_.size() >= kMostTexts) ForgetIdle();
    found = statements_.try_emplace(std::string(sql)).first;
  }
  for (Prepared& prepared : found->second)
    if (!prepared.busy) return prepared;
  const std::optional<std::string_view> plain = WithoutReturning(sql);
  const std::string_view text = plain.value_or(sql);
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(db_, text.data(), static_cast<int>(text.size()), SQLITE_PREPARE_PERSISTENT, &statement,
                         nullptr) != SQLITE_OK)
    Throw(sql);
  return found->second.emplace_back(Prepared{statement, false, plain.has_value()});
}

// "INSERT INTO t (...) VALUES (...)" of the same with "RETURNING k" behind it, if k is t's serial
// key: that is the row id, which SQLite knows anyway, while RETURNING costs it a temporary table
// for each row.
std::optional<std::string_view> SqliteConnection::WithoutReturning(std::string_view sql) const {
  constexpr std::string_view kInsert = "INSERT INTO ";
  constexpr std::string_view kReturning = " RETURNING ";
  const std::size_t end = sql.rfind(kReturning);
  const bool plain = sql.starts_with(kInsert) && end != std::string_view::npos &&
                     sql.find(" VALUES (") != std::string_view::npos &&
                     sql.find("ON CONFLICT") == std::string_view::npos;
  if (!plain) return std::nullopt;
  const std::string table(sql.substr(kInsert.size(), sql.find(' ', kInsert.size()) - kInsert.size()));
  const std::string column(sql.substr(end + kReturning.size()));
  int serial = 0;
  const int known = sqlite3_table_column_metadata(db_, nullptr, table.c_str(), column.c_str(), nullptr, nullptr,
                                                  nullptr, nullptr, &serial);
  if (known != SQLITE_OK || serial == 0) return std::nullopt;
  return sql.substr(0, end);
}

// Filters make texts of their own, and there are very many combinations of them.
void SqliteConnection::ForgetIdle() {
  for (auto& [sql, list] : statements_)
    std::erase_if(list, [](const Prepared& prepared) {
      if (!prepared.busy) sqlite3_finalize(prepared.statement);
      return !prepared.busy;
    });
  std::erase_if(statements_, [](const auto& item) { return item.second.empty(); });
}

void SqliteConnection::Bind(sqlite3_stmt* statement, std::span<const Value> values) {
  int at = 0;
  for (const Value& value : values) {
    ++at;
    int code = SQLITE_OK;
    if (std::holds_alternative<std::nullptr_t>(value)) {
      code = sqlite3_bind_null(statement, at);
    } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
      code = sqlite3_bind_int64(statement, at, *number);
    } else if (const auto* blob = std::get_if<Blob>(&value)) {
      code = sqlite3_bind_blob64(statement, at, blob->bytes.data() == nullptr ? "" : blob->bytes.data(),
                                 blob->bytes.size(), SQLITE_TRANSIENT);
    } else {
      const auto text = std::get<std::string_view>(value);
      // Copied: a Rows may outlive the texts that its query was called with.
      code = sqlite3_bind_text64(statement, at, text.data() == nullptr ? "" : text.data(), text.size(),
                                 SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    if (code != SQLITE_OK) Throw(sqlite3_sql(statement));
  }
}

class SqliteConnection::StatementCursor final : public Rows::Cursor {
 public:
  StatementCursor(SqliteConnection& connection, Prepared& prepared) : connection_(connection), prepared_(prepared) {
    prepared_.busy = true;
  }
  ~StatementCursor() override {
    sqlite3_reset(prepared_.statement);
    sqlite3_clear_bindings(prepared_.statement);
    prepared_.busy = false;
  }
  bool Next() override {
    const int code = sqlite3_step(prepared_.statement);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) connection_.Throw(sqlite3_sql(prepared_.statement));
    return false;
  }
  bool IsNull(int column) const override { return sqlite3_column_type(prepared_.statement, column) == SQLITE_NULL; }
  std::int64_t Int(int column) const override { return sqlite3_column_int64(prepared_.statement, column); }
  std::string_view Text(int column) const override {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(prepared_.statement, column));
    if (text == nullptr) return {};
    return {text, static_cast<std::size_t>(sqlite3_column_bytes(prepared_.statement, column))};
  }
  std::string_view Bytes(int column) const override {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(prepared_.statement, column));
    if (bytes == nullptr) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(prepared_.statement, column))};
  }

 private:
  SqliteConnection& connection_;
  Prepared& prepared_;
};

// The one row of an INSERT that was to return its key.
class SqliteConnection::RowIdCursor final : public Rows::Cursor {
 public:
  RowIdCursor(SqliteConnection& connection, Prepared& prepared)
      : connection_(connection), statement_(connection, prepared) {}
  bool Next() override {
    if (done_) return false;
    done_ = true;
    statement_.Next();
    id_ = sqlite3_last_insert_rowid(connection_.db_);
    return true;
  }
  bool IsNull(int) const override { return false; }
  std::int64_t Int(int) const override { return id_; }
  std::string_view Text(int) const override { return {}; }
  std::string_view Bytes(int) const override { return {}; }

 private:
  SqliteConnection& connection_;
  StatementCursor statement_;
  bool done_ = false;
  std::int64_t id_ = 0;
};

Rows SqliteConnection::DoQuery(std::string_view sql, std::span<const Value> values) {
  Prepared& prepared = Prepare(sql);
  Bind(prepared.statement, values);
  if (prepared.yields_row_id) return Rows(std::make_unique<RowIdCursor>(*this, prepared));
  return Rows(std::make_unique<StatementCursor>(*this, prepared));
}

std::int64_t SqliteConnection::DoExecute(std::string_view sql, std::span<const Value> values) {
  Prepared& prepared = Prepare(sql);
  Bind(prepared.statement, values);
  int code = SQLITE_ROW;
  while (code == SQLITE_ROW) code = sqlite3_step(prepared.statement);
  if (code != SQLITE_DONE) {
    sqlite3_reset(prepared.statement);  // says again what was wrong
    Throw(sql);
  }
  const std::int64_t changed = sqlite3_changes64(db_);
  sqlite3_reset(prepared.statement);
  sqlite3_clear_bindings(prepared.statement);
  return changed;
}

}  // namespace backplane::store
