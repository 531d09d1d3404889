#include "ingest/inventory.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "ingest/identity.h"
#include "store/events.h"

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

const ClaimRow* Find(const std::vector<ClaimRow>& claims, std::string_view field, std::string_view source) {
  for (const ClaimRow& claim : claims)
    if (claim.field == field && claim.source == source) return &claim;
  return nullptr;
}

void AppendEvent(FoldContext& context, const char* topic, EntityId entity, const Json& body) {
  store::Events(context.connection, context.entry.org)
      .Append({0, topic, context.entry.at, context.entry.plugin, entity, context.entry.run, DumpJson(body)});
}

// {"name": {"from": "a", "to": "b"}} for an event.
using Changes = Json;

void Change(Entity& entity, std::size_t index, const std::string& value, Changes& changes) {
  std::string& present = entity.fields[index];
  if (present == value) return;
  changes[kDeviceFields[index]] = {{"from", present}, {"to", value}};
  present = value;
}

class Observing {
 public:
  Observing(FoldContext& context, const Observation& observation)
      : context_(context), observation_(observation), inventory_(context.connection, context.entry.org) {}

  EntityId Run() {
    if (observation_.identifiers.empty()) return 0;  // about nothing: a damaged record
    std::optional<EntityId> known;
    for (const Identifier& identifier : observation_.identifiers)
      if ((known = inventory_.Find(identifier))) break;
    const bool is_new = !known;
    const EntityId id = is_new ? inventory_.Create("device", observation_.at) : *known;
    if (is_new || observation_.identifiers.size() > 1)
      for (const Identifier& identifier : observation_.identifiers) inventory_.AddIdentifier(id, identifier);

    if (!is_new) {
      claims_ = inventory_.Claims(id);
      locks_ = inventory_.Locks(id);
    }
    const bool differs = std::any_of(observation_.claims.begin(), observation_.claims.end(),
                                     [this](const Claim& claim) { return Differs(claim); });
    if (is_new) {
      Entity entity{
          .id = id, .kind = "device", .fields = {}, .first_seen = observation_.at, .last_seen = observation_.at};
      TakeClaims(entity);
      entity.revision = 1;
      inventory_.Save(entity, context_.entry.id);
      ++context_.changed;
      AppendEvent(context_, "device.new", id, Describe(entity));
    } else if (differs) {
      Entity entity = *inventory_.Get(id);
      const Changes changes = TakeClaims(entity);
      entity.last_seen = std::max(entity.last_seen, observation_.at);
      if (!changes.empty()) {
        ++entity.revision;
        ++context_.changed;
      }
      inventory_.Save(entity, context_.entry.id);
      if (!changes.empty()) AppendEvent(context_, "device.changed", id, {{"name", Name(entity)}, {"changes", changes}});
    } else {
      inventory_.Touch(id, observation_.at, context_.entry.id);
    }
    inventory_.SawIt(id, {.source = observation_.source,
                          .plugin = context_.entry.plugin,
                          .first_at = observation_.at,
                          .last_at = observation_.at,
                          .entry = context_.entry.id,
                          .every = context_.entry.every});
    return id;
  }

 private:
  // Whether this source said something else, or nothing, of the field before.
  bool Differs(const Claim& claim) const {
    const ClaimRow* before = Find(claims_, claim.field, observation_.source);
    return !claim.value.empty() && (before == nullptr || before->value != claim.value);
  }

  Changes TakeClaims(Entity& entity) {
    Changes changes = Json::object();
    for (const Claim& claim : observation_.claims) {
      const auto index = store::FieldIndex(claim.field);
      if (!index || !Differs(claim)) continue;
      const ClaimRow* winner = Winner(claims_, claim.field);
      const bool locked = std::find(locks_.begin(), locks_.end(), claim.field) != locks_.end();
      const FieldState field{entity.fields[*index], winner != nullptr ? std::string_view(winner->source) : "", locked};
      const bool wins = ClaimWins(field, observation_.source, claim);
      // The winner that says the same again under a weaker policy stays the winner.
      const bool is_winner = winner != nullptr && winner->source == observation_.source;
      if (wins && winner != nullptr && !is_winner) {
        ClaimRow loser = *winner;
        loser.wins = false;
        inventory_.SaveClaim(entity.id, loser);
      }
      // A source that no longer stands by a value that may not be replaced keeps its row: the
      // value in force must have an owner.
      if (!wins && is_winner) continue;
      inventory_.SaveClaim(entity.id, {claim.field, observation_.source, claim.value, observation_.at, wins});
      if (wins) Change(entity, *index, claim.value, changes);
    }
    return changes;
  }

  static std::string Name(const Entity& entity) { return entity.fields[*store::FieldIndex("name")]; }

  static Json Describe(const Entity& entity) {
    Json fields = Json::object();
    for (std::size_t i = 0; i < kDeviceFields.size(); ++i)
      if (!entity.fields[i].empty()) fields[kDeviceFields[i]] = entity.fields[i];
    return fields;
  }

  FoldContext& context_;
  const Observation& observation_;
  Inventory inventory_;
  std::vector<ClaimRow> claims_;
  std::vector<std::string> locks_;
};

// The value that the field has without the person's: the latest claim of any other source.
void Withdraw(Inventory& inventory, Entity& entity, std::size_t index, Changes& changes) {
  const std::string field = kDeviceFields[index];
  const std::vector<ClaimRow> claims = inventory.Claims(entity.id);
  if (Find(claims, field, kPersonSource) == nullptr) return;  // others' values stand as they are
  inventory.DropClaim(entity.id, field, std::string(kPersonSource));
  std::optional<ClaimRow> heir;
  for (const ClaimRow& claim : inventory.Claims(entity.id))
    if (claim.field == field && (!heir || claim.at > heir->at)) heir = claim;
  if (heir) {
    heir->wins = true;
    inventory.SaveClaim(entity.id, *heir);
  }
  Change(entity, index, heir ? heir->value : "", changes);
}

}  // namespace

EntityId ApplyObservation(FoldContext& context, const Observation& observation) {
  return Observing(context, observation).Run();
}

Json EncodeEdit(const DeviceEdit& edit) {
  Json set = Json::object();
  for (const auto& [field, value] : edit.set) set[field] = value ? Json(*value) : Json(nullptr);
  return {{"device", edit.device}, {"set", set}, {"lock", edit.lock}, {"unlock", edit.unlock}};
}

Result<DeviceEdit> DecodeEdit(const Json& body) {
  DeviceEdit edit;
  if (!body.is_object()) return Fail(Errc::kInvalid, "an edit is an object with set, lock and unlock");
  for (const auto& [key, value] : body.items()) {
    if (key == "device" && value.is_number_integer()) {
      edit.device = value.get<EntityId>();
    } else if (key == "set" && value.is_object()) {
      for (const auto& [field, text] : value.items()) {
        if (!store::FieldIndex(field))
          return Fail(Errc::kInvalid,
                      fmt::format("no such field: {}; there are {}", field, fmt::join(kDeviceFields, ", ")),
                      "set." + field);
        if (!text.is_string() && !text.is_null())
          return Fail(Errc::kInvalid, "a value is a text, or null to take yours back", "set." + field);
        if (text.is_string() && text.get_ref<const std::string&>().size() > 4096)
          return Fail(Errc::kInvalid, "a value has at most 4096 bytes", "set." + field);
        edit.set[field] = text.is_null() ? std::nullopt : std::optional(text.get<std::string>());
      }
    } else if ((key == "lock" || key == "unlock") && value.is_array()) {
      for (const Json& field : value) {
        if (!field.is_string() || !store::FieldIndex(field.get_ref<const std::string&>()))
          return Fail(Errc::kInvalid,
                      fmt::format("no such field: {}; there are {}", DumpJson(field), fmt::join(kDeviceFields, ", ")),
                      key);
        (key == "lock" ? edit.lock : edit.unlock).push_back(field.get<std::string>());
      }
    } else {
      return Fail(Errc::kInvalid,
                  "unknown key, or a value of the wrong type: set is an object, lock and unlock are lists of fields",
                  key);
    }
  }
  return edit;
}

Result<Entity> ApplyEdit(FoldContext& context, const DeviceEdit& edit) {
  Inventory inventory(context.connection, context.entry.org);
  std::optional<Entity> entity = inventory.Get(edit.device);
  if (!entity) return Fail(Errc::kNotFound, fmt::format("no device {}", edit.device));
  const auto claims = inventory.Claims(entity->id);
  const auto locks = inventory.Locks(entity->id);
  Changes changes = Json::object();
  for (const auto& [field, value] : edit.set) {
    const std::size_t index = *store::FieldIndex(field);
    if (!value) {
      Withdraw(inventory, *entity, index, changes);
      continue;
    }
    if (const ClaimRow* present = Find(claims, field, kPersonSource); present != nullptr && present->value == *value)
      continue;
    for (ClaimRow claim : claims) {
      if (claim.field != field || !claim.wins || claim.source == kPersonSource) continue;
      claim.wins = false;
      inventory.SaveClaim(entity->id, claim);
    }
    inventory.SaveClaim(entity->id, {field, std::string(kPersonSource), *value, context.entry.at, true});
    Change(*entity, index, *value, changes);
  }
  for (const std::string& field : edit.lock) inventory.Lock(entity->id, field);
  for (const std::string& field : edit.unlock) {
    inventory.Unlock(entity->id, field);
    // What sources said in vain while the field was locked is judged anew when they say it next.
    for (const ClaimRow& claim : inventory.Claims(entity->id))
      if (claim.field == field && !claim.wins) inventory.DropClaim(entity->id, field, claim.source);
  }
  // Setting what is set already is no change.
  if (inventory.Claims(entity->id) == claims && inventory.Locks(entity->id) == locks) return *entity;
  ++entity->revision;
  inventory.Save(*entity, context.entry.id);
  Json body = {{"name", entity->fields[*store::FieldIndex("name")]}, {"by", kPersonSource}, {"changes", changes}};
  if (!edit.lock.empty()) body["locked"] = edit.lock;
  if (!edit.unlock.empty()) body["unlocked"] = edit.unlock;
  AppendEvent(context, "device.changed", entity->id, body);
  return *entity;
}

}  // namespace backplane::ingest
