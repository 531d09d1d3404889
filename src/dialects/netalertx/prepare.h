// From a manifest and its settings to a command and the files that its script expects.
#pragma once

#include "plugin/codec.h"

namespace backplane::netalertx {

/// See Codec::Prepare. kInvalid: the command, or a value that it needs, cannot be used; the
/// message names the setting or parameter. kUnavailable: a file could not be written.
Result<Invocation> PrepareRun(const Manifest& manifest, const Settings& settings, const RunContext& context);

/// "last_result.<PREFIX>.log".
std::string ResultFileName(const Manifest& manifest);

}  // namespace backplane::netalertx
