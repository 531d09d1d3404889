// The ecosystems whose plugins this program runs.
#pragma once

#include "plugin/codec.h"

namespace backplane {

/// One codec for each dialect, in the order in which they are asked to recognise a path.
DialectList MakeDialects();

}  // namespace backplane
