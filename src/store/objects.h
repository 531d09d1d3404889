// Objects: the identified things that plugins report, with their status.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/ids.h"
#include "model/record.h"
#include "store/database.h"

namespace backplane::store {

enum class ObjectStatus { kNew, kChanged, kUnchanged, kMissing };
/// "new", "changed", "unchanged", "missing".
const char* ObjectStatusName(ObjectStatus status);

struct Object {
  std::int64_t id = 0;
  std::string plugin;
  ObjectRecord record;  ///< `at` is `changed`
  ObjectStatus status = ObjectStatus::kNew;
  TimePoint created;
  TimePoint changed;
};

struct ObjectFilter {
  std::string plugin;  ///< empty: any
  std::string status;  ///< empty: any
  std::int64_t after = 0;
  int limit = 100;
};

/// Objects of one organisation.
class Objects {
 public:
  Objects(Connection& connection, OrgId org) : db_(connection), org_(org) {}

  /// What a report is judged by.
  struct Present {
    std::int64_t id = 0;
    ObjectStatus status = ObjectStatus::kNew;
    std::string watch_key;
  };
  std::optional<Present> Find(const std::string& plugin, const std::string& key);
  std::int64_t Insert(const std::string& plugin, const ObjectRecord& record, EntryId entry);
  /// Takes over every value; `changed_at` only if given.
  void Update(std::int64_t id, const ObjectRecord& record, ObjectStatus status, std::optional<TimePoint> changed_at,
              EntryId entry);
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
  void SetMissing(std::int64_t id, TimePoint at);
  std::vector<Object> List(const ObjectFilter& filter);

 private:
  Connection& db_;
  OrgId org_;
};

}  // namespace backplane::store
