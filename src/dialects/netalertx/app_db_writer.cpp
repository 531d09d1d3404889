#include "dialects/netalertx/app_db_writer.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace backplane::netalertx {

Writer::Writer(store::Connection& db, const AppTable& table, std::string key)
    : db_(db),
      table_(table),
      key_(std::move(key)),
      place_(static_cast<std::size_t>(std::find(table.columns.begin(), table.columns.end(), key_) -
                                      table.columns.begin())),
      select_(
          fmt::format("SELECT \"{}\" FROM {} WHERE \"{}\" = ?", fmt::join(table.columns, "\", \""), table.name, key_)),
      insert_(InsertSql(table)) {
  for (const std::string& column : table.columns)
    null_if_empty_.push_back(std::find(table.null_if_empty.begin(), table.null_if_empty.end(), column) !=
                             table.null_if_empty.end());
}

void Writer::Put(const AppRow& row) {
  if (UpdateIfThere(row)) return;
  values_.clear();
  for (std::size_t i = 0; i < row.size(); ++i) values_.push_back(ValueAt(row, i));
  Run(insert_);
}

void Writer::Update(const AppRow& row) { UpdateIfThere(row); }

void Writer::MakePlace(std::int64_t last) {
  db_.Execute(fmt::format("UPDATE {0} SET \"{1}\" = \"{1}\" + {2} WHERE \"{1}\" > ? AND \"{1}\" < {2}", table_.name,
                          key_, kForeignRows),
              last);
}

bool Writer::UpdateIfThere(const AppRow& row) {
  std::string changes;
  values_.clear();
  {
    store::Rows present = db_.Query(select_, row[place_]);
    if (!present.Next()) return false;
    for (std::size_t i = 0; i < table_.columns.size(); ++i) {
      if (present.View(static_cast<int>(i)) == row[i]) continue;
      changes += fmt::format("{}\"{}\" = ?", changes.empty() ? "" : ", ", table_.columns[i]);
      values_.push_back(ValueAt(row, i));
    }
  }
  if (changes.empty()) return true;
  values_.emplace_back(std::string_view(row[place_]));
  Run(fmt::format("UPDATE OR {} {} SET {} WHERE \"{}\" = ?", table_.takes_over ? "REPLACE" : "IGNORE", table_.name,
                  changes, key_));
  return true;
}

void Writer::Run(const std::string& sql) {
  store::Rows rows = db_.QueryList(sql, values_);
  rows.Next();
}

store::Value Writer::ValueAt(const AppRow& row, std::size_t column) const {
  const bool null = column < null_if_empty_.size() && null_if_empty_[column] && row[column].empty();
  return null ? store::Value(nullptr) : store::Value(std::string_view(row[column]));
}

}  // namespace backplane::netalertx
