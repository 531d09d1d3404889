// Tells one store from another.
#pragma once

#include <cstdint>

#include "store/database.h"

namespace backplane::store {

/// A random number, never 0, made up when it is first asked for and the same ever after. Writes.
std::int64_t StoreIdentity(Connection& connection);

}  // namespace backplane::store
