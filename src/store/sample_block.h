// Samples of one series as bytes: a few per sample instead of a row each.
//
// A block is a version byte, the number of samples, their times, their values; whole numbers are
// LEB128 varints, signed ones zigzag. Of a time it has the change of the distance to the time
// before, so that regular times are one zero byte each. Values lie in runs of one type, each with
// its length: of an integer its difference from the integer before, of a double the XOR of its
// bits with the double before, without the zero bytes at both ends.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace backplane::store {

/// As in Measurement: a whole number stays one. Finite.
using SampleValue = std::variant<std::int64_t, double>;

struct Sample {
  TimePoint at;
  SampleValue value;
  bool operator==(const Sample&) const = default;
};

/// `samples` by time, no time twice.
std::string EncodeBlock(const std::vector<Sample>& samples);

/// What EncodeBlock was given, exactly. kInvalid: not a block; any bytes may be tried.
Result<std::vector<Sample>> DecodeBlock(std::string_view bytes);

/// Both, by time, no time twice: of samples of one time the last of `more` stays. `more` may be in
/// any order, `samples` is by time. Merging the same again changes nothing.
std::vector<Sample> MergeSamples(std::vector<Sample> samples, const std::vector<Sample>& more);

}  // namespace backplane::store
