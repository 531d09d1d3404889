// What a run produced, in normal form.
//
// A dialect's decode() makes these; the folds turn them into state. Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.h"
#include "model/ids.h"
#include "model/resource.h"

namespace backplane {

/// A name by which an entity is known. `scheme` is "mac" (value: lower case, colon-separated),
/// "ip", "uuid" or one of a dialect's own. Identifiers of one organisation are unique.
struct Identifier {
  std::string scheme;
  std::string value;
  bool operator==(const Identifier&) const = default;
};

/// When a source's value for a field replaces the present one. A person's value and a lock
/// always stand; an empty claim never replaces anything.
enum class ClaimPolicy {
  kAlways,   ///< replaces any other source's value
  kIfEmpty,  ///< only into an empty field
  kDefault,  ///< into an empty field, or over an earlier value of the same source
};

/// What one source says of one field.
struct Claim {
  std::string field;  ///< one of kDeviceFields
  std::string value;
  ClaimPolicy policy = ClaimPolicy::kDefault;
};

/// Somebody saw an entity.
struct Observation {
  std::string source;                   ///< who says so: a plugin's tag
  std::vector<Identifier> identifiers;  ///< strongest first, at least one
  std::vector<Claim> claims;
  TimePoint at;
};

/// One identified thing that a plugin reports (a device, URL, port, ...), kept with its status
/// and its earlier values.
struct ObjectRecord {
  std::string key;  ///< identity within the plugin
  std::string primary;
  std::string secondary;
  TimePoint at;
  std::array<std::string, 4> watched;
  std::string extra;
  std::string foreign_key;
  std::array<std::string, 4> help;
  std::string watch_key;  ///< equal watch keys: not changed
  bool operator==(const ObjectRecord&) const = default;
};

/// What became of an object in the last run that says something of it.
enum class ObjectStatus { kNew, kChanged, kUnchanged, kMissing };
inline constexpr std::array kObjectStatuses = {ObjectStatus::kNew, ObjectStatus::kChanged, ObjectStatus::kUnchanged,
                                               ObjectStatus::kMissing};
/// "new", "changed", "unchanged", "missing".
const char* ObjectStatusName(ObjectStatus status);
std::optional<ObjectStatus> ParseObjectStatus(std::string_view name);

/// Something that plugins can run about.
struct ResourceRecord {
  Resource resource;
  TimePoint at;
  Millis ttl{0};  ///< it ends so long after `at` unless it is reported again; 0: never
  /// The entity it belongs to; 0: the one that goes by its ResourcePath(), or a new one.
  EntityId entity = 0;
};

/// Somebody who made resources known does not know this one any more.
struct ResourceGone {
  std::string key;  ///< ResourceKey()
};

/// Slow-changing facts about what goes by a resource id, one document per namespace.
struct EnrichmentRecord {
  std::string resource_id;
  std::string name_space;
  std::string body;       ///< JSON, as those who read it expect it
  std::string watch_key;  ///< equal watch keys: not changed
  TimePoint at;
  Millis ttl{0};  ///< more than zero
};

enum class MetricKind { kGauge, kCounter };
/// "gauge", "counter".
const char* MetricKindName(MetricKind kind);

struct Measurement {
  std::string name;
  MetricKind kind = MetricKind::kGauge;
  /// A whole number stays one: counters of 64 bits do not fit into a double. Finite.
  std::variant<std::int64_t, double> value;
  TimePoint at;
};

/// Measurements of one thing at one time: each measurement is a sample of the series named by
/// resource, group, dimensions, name and kind.
struct MetricsRecord {
  std::string resource;  ///< ResourcePath(); empty: about no resource
  std::string endpoint;
  std::string group;   ///< "interface", "cpu", ...
  Millis interval{0};  ///< how often such a group comes; 0: unknown
  TimePoint at;
  std::vector<std::pair<std::string, std::string>> dimensions;  ///< by name, each once
  std::vector<Measurement> measurements;
};

using Record = std::variant<Observation, ObjectRecord, ResourceRecord, ResourceGone, EnrichmentRecord, MetricsRecord>;

/// A piece of output that was not taken, and why.
struct Refusal {
  std::string where;   ///< "line 3", "line 3, column 9"
  std::string reason;  ///< a sentence without full stop
};

/// The records of one run.
struct Batch {
  std::vector<Record> records;  ///< the key of an object comes once
  std::vector<Refusal> refused;
  /// The batch lists every object, and of each site that it names every resource, that its plugin
  /// knows of: what is not in it is missing.
  bool complete = false;
  /// People are to be told of each object whose status is one of these when the batch is folded.
  std::vector<ObjectStatus> reported = {};
  /// Why the output could not be read as a whole; then the run has failed and there are no records.
  std::string failure;
};

/// The fields of a device that can be claimed, filtered and edited; the names are those of the
/// API and of the store's columns.
inline constexpr std::array kDeviceFields = {"name",        "mac",  "ip",       "vendor", "type", "owner",
                                             "group_name",  "site", "ssid",     "vlan",   "fqdn", "parent",
                                             "parent_port", "hub",  "location", "comment"};

}  // namespace backplane
