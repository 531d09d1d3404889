#include "base/crash_point.h"

#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace backplane {
namespace {

// Passes the points in a process of its own. Returns how many it survived; all of them if it was not killed.
int Survived(const char* plan, const std::vector<std::string>& points) {
  int ends[2];
  if (pipe(ends) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    if (plan != nullptr)
      setenv("BACKPLANE_CRASH_AT", plan, 1);
    else
      unsetenv("BACKPLANE_CRASH_AT");
    for (const std::string& point : points) {
      CrashPoint(point);
      if (write(ends[1], "x", 1) != 1) _exit(1);
    }
    _exit(0);
  }
  close(ends[1]);
  int survived = 0;
  char byte = 0;
  while (read(ends[0], &byte, 1) == 1) ++survived;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  EXPECT_EQ(killed, survived < static_cast<int>(points.size()));
  return survived;
}

TEST(CrashPoint, DiesAtTheArrivalThatThePlanNames) {
  EXPECT_EQ(Survived("a:3", {"a", "b", "a", "a", "a"}), 3);
  EXPECT_EQ(Survived("a", {"b", "a"}), 1);
  EXPECT_EQ(Survived("accept.before:1", {"accept.before"}), 0);
}

TEST(CrashPoint, OtherwiseLives) {
  EXPECT_EQ(Survived(nullptr, {"a", "a", ""}), 3);
  EXPECT_EQ(Survived("a:3", {"a", "a", "b"}), 3);
  EXPECT_EQ(Survived("a", {"b", "aa"}), 2);
}

}  // namespace
}  // namespace backplane
