// Runs scheduler, dispatcher and guard through crashes, pauses and clock jumps, and checks from
// outside that they keep their promises. Exit code 1 and the seed if they do not.
//
//   simulation [--jobs N] [--seed S] [--lanes N] [--break guard|slot|fencing|pace|share]
//
// The same arguments give the same run. --break breaks what surrounds the code under test, so that
// the suite can see the checker notice.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/time.h"
#include "world.h"

namespace backplane::simulation {
namespace {

std::optional<WorldOptions> ParseArguments(int argc, char** argv) {
  WorldOptions options;
  options.seed = std::random_device{}();
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i], value = argv[i + 1];
    char* end = nullptr;
    const auto number = std::strtoull(argv[i + 1], &end, 10);
    const bool numeric = !value.empty() && *end == '\0';
    if (name == "--break") {
      if (value == "guard")
        options.broken = Break::kGuard;
      else if (value == "slot")
        options.broken = Break::kSlot;
      else if (value == "fencing")
        options.broken = Break::kFencing;
      else if (value == "pace")
        options.broken = Break::kPace;
      else if (value == "share")
        options.broken = Break::kShare;
      else
        return std::nullopt;
    } else if (!numeric) {
      return std::nullopt;
    } else if (name == "--jobs") {
      options.jobs = static_cast<std::int64_t>(number);
    } else if (name == "--seed") {
      options.seed = number;
    } else if (name == "--lanes" && number > 0) {
      options.lanes = number;
    } else {
      return std::nullopt;
    }
  }
  if (argc % 2 == 0) return std::nullopt;
  return options;
}

void Report(const World& world, Millis took) {
  const Checker& checker = world.checker();
  const WorldCounts& counts = world.counts();
  fmt::print("{} jobs answered: {} started, {} results stored", checker.answered(), checker.started(),
             checker.accepted());
  for (const auto& [reason, count] : checker.drops()) fmt::print(", {} {}", count, reason);
  fmt::print(
      "\n{} crashes, {} clock jumps, {} pauses, {} late results, {} removals, {} calls, {} cancels, {} "
      "changes, {} rescans, {} outages\n",
      counts.crashes, counts.clock_jumps, counts.pauses, counts.late_results, counts.removals, counts.calls,
      counts.cancels, counts.changes, counts.rescans, counts.outages);
  fmt::print("{} of simulated time, {} steps, {} ms; digest {:016x}\n", FormatDuration(world.now()), counts.steps,
             took.count(), checker.digest());
}

// A short run, twice: equal seeds must give equal runs, or a failing one could not be replayed.
bool Replays(WorldOptions options) {
  options.jobs = std::min<std::int64_t>(options.jobs, 5'000);
  World first(options), second(options);
  first.Run();
  second.Run();
  return first.checker().digest() == second.checker().digest();
}

int Main(int argc, char** argv) {
  const auto options = ParseArguments(argc, argv);
  if (!options) {
    fmt::print(stderr, "usage: simulation [--jobs N] [--seed S] [--lanes N] [--break guard|slot|fencing|pace|share]\n");
    return 2;
  }
  fmt::print("seed {}\n", options->seed);
  std::fflush(stdout);
  if (!Replays(*options)) {
    fmt::print("violation: two runs with seed {} differ\n", options->seed);
    return 1;
  }
  const auto begin = std::chrono::steady_clock::now();
  World world(*options);
  world.Run();
  Report(world, std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - begin));
  const auto& violations = world.checker().violations();
  if (violations.empty()) return 0;
  for (std::size_t i = 0; i < violations.size() && i < kMostViolations; ++i)
    fmt::print("violation: {}\n", violations[i]);
  fmt::print("replay with: simulation --seed {} --jobs {} --lanes {}\n", options->seed, options->jobs, options->lanes);
  return 1;
}

}  // namespace
}  // namespace backplane::simulation

int main(int argc, char** argv) { return backplane::simulation::Main(argc, argv); }
