// What a page shows of a plugin: its manifest's settings as forms, and its columns.
#pragma once

#include <string_view>

#include "plugin/presentation.h"

namespace backplane::netalertx {

/// See Codec::Present.
Presentation PresentManifest(const Manifest& manifest, std::string_view language);

}  // namespace backplane::netalertx
