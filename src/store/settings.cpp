#include "store/settings.h"

#include <fmt/format.h>

namespace backplane::store {
namespace {

constexpr std::string_view kColumns = "dialect, key, value, set_by, set_at";

StoredSetting ReadRow(const Rows& rows) {
  return {rows.Text(0), rows.Text(1), rows.Text(2), rows.Text(3), FromMillis(rows.Int(4))};
}

}  // namespace

std::vector<StoredSetting> SettingValues::All() {
  std::vector<StoredSetting> settings;
  Rows rows = db_.Query(fmt::format("SELECT {} FROM setting WHERE org = ? ORDER BY dialect, key", kColumns), org_);
  while (rows.Next()) settings.push_back(ReadRow(rows));
  return settings;
}

std::optional<StoredSetting> SettingValues::Find(const std::string& dialect, const std::string& key) {
  Rows rows = db_.Query(fmt::format("SELECT {} FROM setting WHERE org = ? AND dialect = ? AND key = ?", kColumns), org_,
                        dialect, key);
  if (!rows.Next()) return std::nullopt;
  return ReadRow(rows);
}

void SettingValues::Put(const StoredSetting& setting) {
  db_.Execute(
      "INSERT INTO setting (org, dialect, key, value, set_by, set_at) VALUES (?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (org, dialect, key) DO UPDATE SET value = excluded.value, set_by = excluded.set_by, "
      "set_at = excluded.set_at",
      org_, setting.dialect, setting.key, setting.value, setting.set_by, ToMillis(setting.set_at));
}

bool SettingValues::Remove(const std::string& dialect, const std::string& key) {
  return db_.Execute("DELETE FROM setting WHERE org = ? AND dialect = ? AND key = ?", org_, dialect, key) > 0;
}

}  // namespace backplane::store
