#include "dialects/netalertx/app_db_query.h"

#include <chrono>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "dialects/netalertx/app_db.h"

namespace backplane::netalertx {
namespace {

using Time = std::chrono::steady_clock;

constexpr int kStepsPerLook = 10'000;
constexpr std::size_t kMostBytes = 16 << 20;

// What is not reading is refused when the statement is prepared.
int Authorize(void*, int action, const char*, const char* what, const char*, const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE: return SQLITE_OK;
    case SQLITE_FUNCTION: return what != nullptr && ToLower(what) == "load_extension" ? SQLITE_DENY : SQLITE_OK;
    default: return SQLITE_DENY;
  }
}

int IsOver(void* end) { return Time::now() > *static_cast<const Time::time_point*>(end) ? 1 : 0; }

// Calls `work` with a connection that can only read; what it throws is about the query.
Status Reading(const std::filesystem::path& file, Millis longest, const std::function<void(sqlite3*)>& work) {
  std::optional<store::SqliteConnection> connection;
  try {
    connection.emplace(file, store::SqliteConnection::Mode::kReadOnly);
  } catch (const store::DatabaseError& error) {
    return Fail(Errc::kUnavailable, error.what());
  }
  sqlite3* const database = connection->handle();
  Time::time_point end = Time::now() + longest;
  sqlite3_busy_timeout(database, static_cast<int>(longest.count()));
  // Functions make values of any size out of nothing.
  sqlite3_limit(database, SQLITE_LIMIT_LENGTH, static_cast<int>(kMostBytes));
  sqlite3_set_authorizer(database, Authorize, nullptr);
  sqlite3_progress_handler(database, kStepsPerLook, IsOver, &end);
  try {
    work(database);
  } catch (const store::DatabaseError& error) {
    if ((sqlite3_errcode(database) & 0xFF) == SQLITE_INTERRUPT)
      return Fail(Errc::kInvalid, fmt::format("it takes longer than {}", FormatDuration(longest)));
    return Fail(Errc::kInvalid, error.what());
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> QueryFirstColumn(const std::filesystem::path& file, std::string_view sql) {
  std::vector<std::string> values;
  std::size_t bytes = 0;
  BACKPLANE_TRY(Reading(file, kLongestQuery, [&](sqlite3* database) {
    EachRow(database, sql, [&](sqlite3_stmt* row) {
      const bool null = sqlite3_column_type(row, 0) == SQLITE_NULL;
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, 0));
      values.emplace_back(null || text == nullptr ? "None" : text);
      bytes += sizeof(std::string) + values.back().size();
      if (bytes > kMostBytes) throw store::DatabaseError(fmt::format("it gives more than {} bytes", kMostBytes));
    });
  }));
  return values;
}

Result<std::size_t> CountRows(const std::filesystem::path& file, std::string_view sql) {
  std::size_t rows = 0;
  BACKPLANE_TRY(
      Reading(file, kLongestQuery, [&](sqlite3* database) { EachRow(database, sql, [&](sqlite3_stmt*) { ++rows; }); }));
  return rows;
}

Result<std::string> QueryJson(const std::filesystem::path& file, std::string_view sql, Millis longest) {
  std::string json;
  BACKPLANE_TRY(Reading(file, longest, [&](sqlite3* database) { json = RowsAsJson(database, sql); }));
  return json;
}

}  // namespace backplane::netalertx
