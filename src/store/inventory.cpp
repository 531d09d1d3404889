#include "store/inventory.h"

#include <algorithm>

#include <fmt/format.h>

#include "store/like.h"

namespace backplane::store {
namespace {

constexpr int kFields = static_cast<int>(kDeviceFields.size());

const std::string& FieldList() {
  static const std::string list = fmt::format("{}", fmt::join(kDeviceFields, ", "));
  return list;
}

// kEntity, then the fields.
constexpr const char* kEntity = "id, kind, first_seen, last_seen, revision, present, since, down, notified";
constexpr int kFirstField = 9;
constexpr const char* kSighting = "source, plugin, first_at, last_at, entry, every, told";

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
  for (int i = 0; i < kFields; ++i) entity.fields[static_cast<std::size_t>(i)] = rows.Text(kFirstField + i);
  return entity;
}

const std::string& SelectEntity() {
  static const std::string sql =
      fmt::format("SELECT {}, {} FROM entity WHERE org = ?", kEntity, FieldList());
  return sql;
}

// `first` is the column of the first of kSighting.
Sighting ReadSighting(const Rows& rows, int first) {
  Sighting sighting{.source = rows.Text(first),
                    .plugin = rows.Text(first + 1),
                    .first_at = FromMillis(rows.Int(first + 2)),
                    .last_at = FromMillis(rows.Int(first + 3)),
                    .entry = rows.Int(first + 4),
                    .every = {},
                    .told = rows.Int(first + 6)};
  if (const auto every = rows.MaybeInt(first + 5)) sighting.every = Millis(*every);
  return sighting;
}

}  // namespace

std::optional<std::size_t> FieldIndex(std::string_view name) {
  const auto found = std::find(kDeviceFields.begin(), kDeviceFields.end(), name);
  if (found == kDeviceFields.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kDeviceFields.begin());
}

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

EntityId Inventory::Create(const std::string& kind, TimePoint seen) {
  return db_.ExecuteReturning("INSERT INTO entity (org, kind, first_seen, last_seen, since) VALUES (?, ?, ?, ?, ?) RETURNING id",
                              org_, kind, ToMillis(seen), ToMillis(seen), ToMillis(seen));
}

bool Inventory::AddIdentifier(EntityId entity, const Identifier& identifier) {
  return db_.Execute(
             "INSERT INTO identifier (org, scheme, value, entity) VALUES (?, ?, ?, ?) "
             "ON CONFLICT (org, scheme, value) DO NOTHING",
             org_, identifier.scheme, identifier.value, entity) == 1;
}

std::optional<Entity> Inventory::Get(EntityId entity) {
  static const std::string sql = SelectEntity() + " AND id = ?";
  Rows rows = db_.Query(sql, org_, entity);
  if (!rows.Next()) return std::nullopt;
  return ReadEntity(rows);
}

void Inventory::Save(const Entity& entity, EntryId entry) {
  static const std::string sql =
      fmt::format("UPDATE entity SET last_seen = ?, revision = ?, touched = ?, present = ?, since = ?, down = ?, "
                  "notified = ?, {} = ? WHERE id = ? AND org = ?",
                  fmt::join(kDeviceFields, " = ?, "));
  std::vector<Value> values{ToMillis(entity.last_seen),
                            entity.revision,
                            entry,
                            static_cast<std::int64_t>(entity.present),
                            ToMillis(entity.since),
                            static_cast<std::int64_t>(entity.down),
                            entity.notified ? Value(ToMillis(*entity.notified)) : Value(nullptr)};
  for (const std::string& field : entity.fields) values.emplace_back(std::string_view(field));
  values.emplace_back(entity.id);
  values.emplace_back(org_);
  Rows rows = db_.QueryList(sql, values);
  rows.Next();
}

void Inventory::Touch(EntityId entity, TimePoint last_seen, EntryId entry) {
  const std::int64_t seen = ToMillis(last_seen);
  db_.Execute(
      "UPDATE entity SET last_seen = CASE WHEN last_seen < ? THEN ? ELSE last_seen END, touched = ? "
      "WHERE id = ? AND org = ?",
      seen, seen, entry, entity, org_);
}

std::vector<EntityId> Inventory::TouchedSince(EntryId entry) {
  std::vector<EntityId> entities;
  Rows rows = db_.Query("SELECT id FROM entity WHERE org = ? AND touched > ? ORDER BY id", org_, entry);
  while (rows.Next()) entities.push_back(rows.Int(0));
  return entities;
}

std::vector<EntityFacts> Inventory::TouchedSince(EntryId entry, EntityId first, EntityId last) {
  // The operations keep the planner from the index by `touched`: ids are the narrower range.
  constexpr std::string_view kWhich = "e.id >= ? AND e.id <= ? AND +e.org = ? AND +e.touched > ?";
  std::vector<EntityFacts> all;
  {
    static const std::string sql = fmt::format(
        "SELECT {}, {} FROM entity e WHERE {} ORDER BY id", kEntity, FieldList(), kWhich);
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

std::vector<Entity> Inventory::List(const DeviceFilter& filter) {
  std::string sql = SelectEntity() + " AND id > ?";
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

std::vector<Sighting> Inventory::Sightings(EntityId entity) {
  std::vector<Sighting> sightings;
  Rows rows = db_.Query(fmt::format("SELECT {} FROM sighting WHERE entity = ? ORDER BY source", kSighting), entity);
  while (rows.Next()) sightings.push_back(ReadSighting(rows, 0));
  return sightings;
}

std::optional<Sighting> Inventory::FindSighting(EntityId entity, const std::string& source) {
  static const std::string sql = fmt::format("SELECT {} FROM sighting WHERE entity = ? AND source = ?", kSighting);
  Rows rows = db_.Query(sql, entity, source);
  if (!rows.Next()) return std::nullopt;
  return ReadSighting(rows, 0);
}

void Inventory::SawIt(EntityId entity, const Sighting& sighting) {
  db_.Execute(
      "INSERT INTO sighting (entity, source, plugin, first_at, last_at, entry, every, told) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (entity, source) DO UPDATE SET plugin = excluded.plugin, last_at = excluded.last_at, entry = "
      "excluded.entry, every = excluded.every, told = excluded.told",
      entity, sighting.source, sighting.plugin, ToMillis(sighting.first_at), ToMillis(sighting.last_at), sighting.entry,
      sighting.every ? std::optional(sighting.every->count()) : std::nullopt, sighting.told);
}

}  // namespace backplane::store
