// What people are to be told: the sections of a report, and what becomes of the events that wait.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/record.h"
#include "plugin/manifest.h"
#include "store/database.h"

namespace backplane::netalertx {

struct ReportSection {
  std::string_view name;  ///< as settings and templates call it
  std::string_view title;
  std::vector<std::string_view> columns;
  std::vector<std::vector<std::string>> rows;  ///< in the order of `columns`
};
enum SectionIndex : std::size_t { kNewDevices, kDownDevices, kDownReconnected, kEvents, kPlugins, kSections };
using Report = std::array<ReportSection, kSections>;

/// Without rows.
Report EmptyReport();

struct ReportDecision {
  Report report;
  std::vector<std::int64_t> told;     ///< events that are in the report
  std::vector<std::int64_t> dropped;  ///< events of which nobody need be told
  std::int64_t reports_upto = 0;      ///< the last line of objects' reports; 0: there are none
  bool empty = true;                  ///< the report has no row
};

/// Decides about everything that waits; what is in neither list waits on. A condition that cannot be read is none.
/// Linear in what waits.
ReportDecision DecideReport(store::Connection& core, const Settings& settings, TimePoint now);

/// Of each setting NTFPRCS_*_condition that cannot be read, its key and why.
std::vector<std::string> UnreadableConditions(const Settings& settings);

/// Devices whose time to sleep is over.
std::vector<Record> OversleptDevices(store::Connection& core, const Settings& settings, TimePoint now);

}  // namespace backplane::netalertx
