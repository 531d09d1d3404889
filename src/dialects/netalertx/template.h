// A new plugin, made of the template.
#pragma once

#include "plugin/codec.h"

namespace backplane::netalertx {

/// See Codec::MakePlugin. Without a short name the prefix is the name in capitals, without what joins its words.
Status MakeFromTemplate(const NewPlugin& wanted);

}  // namespace backplane::netalertx
