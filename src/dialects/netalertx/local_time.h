// Times as people in a zone read them.
#pragma once

#include <string>

#include "base/time.h"

namespace backplane::netalertx {

/// "2026-08-22T12:00:00+02:00". A zone that is empty or unknown is UTC.
std::string LocalIso(TimePoint at, const std::string& zone);

}  // namespace backplane::netalertx
