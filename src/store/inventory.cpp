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

// id, kind, first_seen, last_seen, revision, then the fields.
Entity ReadEntity(const Rows& rows) {
  Entity entity;
  entity.id = rows.Int(0);
  entity.kind = rows.Text(1);
  entity.first_seen = FromMillis(rows.Int(2));
  entity.last_seen = FromMillis(rows.Int(3));
  entity.revision = rows.Int(4);
  for (int i = 0; i < kFields; ++i) entity.fields[static_cast<std::size_t>(i)] = rows.Text(5 + i);
  return entity;
}

const std::string& SelectEntity() {
  static const std::string sql =
      fmt::format("SELECT id, kind, first_seen, last_seen, revision, {} FROM entity WHERE org = ?", FieldList());
  return sql;
}

}  // namespace

std::optional<std::size_t> FieldIndex(std::string_view name) {
  const auto found = std::find(kDeviceFields.begin(), kDeviceFields.end(), name);
  if (found == kDeviceFields.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kDeviceFields.begin());
}

std::optional<EntityId> Inventory::Find(const Identifier& identifier) {
  Rows rows = db_.Query("SELECT entity FROM identifier WHERE org = ? AND scheme = ? AND value = ?", org_,
                        identifier.scheme, identifier.value);
  if (!rows.Next()) return std::nullopt;
  return rows.Int(0);
}

EntityId Inventory::Create(const std::string& kind, TimePoint seen) {
  return db_.ExecuteReturning("INSERT INTO entity (org, kind, first_seen, last_seen) VALUES (?, ?, ?, ?) RETURNING id",
                              org_, kind, ToMillis(seen), ToMillis(seen));
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
      fmt::format("UPDATE entity SET last_seen = ?, revision = ?, touched = ?, {} = ? WHERE id = ? AND org = ?",
                  fmt::join(kDeviceFields, " = ?, "));
  std::vector<Value> values{ToMillis(entity.last_seen), entity.revision, entry};
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
  Rows rows = db_.Query("SELECT source, first_at, last_at FROM sighting WHERE entity = ? ORDER BY source", entity);
  while (rows.Next()) sightings.push_back({rows.Text(0), FromMillis(rows.Int(1)), FromMillis(rows.Int(2))});
  return sightings;
}

void Inventory::SawIt(EntityId entity, const std::string& source, TimePoint at, EntryId entry) {
  db_.Execute(
      "INSERT INTO sighting (entity, source, first_at, last_at, entry) VALUES (?, ?, ?, ?, ?) "
      "ON CONFLICT (entity, source) DO UPDATE SET last_at = excluded.last_at, entry = excluded.entry",
      entity, source, ToMillis(at), ToMillis(at), entry);
}

std::vector<EntityId> Inventory::Present() {
  struct Seen {
    EntityId entity;
    EntryId entry;
  };
  std::map<std::string, std::vector<Seen>, std::less<>> seen;
  Rows rows = db_.Query(
      "SELECT s.source, s.entity, s.entry FROM sighting s JOIN entity e ON e.id = s.entity WHERE e.org = ?", org_);
  while (rows.Next()) {
    auto at = seen.find(rows.View(0));
    if (at == seen.end()) at = seen.try_emplace(rows.Text(0)).first;
    at->second.push_back({rows.Int(1), rows.Int(2)});
  }
  std::vector<EntityId> present;
  for (auto& [source, list] : seen) {
    std::sort(list.begin(), list.end(), [](const Seen& one, const Seen& other) { return one.entry > other.entry; });
    EntryId looked = 0;
    bool complete = false;
    for (const Seen& one : list) {
      if (one.entry != looked && complete) break;
      if (one.entry != looked) complete = IsComplete(looked = one.entry);
      present.push_back(one.entity);
    }
  }
  std::sort(present.begin(), present.end());
  present.erase(std::unique(present.begin(), present.end()), present.end());
  return present;
}

// An entry that is forgotten is taken for complete.
bool Inventory::IsComplete(EntryId entry) {
  Rows rows = db_.Query("SELECT complete FROM journal WHERE entry = ?", entry);
  return !rows.Next() || rows.Int(0) != 0;
}

}  // namespace backplane::store
