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
  TimePoint since;                    ///< when `present` last changed
  bool down = false;                  ///< it is absent, and that is a fault
  std::optional<TimePoint> notified;  ///< when people were last told of what happened to it
  /// The journal entry since which it has been seen; 0: it is gone. `present` follows from it, from its cards, and from
  /// what people force.
  EntryId came = 0;
  std::string ip4, ip6;  ///< its latest address of each family

  const std::string& Field(std::string_view name) const;
};

/// What ReadEntity() reads of a row, from its first column on.
const std::string& EntityColumns();
inline constexpr int kEntityColumns = 12 + static_cast<int>(kDeviceFields.size());
Entity ReadEntity(const Rows& rows);

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
  EntryId entry = 0;      ///< the last one
  std::int64_t told = 0;  ///< hash of what the source said last; 0: it is to be judged again
  bool operator==(const Sighting&) const = default;
};

/// An entity that goes by a name, and what one source said of it last.
struct KnownEntity {
  EntityId id = 0;
  TimePoint last_seen;
  EntryId came = 0;    ///< Entity::came
  std::string plugin;  ///< Sighting::plugin of the source; empty: it has not seen it
  std::int64_t told = 0;
};

/// By which journal entry a plugin, or anybody, saw an entity last.
struct LastSight {
  EntityId entity = 0;
  EntryId entry = 0;  ///< 0: never
  EntryId came = 0;   ///< Entity::came
};

/// The last run of a plugin that looks for all there is, and went well.
struct Scanner {
  std::string plugin;
  Millis every{0};  ///< how often it runs; 0: unknown
  TimePoint began;
  TimePoint at;  ///< when it was over
  EntryId entry = 0;
};

struct EntityCounts {
  std::int64_t all = 0, present = 0, down = 0, archived = 0;
};

struct SeenEntity {
  EntityId id = 0;
  TimePoint last_seen;
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
  std::optional<KnownEntity> Find(const Identifier& identifier, const std::string& source);
  /// Present ones with this address, in the order they were made; at most two.
  std::vector<EntityId> AtAddress(const std::string& ip);
  /// Present ones that are called so, by name or fqdn, without regard to case; at most two.
  std::vector<EntityId> Called(const std::string& name);
  bool HasIdentifier(EntityId entity, const std::string& scheme);
  /// Makes an entity without fields and returns its id.
  EntityId Create(const std::string& kind, TimePoint seen);
  /// False if the identifier belongs to another entity already.
  bool AddIdentifier(EntityId entity, const Identifier& identifier);
  std::optional<Entity> Get(EntityId entity);
  /// With everything that is known of it.
  void Remove(EntityId entity);
  /// Writes every field, first_seen, last_seen, revision, presence and addresses. `entry` is what changed it or its
  /// claims and locks.
  void Save(const Entity& entity, EntryId entry);
  void Touch(EntityId entity, TimePoint last_seen, EntryId entry);
  void SetNotified(EntityId entity, TimePoint at, EntryId entry);
  /// What entries after `entry` changed, by id; all of it for -1.
  std::vector<EntityId> ChangedSince(EntryId entry);
  /// Those of them with ids from `first` to `last`.
  std::vector<EntityFacts> ChangedSince(EntryId entry, EntityId first, EntityId last);
  /// The next `limit` of them after the entity `after`, without what else is known of them.
  std::vector<Entity> Walk(EntryId entry, EntityId after, int limit);
  /// Devices that entries after `entry` saw, and of which they changed nothing.
  std::vector<SeenEntity> SeenSince(EntryId entry);
  /// Absent ones that are down only when they have been gone for longer, and are not yet, last seen before
  /// `seen_before`.
  std::vector<Entity> AsleepSince(TimePoint seen_before);
  std::vector<Entity> List(const DeviceFilter& filter);
  std::int64_t Count();
  EntityCounts Counts();

  /// Entities that hang on this one as its cards.
  std::vector<Entity> Cards(EntityId entity);
  /// Entities that `plugin` has seen, by id, after the entity `after`.
  std::vector<LastSight> SeenBy(const std::string& plugin, EntityId after, int limit);
  /// Entities, by id, after the entity `after`, with when anybody saw them last.
  std::vector<LastSight> SeenByAnybody(EntityId after, int limit);
  /// Whether anybody has seen any after `entry`.
  bool AnySeenAfter(EntryId entry);
  std::vector<Scanner> Scanners();
  void SaveScanner(const Scanner& scanner);

  /// The organisation is checked by whoever found the entity: these take ids from Find, Get
  /// or List only.
  std::vector<ClaimRow> Claims(EntityId entity);
  void SaveClaim(EntityId entity, const ClaimRow& claim);
  void DropClaim(EntityId entity, const std::string& field, const std::string& source);
  std::vector<std::string> Locks(EntityId entity);
  void Lock(EntityId entity, const std::string& field);
  void Unlock(EntityId entity, const std::string& field);
  std::vector<Identifier> Identifiers(EntityId entity);
  void MoveIdentifier(const Identifier& identifier, EntityId to);
  /// Makes the identifier an alias: another of its scheme is the one that its entity goes by.
  void MakeAlias(const Identifier& identifier);
  bool IsAlias(const Identifier& identifier);
  /// Of each scheme of which the entity has aliases only, the first ceases to be one.
  void NamePrimaries(EntityId entity);
  std::vector<Sighting> Sightings(EntityId entity);
  void DropSighting(EntityId entity, const std::string& source);
  /// first_at of the first one stays.
  void SawIt(EntityId entity, const Sighting& sighting);
  /// The plugin that saw it last saw it again, and said the same.
  void SawItAgain(EntityId entity, const std::string& source, TimePoint at, EntryId entry);
  /// What any source says next is judged again, though it may have said so before. For whoever takes back a lock or a
  /// claim, or takes a name away.
  void JudgeAgain(EntityId entity);

 private:
  Connection& db_;
  OrgId org_;
};

}  // namespace backplane::store
