#include "ingest/device_change.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ingest/fields.h"
#include "ingest/identity.h"
#include "ingest/presence.h"
#include "ingest/resources.h"
#include "store/device_events.h"
#include "store/events.h"

namespace backplane::ingest {
namespace {

using store::ClaimRow;
using store::DeviceEvents;
using store::Entity;
using store::Inventory;
using store::Sighting;

constexpr int kMany = 1'000;  // rows of one device that are taken at once

void AppendEvent(FoldContext& context, const char* topic, EntityId entity, Json body) {
  body["by"] = kPersonSource;
  store::Events(context.connection, context.entry.org)
      .Append({0, topic, context.entry.at, "", entity, 0, DumpJson(body)});
}

std::string& FieldOf(Entity& entity, std::string_view field) { return entity.fields[*store::FieldIndex(field)]; }

Json ToJson(const std::vector<Identifier>& identifiers) {
  Json list = Json::array();
  for (const Identifier& identifier : identifiers)
    list.push_back({{"scheme", identifier.scheme}, {"value", identifier.value}});
  return list;
}

Result<std::vector<Identifier>> ReadIdentifiers(const Json& list) {
  std::vector<Identifier> identifiers;
  for (const Json& one : list) {
    if (!one.is_object() || !one.contains("scheme") || !one.contains("value") || !one["scheme"].is_string() ||
        !one["value"].is_string())
      return Fail(Errc::kInvalid, R"(an identifier is written {"scheme": ..., "value": ...})", "identifiers");
    identifiers.push_back({one["scheme"].get<std::string>(), one["value"].get<std::string>()});
  }
  return identifiers;
}

// What tells people, and whoever undoes it, what the device was.
Json Describe(Inventory& inventory, const Entity& entity) {
  return {{"fields", FieldsOf(entity)}, {"identifiers", ToJson(inventory.Identifiers(entity.id))}};
}

Result<Entity> Find(FoldContext& context, EntityId device) {
  auto entity = Inventory(context.connection, context.entry.org).Get(device);
  if (!entity) return Fail(Errc::kNotFound, fmt::format("no device {}", device));
  return *std::move(entity);
}

// A device that is about to be no more ends its session, and is no card of another.
void Leave(FoldContext& context, const Entity& device) {
  DeviceEvents events(context.connection, context.entry.org);
  if (const auto open = events.Open(device.id))
    events.End(open->id, context.entry.at, store::DeviceEventKind::kDisconnected, context.entry.id);
  Entity alone = device;
  FieldOf(alone, "parent_relation").clear();
  SaveEntity(context, alone, device);
}

Json Changes(const Entity& before, const Entity& after) {
  Json changes = Json::object();
  for (std::size_t i = 0; i < kDeviceFields.size(); ++i)
    if (before.fields[i] != after.fields[i])
      changes[kDeviceFields[i]] = {{"from", before.fields[i]}, {"to", after.fields[i]}};
  return changes;
}

class Deleting {
 public:
  Deleting(FoldContext& context, const Entity& device) : context_(context), device_(device) {}

  void Run() {
    const OrgId org = context_.entry.org;
    Inventory inventory(context_.connection, org);
    Json body = Describe(inventory, device_);
    Leave(context_, device_);
    DeviceEvents events(context_.connection, org);
    // Nobody wants to hear of what he has deleted.
    const auto pending = [&] { return events.List({.entity = device_.id, .pending = true, .limit = kMany}); };
    for (auto page = pending(); !page.empty(); page = pending())
      for (const store::DeviceEvent& event : page) events.Settle(event.id, context_.entry.id);
    store::Resources resources(context_.connection, org);
    const auto owned = [&] { return resources.List({.entity = device_.id, .limit = kMany}); };
    for (auto page = owned(); !page.empty(); page = owned())
      for (const store::StoredResource& resource : page) EndResource(context_, resource, "deleted");
    inventory.Remove(device_.id);
    AppendEvent(context_, "device.deleted", device_.id, std::move(body));
  }

 private:
  FoldContext& context_;
  const Entity& device_;
};

class Merging {
 public:
  Merging(FoldContext& context, Entity& from, Entity& into)
      : context_(context), inventory_(context.connection, context.entry.org), from_(from), into_(into) {}

  void Run() {
    Json gone = Describe(inventory_, from_);
    gone["id"] = from_.id;
    gone["locked"] = inventory_.Locks(from_.id);
    const Entity before = into_;
    MoveIdentifiers();
    MoveClaims();
    MoveSightings();
    MoveHistory();
    MoveResources();
    inventory_.Remove(from_.id);
    ++into_.revision;
    SaveEntity(context_, into_, before);
    AppendEvent(context_, "device.merged", into_.id,
                {{"name", FieldOf(into_, "name")}, {"from", std::move(gone)}, {"changes", Changes(before, into_)}});
  }

 private:
  // What of the same kind has come with another device must not take turns with what is there: a source that sees both
  // says other things of each.
  void MoveIdentifiers() {
    const std::vector<Identifier> own = inventory_.Identifiers(into_.id);
    for (const Identifier& identifier : inventory_.Identifiers(from_.id)) {
      inventory_.MoveIdentifier(identifier, into_.id);
      if (std::any_of(own.begin(), own.end(), [&](const Identifier& o) { return o.scheme == identifier.scheme; }))
        inventory_.MakeAlias(identifier);
    }
  }

  // A claim of a field that is empty here wins as it did there, and so does what a person set; others are kept.
  void MoveClaims() {
    std::vector<ClaimRow> own = inventory_.Claims(into_.id);
    const std::vector<std::string> locks = inventory_.Locks(into_.id);
    for (ClaimRow claim : inventory_.Claims(from_.id)) {
      const auto same = [&](const ClaimRow& o) { return o.field == claim.field && o.source == claim.source; };
      if (std::any_of(own.begin(), own.end(), same)) continue;
      std::string& value = FieldOf(into_, claim.field);
      const bool locked = std::find(locks.begin(), locks.end(), claim.field) != locks.end();
      claim.wins = claim.wins && !locked && (value.empty() || claim.source == kPersonSource);
      if (!claim.wins && claim.source == kPersonSource) continue;  // a person's value is in force, or nowhere
      if (claim.wins) {
        for (ClaimRow& other : own)
          if (other.field == claim.field && other.wins) {
            other.wins = false;
            inventory_.SaveClaim(into_.id, other);
          }
        value = claim.value;
      }
      inventory_.SaveClaim(into_.id, claim);
      own.push_back(claim);
    }
    for (const std::string& field : inventory_.Locks(from_.id)) inventory_.Lock(into_.id, field);
  }

  void MoveSightings() {
    std::vector<Sighting> sightings = inventory_.Sightings(from_.id);
    for (const Sighting& own : inventory_.Sightings(into_.id)) {
      const auto other = std::find_if(sightings.begin(), sightings.end(),
                                      [&](const Sighting& sighting) { return sighting.source == own.source; });
      if (other == sightings.end()) {
        sightings.push_back(own);
        continue;
      }
      const TimePoint first = std::min(own.first_at, other->first_at);
      if (std::tie(own.last_at, own.entry) > std::tie(other->last_at, other->entry)) *other = own;
      other->first_at = first;
    }
    for (const Sighting& sighting : sightings) {
      inventory_.DropSighting(into_.id, sighting.source);
      inventory_.SawIt(into_.id, sighting);
    }
    inventory_.JudgeAgain(into_.id);
  }

  void MoveHistory() {
    Leave(context_, from_);
    DeviceEvents(context_.connection, context_.entry.org).Move(from_.id, into_.id, context_.entry.id);
    if (from_.present == into_.present)
      into_.since = from_.present ? std::min(from_.since, into_.since) : std::max(from_.since, into_.since);
    into_.down = !into_.present && (into_.down || from_.down);
    // It is there if either is.
    into_.came = into_.came == 0 || from_.came == 0 ? into_.came + from_.came : std::min(into_.came, from_.came);
    into_.first_seen = std::min(into_.first_seen, from_.first_seen);
    into_.last_seen = std::max(into_.last_seen, from_.last_seen);
    into_.notified = std::max(into_.notified, from_.notified);
    if (into_.ip4.empty()) into_.ip4 = from_.ip4;
    if (into_.ip6.empty()) into_.ip6 = from_.ip6;
  }

  void MoveResources() {
    store::Resources resources(context_.connection, context_.entry.org);
    const auto owned = [&] { return resources.List({.entity = from_.id, .limit = kMany}); };
    for (auto page = owned(); !page.empty(); page = owned())
      for (const store::StoredResource& resource : page) MoveResource(context_, resource, into_.id);
  }

  FoldContext& context_;
  Inventory inventory_;
  Entity& from_;
  Entity& into_;
};

class Splitting {
 public:
  Splitting(FoldContext& context, Entity& old, const std::vector<Identifier>& moved)
      : context_(context), inventory_(context.connection, context.entry.org), old_(old), moved_(moved) {}

  Entity Run() {
    const Entity before = old_;
    const Entity nothing{
        .id = inventory_.Create("device", old_.first_seen), .kind = "device", .fields = {}, .present = false};
    new_ = nothing;
    new_.first_seen = old_.first_seen;
    new_.last_seen = old_.last_seen;
    new_.came = old_.came;
    for (const Identifier& identifier : moved_) inventory_.MoveIdentifier(identifier, new_.id);
    for (const EntityId id : {old_.id, new_.id}) inventory_.NamePrimaries(id);
    for (const char* field : {"mac", "ip"}) MoveField(field);
    // Whoever saw the one may have seen the other: it is gone when it is not seen again.
    inventory_.JudgeAgain(old_.id);
    for (const Sighting& sighting : inventory_.Sightings(old_.id)) inventory_.SawIt(new_.id, sighting);
    MoveResources();
    ++old_.revision;
    SaveEntity(context_, old_, before);
    new_.revision = 1;
    AppendNewDevice(context_, new_);
    SaveEntity(context_, new_, nothing);
    if (const Json changes = Changes(before, old_); !changes.empty())
      AppendEvent(context_, "device.changed", old_.id, {{"name", FieldOf(old_, "name")}, {"changes", changes}});
    AppendEvent(context_, "device.split", new_.id, {{"device", old_.id}, {"identifiers", ToJson(moved_)}});
    return new_;
  }

 private:
  // Of the fields that hold an identifier: what was said of one that moves goes with it.
  void MoveField(const std::string& field) {
    const auto moves = [&](const std::string& value) {
      return std::find(moved_.begin(), moved_.end(), Identifier{field, value}) != moved_.end();
    };
    for (ClaimRow claim : inventory_.Claims(old_.id)) {
      if (claim.field != field || !moves(claim.value)) continue;
      inventory_.DropClaim(old_.id, field, claim.source);
      claim.wins = FieldOf(new_, field).empty();
      if (claim.wins) FieldOf(new_, field) = claim.value;
      inventory_.SaveClaim(new_.id, claim);
    }
    if (FieldOf(new_, field).empty()) FieldOf(new_, field) = FirstOf(inventory_.Identifiers(new_.id), field);
    if (!moves(FieldOf(old_, field))) return;
    std::optional<ClaimRow> heir;
    for (const ClaimRow& claim : inventory_.Claims(old_.id))
      if (claim.field == field && (!heir || claim.at > heir->at)) heir = claim;
    if (heir) {
      heir->wins = true;
      inventory_.SaveClaim(old_.id, *heir);
    }
    FieldOf(old_, field) = heir ? heir->value : FirstOf(inventory_.Identifiers(old_.id), field);
  }

  static std::string FirstOf(const std::vector<Identifier>& identifiers, std::string_view scheme) {
    for (const Identifier& identifier : identifiers)
      if (identifier.scheme == scheme) return identifier.value;
    return {};
  }

  // Resources that go by one of the identifiers.
  void MoveResources() {
    store::Resources resources(context_.connection, context_.entry.org);
    store::ResourceFilter page{.entity = old_.id, .limit = kMany};
    for (auto owned = resources.List(page); !owned.empty(); owned = resources.List(page))
      for (const store::StoredResource& resource : owned) {
        page.after = resource.id;
        const Identifier name{"resource", ResourcePath(resource.resource)};
        if (std::find(moved_.begin(), moved_.end(), name) != moved_.end()) MoveResource(context_, resource, new_.id);
      }
  }

  FoldContext& context_;
  Inventory inventory_;
  Entity& old_;
  const std::vector<Identifier>& moved_;
  Entity new_;
};

Result<ChangedDevice> Apply(FoldContext& context, const DeviceEdit& edit) {
  BACKPLANE_ASSIGN(const Entity before, Find(context, edit.device));
  BACKPLANE_ASSIGN(Entity after, ApplyEdit(context, edit));
  const bool changed = after.revision != before.revision;
  return ChangedDevice{std::move(after), changed};
}

Result<ChangedDevice> Apply(FoldContext& context, const DeviceDelete& change) {
  BACKPLANE_ASSIGN(Entity device, Find(context, change.device));
  Deleting(context, device).Run();
  return ChangedDevice{std::move(device)};
}

Result<ChangedDevice> Apply(FoldContext& context, const DeviceMerge& merge) {
  if (merge.from == merge.into)
    return Fail(Errc::kInvalid, fmt::format("device {} cannot be merged into itself", merge.into), "from");
  BACKPLANE_ASSIGN(Entity into, Find(context, merge.into));
  BACKPLANE_ASSIGN(Entity from, Find(context, merge.from));
  Merging(context, from, into).Run();
  return ChangedDevice{std::move(into)};
}

Result<ChangedDevice> Apply(FoldContext& context, const DeviceSplit& split) {
  BACKPLANE_ASSIGN(Entity device, Find(context, split.device));
  const auto own = Inventory(context.connection, context.entry.org).Identifiers(device.id);
  std::vector<Identifier> moved;
  for (const Identifier& identifier : split.identifiers) {
    if (std::find(own.begin(), own.end(), identifier) == own.end())
      return Fail(Errc::kInvalid,
                  fmt::format("device {} does not go by {} {}", device.id, identifier.scheme, identifier.value),
                  "identifiers");
    if (std::find(moved.begin(), moved.end(), identifier) == moved.end()) moved.push_back(identifier);
  }
  if (moved.empty())
    return Fail(Errc::kInvalid, fmt::format("name the identifiers that leave device {}", device.id), "identifiers");
  if (moved.size() == own.size())
    return Fail(Errc::kInvalid, fmt::format("at least one identifier stays with device {}", device.id), "identifiers");
  return ChangedDevice{Splitting(context, device, moved).Run()};
}

Json Encode(const DeviceEdit& edit) { return EncodeEdit(edit); }
Json Encode(const DeviceDelete& change) { return {{"delete", change.device}}; }
Json Encode(const DeviceMerge& merge) { return {{"merge", merge.from}, {"into", merge.into}}; }
Json Encode(const DeviceSplit& split) { return {{"split", split.device}, {"identifiers", ToJson(split.identifiers)}}; }

}  // namespace

Json EncodeChange(const DeviceChange& change) {
  return std::visit([](const auto& value) { return Encode(value); }, change);
}

Result<DeviceChange> DecodeChange(const Json& body) {
  const auto id = [&](const char* key) {
    const auto found = body.find(key);
    return found != body.end() && found->is_number_integer() ? found->get<EntityId>() : EntityId{0};
  };
  if (!body.is_object()) return Fail(Errc::kInvalid, "a change of a device is an object");
  if (body.contains("delete")) return DeviceDelete{id("delete")};
  if (body.contains("merge")) return DeviceMerge{id("merge"), id("into")};
  if (body.contains("split")) {
    DeviceSplit split{.device = id("split"), .identifiers = {}};
    BACKPLANE_ASSIGN(split.identifiers, ReadIdentifiers(body.value("identifiers", Json::array())));
    return split;
  }
  BACKPLANE_ASSIGN(DeviceEdit edit, DecodeEdit(body));
  return edit;
}

const char* ActionOf(const DeviceChange& change) {
  constexpr std::array kActions = {"device.edit", "device.delete", "device.merge", "device.split"};
  return kActions[change.index()];
}

Result<ChangedDevice> ApplyChange(FoldContext& context, const DeviceChange& change) {
  return std::visit([&](const auto& value) { return Apply(context, value); }, change);
}

}  // namespace backplane::ingest
