// Resources and what is known about them: what plugins run about, and its enrichments.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/ids.h"
#include "model/record.h"
#include "model/resource.h"
#include "store/database.h"

namespace backplane::store {

struct StoredResource {
  std::int64_t id = 0;
  Resource resource;
  EntityId entity = 0;
  std::string source;  ///< whose report it stands on: a plugin's id, or a rule of the site
  TimePoint created;
  TimePoint reported;
  std::optional<TimePoint> expires;
  EntryId entry = 0;  ///< the last one that reported it
};

struct ResourceFilter {
  std::string search;  ///< part of id or endpoint, without regard to case; empty: all
  /// Exact values; empty: any.
  std::string site, class_name, subclass, type, id, source;
  EntityId entity = 0;             ///< 0: any
  std::optional<TimePoint> now{};  ///< leaves out what has expired by then, though it may still lie there
  std::int64_t after = 0;
  int limit = 100;
};

/// Resources of one organisation.
class Resources {
 public:
  Resources(Connection& connection, OrgId org) : db_(connection), org_(org) {}

  std::optional<StoredResource> Find(const std::string& key);
  std::optional<StoredResource> Get(std::int64_t id);
  /// `resource.id` is not read; returns the new one.
  std::int64_t Insert(const StoredResource& resource);
  /// Writes entity, source, metadata, reported, expires and entry.
  void Update(const StoredResource& resource);
  void Remove(std::int64_t id);
  /// Of one source, in the order they were made, from the one after id `after`.
  std::vector<StoredResource> Walk(const std::string& source, std::int64_t after, int limit);
  /// Sites at which `entry` reported a resource of this source.
  std::set<std::string> SitesOf(const std::string& source, EntryId entry);
  std::vector<StoredResource> List(const ResourceFilter& filter);
  /// Sources of resources whose name begins with `prefix`, which is ASCII.
  std::vector<std::string> Sources(const std::string& prefix);

 private:
  Connection& db_;
  OrgId org_;
};

struct StoredEnrichment {
  std::string resource_id;
  std::string name_space;
  std::string source;  ///< the plugin whose it is
  std::string body;    ///< JSON
  TimePoint at;
  TimePoint expires;
};

/// Enrichments of one organisation. What has expired is not found, though it may still lie there.
class Enrichments {
 public:
  Enrichments(Connection& connection, OrgId org) : db_(connection), org_(org) {}

  /// In one namespace or, if that is empty, in all.
  std::vector<StoredEnrichment> Of(const std::string& resource_id, const std::string& name_space, TimePoint now);
  /// Writes it over what was there; returns whether that had another watch key.
  bool Put(const StoredEnrichment& enrichment, const std::string& watch_key, EntryId entry);

 private:
  Connection& db_;
  OrgId org_;
};

/// Whether a resource or an enrichment of any organisation has expired by `now`.
bool AnythingExpired(Connection& connection, TimePoint now);
/// Resources of any organisation that have expired, by id, with the organisation.
std::vector<std::pair<OrgId, StoredResource>> ExpiredResources(Connection& connection, TimePoint now, int limit);
/// Forgets enrichments of any organisation that have expired; returns how many: call again while it
/// is `limit`.
int ForgetExpiredEnrichments(Connection& connection, TimePoint now, int limit);

}  // namespace backplane::store
