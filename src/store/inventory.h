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
};

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

struct Sighting {
  std::string source;
  TimePoint first_at;
  TimePoint last_at;
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
  /// Writes every field, last_seen and revision. `entry` is what changed it or its claims and locks.
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
  /// `complete`: the entry says what the source has not seen, too.
  void SawIt(EntityId entity, const std::string& source, TimePoint at, EntryId entry, bool complete);
  /// Whom a source has seen in the last complete batch in which it saw anything, or since, by id. All that it ever saw,
  /// if none of its batches is complete: such a source never says that something is gone.
  std::vector<EntityId> Present();

 private:
  Connection& db_;
  OrgId org_;
};

}  // namespace backplane::store
