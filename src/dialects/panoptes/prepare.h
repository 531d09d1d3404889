// From a manifest and a resource to an interpreter with a request.
#pragma once

#include "plugin/codec.h"

namespace backplane::panoptes {

/// See Codec::Prepare. kUnavailable: the request could not be written, or what is known of a
/// resource not be read.
Result<Invocation> PrepareRun(const Manifest& manifest, const RunContext& context);

}  // namespace backplane::panoptes
