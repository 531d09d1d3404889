// Asking for what must not be seen.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace backplane::cli {

/// From standard input: if it is a terminal one line, asked for with `prompt` and not echoed; else all
/// of it, without the line end at its end. kInvalid: more than `limit` bytes; kUnavailable: it cannot be
/// read, or nothing was given.
Result<Secret> AskSecret(const std::string& prompt, std::size_t limit);

}  // namespace backplane::cli
