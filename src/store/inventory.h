// The inventory: entities, the names they go by, and what each source says of them.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/ids.h"
#include "model/record.h"
#include "store/database.h"

namespace backplane::store {

/// An entity with the winning value of each field.
struct Entity {
  EntityId id = 0;
  std::string kind;                                      ///< "device"
  std::array<std::string, kDeviceFields.size()> fields;  ///< in the order of kDeviceFields
  TimePoint first_seen;
  TimePoint last_seen;
  std::int64_t revision = 0;  ///< rises with each change of a field or lock
  bool present = true;
  TimePoint since;                     ///< when `present` last changed
  bool down = false;                   ///< it is absent, and that is a fault
  std::optional<TimePoint> notified;   ///< when people were last told of what happened to it
};

/// What a field counts as: its value, or what an empty one stands for.
std::string_view ValueOf(const Entity& entity, std::string_view field);
/// Of a field that is a flag.
bool IsOn(const Entity& entity, std::string_view field);

/// Position of a field in Entity::fields; nothing for an unknown name.
std::optional<std::size_t> FieldIndex(std::string_view name);

struct ClaimRow {
  std::string field;
  std::string source;
  std::string value;
  TimePoint at;
  bool wins = false;
  bool operator==(const ClaimRow&) const = default;
};

/// A source has seen an entity.
struct Sighting {
  std::string source;
  std::string plugin;  ///< whose run saw it last
  TimePoint first_at;
  TimePoint last_at;
  EntryId entry = 0;            ///< the last one
  std::optional<Millis> every;  ///< how often that plugin runs; 0: unknown; nothing: it does not look for all there is
  std::int64_t told = 0;        ///< hash of the claims that the source made last; 0: they are to be looked at again
  bool operator==(const Sighting&) const = default;
};

/// Everything that is known of an entity.
struct EntityFacts {
  Entity entity;
  std::vector<Identifier> identifiers;
  std::vector<ClaimRow> claims;
  std::vector<std::string> locks;
  std::vector<Sighting> sightings;
};

struct DeviceFilter {
  std::string search;  ///< part of name, mac, ip, vendor or fqdn, without regard to case; empty: all
  std::map<std::string, std::string> equals;  ///< field → value
  EntityId after = 0;
  int limit = 100;
};

/// Entities of one organisation.
class Inventory {
 public:
  Inventory(Connection& connection, OrgId org) : db_(connection), org_(org) {}

  std::optional<EntityId> Find(const Identifier& identifier);
  /// Makes an entity without fields and returns its id.
  EntityId Create(const std::string& kind, TimePoint seen);
  /// False if the identifier belongs to another entity already.
  bool AddIdentifier(EntityId entity, const Identifier& identifier);
  std::optional<Entity> Get(EntityId entity);
  /// Writes every field, last_seen, revision and presence. `entry` is what changed it or its claims and locks.
  void Save(const Entity& entity, EntryId entry);
  /// It was seen: last_seen does not go back.
  void Touch(EntityId entity, TimePoint last_seen, EntryId entry);
  /// What entries after `entry` changed or saw, by id; all of it for -1.
  std::vector<EntityId> TouchedSince(EntryId entry);
  /// Those of them with ids from `first` to `last`.
  std::vector<EntityFacts> TouchedSince(EntryId entry, EntityId first, EntityId last);
  std::vector<Entity> List(const DeviceFilter& filter);
  std::int64_t Count();

  /// The organisation is checked by whoever found the entity: these take ids from Find, Get
  /// or List only.
  std::vector<ClaimRow> Claims(EntityId entity);
  void SaveClaim(EntityId entity, const ClaimRow& claim);
  void DropClaim(EntityId entity, const std::string& field, const std::string& source);
  std::vector<std::string> Locks(EntityId entity);
  void Lock(EntityId entity, const std::string& field);
  void Unlock(EntityId entity, const std::string& field);
  std::vector<Identifier> Identifiers(EntityId entity);
  std::vector<Sighting> Sightings(EntityId entity);
  std::optional<Sighting> FindSighting(EntityId entity, const std::string& source);
  /// first_at of the first one stays.
  void SawIt(EntityId entity, const Sighting& sighting);

 private:
  Connection& db_;
  OrgId org_;
};

}  // namespace backplane::store
