// The durable store: connections, statements and transactions, the same over every backend.
//
// Repositories (the other headers of this folder) are the only users of SQL. A statement is
// written so that SQLite and PostgreSQL both accept it, with '?' for parameters.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace backplane::store {

/// A broken store: disk full, file damaged, statement refused. Thrown by Connection and Rows
/// and turned into a Result by Database::Read and Write; it never leaves them.
class DatabaseError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Bytes that are no text.
struct Blob {
  std::string_view bytes;
};

/// A parameter. Texts and bytes are borrowed until the call returns.
using Value = std::variant<std::nullptr_t, std::int64_t, std::string_view, Blob>;

/// The rows of one query, read in order. Lives shorter than its connection's transaction.
class Rows {
 public:
  /// What a backend implements.
  class Cursor {
   public:
    virtual ~Cursor() = default;
    virtual bool Next() = 0;
    virtual bool IsNull(int column) const = 0;
    virtual std::int64_t Int(int column) const = 0;
    virtual std::string_view Text(int column) const = 0;
    virtual std::string_view Bytes(int column) const = 0;
  };

  explicit Rows(std::unique_ptr<Cursor> cursor) : cursor_(std::move(cursor)) {}
  /// Moves to the next row; false after the last.
  bool Next() { return cursor_->Next(); }
  bool IsNull(int column) const { return cursor_->IsNull(column); }
  std::int64_t Int(int column) const { return cursor_->Int(column); }
  std::optional<std::int64_t> MaybeInt(int column) const {
    return IsNull(column) ? std::nullopt : std::optional(Int(column));
  }
  /// Valid until Next(); empty for NULL.
  std::string_view View(int column) const { return cursor_->Text(column); }
  std::string Text(int column) const { return std::string(View(column)); }
  /// Of a Blob; valid until Next().
  std::string_view Bytes(int column) const { return cursor_->Bytes(column); }

 private:
  std::unique_ptr<Cursor> cursor_;
};

/// One connection. Statements are prepared once and kept. Not thread-safe: used only inside
/// the function that Database passes it to.
class Connection {
 public:
  virtual ~Connection() = default;

  template <typename... Args>
  Rows Query(std::string_view sql, const Args&... args) {
    const Value values[] = {nullptr, ToValue(args)...};
    return DoQuery(sql, std::span(values).subspan(1));
  }
  /// Returns the number of rows changed.
  template <typename... Args>
  std::int64_t Execute(std::string_view sql, const Args&... args) {
    const Value values[] = {nullptr, ToValue(args)...};
    return DoExecute(sql, std::span(values).subspan(1));
  }
  /// Runs a "... RETURNING <integer>" statement that yields one row.
  template <typename... Args>
  std::int64_t ExecuteReturning(std::string_view sql, const Args&... args) {
    Rows rows = Query(sql, args...);
    if (!rows.Next()) throw DatabaseError("a RETURNING statement returned no row");
    const std::int64_t id = rows.Int(0);
    rows.Next();  // runs the statement to its end
    return id;
  }
  /// For lists whose parameters are only known at run time.
  Rows QueryList(std::string_view sql, std::span<const Value> values) { return DoQuery(sql, values); }

 protected:
  virtual Rows DoQuery(std::string_view sql, std::span<const Value> values) = 0;
  virtual std::int64_t DoExecute(std::string_view sql, std::span<const Value> values) = 0;

 private:
  static Value ToValue(std::nullptr_t) { return nullptr; }
  static Value ToValue(std::int64_t value) { return value; }
  static Value ToValue(int value) { return static_cast<std::int64_t>(value); }
  static Value ToValue(bool value) { return static_cast<std::int64_t>(value); }
  static Value ToValue(std::string_view value) { return value; }
  static Value ToValue(Blob value) { return value; }
  static Value ToValue(const std::string& value) { return std::string_view(value); }
  static Value ToValue(const char* value) { return std::string_view(value); }
  template <typename T>
  static Value ToValue(const std::optional<T>& value) {
    if (!value) return nullptr;
    return ToValue(*value);
  }
};

/// Who waits for a write. Each commit takes all writes that wait, but at most one of kSlice.
enum class Priority {
  kNormal,  ///< a person or a run
  kSlice,   ///< a slice of a fold: lets everybody else pass
};

/// A store. Thread-safe.
class Database {
 public:
  using Work = std::function<Status(Connection&)>;
  using Done = std::function<void(Status)>;

  virtual ~Database() = default;

  /// Queues `work` for the writer thread; it commits what waits as one group, each piece of work
  /// whole or not at all. `done` is called on the writer thread after the commit, or with the
  /// error. Blocks while 10,000 writes wait, unless called on the writer thread itself.
  virtual void Submit(Priority priority, Work work, Done done) = 0;

  /// Submit, and wait for it. Not from the writer thread.
  Status Write(Work work, Priority priority = Priority::kNormal);

  /// Runs `work` on a snapshot, on a connection that can only read. Blocks while all are busy.
  virtual Status Read(const std::function<Status(Connection&)>& work) = 0;
};

}  // namespace backplane::store
