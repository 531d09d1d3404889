// The core's fold: run outcomes, inventory and objects, in one order under one watermark.
//
// Steps of an entry: first its run's outcome ("run.failed"), then its records in order, then, if
// the batch is complete, one look at each object of the plugin for those that are missing. The
// position after the outcome is 1, after n records 1 + n, and after the look at an object
// 1 + all records + the object's id.
#pragma once

#include "ingest/fold.h"

namespace backplane::ingest {

class CoreFold final : public Fold {
 public:
  std::string_view name() const override { return "core"; }
  Progress Apply(store::Connection& connection, const OpenEntry& open, std::int64_t position,
                 const Budget& budget) override;
};

}  // namespace backplane::ingest
