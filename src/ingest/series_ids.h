// The ids of series, remembered.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "model/record.h"
#include "store/samples.h"

namespace backplane::ingest {

/// Bounded: forgets all and begins anew when it knows too many. Not thread-safe.
class SeriesIds {
 public:
  /// The ids of the measurements of all `records`, in order. Series that are new are made, in one
  /// transaction.
  Result<std::vector<store::SeriesId>> Of(store::Database& samples, OrgId org,
                                          const std::vector<MetricsRecord>& records);

  /// Series may have been removed.
  void Clear();

 private:
  // The series of one resource, group and dimensions: a long text for all of them.
  struct Group {
    std::string endpoint;
    Millis interval{0};
    std::unordered_map<std::string, store::SeriesId> ids;
  };
  Group& GroupOf(OrgId org, const MetricsRecord& record);

  std::unordered_map<std::string, Group> groups_;
  std::size_t known_ = 0;
};

}  // namespace backplane::ingest
