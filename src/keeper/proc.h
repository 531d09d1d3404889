// Processes as /proc shows them, and killing exactly those that were meant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/files.h"

namespace backplane::keeper {

struct ProcessStat {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  char state = '?';
  std::uint64_t start_time = 0;  ///< ticks since boot; with `pid` it names a process for good
  bool Alive() const { return state != 'Z' && state != 'X'; }
};

/// Nothing if there is no such process.
std::optional<ProcessStat> ReadProcessStat(pid_t pid);
/// Every process that is visible here.
std::vector<pid_t> AllProcesses();
/// The direct children of `parent`, dead ones that were not waited for included.
std::vector<pid_t> ChildrenOf(pid_t parent);
/// The mark that the keeper gave to this process or an ancestor; empty if none can be seen.
std::string ReadMark(pid_t pid);
/// Changes at each boot; empty if unknown.
std::string BootId();
/// A pidfd, readable once the process has ended; empty if there is no such process.
Fd OpenProcess(pid_t pid);
/// Sends `signal` to that process, but not to a later one with the same number. Whether it was sent.
bool SignalExactly(pid_t pid, std::uint64_t start_time, int signal);

/// "killed by signal 9 (SIGKILL)".
std::string SignalText(int signal);

}  // namespace backplane::keeper
