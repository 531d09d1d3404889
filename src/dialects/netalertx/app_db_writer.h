// Writes rows of one table of app.db, and of a row that is there only what differs: each column that is set costs its
// indexes.
//
// Not thread-safe. Functions throw store::DatabaseError.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dialects/netalertx/app_db_rows.h"
#include "store/database.h"

namespace backplane::netalertx {

/// What others put in under numbers that ours are to have is moved behind this one.
inline constexpr std::int64_t kForeignRows = std::int64_t{1} << 40;

class Writer {
 public:
  /// `key` is the column by which rows are found again. `db` and `table` outlive the writer.
  Writer(store::Connection& db, const AppTable& table, std::string key);

  void Put(const AppRow& row);
  /// Of a row that is there; else nothing: somebody has deleted it.
  void Update(const AppRow& row);
  /// Rows of others whose number is more than `last` and could be one of ours make place. The table's key is a number.
  void MakePlace(std::int64_t last);

 private:
  bool UpdateIfThere(const AppRow& row);
  void Run(const std::string& sql);
  store::Value ValueAt(const AppRow& row, std::size_t column) const;

  store::Connection& db_;
  const AppTable& table_;
  const std::string key_;
  const std::size_t place_;
  const std::string select_, insert_;
  std::vector<bool> null_if_empty_;
  std::vector<store::Value> values_;
};

}  // namespace backplane::netalertx
