// The core's fold: run outcomes, inventory, presence, objects, resources, enrichments and notifications, in one order
// under one watermark.
//
// Steps of an entry: first its run's outcome ("run.failed") and whom it heard of, then its records in order, then, if
// the batch is complete, one look at each object and each resource of the plugin for those that are missing, and, if it
// looks for all devices and has seen some, one at each entity that the plugin ever saw for those that are gone. The
// position after the outcome is 1, after n records 1 + n, after the look at an object 1 + all records + the object's
// id, after the look at a resource 2^50 + its id, and after that at an entity 2^51 + its id. An entry that says what
// time it is ends what has expired, some at each step. One that says that a pass is over has a look at each entity; its
// position is the entity's id.
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
