// Keeps the host's lanes in step with the resources of the store.
#pragma once

#include <memory>

#include "dispatch/host.h"
#include "events/follower.h"

namespace backplane::dispatch {

/// Tells the host every resource there is before it returns, and what becomes of them until what it
/// returned ends. Everything referred to outlives that.
Result<std::unique_ptr<events::Follower>> WatchResources(Host& host, store::Database& database, events::Bus& bus);

}  // namespace backplane::dispatch
