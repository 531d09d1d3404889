#include "store/resources.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "store/like.h"

namespace backplane::store {
namespace {

constexpr const char* kColumns =
    "id, entity, source, site, class, subclass, type, resource_id, endpoint, plugin, metadata, created, reported, "
    "expires, entry";

std::string EncodeMetadata(const Resource& resource) { return DumpJson(Json(resource.metadata)); }

std::map<std::string, std::string> DecodeMetadata(std::string_view text) {
  const Result<Json> json = ParseJson(text);
  if (!json || !json->is_object()) throw DatabaseError("a resource's metadata is damaged");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : json->items())
    if (value.is_string()) metadata[key] = value.get<std::string>();
  return metadata;
}

std::optional<std::int64_t> Maybe(const std::optional<TimePoint>& time) {
  return time ? std::optional(ToMillis(*time)) : std::nullopt;
}

StoredResource ReadResource(const Rows& rows) {
  StoredResource stored;
  stored.id = rows.Int(0);
  stored.entity = rows.Int(1);
  stored.source = rows.Text(2);
  stored.resource = {rows.Text(3), rows.Text(4), rows.Text(5), rows.Text(6),
                     rows.Text(7), rows.Text(8), rows.Text(9), DecodeMetadata(rows.View(10))};
  stored.created = FromMillis(rows.Int(11));
  stored.reported = FromMillis(rows.Int(12));
  if (const auto expires = rows.MaybeInt(13)) stored.expires = FromMillis(*expires);
  stored.entry = rows.Int(14);
  return stored;
}

}  // namespace

std::optional<StoredResource> Resources::Find(const std::string& key) {
  static const std::string sql = fmt::format("SELECT {} FROM resource WHERE org = ? AND resource_key = ?", kColumns);
  Rows rows = db_.Query(sql, org_, key);
  if (!rows.Next()) return std::nullopt;
  return ReadResource(rows);
}

std::optional<StoredResource> Resources::Get(std::int64_t id) {
  Rows rows = db_.Query(fmt::format("SELECT {} FROM resource WHERE org = ? AND id = ?", kColumns), org_, id);
  if (!rows.Next()) return std::nullopt;
  return ReadResource(rows);
}

std::int64_t Resources::Insert(const StoredResource& stored) {
  const Resource& r = stored.resource;
  return db_.ExecuteReturning(
      "INSERT INTO resource (org, entity, resource_key, source, site, class, subclass, type, resource_id, endpoint, "
      "plugin, metadata, created, reported, expires, entry) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "RETURNING id",
      org_, stored.entity, ResourceKey(r), stored.source, r.site, r.class_name, r.subclass, r.type, r.id, r.endpoint,
      r.plugin, EncodeMetadata(r), ToMillis(stored.created), ToMillis(stored.reported), Maybe(stored.expires),
      stored.entry);
}

void Resources::Update(const StoredResource& stored) {
  db_.Execute(
      "UPDATE resource SET entity = ?, source = ?, metadata = ?, reported = ?, expires = ?, entry = ? "
      "WHERE id = ? AND org = ?",
      stored.entity, stored.source, EncodeMetadata(stored.resource), ToMillis(stored.reported), Maybe(stored.expires),
      stored.entry, stored.id, org_);
}

void Resources::Remove(std::int64_t id) { db_.Execute("DELETE FROM resource WHERE id = ? AND org = ?", id, org_); }

std::vector<StoredResource> Resources::Walk(const std::string& source, std::int64_t after, int limit) {
  static const std::string sql =
      fmt::format("SELECT {} FROM resource WHERE org = ? AND source = ? AND id > ? ORDER BY id LIMIT ?", kColumns);
  std::vector<StoredResource> resources;
  Rows rows = db_.Query(sql, org_, source, after, limit);
  while (rows.Next()) resources.push_back(ReadResource(rows));
  return resources;
}

std::set<std::string> Resources::SitesOf(const std::string& source, EntryId entry) {
  std::set<std::string> sites;
  Rows rows =
      db_.Query("SELECT DISTINCT site FROM resource WHERE org = ? AND source = ? AND entry = ?", org_, source, entry);
  while (rows.Next()) sites.insert(rows.Text(0));
  return sites;
}

std::vector<StoredResource> Resources::List(const ResourceFilter& filter) {
  std::string sql = fmt::format("SELECT {} FROM resource WHERE org = ? AND id > ?", kColumns);
  std::vector<Value> values{org_, filter.after};
  for (const auto& [column, value] : {std::pair<const char*, const std::string*>{"site", &filter.site},
                                      {"class", &filter.class_name},
                                      {"subclass", &filter.subclass},
                                      {"type", &filter.type},
                                      {"resource_id", &filter.id},
                                      {"source", &filter.source}}) {
    if (value->empty()) continue;
    sql += fmt::format(" AND {} = ?", column);
    values.emplace_back(std::string_view(*value));
  }
  if (filter.entity != 0) {
    sql += " AND entity = ?";
    values.emplace_back(filter.entity);
  }
  if (filter.now) {
    sql += " AND (expires IS NULL OR expires > ?)";
    values.emplace_back(ToMillis(*filter.now));
  }
  const std::string pattern = ContainsPattern(filter.search);
  if (!filter.search.empty()) {
    sql += " AND (LOWER(resource_id) LIKE LOWER(?) ESCAPE '\\' OR LOWER(endpoint) LIKE LOWER(?) ESCAPE '\\')";
    values.emplace_back(std::string_view(pattern));
    values.emplace_back(std::string_view(pattern));
  }
  sql += " ORDER BY id LIMIT ?";
  values.emplace_back(static_cast<std::int64_t>(filter.limit));
  std::vector<StoredResource> resources;
  Rows rows = db_.QueryList(sql, values);
  while (rows.Next()) resources.push_back(ReadResource(rows));
  return resources;
}

std::vector<std::string> Resources::Sources(const std::string& prefix) {
  std::vector<std::string> sources;
  Rows rows =
      db_.Query("SELECT DISTINCT source FROM resource WHERE org = ? AND SUBSTR(source, 1, ?) = ? ORDER BY source", org_,
                static_cast<std::int64_t>(prefix.size()), prefix);
  while (rows.Next()) sources.push_back(rows.Text(0));
  return sources;
}

std::vector<StoredEnrichment> Enrichments::Of(const std::string& resource_id, const std::string& name_space,
                                              TimePoint now) {
  std::vector<StoredEnrichment> enrichments;
  Rows rows = db_.Query(
      "SELECT resource_id, name_space, source, body, at, expires FROM enrichment WHERE org = ? AND resource_id = ? "
      "AND (name_space = ? OR ? = '') AND expires > ? ORDER BY name_space",
      org_, resource_id, name_space, name_space, ToMillis(now));
  while (rows.Next())
    enrichments.push_back(
        {rows.Text(0), rows.Text(1), rows.Text(2), rows.Text(3), FromMillis(rows.Int(4)), FromMillis(rows.Int(5))});
  return enrichments;
}

bool Enrichments::Put(const StoredEnrichment& e, const std::string& watch_key, EntryId entry) {
  const bool same = db_.Query(
                           "SELECT 1 FROM enrichment WHERE org = ? AND resource_id = ? AND name_space = ? AND "
                           "watch_key = ?",
                           org_, e.resource_id, e.name_space, watch_key)
                        .Next();
  db_.Execute(
      "INSERT INTO enrichment (org, resource_id, name_space, source, body, watch_key, at, expires, entry) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (org, resource_id, name_space) DO UPDATE SET "
      "source = excluded.source, body = excluded.body, watch_key = excluded.watch_key, at = excluded.at, "
      "expires = excluded.expires, entry = excluded.entry",
      org_, e.resource_id, e.name_space, e.source, e.body, watch_key, ToMillis(e.at), ToMillis(e.expires), entry);
  return !same;
}

bool AnythingExpired(Connection& connection, TimePoint now) {
  return connection.Query("SELECT 1 FROM resource WHERE expires <= ? LIMIT 1", ToMillis(now)).Next() ||
         connection.Query("SELECT 1 FROM enrichment WHERE expires <= ? LIMIT 1", ToMillis(now)).Next();
}

std::vector<std::pair<OrgId, StoredResource>> ExpiredResources(Connection& connection, TimePoint now, int limit) {
  std::vector<std::pair<OrgId, StoredResource>> expired;
  Rows rows = connection.Query(
      fmt::format("SELECT {}, org FROM resource WHERE expires <= ? ORDER BY expires, id LIMIT ?", kColumns),
      ToMillis(now), limit);
  while (rows.Next()) expired.emplace_back(rows.Int(15), ReadResource(rows));
  return expired;
}

int ForgetExpiredEnrichments(Connection& connection, TimePoint now, int limit) {
  return static_cast<int>(
      connection.Execute("DELETE FROM enrichment WHERE id IN (SELECT id FROM enrichment WHERE expires <= ? "
                         "ORDER BY expires, id LIMIT ?)",
                         ToMillis(now), limit));
}

}  // namespace backplane::store
