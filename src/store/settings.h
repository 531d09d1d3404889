// Values of plugins' settings that are kept by us: what people set, and what was made up once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/ids.h"
#include "store/database.h"

namespace backplane::store {

struct StoredSetting {
  std::string dialect;
  std::string key;
  std::string value;   ///< JSON; a secret is a reference
  std::string set_by;  ///< empty: made up by us
  TimePoint set_at;
};

/// Of one organisation.
class SettingValues {
 public:
  SettingValues(Connection& connection, OrgId org) : db_(connection), org_(org) {}

  std::vector<StoredSetting> All();
  std::optional<StoredSetting> Find(const std::string& dialect, const std::string& key);
  /// Adds or replaces.
  void Put(const StoredSetting& setting);
  /// Whether there was one.
  bool Remove(const std::string& dialect, const std::string& key);

 private:
  Connection& db_;
  OrgId org_;
};

}  // namespace backplane::store
