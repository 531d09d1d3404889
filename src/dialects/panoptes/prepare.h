// From a manifest and a resource to an interpreter with a request.
#pragma once

#include "plugin/codec.h"

namespace backplane::panoptes {

/// See Codec::Prepare. Of the settings snmp_community counts: it replaces the one of the site.
/// kUnavailable: the request could not be written, or what is known of a
/// resource not be read.
Result<Invocation> PrepareRun(const Manifest& manifest, const Settings& settings, const RunContext& context);

}  // namespace backplane::panoptes
