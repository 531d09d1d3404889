// Lanes as keys of hash tables, and the number that spreads them.
#pragma once

#include <cstdint>
#include <string>

#include "base/text.h"
#include "model/run.h"

namespace backplane::schedule {

/// The same number for the same lane in every version and on every machine.
inline std::uint64_t StableLaneHash(const LaneKey& lane) {
  return StableHash(std::to_string(lane.org) + "/" + lane.plugin + "/" + lane.target);
}

/// For std::unordered_map; not stable across versions.
struct LaneKeyHash {
  std::size_t operator()(const LaneKey& lane) const {
    const std::hash<std::string> hash;
    std::size_t mixed = std::hash<OrgId>()(lane.org);
    mixed = mixed * 0x9E3779B97F4A7C15ULL + hash(lane.plugin);
    return mixed * 0x9E3779B97F4A7C15ULL + hash(lane.target);
  }
};

}  // namespace backplane::schedule
