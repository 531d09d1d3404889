#include "lanes.h"

#include <array>
#include <string>
#include <utility>

#include "model/resource.h"

namespace backplane::simulation {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Trigger CronTrigger(std::string cron, std::string zone) {
  return {.kind = TriggerKind::kCron, .cron = std::move(cron), .zone = std::move(zone)};
}

constexpr std::size_t kMixedPlugins = 7;

// Lanes of every kind: dense and rare, cron and interval, at any pace or at their own.
LaneSetup MakeLane(std::size_t number, Rng& rng) {
  LaneSetup lane{.key = {kDefaultOrg, "sim:" + std::to_string(number % kMixedPlugins), std::to_string(number)}};
  Millis period{0};
  const auto choice = rng.Below(10);
  if (choice < 6) {
    constexpr std::array<Millis, 6> kPeriods{seconds(1), seconds(5), seconds(15), seconds(30), minutes(1), minutes(10)};
    period = kPeriods[rng.Below(kPeriods.size())];
    lane.triggers.push_back({.kind = TriggerKind::kInterval, .interval = period});
  } else if (choice < 9) {
    const std::array<std::pair<const char*, Millis>, 4> crons{{{"* * * * *", minutes(1)},
                                                               {"*/5 * * * *", minutes(5)},
                                                               {"0 * * * *", hours(1)},
                                                               {"7,37 * * * *", minutes(30)}}};
    const auto& [cron, distance] = crons[rng.Below(crons.size())];
    period = distance;
    lane.triggers.push_back(CronTrigger(cron, rng.Chance(0.3) ? "Europe/Berlin" : ""));
  }  // else: by calls only
  if (rng.Chance(0.1)) lane.triggers.push_back({.kind = TriggerKind::kStart});
  if (rng.Chance(0.4)) lane.pace.min_interval = Between(rng, seconds(1), minutes(2));
  if (rng.Chance(0.2)) lane.pace.results_interval = Between(rng, seconds(1), minutes(5));
  lane.rules = {period, lane.pace.min_interval, lane.pace.results_interval, kPlugins + number % kMixedPlugins, false};
  return lane;
}

// One of a plugin's many targets. Its pace is that of the slots, and results of the first plugin hold for longer.
LaneSetup MakeTarget(std::size_t plugin, std::size_t number, Rng& rng) {
  constexpr std::array<Millis, kPlugins> kPeriods{minutes(10), minutes(15), minutes(30)};
  const Millis period = kPeriods[plugin];
  LaneSetup lane{.key = {kDefaultOrg, "many:" + std::to_string(plugin),
                         ResourceKey({.site = "hall",
                                      .class_name = "network",
                                      .subclass = "switch",
                                      .type = "sim",
                                      .id = std::to_string(number),
                                      .endpoint = "host",
                                      .plugin = "inventory",
                                      .metadata = {}})}};
  lane.triggers.push_back({.kind = TriggerKind::kInterval, .interval = period});
  lane.pace.min_interval = period - seconds(1);
  if (plugin == 0) lane.pace.results_interval = period * 5 / 2;
  lane.silent = rng.Chance(0.02);
  lane.there = rng.Chance(0.95);
  lane.rules = {period, lane.pace.min_interval, lane.pace.results_interval, plugin, true};
  return lane;
}

}  // namespace

Millis Between(Rng& rng, Millis least, Millis most) {
  return least + Millis(rng.Below(static_cast<std::uint64_t>((most - least).count()) + 1));
}

std::vector<LaneSetup> MakeLanes(std::size_t mixed, Rng& rng) {
  std::vector<LaneSetup> lanes;
  while (lanes.size() < mixed) lanes.push_back(MakeLane(lanes.size(), rng));
  for (std::size_t plugin = 0; plugin < kPlugins; ++plugin)
    for (std::size_t i = 0; i < kTargets; ++i) lanes.push_back(MakeTarget(plugin, lanes.size(), rng));
  return lanes;
}

LaneIndex IndexOf(const LaneKey& key) { return std::stoul(std::string(ResourceIdOf(key.target))); }

}  // namespace backplane::simulation
