// What a source knows of devices, as records: without what is so already, and what would not win.
#pragma once

#include <string_view>
#include <vector>

#include "model/record.h"
#include "store/inventory.h"

namespace backplane::netalertx {

class ClaimList {
 public:
  ClaimList(store::Connection& core, TimePoint now) : inventory_(core, kDefaultOrg), now_(now) {}

  /// Claims of one entity come one after another.
  void Add(const store::Entity& entity, std::string_view source, Claim claim);
  std::vector<Record> Take() { return std::move(records_); }

 private:
  bool Changes(const store::Entity& entity, std::string_view source, const Claim& claim);

  store::Inventory inventory_;
  const TimePoint now_;
  EntityId looked_at_ = 0;  // whose are the claims and locks
  std::vector<store::ClaimRow> claims_;
  std::vector<std::string> locks_;
  std::vector<Record> records_;
};

}  // namespace backplane::netalertx
