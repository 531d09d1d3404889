#include "dialects/netalertx/claim_list.h"

#include <algorithm>

#include "ingest/identity.h"

namespace backplane::netalertx {

void ClaimList::Add(const store::Entity& entity, std::string_view source, Claim claim) {
  if (!Changes(entity, source, claim)) return;
  auto* last = records_.empty() ? nullptr : &std::get<ClaimsRecord>(records_.back());
  if (last == nullptr || last->entity != entity.id || last->source != source)
    last = &std::get<ClaimsRecord>(records_.emplace_back(ClaimsRecord{entity.id, std::string(source), {}, now_}));
  last->claims.push_back(std::move(claim));
}

bool ClaimList::Changes(const store::Entity& entity, std::string_view source, const Claim& claim) {
  const std::string& present = entity.Field(claim.field);
  if (claim.value.empty() || claim.value == present) return false;
  if (claim.policy == ClaimPolicy::kIfEmpty && !present.empty()) return false;
  // Of a device that has only just become known nobody has said or locked anything else.
  if (entity.revision == 1 && present.empty()) return true;
  if (looked_at_ != entity.id) {
    looked_at_ = entity.id;
    claims_ = inventory_.Claims(entity.id);
    locks_ = inventory_.Locks(entity.id);
  }
  std::string_view owner;
  for (const store::ClaimRow& row : claims_) {
    if (row.field != claim.field) continue;
    if (row.source == source && row.value == claim.value) return false;  // it was said before, and did not win
    if (row.wins) owner = row.source;
  }
  const bool locked = std::find(locks_.begin(), locks_.end(), claim.field) != locks_.end();
  return ingest::ClaimWins({present, owner, locked}, source, claim);
}

}  // namespace backplane::netalertx
