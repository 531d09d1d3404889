// Steps of the core fold that concern resources: what plugins run about comes, changes and ends,
// and enrichments with it.
#pragma once

#include <cstdint>

#include "ingest/fold.h"
#include "store/resources.h"

namespace backplane::ingest {

/// Events: "resource.new", and "resource.changed" when metadata or entity differ. Nothing happens if its entity was
/// deleted meanwhile.
///
/// A resource that names no entity is of the one that goes by its path. If there is none, it is of the one present
/// device that has its endpoint as address or, if none has, is called as its endpoint or id are, by name or fqdn;
/// unless there are several, or that device is another resource already. Else it makes an entity.
void ApplyResource(FoldContext& context, const ResourceRecord& record);

/// Ends a resource that the entry's plugin had reported ("resource.removed").
void ApplyResourceGone(FoldContext& context, const ResourceGone& gone);

/// Events: "resource.removed" with `reason`, and "resource.changed".
void EndResource(FoldContext& context, const store::StoredResource& stored, const char* reason);
void MoveResource(FoldContext& context, store::StoredResource stored, EntityId to);

/// Event: "enrichment.changed" when its watch key differs.
void ApplyEnrichment(FoldContext& context, const EnrichmentRecord& record);

struct ResourcesLook {
  std::int64_t last = 0;  ///< id of the last resource looked at, or what was given as `after`
  int looked = 0;
  bool end = false;  ///< there are no more
};
/// Looks at up to `limit` resources of the entry's plugin, by id, after `after` and up to `upto`;
/// those that the entry left out, though it reported others of their site, end.
ResourcesLook EndMissingResources(FoldContext& context, std::int64_t after, std::int64_t upto, int limit);

/// Ends some of what has expired by the time of the entry; true if nothing is left.
bool EndExpired(FoldContext& context);

}  // namespace backplane::ingest
