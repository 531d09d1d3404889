// The JSON files of the API folder: what scripts and clients read instead of app.db.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "dialects/netalertx/app_db_catalog.h"
#include "dialects/netalertx/app_db_mirror.h"

namespace backplane::netalertx {

/// Names of the files that say what was last reported (app_db_report.h).
inline constexpr std::array kReportNames = {"notification_text.txt", "notification_text.html",
                                            "notification_json_final.json"};

/// Scan passes, as far as anybody knows of them.
struct PassState {
  std::optional<TimePoint> last;  ///< when the last one began
  bool open = false;              ///< it goes on
  bool operator==(const PassState&) const = default;
};

/// Devices that sleep, and that come and go: time alone makes others of them.
struct Restless {
  std::string who;
  std::int64_t until = std::numeric_limits<std::int64_t>::max();  ///< s since 1970: then they may be others
};

/// Names of all of them.
std::vector<std::string> SnapshotNames();

/// Those of one folder. Not thread-safe.
class Snapshots {
 public:
  /// Of app.db `file`, into `folder`.
  Snapshots(std::filesystem::path folder, std::filesystem::path file)
      : folder_(std::move(folder)), file_(std::move(file)) {}

  /// Replaces the files that the tables go into, if their content differs, and those that somebody else has changed.
  /// The query that a person has set may take `longest`. A file that cannot be made stays as it is until one of its
  /// tables changes, or is written the next time if it could only not be written; that is logged once, and the others
  /// are written all the same. kUnavailable: names one of them. Throws store::DamagedError.
  Status Write(AppDb& db, const CatalogRows& catalog, unsigned tables, TimePoint now, Millis longest,
               const PassState& pass = {});

 private:
  struct Written {
    std::size_t hash = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0, changed = 0;  ///< changed: ns
  };
  struct Failure {
    std::string reason;
    bool lasting = false;  ///< until one of its tables changes
  };
  template <typename Make>
  void WriteOne(const std::string& name, bool due, const Make& make);
  bool Intact(const std::string& name) const;
  Status Put(const std::string& name, std::string_view content);
  Status Put(const std::string& name, std::string_view content, std::size_t hash);

  const std::filesystem::path folder_;
  const std::filesystem::path file_;
  std::map<std::string, Written> written_;
  std::map<std::string, Failure> failed_;
  Restless restless_;
  PassState pass_;
};

}  // namespace backplane::netalertx
