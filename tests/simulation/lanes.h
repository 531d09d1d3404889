// The lanes of a simulated world.
#pragma once

#include <cstddef>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "checker.h"
#include "dispatch/guard.h"
#include "model/run.h"
#include "store.h"

namespace backplane::simulation {

inline constexpr std::size_t kPlugins = 3;      ///< of many targets
inline constexpr std::size_t kTargets = 1'000;  ///< of each

struct LaneSetup {
  LaneKey key;
  std::vector<Trigger> triggers;
  dispatch::Pace pace;
  LaneRules rules;
  bool silent = false;  ///< its target never answers
  bool there = true;
};

/// `mixed` lanes of every kind, then those of the plugins of many targets, plugin by plugin.
std::vector<LaneSetup> MakeLanes(std::size_t mixed, Rng& rng);
/// Its number among them.
LaneIndex IndexOf(const LaneKey& key);

Millis Between(Rng& rng, Millis least, Millis most);

}  // namespace backplane::simulation
