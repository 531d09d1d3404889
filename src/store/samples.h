// Samples of metrics, in a file of their own: blocks of one hour of one series.
//
// Written for many series that are measured regularly: a write of the present touches neighbouring
// rows, and an hour is forgotten as a whole.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/ids.h"
#include "model/record.h"
#include "store/database.h"
#include "store/sample_block.h"

namespace backplane::store {

using SeriesId = std::int64_t;
using Hour = std::int64_t;  ///< since 1970 UTC

Hour HourOf(TimePoint at);

/// What is measured again and again. One per resource, group, dimensions, name and kind.
struct Series {
  SeriesId id = 0;
  std::string resource;  ///< ResourcePath(); empty: about no resource
  std::string group;
  std::string dimensions;  ///< a JSON object of texts, by name
  std::string name;
  MetricKind kind = MetricKind::kGauge;
  std::string endpoint;  ///< as last reported
  Millis interval{0};    ///< as last reported; 0: unknown
  Hour last_hour = 0;    ///< that has samples
};

struct SeriesFilter {
  std::string resource;  ///< part of its path, without regard to case; empty: all
  std::string group;     ///< exactly; empty: all
  std::string name;      ///< exactly; empty: all
  std::vector<std::pair<std::string, std::string>> dimensions;  ///< those that it must have
  SeriesId after = 0;
  int limit = 100;
};

/// Series of one organisation.
class SeriesTable {
 public:
  SeriesTable(Connection& connection, OrgId org) : db_(connection), org_(org) {}

  /// Makes it, or brings its endpoint and interval up to date. `id` is not read; returns it.
  SeriesId Put(const Series& series);
  std::optional<Series> Get(SeriesId id);
  std::vector<Series> List(const SeriesFilter& filter);

 private:
  Connection& db_;
  OrgId org_;
};

/// Key of the block of one hour. Ordered by hour, then by series.
std::int64_t BlockId(SeriesId series, Hour hour);

/// The samples of a block; none if there is no such block. kInternal: the block is damaged.
Result<std::vector<Sample>> ReadBlock(Connection& connection, std::int64_t block);
/// Adds samples of one block, as MergeSamples() does. A damaged block is written anew.
void AddToBlock(Connection& connection, std::int64_t block, const std::vector<Sample>& samples);
/// Forgets up to `limit` blocks of hours before `before`. Returns how many: call again while it is
/// `limit`.
int ForgetBlocks(Connection& connection, Hour before, int limit);
/// The same with series that have no samples since.
int ForgetSeries(Connection& connection, Hour before, int limit);
/// Reads every block; returns how many there are. kInternal names the first damaged one.
Result<std::int64_t> CheckBlocks(Connection& connection);

}  // namespace backplane::store
