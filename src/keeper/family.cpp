#include "keeper/family.h"

#include <algorithm>
#include <set>

#include <sys/wait.h>
#include <unistd.h>

namespace backplane::keeper {
namespace {

std::int64_t RunOf(const std::vector<Kin>& runs, const ProcessStat& stat) {
  for (const Kin& kin : runs)
    if (stat.pid == kin.main || stat.group == kin.main || stat.session == kin.main) return kin.id;
  const std::string mark = ReadMark(stat.pid);
  for (const Kin& kin : runs)
    if (kin.mark == mark) return kin.id;
  return 0;
}

}  // namespace

Family LookAtFamily(const std::vector<Kin>& runs) {
  Family family;
  std::vector<Member>& members = family.members;
  std::set<pid_t> seen;
  const auto is_main = [&](pid_t pid) {
    return std::any_of(runs.begin(), runs.end(), [pid](const Kin& kin) { return kin.main == pid; });
  };
  for (const pid_t pid : ChildrenOf(getpid())) {
    const auto stat = ReadProcessStat(pid);
    if (stat && stat->Alive()) {
      if (seen.insert(pid).second) members.push_back({*stat, RunOf(runs, *stat)});
    } else if (!is_main(pid)) {
      family.changing = true;
      waitpid(pid, nullptr, WNOHANG);
    }
  }
  // `members` grows while it is walked: a breadth-first walk down the tree.
  for (std::size_t i = 0; i < members.size(); ++i) {
    for (const pid_t pid : ChildrenOf(members[i].stat.pid)) {
      const auto stat = ReadProcessStat(pid);
      if (stat && stat->Alive() && seen.insert(pid).second) members.push_back({*stat, members[i].run});
    }
  }
  return family;
}

}  // namespace backplane::keeper
