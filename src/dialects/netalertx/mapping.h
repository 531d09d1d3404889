// Which column of a result row says what of a device.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/record.h"
#include "plugin/manifest.h"

namespace backplane::netalertx {

/// The columns of a result row, in file order.
enum Column : std::size_t {
  kPrimary,
  kSecondary,
  kTimestamp,
  kWatched1,
  kWatched2,
  kWatched3,
  kWatched4,
  kExtra,
  kForeignKey,
  kHelp1,
  kHelp2,
  kHelp3,
  kHelp4,
  kColumns
};

/// The columns of one row; views into the result file.
using Row = std::array<std::string_view, kColumns>;

/// The column of that name, in today's spelling (watchedValue1) or the old one (Watched_Value1).
std::optional<Column> ColumnNamed(std::string_view name);

/// Whether CurrentScan has a column of that name, in today's spelling (scanLastIP) or the old one (cur_IP).
bool IsScanColumn(std::string_view name);

/// A value of a row, or one text for all rows.
struct Origin {
  std::optional<Column> column;
  std::string constant;
  std::string_view Of(const Row& row) const { return column ? row[*column] : std::string_view(constant); }
};

/// Where CurrentScan's columns come from, for a plugin that reports devices.
struct DeviceMapping {
  std::optional<Origin> mac, ip, source;
  struct Field {
    std::string field;  ///< one of kDeviceFields
    Origin origin;
    ClaimPolicy policy;
  };
  std::vector<Field> fields;  ///< all but mac and ip
  ClaimPolicy mac_policy = ClaimPolicy::kIfEmpty;
  ClaimPolicy ip_policy = ClaimPolicy::kAlways;
};

/// Nothing if the manifest does not map to CurrentScan.
std::optional<DeviceMapping> ReadMapping(const Manifest& manifest, const Settings& settings);

/// The columns of the setting <PREFIX>_WATCH, in its order; names of no column are passed over.
std::vector<Column> WatchedColumns(const Manifest& manifest, const Settings& settings);

/// What this ecosystem calls a status.
const char* StatusWord(ObjectStatus status);

/// The statuses of the setting <PREFIX>_REPORT_ON; other words are passed over.
std::vector<ObjectStatus> ReportedStatuses(const Manifest& manifest, const Settings& settings);

}  // namespace backplane::netalertx
