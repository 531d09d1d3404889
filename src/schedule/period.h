// How often something runs.
#pragma once

#include <vector>

#include "base/time.h"
#include "model/run.h"
#include "schedule/cron.h"

namespace backplane::schedule {

/// The shortest time from one of the next slots of a trigger to the slot after it: an interval, or of a cron
/// expression the distance of the next two slots after `now`. 0: nothing here runs by time.
Millis PeriodOf(const std::vector<Trigger>& triggers, TimePoint now);

}  // namespace backplane::schedule
