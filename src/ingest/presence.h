// Steps of the core fold that concern presence: whether a device is there, what became of it, and what people are to be
// told of that.
//
// A device comes when somebody sees it, or a run about one of its resources hears of it, and goes by GoneLook or
// AbsentLook. Whether it is present follows from that, from its cards (devices whose parent it is by the relation
// "nic": one of them that came makes it present, or all of them if it requires that), and from `force_status`. A card's
// own cards do not count. Each change of `present` is a device event and a session's begin or end, with the entry's
// time, and an event of the bus by the same name ("device.connected", ...).
//
// A device that was down is "reconnected" when it is back, if people were told of the one event or need not be; as long
// as they are to be told, it is "connected", and whoever tells them can leave both out. One that goes is "down" if
// `alert_down` is on, unless it may sleep; a sleeper is "disconnected", and down by a DeviceDownRecord later. People
// are to be told of what is new, connected, reconnected or down, and of what is disconnected or has another address if
// `alert_events` is on. They are not told of archived devices, of one that fell asleep, and of what a person did.
#pragma once

#include <cstdint>
#include <string>

#include "ingest/fold.h"
#include "store/inventory.h"

namespace backplane::ingest {

/// When something that was last seen at `before` was last seen, now that it was at `at`: the later one. A time in the
/// future is from before the clock was set back, and does not count.
TimePoint LastSeen(const FoldContext& context, TimePoint before, TimePoint at);

/// Saves an entity that was `before`, with the presence and addresses that follow, and so of the devices whose card it
/// is or was. For a new one `before` is an Entity that has its id only and is not present.
void SaveEntity(FoldContext& context, store::Entity& entity, const store::Entity& before);

/// A device event "new". Before the new entity is saved.
void AppendNewDevice(FoldContext& context, const store::Entity& entity);

/// A device event "ip_changed" if somebody saw the entity, which was `before`, under an address that is neither the one
/// it had nor its latest one of that family.
void AppendAddressChange(FoldContext& context, const store::Entity& entity, const store::Entity& before);

/// The run about a resource that the entry closes has heard of the resource's device, if it went well and reported
/// something.
void HearTarget(FoldContext& context);

void ApplyDeviceDown(FoldContext& context, const DeviceDownRecord& record);
void ApplySettled(FoldContext& context, const SettledRecord& record);

struct PresenceLook {
  EntityId last = 0;  ///< the last entity looked at, or what was given as `after`
  int looked = 0;
  bool end = false;  ///< there are no more
};

/// Looks at up to `limit` entities that the entry's plugin has seen, by id, after `after` and up to `upto`. One that it
/// has seen since it came, but not by this entry, goes if nobody has seen or heard it since the run began, and no other
/// scanner that has seen it since it came runs more often (of two that run as often, the first by id decides). That one
/// must be alive: its last run that went well was over at most three of its intervals ago, or three times as long as it
/// took if that is more, or ten minutes. If the clock was set back while the run was going, nobody goes.
///
/// For a complete entry with Entry::every that has observations. At the end its plugin is a scanner that is alive.
PresenceLook GoneLook(FoldContext& context, EntityId after, EntityId upto, int limit);

/// The same for an entry that says which entry a pass began after: whoever was seen since it came, but not in the pass,
/// goes, if anybody was seen in it. At the end "cycle.closed" says how many devices there are of each kind.
PresenceLook AbsentLook(FoldContext& context, EntityId after, EntityId upto, int limit);

}  // namespace backplane::ingest
