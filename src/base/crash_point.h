// Named places where the fault suite kills the program.
#pragma once

#include <string_view>

namespace backplane {

/// Kills the process with SIGKILL when the environment says so:
/// BACKPLANE_CRASH_AT="accept.before:3" dies at the third arrival at "accept.before". Costs one
/// load when the variable is unset. Thread-safe.
void CrashPoint(std::string_view name);

}  // namespace backplane
