// From the result of a run to records.
#pragma once

#include "plugin/codec.h"

namespace backplane::panoptes {

/// The file, in the folder of the run, that holds its result.
inline constexpr const char* kResultFile = "result.json";
inline constexpr std::size_t kMostMeasurements = 200'000;

/// See Codec::Decode. Takes all of the result or, with the reason in Batch::failure, nothing.
Batch DecodeOutput(const Manifest& manifest, const Output& output, TimePoint at);

/// Whether `name` can be that of a metric, a dimension or of metadata: a letter or '_', then letters,
/// digits and '_'. What is not ASCII counts as a letter: the framework has looked at it.
bool IsWord(std::string_view name);

}  // namespace backplane::panoptes
