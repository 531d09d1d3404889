// Steps of the core fold that concern objects: reported things become rows with a status.
#pragma once

#include "ingest/fold.h"

namespace backplane::ingest {

/// Events: "object.new", and "object.changed" when its watched values changed or it is back
/// from missing.
void ApplyObject(FoldContext& context, const ObjectRecord& object);

/// Looks at up to `limit` objects of the entry's plugin, of which `done` were looked at before;
/// those that the entry left out become missing ("object.missing"). Returns how many it looked
/// at: fewer than `limit` means that there are no more.
int MarkMissingObjects(FoldContext& context, std::int64_t done, int limit);

}  // namespace backplane::ingest
