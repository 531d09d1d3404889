#include "dialects/netalertx/app_db.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/text.h"
#include "dialects/netalertx/app_db_schema.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;
using store::DatabaseError;

constexpr std::size_t kMostJson = std::size_t{256} << 20;
constexpr int kLongestPause = 10;  // ms between two looks whether others are done

std::pair<std::uint64_t, std::uint64_t> IdentityOf(const fs::path& file) {
  struct stat info{};
  if (stat(file.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino};
}

std::int64_t FirstInt(store::Connection& connection, std::string_view sql) {
  store::Rows rows = connection.Query(sql);
  return rows.Next() ? rows.Int(0) : 0;
}

struct Statement {
  ~Statement() { sqlite3_finalize(handle); }
  sqlite3_stmt* handle = nullptr;
};

void AppendText(std::string& out, std::string_view text) {
  std::string mended;
  if (std::any_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; }) && !IsUtf8(text))
    text = mended = ToUtf8(text);
  out += '"';
  std::size_t plain = 0;  // where the text begins that stands as it is
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out += text.substr(plain, i - plain);
    plain = i + 1;
    if (c == '"' || c == '\\')
      (out += '\\') += text[i];
    else
      out += fmt::format("\\u{:04x}", c);
  }
  out += text.substr(plain);
  out += '"';
}

void AppendValue(std::string& out, sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER: fmt::format_to(std::back_inserter(out), "{}", sqlite3_column_int64(statement, column)); return;
    case SQLITE_NULL: out += "null"; return;
    case SQLITE_FLOAT:
      if (const double number = sqlite3_column_double(statement, column); std::isfinite(number)) {
        fmt::format_to(std::back_inserter(out), "{}", number);
        return;
      }
      break;
    default: break;
  }
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
  AppendText(out, bytes == nullptr ? std::string_view() : std::string_view(bytes, size));
}

}  // namespace

AppDb::AppDb(fs::path file, Millis patience) : file_(std::move(file)) {
  connection_ = std::make_unique<store::SqliteConnection>(file_, store::SqliteConnection::Mode::kReadWrite);
  // What we write ourselves is no news to us (app_db_inbox.h).
  sqlite3_db_config(connection_->handle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_busy_handler(connection_->handle(), Wait, this);
  SetPatience(patience);
  connection_->Script(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; "
      "PRAGMA journal_size_limit = 50000000; PRAGMA cache_size = -8000");
  {
    store::Rows rows = connection_->Query("PRAGMA quick_check(1)");
    if (rows.Next() && rows.View(0) != "ok") throw store::DamagedError(rows.Text(0));
  }
  connection_->Script(fmt::format("BEGIN IMMEDIATE; {} COMMIT", AppDbSchema()));
  identity_ = IdentityOf(file_);
  version_ = FirstInt(*connection_, "PRAGMA data_version");
}

void AppDb::SetPatience(Millis patience) { until_ = std::chrono::steady_clock::now() + patience; }

int AppDb::Wait(void* self, int times) {
  if (std::chrono::steady_clock::now() >= static_cast<AppDb*>(self)->until_) return 0;
  sqlite3_sleep(std::min(times + 1, kLongestPause));
  return 1;
}

Status AppDb::Write(const std::function<Status()>& work) {
  const auto undo = [this] {
    // Nothing to undo if SQLite has done so itself, as it does on a full disk.
    if (sqlite3_get_autocommit(connection_->handle()) == 0)
      sqlite3_exec(connection_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  };
  connection_->Script("BEGIN IMMEDIATE");
  try {
    const Status status = work();
    if (!status) return undo(), status;
    connection_->Script("COMMIT");
  } catch (...) {
    undo();
    throw;
  }
  return {};
}

bool AppDb::WrittenByOthers() {
  const std::int64_t version = FirstInt(*connection_, "PRAGMA data_version");
  return std::exchange(version_, version) != version;
}

bool AppDb::Replaced() const { return IdentityOf(file_) != identity_; }

void AppDb::PutAside(const fs::path& file) {
  // A log that stayed would spoil the new file.
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm"})
    fs::rename(file.string() + suffix, file.string() + ".aside" + suffix, ignored);
}

void EachRow(sqlite3* database, std::string_view sql, const std::function<void(sqlite3_stmt*)>& row) {
  const auto fail = [&] {
    const int code = sqlite3_errcode(database) & 0xFF;
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) throw store::DamagedError(sqlite3_errmsg(database));
    throw DatabaseError(sqlite3_errmsg(database));
  };
  Statement statement;
  const char* rest = nullptr;
  if (sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement.handle, &rest) != SQLITE_OK)
    fail();
  if (statement.handle == nullptr) throw DatabaseError("there is no statement");
  if (!Trim(sql.substr(static_cast<std::size_t>(rest - sql.data()))).empty())
    throw DatabaseError("there is more than one statement");
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement.handle)) == SQLITE_ROW) row(statement.handle);
  if (code != SQLITE_DONE) fail();
}

std::string RowsAsJson(sqlite3* database, std::string_view sql) {
  std::string out = "{\"data\":[";
  std::vector<std::string> keys;
  const char* joint = "\n";
  EachRow(database, sql, [&](sqlite3_stmt* row) {
    const int columns = sqlite3_column_count(row);
    for (int i = static_cast<int>(keys.size()); i < columns; ++i) {
      AppendText(keys.emplace_back(i == 0 ? "{" : ","), sqlite3_column_name(row, i));
      keys.back() += ':';
    }
    out += std::exchange(joint, ",\n");
    for (int i = 0; i < columns; ++i) {
      out += keys[static_cast<std::size_t>(i)];
      AppendValue(out, row, i);
    }
    out += '}';
    if (out.size() > kMostJson) throw DatabaseError(fmt::format("there is more than {} bytes of it", kMostJson));
  });
  return out + "]}\n";
}

}  // namespace backplane::netalertx
