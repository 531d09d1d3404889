// Steps of the core fold that concern the inventory: what somebody has seen or knows becomes entities with fields,
// claims and events.
#pragma once

#include "ingest/fold.h"

namespace backplane::ingest {

/// Events: "device.new" for a new entity, "device.changed" with the fields that changed, and those of presence.h.
/// Returns the entity; 0 if the observation names none.
///
/// Of nobody's fields a new entity has the entry's defaults; they have no claim. An observation with a MAC address by
/// whose names nobody is known is of the one present entity that has the address which it claims, if that has no MAC
/// address: of a resource, say, that is scanned later. What a source says again just as it said it last is not judged
/// again, but after Inventory::JudgeAgain(). A claim that is none of its field's values does not count.
EntityId ApplyObservation(FoldContext& context, const Observation& observation);

/// The same for what somebody knows without having seen it. Who is not known becomes known by it, if the record says by
/// what names, and is not there; an entity that is gone is left alone.
void ApplyClaims(FoldContext& context, const ClaimsRecord& record);

}  // namespace backplane::ingest
