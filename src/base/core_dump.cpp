#include "base/core_dump.h"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace backplane {

void ForbidCoreDumps() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  // The limit does not hold where the kernel pipes dumps into a program; this does.
  prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace backplane
