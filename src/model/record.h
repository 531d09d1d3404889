// What a run produced, in normal form.
//
// A dialect's decode() makes these; the folds turn them into state. Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <map>
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

enum class NotificationLevel { kInfo, kWarning, kError, kAlert };
inline constexpr std::array kNotificationLevels = {NotificationLevel::kInfo, NotificationLevel::kWarning,
                                                   NotificationLevel::kError, NotificationLevel::kAlert};
/// "info", "warning", "error", "alert".
const char* NotificationLevelName(NotificationLevel level);
std::optional<NotificationLevel> ParseNotificationLevel(std::string_view name);

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

/// People are to be told something. Whoever raises it need not know who sends it.
struct NotificationRecord {
  std::string source;  ///< who says so: a plugin's tag
  NotificationLevel level = NotificationLevel::kInfo;
  std::string title;  ///< one line
  std::string text;
  std::string html;  ///< the same for those who can show it; empty: `text` will do
  std::string data;  ///< the same for programs, JSON; may be empty
  TimePoint at;
};

/// Somebody knows something of a device without having seen it.
struct ClaimsRecord {
  EntityId entity = 0;
  std::string source;
  std::vector<Claim> claims;
  TimePoint at;
  /// If `entity` is 0: what it goes by, strongest first. If nothing does, it becomes known by this, and is not there.
  std::vector<Identifier> identifiers = {};
  /// It is said anew: it is judged even if the source has said it before, and the device counts as changed in any case.
  bool anew = false;
};

/// Somebody has thrown an object away: it is new when it is reported again.
struct ObjectGone {
  std::int64_t object = 0;  ///< store::Object::id
};

/// A device has been gone for too long: it is down, if it is still gone since then.
struct DeviceDownRecord {
  EntityId entity = 0;
  TimePoint since;  ///< store::Entity::since
};

/// Somebody has taken care that people are told of what happened to devices, or need not be: that is not pending any
/// more, and the devices were notified of at the entry's time.
struct SettledRecord {
  std::vector<std::int64_t> events;  ///< ids of store::DeviceEvent
  std::int64_t reports_upto = 0;     ///< of the lines of objects' reports, these are taken; 0: none
  bool told = true;                  ///< false: nobody was told, since nobody need be
};

using Record = std::variant<Observation, ObjectRecord, ResourceRecord, ResourceGone, EnrichmentRecord, MetricsRecord,
                            ClaimsRecord, DeviceDownRecord, NotificationRecord, SettledRecord, ObjectGone>;

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
  /// What an entity that becomes known by this batch has in fields of which nobody says anything: field → value.
  std::map<std::string, std::string> defaults = {};
  /// Why the output could not be read as a whole; then the run has failed and there are no records.
  std::string failure;
};

/// What a field of a device holds. Every value is a text; an empty one means that nobody has said anything.
enum class FieldKind {
  kText,
  kFlag,    ///< "1" or "0"
  kNumber,  ///< a whole number, not negative
  kForced,  ///< "online" or "offline": present whatever is seen, or never
};

struct DeviceField {
  const char* name;
  FieldKind kind = FieldKind::kText;
  const char* otherwise = "";  ///< what an empty value counts as
};

/// The fields of a device that can be claimed, filtered and edited; the names are those of the
/// API and of the store's columns.
inline constexpr std::array kDeviceFieldList = std::to_array<DeviceField>({
    {"name"},
    {"mac"},
    {"ip"},
    {"vendor"},
    {"type"},
    {"owner"},
    {"group_name"},
    {"site"},
    {"ssid"},
    {"vlan"},
    {"fqdn"},
    {"parent"},       // the MAC address of the device that it hangs on, or what that goes by otherwise
    {"parent_port"},  // where on it
    {"hub"},
    {"location"},
    {"comment"},
    {"parent_relation"},                         // "nic": it is a card of its parent; any other word is for people
    {"icon"},                                    // as its dialect writes it
    {"custom"},                                  // likewise
    {"favorite", FieldKind::kFlag, "0"},         //
    {"archived", FieldKind::kFlag, "0"},         // out of the way: no list that does not ask for it shows it
    {"is_new", FieldKind::kFlag, "1"},           // nobody has looked at it yet
    {"static_ip", FieldKind::kFlag, "0"},        //
    {"scan", FieldKind::kFlag, "1"},             // for scanners that ask
    {"log_events", FieldKind::kFlag, "1"},       // for dialects that ask
    {"alert_events", FieldKind::kFlag, "1"},     // people are told that it came, went or has another address
    {"alert_down", FieldKind::kFlag, "0"},       // when it goes, it is down, and people are told
    {"can_sleep", FieldKind::kFlag, "0"},        // it is down only when it has been gone for longer
    {"require_nics", FieldKind::kFlag, "0"},     // it is present if all of its cards are, not any
    {"skip_repeated", FieldKind::kNumber, "0"},  // hours after a notification in which people are not told again
    {"force_status", FieldKind::kForced},        //
});

inline constexpr std::array kDeviceFields = [] {
  std::array<const char*, kDeviceFieldList.size()> names{};
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kDeviceFieldList[i].name;
  return names;
}();

}  // namespace backplane
