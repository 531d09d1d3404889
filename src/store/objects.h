// Objects: the identified things that plugins report, with their status; what became of them, and
// what people are to be told of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/ids.h"
#include "model/record.h"
#include "store/database.h"

namespace backplane::store {

struct Object {
  std::int64_t id = 0;
  std::string plugin;
  ObjectRecord record;  ///< `at` is `changed`
  ObjectStatus status = ObjectStatus::kNew;
  TimePoint created;
  TimePoint changed;
};

/// What is empty lets everything pass.
struct ObjectFilter {
  std::string plugin;
  std::optional<ObjectStatus> status = {};
  std::string primary = {};
  std::string secondary = {};
  std::string foreign_key = {};
  std::string search = {};  ///< part of any value, whatever its case
  std::optional<TimePoint> changed_since = {};
  std::int64_t after = 0;
  int limit = 100;
};

/// One page of a listing. It ends after 4 MiB of values too, so it may be short and not be the last.
template <typename Item>
struct Page {
  std::vector<Item> items;
  std::optional<std::int64_t> next;  ///< the cursor for the page that follows; nothing: there is none
};

/// Objects of one organisation.
class Objects {
 public:
  Objects(Connection& connection, OrgId org) : db_(connection), org_(org) {}

  /// By key, with what a report is judged by.
  std::optional<Object> Find(const std::string& plugin, const std::string& key);
  std::optional<Object> Get(std::int64_t id);
  std::int64_t Insert(const std::string& plugin, const ObjectRecord& record, EntryId entry);
  /// Takes over every value; `changed_at` only if given.
  void Update(std::int64_t id, const ObjectRecord& record, ObjectStatus status, std::optional<TimePoint> changed_at,
              EntryId entry);
  /// It was reported again just as it is.
  void Touch(std::int64_t id, EntryId entry);
  /// What entries after `entry` changed, by id; all of it for -1.
  std::vector<std::int64_t> TouchedSince(EntryId entry);
  /// Whether some of them are of one of these plugins.
  bool WereTouchedSince(EntryId entry, const std::vector<std::string>& plugins);
  /// Those of them with ids from `first` to `last`.
  std::vector<Object> TouchedSince(EntryId entry, std::int64_t first, std::int64_t last);
  /// What is needed to tell whether a complete report left an object out.
  struct Stored {
    std::int64_t id = 0;
    ObjectStatus status = ObjectStatus::kNew;
    EntryId entry = 0;  ///< the last one that reported it
    std::string primary;
    std::string secondary;
  };
  /// Objects of a plugin in the order they were made, from the one after id `after`.
  std::vector<Stored> Walk(const std::string& plugin, std::int64_t after, int limit);
  void Remove(std::int64_t id);
  void SetMissing(std::int64_t id, TimePoint at, EntryId entry);
  /// By id. Where no index leads to what is asked for, a page looks at 10,000 objects and may have found
  /// nothing.
  Page<Object> List(const ObjectFilter& filter);

 private:
  Connection& db_;
  OrgId org_;
};

/// An object as it was when a run ended.
struct LoggedObject {
  std::int64_t id = 0;
  Object object;  ///< without key and watch key
  RunId run = 0;
  TimePoint at;
};

enum class ObjectLogKind {
  kHistory,  ///< each object that was new, changed, went missing or came back
  kReports,  ///< each object whose status its plugin wants people told of, until they are
};

/// The history or the reports of one organisation. A line outlives its object.
class ObjectLog {
 public:
  ObjectLog(Connection& connection, OrgId org, ObjectLogKind kind);

  /// The object as it is now.
  void Append(std::int64_t object, RunId run, TimePoint at);
  /// Newest first; older than the line `before` if that is given.
  Page<LoggedObject> OfPlugin(const std::string& plugin, std::optional<std::int64_t> before, int limit);
  /// Of all plugins, oldest first, after the line `after`.
  std::vector<LoggedObject> After(std::int64_t after, int limit);
  Page<LoggedObject> OfObject(std::int64_t object, std::optional<std::int64_t> before, int limit);
  std::int64_t Count(const std::string& plugin);
  /// The id of the oldest line of a plugin; 0 if it has none.
  std::int64_t First(const std::string& plugin);
  /// Forgets up to `limit` of the oldest lines of a plugin beyond the newest `keep`. Returns how many:
  /// call again while it is `limit`.
  int Forget(const std::string& plugin, std::int64_t keep, int limit);
  /// Forgets every line up to and with `upto`.
  void ForgetUpTo(std::int64_t upto);

 private:
  Connection& db_;
  OrgId org_;
  const char* table_;
};

struct PluginOfOrg {
  OrgId org = 0;
  std::string plugin;
};
/// Every plugin that has lines, of every organisation.
std::vector<PluginOfOrg> PluginsInLog(Connection& connection, ObjectLogKind kind);

}  // namespace backplane::store
