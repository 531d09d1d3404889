// Values of an entity's fields, and what becomes of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "ingest/fold.h"
#include "store/inventory.h"

namespace backplane::ingest {

/// Whether a value, which may be empty, is one of a field of this kind.
bool Fits(FieldKind kind, std::string_view value);

/// {"name": {"from": "a", "to": "b"}} for an event.
using Changes = Json;

/// Gives a field its value, and tells of it if that is another.
void Change(store::Entity& entity, std::size_t index, const std::string& value, Changes& changes);

/// What a source says of a field; null if it says nothing.
const store::ClaimRow* FindClaim(const std::vector<store::ClaimRow>& claims, std::string_view field,
                                 std::string_view source);

/// {"name": "a"}: the fields that have a value.
Json FieldsOf(const store::Entity& entity);

void AppendEntityEvent(FoldContext& context, const std::string& topic, EntityId entity, const Json& body);

}  // namespace backplane::ingest
