#include "base/crash_point.h"

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <string>

#include <unistd.h>

namespace backplane {
namespace {

struct Plan {
  std::string name;
  long countdown = 1;

  Plan() {
    const char* text = std::getenv("BACKPLANE_CRASH_AT");
    if (text == nullptr) return;
    const std::string_view whole(text);
    const auto colon = whole.rfind(':');
    name = whole.substr(0, colon);
    if (colon != std::string_view::npos)
      std::from_chars(whole.data() + colon + 1, whole.data() + whole.size(), countdown);
  }
};

}  // namespace

void CrashPoint(std::string_view name) {
  static const Plan plan;
  if (plan.name.empty() || plan.name != name) return;
  static std::atomic<long> left{plan.countdown};
  if (left.fetch_sub(1) == 1) kill(getpid(), SIGKILL);
}

}  // namespace backplane
