// What the store knows, as rows of app.db. Pure.
//
// A row is a list of texts in the order of its table's columns; SQLite makes numbers of them where the column holds
// numbers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugin/manifest.h"
#include "store/inventory.h"
#include "store/objects.h"

namespace backplane::netalertx {

using AppRow = std::vector<std::string>;

/// `initial` are columns behind the others that only a new row gets: what somebody else writes there stays.
struct AppTable {
  std::string name;
  std::vector<std::string> columns;  ///< the primary key first
  std::vector<std::string> initial;
};

/// Makes a row; one that has its primary key already takes its columns over.
std::string InsertSql(const AppTable& table);

const AppTable& DevicesTable();
/// Plugins_Objects, and the other two tables of its shape: "Objects", "Events", "History".
AppTable PluginTable(std::string_view name);

/// Makes rows of devices.
class DeviceRows {
 public:
  /// `settings` are those of the dialect: NEWDEV_* say what a device has that nobody says anything else of.
  explicit DeviceRows(const Settings& settings);
  AppRow Of(const store::EntityFacts& facts) const;
  /// Whether the same devices have the same rows.
  bool operator==(const DeviceRows&) const = default;

 private:
  std::string owner_, type_, group_, comments_, location_, parent_, hub_;
  AppRow initial_;
};

/// Stable, and unique for this store: EntityOf() finds the entity again.
std::string DeviceGuid(const store::Entity& entity);
/// 0: no text that DeviceGuid() made.
EntityId EntityOf(std::string_view guid);

/// `index` is the row's; `prefix` the plugin's.
AppRow ObjectRow(std::int64_t index, std::string_view prefix, const store::Object& object);

/// The prefix of a plugin of this dialect by its id; empty: it is of another.
std::string_view PrefixOf(std::string_view plugin);

}  // namespace backplane::netalertx
