#include "ingest/series_ids.h"

#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace backplane::ingest {
namespace {

// About 80 bytes each.
constexpr std::size_t kMostKnown = 300'000;

// As the store has them: by name, whatever order they came in.
std::string Dimensions(const MetricsRecord& record) {
  return DumpJson(std::map<std::string, std::string>(record.dimensions.begin(), record.dimensions.end()));
}

std::string MetricKey(const Measurement& metric) { return metric.name + MetricKindName(metric.kind)[0]; }

}  // namespace

Result<std::vector<store::SeriesId>> SeriesIds::Of(store::Database& samples, OrgId org,
                                                   const std::vector<MetricsRecord>& records) {
  if (known_ > kMostKnown) Clear();
  struct Wanted {
    const MetricsRecord& record;
    const Measurement& metric;
    store::SeriesId& id;  // 0: not known yet
  };
  std::vector<Wanted> wanted;
  bool any_new = false;
  for (const MetricsRecord& record : records) {
    Group& group = GroupOf(org, record);
    for (const Measurement& metric : record.measurements) {
      const auto [known, is_new] = group.ids.try_emplace(MetricKey(metric));
      known_ += is_new ? 1 : 0;
      any_new |= known->second == 0;
      wanted.push_back({record, metric, known->second});
    }
  }
  std::vector<store::SeriesId> ids;
  const auto make_new = [&](store::Connection& connection) -> Status {
    store::SeriesTable table(connection, org);
    for (const auto& [record, metric, id] : wanted)
      ids.push_back(id != 0 ? id
                            : table.Put({.resource = record.resource,
                                         .group = record.group,
                                         .dimensions = Dimensions(record),
                                         .name = metric.name,
                                         .kind = metric.kind,
                                         .endpoint = record.endpoint,
                                         .interval = record.interval,
                                         .last_hour = store::HourOf(metric.at)}));
    return {};
  };
  if (any_new) {
    BACKPLANE_TRY(samples.Write(make_new));
    for (std::size_t i = 0; i < ids.size(); ++i) wanted[i].id = ids[i];
  } else {
    for (const Wanted& one : wanted) ids.push_back(one.id);
  }
  return ids;
}

void SeriesIds::Clear() {
  groups_.clear();
  known_ = 0;
}

SeriesIds::Group& SeriesIds::GroupOf(OrgId org, const MetricsRecord& record) {
  Group& group = groups_[fmt::format("{}|{}|{}|{}|{}{}", org, record.resource.size(), record.resource,
                                     record.group.size(), record.group, Dimensions(record))];
  // What the store says of these series is no longer right: Put() brings it up to date.
  if (group.endpoint != record.endpoint || group.interval != record.interval) {
    known_ -= group.ids.size();
    group.ids.clear();
    group.endpoint = record.endpoint;
    group.interval = record.interval;
  }
  return group;
}

}  // namespace backplane::ingest
