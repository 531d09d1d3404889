// From a result file to records.
#pragma once

#include "plugin/codec.h"

namespace backplane::netalertx {

/// See Codec::Decode. Linear in the size of the file. At most kMostRows rows are taken and at
/// most kMostRefusals refusals listed, the last of which counts the rest.
Batch DecodeOutput(const Manifest& manifest, const Settings& settings, const Settings& all, const Output& output,
                   TimePoint at);

inline constexpr std::size_t kMostRows = 200'000;
inline constexpr std::size_t kMostRefusals = 1'000;
inline constexpr std::size_t kLongestLine = 4 << 20;

}  // namespace backplane::netalertx
