#include "dialects/netalertx/local_time.h"

#include <exception>

#include <date/tz.h>

namespace backplane::netalertx {

std::string LocalIso(TimePoint at, const std::string& zone) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  constexpr const char* kFormat = "%Y-%m-%dT%H:%M:%S%Ez";
  try {
    return date::format(kFormat, date::make_zoned(zone.empty() ? "UTC" : zone, seconds));
  } catch (const std::exception&) {
    return date::format(kFormat, date::make_zoned("UTC", seconds));
  }
}

}  // namespace backplane::netalertx
