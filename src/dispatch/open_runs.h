// Runs that an earlier daemon left open.
#pragma once

#include "dispatch/host.h"

namespace backplane::dispatch {

/// Closes them as interrupted, each with what it had left in its folder of results. The processes of
/// that daemon must be gone, and no lane may have a new token yet. Fails if the store does.
Status CloseOpenRuns(const HostParts& parts);

}  // namespace backplane::dispatch
