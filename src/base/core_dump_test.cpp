#include "base/core_dump.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace backplane {
namespace {

TEST(CoreDump, IsForbiddenToUsAndToWhatWeStart) {
  const pid_t child = fork();
  if (child == 0) {
    ForbidCoreDumps();
    rlimit limit{1, 1};
    const bool forbidden = prctl(PR_GET_DUMPABLE) == 0 && getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0;
    // We may still look at ourselves, whoever we are.
    char target[256];
    const bool readable = readlink("/proc/self/exe", target, sizeof target) > 0;
    _exit(forbidden && readable ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace backplane
