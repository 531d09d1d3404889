// Forks one child and holds it at a gate, in front of execve(), until its handle is on disk.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "base/files.h"
#include "base/result.h"
#include "keeper/protocol.h"

namespace backplane::keeper {

struct Child {
  pid_t pid = 0;
  Fd process;  ///< pidfd
  Fd output;   ///< standard output and error; does not block
  Fd gate;     ///< one byte opens it; closing it unused ends the child
  Fd status;   ///< why execve() was not reached, see StartError(); does not block
};

/// Only for a single-threaded process. The child leads its own session, dies with the keeper,
/// has no descriptor but 0, 1 and 2, default signal handling, no core dumps, and cannot gain
/// privileges. kNotFound, kDenied: the program; kUnavailable: no process or descriptor left.
Result<Child> ForkChild(const SpawnRequest& request, const std::string& mark);

/// Why the child ended before it became the program; nothing if it did become it. Ask when it
/// has ended.
std::optional<std::string> StartError(const Child& child, const SpawnRequest& request);

}  // namespace backplane::keeper
