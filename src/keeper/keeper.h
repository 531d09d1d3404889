// The keeper's loop: starts processes for one daemon, reads their output, and sees to it that
// nothing of a run outlives it.
#pragma once

#include <filesystem>

#include "base/files.h"
#include "base/result.h"

namespace backplane::keeper {

/// Takes `folder`, kills what an earlier keeper left, then serves the daemon at the other end
/// of `socket` until that end closes; then kills everything it started and returns. Only for a
/// single-threaded process, which becomes the reaper of all its descendants and keeps its
/// signals blocked. An error is also sent to the daemon.
Status ServeKeeper(Fd socket, const std::filesystem::path& folder);

}  // namespace backplane::keeper
