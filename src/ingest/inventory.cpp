#include "ingest/inventory.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "ingest/fields.h"
#include "ingest/identity.h"
#include "ingest/presence.h"

namespace backplane::ingest {
namespace {

using store::ClaimRow;
using store::Entity;
using store::Inventory;

const ClaimRow* Winner(const std::vector<ClaimRow>& claims, std::string_view field) {
  for (const ClaimRow& claim : claims)
    if (claim.wins && claim.field == field) return &claim;
  return nullptr;
}

// What one source says of one entity, beside what is known of that.
class Saying {
 public:
  // `anew`: what the source has said before counts again.
  Saying(Inventory& inventory, std::string source, const std::vector<Claim>& claims, TimePoint at, bool anew = false)
      : inventory_(inventory), source_(std::move(source)), claims_(claims), at_(at), anew_(anew) {}

  // Reads what others say of a known entity.
  void Compare(EntityId entity) {
    known_ = inventory_.Claims(entity);
    locks_ = inventory_.Locks(entity);
  }

  /// From now on the claims only fill empty fields.
  void OnlyFill() { only_fills_ = true; }

  bool Differs() const {
    return std::any_of(claims_.begin(), claims_.end(), [this](const Claim& claim) { return Differs(claim); });
  }

  // Saves the claims, and gives the entity the values of those that win.
  Changes Take(Entity& entity) {
    Changes changes = Json::object();
    for (const Claim& claim : claims_) {
      const auto index = store::FieldIndex(claim.field);
      if (!index || !Differs(claim) || !Fits(kDeviceFieldList[*index].kind, claim.value)) continue;
      if (only_fills_ && !entity.fields[*index].empty()) continue;
      const ClaimRow* winner = Winner(known_, claim.field);
      const bool locked = std::find(locks_.begin(), locks_.end(), claim.field) != locks_.end();
      const FieldState field{entity.fields[*index], winner != nullptr ? std::string_view(winner->source) : "", locked};
      const bool wins = ClaimWins(field, source_, claim);
      // The winner that says the same again under a weaker policy stays the winner.
      const bool is_winner = winner != nullptr && winner->source == source_;
      if (wins && winner != nullptr && !is_winner) {
        ClaimRow loser = *winner;
        loser.wins = false;
        inventory_.SaveClaim(entity.id, loser);
      }
      // A source that no longer stands by a value that may not be replaced keeps its row: the
      // value in force must have an owner.
      if (!wins && is_winner) continue;
      inventory_.SaveClaim(entity.id, {claim.field, source_, claim.value, at_, wins});
      if (wins) Change(entity, *index, claim.value, changes);
    }
    return changes;
  }

 private:
  // Whether this source said something else, or nothing, of the field before.
  bool Differs(const Claim& claim) const {
    const ClaimRow* before = FindClaim(known_, claim.field, source_);
    return !claim.value.empty() && (anew_ || before == nullptr || before->value != claim.value);
  }

  Inventory& inventory_;
  const std::string source_;
  const std::vector<Claim>& claims_;
  const TimePoint at_;
  const bool anew_;
  std::vector<ClaimRow> known_;
  std::vector<std::string> locks_;
  bool only_fills_ = false;
};

// Saves what somebody has said of a known entity, which was `before`.
void SaveChanges(FoldContext& context, Entity& entity, const Entity& before, const Changes& changes) {
  if (!changes.empty()) {
    ++entity.revision;
    ++context.changed;
  }
  SaveEntity(context, entity, before);
  if (!changes.empty())
    AppendEntityEvent(context, "device.changed", entity.id, {{"name", entity.Field("name")}, {"changes", changes}});
}

// Saves an entity that has an id and times and becomes known by what somebody says.
void Introduce(FoldContext& context, Entity& entity, Saying& saying) {
  const Entity before{.id = entity.id, .kind = entity.kind, .fields = {}, .present = false};
  entity.revision = 1;
  saying.Take(entity);
  for (const auto& [field, value] : context.entry.defaults)
    if (const auto index = store::FieldIndex(field);
        index && entity.fields[*index].empty() && Fits(kDeviceFieldList[*index].kind, value))
      entity.fields[*index] = value;
  ++context.changed;
  AppendEntityEvent(context, "device.new", entity.id, FieldsOf(entity));
  AppendNewDevice(context, entity);
  SaveEntity(context, entity, before);
}

// A number for everything that the observation says but its time; not 0.
std::int64_t HashOf(const Observation& observation) {
  std::string text;
  for (const Identifier& identifier : observation.identifiers)
    text.append(identifier.scheme).append(1, '\0').append(identifier.value).append(1, '\0');
  for (const Claim& claim : observation.claims)
    text.append(claim.field)
        .append(1, '\0')
        .append(claim.value)
        .append(1, static_cast<char>(1 + static_cast<int>(claim.policy)));
  const auto hash = static_cast<std::int64_t>(StableHash(text));
  return hash != 0 ? hash : 1;
}

class Observing {
 public:
  Observing(FoldContext& context, const Observation& observation)
      : context_(context),
        observation_(observation),
        inventory_(context.connection, context.entry.org),
        saying_(inventory_, observation.source, observation.claims, observation.at),
        told_(HashOf(observation)) {}

  EntityId Run() {
    if (observation_.identifiers.empty()) return 0;  // about nothing: a damaged record
    std::optional<store::KnownEntity> known;
    for (const Identifier& identifier : observation_.identifiers)
      if ((known = inventory_.Find(identifier, observation_.source))) {
        name_ = &identifier;
        break;
      }
    if (!known) known = Twin();
    const EntityId id = known ? known->id : inventory_.Create("device", observation_.at);
    if (known && known->came != 0 && known->told == told_ && known->plugin == context_.entry.plugin) {
      inventory_.Touch(id, LastSeen(context_, known->last_seen, observation_.at), context_.entry.id);
      inventory_.SawItAgain(id, observation_.source, observation_.at, context_.entry.id);
      return id;
    }
    bool named = false;
    for (const Identifier& identifier : observation_.identifiers) named |= inventory_.AddIdentifier(id, identifier);
    known ? SeeAgain(*known, named) : SeeFirst(id);
    inventory_.SawIt(id, {.source = observation_.source,
                          .plugin = context_.entry.plugin,
                          .first_at = observation_.at,
                          .last_at = observation_.at,
                          .entry = context_.entry.id,
                          .told = told_});
    return id;
  }

 private:
  // Something that is known by its address only, and has the one that is seen here.
  std::optional<store::KnownEntity> Twin() {
    const bool has_mac = std::any_of(observation_.identifiers.begin(), observation_.identifiers.end(),
                                     [](const Identifier& identifier) { return identifier.scheme == "mac"; });
    const auto ip = std::find_if(observation_.claims.begin(), observation_.claims.end(),
                                 [](const Claim& claim) { return claim.field == "ip" && !claim.value.empty(); });
    if (!has_mac || ip == observation_.claims.end()) return std::nullopt;
    const std::vector<EntityId> there = inventory_.AtAddress(ip->value);
    if (there.size() != 1 || inventory_.HasIdentifier(there[0], "mac")) return std::nullopt;
    const Entity entity = *inventory_.Get(there[0]);
    return store::KnownEntity{
        .id = entity.id, .last_seen = entity.last_seen, .came = entity.came, .plugin = "", .told = 0};
  }

  void SeeFirst(EntityId id) {
    Entity entity{.id = id, .kind = "device", .fields = {}, .present = false};
    entity.first_seen = entity.last_seen = observation_.at;
    entity.came = context_.entry.id;
    Introduce(context_, entity, saying_);
  }

  // `named`: it goes by a name that it did not have.
  void SeeAgain(const store::KnownEntity& known, bool named) {
    saying_.Compare(known.id);
    const TimePoint last_seen = LastSeen(context_, known.last_seen, observation_.at);
    if (known.came != 0 && !named && !saying_.Differs())
      return inventory_.Touch(known.id, last_seen, context_.entry.id);
    // What is said of it under the name of another that was merged into it must not take turns with what is said of it.
    if (name_ != nullptr && inventory_.IsAlias(*name_)) saying_.OnlyFill();
    const Entity before = *inventory_.Get(known.id);
    Entity entity = before;
    const Changes changes = saying_.Take(entity);
    entity.last_seen = last_seen;
    if (entity.came == 0) entity.came = context_.entry.id;
    SaveChanges(context_, entity, before, changes);
    AppendAddressChange(context_, entity, before);
  }

  FoldContext& context_;
  const Observation& observation_;
  Inventory inventory_;
  Saying saying_;
  const std::int64_t told_;
  const Identifier* name_ = nullptr;  // by which it is known
};

}  // namespace

EntityId ApplyObservation(FoldContext& context, const Observation& observation) {
  return Observing(context, observation).Run();
}

void ApplyClaims(FoldContext& context, const ClaimsRecord& record) {
  Inventory inventory(context.connection, context.entry.org);
  Saying saying(inventory, record.source, record.claims, record.at, record.anew);
  EntityId id = record.entity;
  for (const Identifier& identifier : record.identifiers)
    if (id == 0) id = inventory.Find(identifier).value_or(0);
  if (id == 0 && !record.identifiers.empty()) {
    id = inventory.Create("device", record.at);
    for (const Identifier& identifier : record.identifiers) inventory.AddIdentifier(id, identifier);
    Entity entity{.id = id, .kind = "device", .fields = {}, .present = false};
    entity.first_seen = entity.last_seen = entity.since = record.at;
    return Introduce(context, entity, saying);
  }
  const std::optional<Entity> before = inventory.Get(id);
  if (!before) return;
  saying.Compare(id);
  if (!record.anew && !saying.Differs()) return;
  Entity entity = *before;
  const Changes changes = saying.Take(entity);
  SaveChanges(context, entity, *before, changes);
}

}  // namespace backplane::ingest
