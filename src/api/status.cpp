// /status: how the daemon is.
#include <algorithm>

#include <unistd.h>
#include <nlohmann/json.hpp>

#include "api/api.h"
#include "store/events.h"
#include "store/inventory.h"
#include "store/journal.h"

namespace backplane::api {

std::vector<Endpoint> StatusEndpoints(const ApiParts& parts) {
  return {{"GET",
           "/status",
           Permission::kRead,
           "Version, process and how much there is.",
           {},
           [&parts](const Call& call) -> Result<Reply> {
             Json body = {{"version", BACKPLANE_VERSION},
                          {"pid", getpid()},
                          {"epoch", parts.host.epoch()},
                          {"plugins", parts.host.catalog()->plugins().size()}};
             BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
               body["devices"] = store::Inventory(connection, call.org()).Count();
               body["last_event"] = store::Events(connection, call.org()).Last();
               const EntryId folded = store::GetWatermark(connection, "core").entry;
               // A journal that has forgotten everything ends where the fold stands.
               body["journal"] = {{"last", std::max(store::LastEntry(connection), folded)}, {"folded", folded}};
               return {};
             }));
             return Reply{std::move(body)};
           }}};
}

}  // namespace backplane::api
