// What became of devices: events, of which some are pending until people were told, and sessions.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/ids.h"
#include "store/database.h"

namespace backplane::store {

enum class DeviceEventKind {
  kNew,           ///< it became known
  kConnected,     ///< it came
  kDisconnected,  ///< it went
  kDown,          ///< it went, and that is a fault
  kReconnected,   ///< it came back after it was down
  kIpChanged,     ///< it has another address; `info` says which it had
};
inline constexpr std::array kDeviceEventKinds = {DeviceEventKind::kNew,          DeviceEventKind::kConnected,
                                                 DeviceEventKind::kDisconnected, DeviceEventKind::kDown,
                                                 DeviceEventKind::kReconnected,  DeviceEventKind::kIpChanged};
/// "new", "connected", "disconnected", "down", "reconnected", "ip_changed".
const char* DeviceEventKindName(DeviceEventKind kind);
std::optional<DeviceEventKind> ParseDeviceEventKind(std::string_view name);

/// It outlives its device; `mac` and `ip` are as they were then.
struct DeviceEvent {
  std::int64_t id = 0;
  EntityId entity = 0;
  DeviceEventKind kind = DeviceEventKind::kNew;
  TimePoint at;
  std::string mac;
  std::string ip;
  std::string info;
  bool pending = false;              ///< people are to be told, and were not yet
  std::optional<std::int64_t> pair;  ///< of what came, the event by which it went, and the other way round
  bool operator==(const DeviceEvent&) const = default;
};

/// A time in which a device was there. One half may be missing: nobody saw it come, or it is there still.
struct DeviceSession {
  std::int64_t id = 0;
  EntityId entity = 0;
  std::string mac;
  std::string ip;  ///< that it came with
  std::optional<TimePoint> began;
  std::optional<DeviceEventKind> began_by;
  std::optional<TimePoint> ended;
  std::optional<DeviceEventKind> ended_by;
  bool operator==(const DeviceSession&) const = default;
};

struct DeviceEventFilter {
  EntityId entity = 0;  ///< 0: of every device
  std::optional<DeviceEventKind> kind;
  std::optional<TimePoint> from, upto;
  bool pending = false;     ///< only those
  std::int64_t before = 0;  ///< only older ones than this id; 0: from the newest
  int limit = 100;
};

/// Events and sessions of the devices of one organisation.
class DeviceEvents {
 public:
  DeviceEvents(Connection& connection, OrgId org) : db_(connection), org_(org) {}

  /// `entry` is what it follows from. Returns its id. `event.id` does not matter.
  std::int64_t Append(const DeviceEvent& event, EntryId entry);
  /// The two of them belong together.
  void Pair(std::int64_t one, std::int64_t other, EntryId entry);
  /// Not pending any more. Returns whose it is; nothing if it was not pending, or is unknown.
  std::optional<EntityId> Settle(std::int64_t id, EntryId entry);
  std::optional<DeviceEvent> Get(std::int64_t id);
  /// The newest of a device whose kind is one of these.
  std::optional<DeviceEvent> Latest(EntityId entity, const std::vector<DeviceEventKind>& kinds);
  /// Newest first.
  std::vector<DeviceEvent> List(const DeviceEventFilter& filter);
  /// Oldest first.
  std::vector<DeviceEvent> Pending();
  /// What entries after `entry` brought or changed, by id, after the event `after`.
  std::vector<DeviceEvent> TouchedSince(EntryId entry, std::int64_t after, int limit);
  /// The id of the oldest one; 0: there is none.
  std::int64_t First();
  /// Events from before `before` that are not pending; up to `limit` of the oldest. Returns how many: call again while
  /// it is `limit`. Sessions that ended before go likewise.
  int Forget(TimePoint before, int limit);

  void Begin(const DeviceSession& session, EntryId entry);
  /// The session that has not ended; nothing if there is none.
  std::optional<DeviceSession> Open(EntityId entity);
  void End(std::int64_t session, TimePoint at, DeviceEventKind by, EntryId entry);
  /// Newest first, older than `before` if that is not 0.
  std::vector<DeviceSession> Sessions(EntityId entity, std::int64_t before, int limit);
  std::int64_t FirstSession();
  std::vector<DeviceSession> SessionsTouchedSince(EntryId entry, std::int64_t after, int limit);

  /// Events and sessions of `from` are `to`'s from now on.
  void Move(EntityId from, EntityId to, EntryId entry);

 private:
  Connection& db_;
  OrgId org_;
};

}  // namespace backplane::store
