#include "store/inventory.h"

#include <algorithm>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/text.h"
#include "store/like.h"

namespace backplane::store {
namespace {

// kEntity, then the fields.
constexpr const char* kEntity =
    "id, kind, first_seen, last_seen, revision, present, since, down, notified, came, ip4, ip6";
constexpr int kFirstField = kEntityColumns - static_cast<int>(kDeviceFields.size());
constexpr const char* kSighting = "source, plugin, first_at, last_at, entry, told";

// See the migration "device lists".
std::string SearchText(const Entity& entity) {
  const auto of = [&](const char* field) -> const std::string& { return entity.fields[*FieldIndex(field)]; };
  return ToLower(fmt::format("{}\n{}\n{}\n{}\n{}", of("name"), of("mac"), of("ip"), of("vendor"), of("fqdn")));
}

std::string IpKey(const std::string& ip) {
  in_addr four{};
  in6_addr six{};
  if (inet_pton(AF_INET, ip.c_str(), &four) == 1) {
    const std::uint32_t bytes = ntohl(four.s_addr);
    return fmt::format("4{:03}{:03}{:03}{:03}", bytes >> 24, bytes >> 16 & 255, bytes >> 8 & 255, bytes & 255);
  }
  if (inet_pton(AF_INET6, ip.c_str(), &six) == 1)
    return "6" + ToHex({reinterpret_cast<const char*>(six.s6_addr), sizeof six.s6_addr});
  return ip.empty() ? "" : "9" + ToLower(ip);
}

// `first` is the column of the first of kSighting.
Sighting ReadSighting(const Rows& rows, int first) {
  return {.source = rows.Text(first),
          .plugin = rows.Text(first + 1),
          .first_at = FromMillis(rows.Int(first + 2)),
          .last_at = FromMillis(rows.Int(first + 3)),
          .entry = rows.Int(first + 4),
          .told = rows.Int(first + 5)};
}

std::vector<EntityId> ReadIds(Rows rows) {
  std::vector<EntityId> ids;
  while (rows.Next()) ids.push_back(rows.Int(0));
  return ids;
}

std::vector<LastSight> ReadSights(Rows rows) {
  std::vector<LastSight> all;
  while (rows.Next()) all.push_back({rows.Int(0), rows.Int(1), rows.Int(2)});
  return all;
}

}  // namespace

const std::string& EntityColumns() {
  static const std::string columns = fmt::format("{}, {}", kEntity, fmt::join(kDeviceFields, ", "));
  return columns;
}

Entity ReadEntity(const Rows& rows) {
  Entity entity;
  entity.id = rows.Int(0);
  entity.kind = rows.Text(1);
  entity.first_seen = FromMillis(rows.Int(2));
  entity.last_seen = FromMillis(rows.Int(3));
  entity.revision = rows.Int(4);
  entity.present = rows.Int(5) != 0;
  entity.since = FromMillis(rows.Int(6));
  entity.down = rows.Int(7) != 0;
  if (const auto notified = rows.MaybeInt(8)) entity.notified = FromMillis(*notified);
  entity.came = rows.Int(9);
  entity.ip4 = rows.Text(10);
  entity.ip6 = rows.Text(11);
  for (int i = kFirstField; i < kEntityColumns; ++i)
    entity.fields[static_cast<std::size_t>(i - kFirstField)] = rows.Text(i);
  return entity;
}

std::optional<std::size_t> FieldIndex(std::string_view name) {
  const auto found = std::find(kDeviceFields.begin(), kDeviceFields.end(), name);
  if (found == kDeviceFields.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kDeviceFields.begin());
}

const std::string& Entity::Field(std::string_view name) const { return fields[*FieldIndex(name)]; }

std::string_view ValueOf(const Entity& entity, std::string_view field) {
  const std::size_t index = *FieldIndex(field);
  return entity.fields[index].empty() ? std::string_view(kDeviceFieldList[index].otherwise) : entity.fields[index];
}

bool IsOn(const Entity& entity, std::string_view field) { return ValueOf(entity, field) == "1"; }

std::optional<EntityId> Inventory::Find(const Identifier& identifier) {
  Rows rows = db_.Query("SELECT entity FROM identifier WHERE org = ? AND scheme = ? AND value = ?", org_,
                        identifier.scheme, identifier.value);
  if (!rows.Next()) return std::nullopt;
  return rows.Int(0);
}

std::optional<KnownEntity> Inventory::Find(const Identifier& identifier, const std::string& source) {
  Rows rows = db_.Query(
      "SELECT i.entity, e.last_seen, e.came, s.plugin, s.told FROM identifier i JOIN entity e ON e.id = i.entity "
      "LEFT JOIN sighting s ON s.entity = i.entity AND s.source = ? WHERE i.org = ? AND i.scheme = ? AND i.value = ?",
      source, org_, identifier.scheme, identifier.value);
  if (!rows.Next()) return std::nullopt;
  return KnownEntity{rows.Int(0), FromMillis(rows.Int(1)), rows.Int(2), rows.Text(3), rows.MaybeInt(4).value_or(0)};
}

std::vector<EntityId> Inventory::AtAddress(const std::string& ip) {
  return ReadIds(
      db_.Query("SELECT id FROM entity WHERE org = ? AND ip = ? AND present = 1 ORDER BY id LIMIT 2", org_, ip));
}

std::vector<EntityId> Inventory::Called(const std::string& name) {
  return ReadIds(
      db_.Query("SELECT id FROM entity WHERE org = ? AND LOWER(name) = LOWER(?) AND present = 1 UNION "
                "SELECT id FROM entity WHERE org = ? AND LOWER(fqdn) = LOWER(?) AND present = 1 ORDER BY id LIMIT 2",
                org_, name, org_, name));
}

bool Inventory::HasIdentifier(EntityId entity, const std::string& scheme) {
  return db_.Query("SELECT 1 FROM identifier WHERE entity = ? AND scheme = ? LIMIT 1", entity, scheme).Next();
}

EntityId Inventory::Create(const std::string& kind, TimePoint seen) {
  return db_.ExecuteReturning(
      "INSERT INTO entity (org, kind, first_seen, last_seen, since) VALUES (?, ?, ?, ?, ?) RETURNING id", org_, kind,
      ToMillis(seen), ToMillis(seen), ToMillis(seen));
}

bool Inventory::AddIdentifier(EntityId entity, const Identifier& identifier) {
  return db_.Execute(
             "INSERT INTO identifier (org, scheme, value, entity) VALUES (?, ?, ?, ?) "
             "ON CONFLICT (org, scheme, value) DO NOTHING",
             org_, identifier.scheme, identifier.value, entity) == 1;
}

std::optional<Entity> Inventory::Get(EntityId entity) {
  static const std::string sql = fmt::format("SELECT {} FROM entity WHERE org = ? AND id = ?", EntityColumns());
  Rows rows = db_.Query(sql, org_, entity);
  if (!rows.Next()) return std::nullopt;
  return ReadEntity(rows);
}

void Inventory::Remove(EntityId entity) {
  for (const char* table : {"identifier", "claim", "field_lock", "sighting"})
    db_.Execute(fmt::format("DELETE FROM {} WHERE entity = ?", table), entity);
  db_.Execute("DELETE FROM entity WHERE id = ? AND org = ?", entity, org_);
}

void Inventory::Save(const Entity& entity, EntryId entry) {
  static const std::string sql = fmt::format(
      "UPDATE entity SET first_seen = ?, last_seen = ?, revision = ?, touched = ?, changed = ?, present = ?, since = "
      "?, "
      "down = ?, notified = ?, came = ?, ip4 = ?, ip6 = ?, search = ?, ip_key = ?, {} = ? WHERE id = ? AND org = ?",
      fmt::join(kDeviceFields, " = ?, "));
  const std::string search = SearchText(entity);
  const std::string ip_key = IpKey(entity.fields[*FieldIndex("ip")]);
  std::vector<Value> values{ToMillis(entity.first_seen),
                            ToMillis(entity.last_seen),
                            entity.revision,
                            entry,
                            entry,
                            static_cast<std::int64_t>(entity.present),
                            ToMillis(entity.since),
                            static_cast<std::int64_t>(entity.down),
                            entity.notified ? Value(ToMillis(*entity.notified)) : Value(nullptr),
                            entity.came,
                            std::string_view(entity.ip4),
                            std::string_view(entity.ip6),
                            std::string_view(search),
                            std::string_view(ip_key)};
  for (const std::string& field : entity.fields) values.emplace_back(std::string_view(field));
  values.emplace_back(entity.id);
  values.emplace_back(org_);
  Rows rows = db_.QueryList(sql, values);
  rows.Next();
}

void Inventory::Touch(EntityId entity, TimePoint last_seen, EntryId entry) {
  db_.Execute("UPDATE entity SET last_seen = ?, touched = ? WHERE id = ? AND org = ?", ToMillis(last_seen), entry,
              entity, org_);
}

void Inventory::SetNotified(EntityId entity, TimePoint at, EntryId entry) {
  db_.Execute("UPDATE entity SET notified = ?, touched = ?, changed = ? WHERE id = ? AND org = ?", ToMillis(at), entry,
              entry, entity, org_);
}

std::vector<EntityId> Inventory::ChangedSince(EntryId entry) {
  std::vector<EntityId> entities;
  Rows rows =
      db_.Query("SELECT id FROM entity WHERE org = ? AND touched > ? AND changed > ? ORDER BY id", org_, entry, entry);
  while (rows.Next()) entities.push_back(rows.Int(0));
  return entities;
}

std::vector<SeenEntity> Inventory::SeenSince(EntryId entry) {
  std::vector<SeenEntity> entities;
  Rows rows =
      db_.Query("SELECT id, last_seen FROM entity WHERE org = ? AND touched > ? AND changed <= ? AND kind = 'device'",
                org_, entry, entry);
  while (rows.Next()) entities.push_back({rows.Int(0), FromMillis(rows.Int(1))});
  return entities;
}

std::vector<EntityFacts> Inventory::ChangedSince(EntryId entry, EntityId first, EntityId last) {
  // The operations keep the planner from other indexes: ids are the narrower range.
  constexpr std::string_view kWhich = "e.id >= ? AND e.id <= ? AND +e.org = ? AND +e.changed > ?";
  std::vector<EntityFacts> all;
  {
    static const std::string sql = fmt::format("SELECT {} FROM entity e WHERE {} ORDER BY id", EntityColumns(), kWhich);
    Rows rows = db_.Query(sql, first, last, org_, entry);
    while (rows.Next()) all.push_back({ReadEntity(rows), {}, {}, {}, {}});
  }
  const auto each = [&](const std::string& sql, const auto& add) {
    Rows rows = db_.Query(sql, first, last, org_, entry);
    auto at = all.begin();
    while (rows.Next()) {
      while (at->entity.id != rows.Int(0)) ++at;
      add(*at, rows);
    }
  };
  const auto of = [&](std::string_view columns, std::string_view table, std::string_view order) {
    return fmt::format("SELECT e.id, {} FROM entity e JOIN {} t ON t.entity = e.id WHERE {} ORDER BY e.id, {}", columns,
                       table, kWhich, order);
  };
  static const std::string identifiers = of("scheme, value", "identifier", "scheme, value");
  each(identifiers, [](EntityFacts& to, const Rows& row) { to.identifiers.push_back({row.Text(1), row.Text(2)}); });
  static const std::string claims = of("field, source, value, at, wins", "claim", "field, source");
  each(claims, [](EntityFacts& to, const Rows& row) {
    to.claims.push_back({row.Text(1), row.Text(2), row.Text(3), FromMillis(row.Int(4)), row.Int(5) != 0});
  });
  static const std::string locks = of("field", "field_lock", "field");
  each(locks, [](EntityFacts& to, const Rows& row) { to.locks.push_back(row.Text(1)); });
  static const std::string sightings = of(kSighting, "sighting", "source");
  each(sightings, [](EntityFacts& to, const Rows& row) { to.sightings.push_back(ReadSighting(row, 1)); });
  return all;
}

std::vector<Entity> Inventory::Walk(EntryId entry, EntityId after, int limit) {
  // Of a few that changed the index by `touched` knows which; all of them are walked by id.
  static const std::string all = fmt::format(
      "SELECT {} FROM entity WHERE id > ? AND +org = ? AND +touched > ? AND changed > ? ORDER BY id LIMIT ?",
      EntityColumns());
  static const std::string few =
      fmt::format("SELECT {} FROM entity WHERE +id > ? AND org = ? AND touched > ? AND changed > ? ORDER BY id LIMIT ?",
                  EntityColumns());
  std::vector<Entity> entities;
  Rows rows = db_.Query(entry < 0 ? all : few, after, org_, entry, entry, limit);
  while (rows.Next()) entities.push_back(ReadEntity(rows));
  return entities;
}

std::vector<Entity> Inventory::AsleepSince(TimePoint seen_before) {
  static const std::string sql = fmt::format(
      "SELECT {} FROM entity WHERE org = ? AND present = 0 AND down = 0 AND alert_down = '1' AND can_sleep = '1' "
      "AND last_seen < ? ORDER BY id",
      EntityColumns());
  std::vector<Entity> entities;
  Rows rows = db_.Query(sql, org_, ToMillis(seen_before));
  while (rows.Next()) entities.push_back(ReadEntity(rows));
  return entities;
}

std::vector<Entity> Inventory::List(const DeviceFilter& filter) {
  std::string sql = fmt::format("SELECT {} FROM entity WHERE +org = ? AND id > ?", EntityColumns());
  std::vector<Value> values{org_, filter.after};
  for (const auto& [field, value] : filter.equals) {
    const auto index = FieldIndex(field);
    if (!index) continue;
    sql += fmt::format(" AND {} = ?", kDeviceFields[*index]);
    values.emplace_back(std::string_view(value));
  }
  const std::string pattern = ContainsPattern(filter.search);
  if (!filter.search.empty()) {
    sql += " AND (";
    const char* joint = "";
    for (const char* field : {"name", "mac", "ip", "vendor", "fqdn"}) {
      sql += fmt::format("{}LOWER({}) LIKE LOWER(?) ESCAPE '\\'", joint, field);
      values.emplace_back(std::string_view(pattern));
      joint = " OR ";
    }
    sql += ")";
  }
  sql += " ORDER BY id LIMIT ?";
  values.emplace_back(static_cast<std::int64_t>(filter.limit));
  std::vector<Entity> entities;
  Rows rows = db_.QueryList(sql, values);
  while (rows.Next()) entities.push_back(ReadEntity(rows));
  return entities;
}

std::int64_t Inventory::Count() {
  Rows rows = db_.Query("SELECT COUNT(*) FROM entity WHERE org = ?", org_);
  return rows.Next() ? rows.Int(0) : 0;
}

EntityCounts Inventory::Counts() {
  Rows rows = db_.Query(
      "SELECT COUNT(*), COALESCE(SUM(present), 0), COALESCE(SUM(down), 0), "
      "COALESCE(SUM(CASE WHEN archived = '1' THEN 1 ELSE 0 END), 0) FROM entity WHERE org = ?",
      org_);
  if (!rows.Next()) return {};
  return {rows.Int(0), rows.Int(1), rows.Int(2), rows.Int(3)};
}

std::vector<Entity> Inventory::Cards(EntityId entity) {
  static const std::string sql = fmt::format(
      "SELECT {} FROM entity WHERE org = ? AND parent_relation = 'nic' AND LOWER(parent) IN "
      "(SELECT LOWER(value) FROM identifier WHERE entity = ? AND scheme = 'mac') AND id <> ? ORDER BY id",
      EntityColumns());
  std::vector<Entity> cards;
  Rows rows = db_.Query(sql, org_, entity, entity);
  while (rows.Next()) cards.push_back(ReadEntity(rows));
  return cards;
}

std::vector<LastSight> Inventory::SeenBy(const std::string& plugin, EntityId after, int limit) {
  return ReadSights(
      db_.Query("SELECT s.entity, MAX(s.entry), (SELECT e.came FROM entity e WHERE e.id = s.entity AND e.org = ?) "
                "FROM sighting s WHERE s.plugin = ? AND s.entity > ? GROUP BY s.entity ORDER BY s.entity LIMIT ?",
                org_, plugin, after, limit));
}

std::vector<LastSight> Inventory::SeenByAnybody(EntityId after, int limit) {
  return ReadSights(
      db_.Query("SELECT e.id, (SELECT MAX(s.entry) FROM sighting s WHERE s.entity = e.id), e.came FROM entity e "
                "WHERE e.id > ? AND +e.org = ? ORDER BY e.id LIMIT ?",
                after, org_, limit));
}

bool Inventory::AnySeenAfter(EntryId entry) {
  return db_
      .Query(
          "SELECT 1 FROM entity e JOIN sighting s ON s.entity = e.id WHERE e.org = ? AND e.touched > ? AND "
          "s.entry > ? LIMIT 1",
          org_, entry, entry)
      .Next();
}

std::vector<Scanner> Inventory::Scanners() {
  std::vector<Scanner> scanners;
  Rows rows = db_.Query("SELECT plugin, every, began, at, entry FROM scanner WHERE org = ? ORDER BY plugin", org_);
  while (rows.Next())
    scanners.push_back(
        {rows.Text(0), Millis(rows.Int(1)), FromMillis(rows.Int(2)), FromMillis(rows.Int(3)), rows.Int(4)});
  return scanners;
}

void Inventory::SaveScanner(const Scanner& scanner) {
  db_.Execute(
      "INSERT INTO scanner (org, plugin, every, began, at, entry) VALUES (?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (org, plugin) DO UPDATE SET every = excluded.every, began = excluded.began, at = excluded.at, "
      "entry = excluded.entry",
      org_, scanner.plugin, std::int64_t{scanner.every.count()}, ToMillis(scanner.began), ToMillis(scanner.at),
      scanner.entry);
}

std::vector<ClaimRow> Inventory::Claims(EntityId entity) {
  std::vector<ClaimRow> claims;
  Rows rows =
      db_.Query("SELECT field, source, value, at, wins FROM claim WHERE entity = ? ORDER BY field, source", entity);
  while (rows.Next())
    claims.push_back({rows.Text(0), rows.Text(1), rows.Text(2), FromMillis(rows.Int(3)), rows.Int(4) != 0});
  return claims;
}

void Inventory::SaveClaim(EntityId entity, const ClaimRow& claim) {
  db_.Execute(
      "INSERT INTO claim (entity, field, source, value, at, wins) VALUES (?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (entity, field, source) DO UPDATE SET value = excluded.value, at = excluded.at, wins = "
      "excluded.wins",
      entity, claim.field, claim.source, claim.value, ToMillis(claim.at), claim.wins);
}

void Inventory::DropClaim(EntityId entity, const std::string& field, const std::string& source) {
  db_.Execute("DELETE FROM claim WHERE entity = ? AND field = ? AND source = ?", entity, field, source);
}

std::vector<std::string> Inventory::Locks(EntityId entity) {
  std::vector<std::string> locks;
  Rows rows = db_.Query("SELECT field FROM field_lock WHERE entity = ? ORDER BY field", entity);
  while (rows.Next()) locks.push_back(rows.Text(0));
  return locks;
}

void Inventory::Lock(EntityId entity, const std::string& field) {
  db_.Execute("INSERT INTO field_lock (entity, field) VALUES (?, ?) ON CONFLICT (entity, field) DO NOTHING", entity,
              field);
}

void Inventory::Unlock(EntityId entity, const std::string& field) {
  db_.Execute("DELETE FROM field_lock WHERE entity = ? AND field = ?", entity, field);
}

std::vector<Identifier> Inventory::Identifiers(EntityId entity) {
  std::vector<Identifier> identifiers;
  Rows rows = db_.Query("SELECT scheme, value FROM identifier WHERE entity = ? ORDER BY scheme, value", entity);
  while (rows.Next()) identifiers.push_back({rows.Text(0), rows.Text(1)});
  return identifiers;
}

void Inventory::MoveIdentifier(const Identifier& identifier, EntityId to) {
  db_.Execute("UPDATE identifier SET entity = ? WHERE org = ? AND scheme = ? AND value = ?", to, org_,
              identifier.scheme, identifier.value);
}

void Inventory::MakeAlias(const Identifier& identifier) {
  db_.Execute("UPDATE identifier SET alias = 1 WHERE org = ? AND scheme = ? AND value = ?", org_, identifier.scheme,
              identifier.value);
}

bool Inventory::IsAlias(const Identifier& identifier) {
  return db_
      .Query("SELECT 1 FROM identifier WHERE org = ? AND scheme = ? AND value = ? AND alias = 1", org_,
             identifier.scheme, identifier.value)
      .Next();
}

void Inventory::NamePrimaries(EntityId entity) {
  db_.Execute(
      "UPDATE identifier SET alias = 0 WHERE entity = ? AND alias = 1 AND NOT EXISTS (SELECT 1 FROM identifier other "
      "WHERE other.entity = identifier.entity AND other.scheme = identifier.scheme AND "
      "(other.alias = 0 OR other.value < identifier.value))",
      entity);
}

std::vector<Sighting> Inventory::Sightings(EntityId entity) {
  std::vector<Sighting> sightings;
  Rows rows = db_.Query(fmt::format("SELECT {} FROM sighting WHERE entity = ? ORDER BY source", kSighting), entity);
  while (rows.Next()) sightings.push_back(ReadSighting(rows, 0));
  return sightings;
}

void Inventory::DropSighting(EntityId entity, const std::string& source) {
  db_.Execute("DELETE FROM sighting WHERE entity = ? AND source = ?", entity, source);
}

void Inventory::SawIt(EntityId entity, const Sighting& sighting) {
  db_.Execute(
      "INSERT INTO sighting (entity, source, plugin, first_at, last_at, entry, told) VALUES (?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (entity, source) DO UPDATE SET plugin = excluded.plugin, last_at = excluded.last_at, entry = "
      "excluded.entry, told = excluded.told",
      entity, sighting.source, sighting.plugin, ToMillis(sighting.first_at), ToMillis(sighting.last_at), sighting.entry,
      sighting.told);
}

void Inventory::SawItAgain(EntityId entity, const std::string& source, TimePoint at, EntryId entry) {
  db_.Execute("UPDATE sighting SET last_at = ?, entry = ? WHERE entity = ? AND source = ?", ToMillis(at), entry, entity,
              source);
}

void Inventory::JudgeAgain(EntityId entity) { db_.Execute("UPDATE sighting SET told = 0 WHERE entity = ?", entity); }

}  // namespace backplane::store
