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
           "Version, process, the scan pass that is open, and how much there is.",
           {},
           [&parts](const Call& call) -> Result<Reply> {
             // The process and its journal are those of the whole installation.
             const bool ours = call.org() == kDefaultOrg;
             Json body = {{"version", BACKPLANE_VERSION},
                          {"pid", ours ? Json(getpid()) : Json(nullptr)},
                          {"epoch", ours ? Json(parts.host.epoch()) : Json(nullptr)},
                          {"cycle", ours && parts.cycles.open() != 0 ? Json(parts.cycles.open()) : Json(nullptr)},
                          {"plugins", CatalogOf(parts, call.org())->plugins().size()}};
             BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
               body["devices"] = store::Inventory(connection, call.org()).Count();
               body["last_event"] = store::Events(connection, call.org()).Last();
               body["journal"] = nullptr;
               if (!ours) return {};
               const EntryId folded = store::GetWatermark(connection, "core").entry;
               // A journal that has forgotten everything ends where the fold stands.
               body["journal"] = {{"last", std::max(store::LastEntry(connection), folded)}, {"folded", folded}};
               return {};
             }));
             return Reply{std::move(body)};
           }}};
}

}  // namespace backplane::api
