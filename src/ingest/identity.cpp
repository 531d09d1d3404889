#include "ingest/identity.h"

namespace backplane::ingest {

bool ClaimWins(const FieldState& field, std::string_view source, const Claim& claim) {
  if (claim.value.empty() || field.locked) return false;
  if (field.source == kPersonSource && source != kPersonSource) return false;
  switch (claim.policy) {
    case ClaimPolicy::kAlways: return true;
    case ClaimPolicy::kIfEmpty: return field.value.empty();
    case ClaimPolicy::kDefault: return field.value.empty() || field.source == source;
  }
  return false;
}

}  // namespace backplane::ingest
