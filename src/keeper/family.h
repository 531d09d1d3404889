// Which run each descendant of the keeper belongs to.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "keeper/proc.h"

namespace backplane::keeper {

/// What is needed of a run to recognise its processes.
struct Kin {
  std::int64_t id = 0;
  pid_t main = 0;  ///< not waited for yet, so that no other process or group has its number
  std::string mark;
};

/// A living process below the keeper, and its run; `run` 0: it left its group and took off its
/// mark, and its parents are dead.
struct Member {
  ProcessStat stat;
  std::int64_t run = 0;
};

struct Family {
  std::vector<Member> members;  ///< every living descendant of this process
  /// Some child died meanwhile, perhaps after it had forked: what is not among `members` may
  /// still be there.
  bool changing = false;
};

/// Waits for dead orphans on the way. A process belongs to the run of its parent; an orphan to the run whose group or
/// session it is in, else to the one whose mark it carries.
Family LookAtFamily(const std::vector<Kin>& runs);

}  // namespace backplane::keeper
