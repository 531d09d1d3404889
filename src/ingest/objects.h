// Steps of the core fold that concern objects: reported things become rows with a status.
#pragma once

#include "ingest/fold.h"

namespace backplane::ingest {

/// With another watch key than before it has changed, else not; then it keeps the time of its last change, and takes
/// over every other value. Events: "object.new", and "object.changed" when it changed or is back from missing. What
/// has an event has a line in the history; what ends in a status that the entry reports has a report, each time.
void ApplyObject(FoldContext& context, const ObjectRecord& object);

/// Event: "object.removed". Its history stays.
void ApplyObjectGone(FoldContext& context, const ObjectGone& record);

struct ObjectsLook {
  std::int64_t last = 0;  ///< id of the last object looked at, or what was given as `after`
  int looked = 0;
  bool end = false;  ///< there are no more
};
/// Looks at up to `limit` objects of the entry's plugin, by id, after `after` and up to `upto`;
/// those that the entry left out become missing ("object.missing").
ObjectsLook MarkMissingObjects(FoldContext& context, std::int64_t after, std::int64_t upto, int limit);

}  // namespace backplane::ingest
