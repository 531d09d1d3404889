// The tables, indexes and views of app.db that scripts and clients of the ecosystem know.
#pragma once

#include <string>
#include <string_view>

namespace backplane::netalertx {

/// Makes what is missing of tables and indexes; may be run again.
std::string_view AppDbSchema();

/// Makes the views anew. A device that can sleep is asleep for `sleep_minutes` after it was last seen.
std::string AppDbViews(int sleep_minutes);

}  // namespace backplane::netalertx
