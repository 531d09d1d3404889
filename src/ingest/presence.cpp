#include "ingest/presence.h"

#include <algorithm>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "ingest/fields.h"
#include "store/device_events.h"
#include "store/objects.h"
#include "store/resources.h"

namespace backplane::ingest {
namespace {

using store::DeviceEventKind;
using store::DeviceEvents;
using store::Entity;
using store::Inventory;
using store::Scanner;

// A scanner that was silent for less is alive. The clock may be set back by less without consequences.
constexpr Millis kPatience = std::chrono::minutes(10);
constexpr int kMissedRuns = 3;
// For so many steps counts the look at an entity that is not just as it was.
constexpr int kLongStep = 10;

bool ByPerson(const FoldContext& context) { return context.entry.kind == store::EntryKind::kEdit; }

std::int64_t AppendDeviceEvent(FoldContext& context, DeviceEventKind kind, const Entity& entity, bool pending,
                               const std::string& info = "") {
  const std::int64_t id = DeviceEvents(context.connection, context.entry.org)
                              .Append({.entity = entity.id,
                                       .kind = kind,
                                       .at = context.entry.at,
                                       .mac = entity.Field("mac"),
                                       .ip = entity.Field("ip"),
                                       .info = info,
                                       .pending = pending && !ByPerson(context) && !store::IsOn(entity, "archived")},
                                      context.entry.id);
  if (kind == DeviceEventKind::kNew) return id;  // "device.new" says more
  Json body = {{"event", id}, {"name", entity.Field("name")}, {"mac", entity.Field("mac")}, {"ip", entity.Field("ip")}};
  if (!info.empty()) body["info"] = info;
  AppendEntityEvent(context, std::string("device.") + DeviceEventKindName(kind), entity.id, body);
  return id;
}

void Connect(FoldContext& context, Entity& entity, bool is_new) {
  DeviceEvents events(context.connection, context.entry.org);
  bool back = entity.down;
  if (back) {
    const auto down = events.Latest(entity.id, {DeviceEventKind::kDown});
    back = !down || !down->pending;
  }
  entity.down = false;
  const auto kind = back ? DeviceEventKind::kReconnected : DeviceEventKind::kConnected;
  AppendDeviceEvent(context, kind, entity, true);
  events.Begin({.entity = entity.id,
                .mac = entity.Field("mac"),
                .ip = entity.Field("ip"),
                .began = context.entry.at,
                .began_by = is_new ? DeviceEventKind::kNew : kind},
               context.entry.id);
}

void Disconnect(FoldContext& context, Entity& entity) {
  DeviceEvents events(context.connection, context.entry.org);
  const bool alert = store::IsOn(entity, "alert_down");
  const bool sleeps = alert && store::IsOn(entity, "can_sleep");
  entity.down = alert && !sleeps && store::ValueOf(entity, "force_status").empty();
  const auto kind = entity.down ? DeviceEventKind::kDown : DeviceEventKind::kDisconnected;
  const bool pending = entity.down || (!sleeps && store::IsOn(entity, "alert_events"));
  const std::int64_t gone = AppendDeviceEvent(context, kind, entity, pending);

  const auto session = events.Open(entity.id);
  if (!session) {
    events.Begin({.entity = entity.id,
                  .mac = entity.Field("mac"),
                  .ip = entity.Field("ip"),
                  .ended = context.entry.at,
                  .ended_by = kind},
                 context.entry.id);
    return;
  }
  events.End(session->id, context.entry.at, kind, context.entry.id);
  // A new device came by two events.
  if (session->began_by == DeviceEventKind::kNew)
    if (const auto first = events.Latest(entity.id, {DeviceEventKind::kNew}))
      events.Pair(first->id, gone, context.entry.id);
  if (const auto came = events.Latest(entity.id, {DeviceEventKind::kConnected, DeviceEventKind::kReconnected}))
    events.Pair(came->id, gone, context.entry.id);
}

// Without its cards.
bool PresentItself(const Entity& entity) {
  const std::string_view forced = store::ValueOf(entity, "force_status");
  return forced.empty() ? entity.came != 0 : forced == "online";
}

bool PresentByCards(FoldContext& context, const Entity& entity) {
  const std::vector<Entity> cards = Inventory(context.connection, context.entry.org).Cards(entity.id);
  if (cards.empty()) return false;
  return store::IsOn(entity, "require_nics") ? std::all_of(cards.begin(), cards.end(), PresentItself)
                                             : std::any_of(cards.begin(), cards.end(), PresentItself);
}

// Brings `present` and `down` in line.
void Judge(FoldContext& context, Entity& entity, bool is_new) {
  const bool forced = !store::ValueOf(entity, "force_status").empty();
  const bool present = PresentItself(entity) || (!forced && PresentByCards(context, entity));
  if (!store::IsOn(entity, "alert_down")) entity.down = false;  // it was a fault while somebody cared
  if (present == entity.present) return;
  entity.present = present;
  entity.since = context.entry.at;
  present ? Connect(context, entity, is_new) : Disconnect(context, entity);
}

// The address of what it is a card of; empty: it is none.
std::string HangsOn(const Entity& entity) {
  return entity.Field("parent_relation") == "nic" ? ToLower(entity.Field("parent")) : "";
}

void JudgeParent(FoldContext& context, const std::string& mac, EntityId card) {
  if (mac.empty()) return;
  Inventory inventory(context.connection, context.entry.org);
  const std::optional<EntityId> id = inventory.Find({"mac", mac});
  if (!id || *id == card) return;
  Entity parent = *inventory.Get(*id);
  const bool was_present = parent.present;
  Judge(context, parent, false);
  if (parent.present != was_present) inventory.Save(parent, context.entry.id);
}

std::string& LatestOfFamily(Entity& entity) {
  return entity.Field("ip").find(':') != std::string::npos ? entity.ip6 : entity.ip4;
}

bool IsAlive(const Scanner& scanner, TimePoint now) {
  const Millis silent = std::chrono::duration_cast<Millis>(now - scanner.at);
  const Millis took = std::chrono::duration_cast<Millis>(scanner.at - scanner.began);
  return silent >= -kPatience && silent <= std::max(kMissedRuns * std::max(scanner.every, took), kPatience);
}

// Whether `one` decides rather than `other`.
bool RunsMoreOften(const Scanner& one, const Scanner& other) {
  const auto rank = [](const Scanner& scanner) {
    return scanner.every.count() > 0 ? scanner.every.count() : std::numeric_limits<Millis::rep>::max();
  };
  return rank(one) != rank(other) ? rank(one) < rank(other) : one.plugin < other.plugin;
}

Scanner ThisScanner(const store::Entry& entry) {
  return {entry.plugin, *entry.every, entry.began.value_or(entry.at), entry.at, entry.id};
}

void Go(FoldContext& context, Entity entity) {
  const Entity before = entity;
  entity.came = 0;
  SaveEntity(context, entity, before);
}

// The entities that `read` finds after `after`; `judge` is called with each, and says whether it took longer.
template <typename Read, typename Judge>
PresenceLook Look(EntityId after, EntityId upto, int limit, const Read& read, const Judge& judge) {
  PresenceLook look{.last = after};
  const std::vector<store::LastSight> sights = read(after, limit);
  for (const store::LastSight& sight : sights) {
    if (look.looked >= limit) return look;
    if (sight.entity > upto) {
      look.last = upto;
      return look;
    }
    look.last = sight.entity;
    look.looked += judge(sight) ? kLongStep : 1;
  }
  look.end = static_cast<int>(sights.size()) < limit;
  return look;
}

}  // namespace

TimePoint LastSeen(const FoldContext& context, TimePoint before, TimePoint at) {
  return before > std::max(context.entry.at, at) + kPatience ? at : std::max(before, at);
}

void SaveEntity(FoldContext& context, Entity& entity, const Entity& before) {
  if (!entity.Field("ip").empty() && entity.Field("ip") != before.fields[*store::FieldIndex("ip")])
    LatestOfFamily(entity) = entity.Field("ip");
  Judge(context, entity, before.revision == 0);
  Inventory(context.connection, context.entry.org).Save(entity, context.entry.id);
  const std::string now = HangsOn(entity), then = HangsOn(before);
  if (now != then) JudgeParent(context, then, entity.id);
  if (now != then || PresentItself(entity) != PresentItself(before)) JudgeParent(context, now, entity.id);
}

void AppendNewDevice(FoldContext& context, const Entity& entity) {
  AppendDeviceEvent(context, DeviceEventKind::kNew, entity, true, entity.Field("vendor"));
}

void AppendAddressChange(FoldContext& context, const Entity& entity, const Entity& before) {
  const std::string& ip = entity.Field("ip");
  const std::string& previous = before.Field("ip");
  if (ip.empty() || previous.empty() || ip == previous || ip == before.ip4 || ip == before.ip6) return;
  AppendDeviceEvent(context, DeviceEventKind::kIpChanged, entity, store::IsOn(entity, "alert_events"),
                    "Previous IP: " + previous);
}

void HearTarget(FoldContext& context) {
  const store::Entry& entry = context.entry;
  if (entry.target.empty() || entry.status != RunStatus::kOk || entry.body.empty()) return;
  const auto resource = store::Resources(context.connection, entry.org).Find(entry.target);
  if (!resource) return;
  Inventory inventory(context.connection, entry.org);
  std::optional<Entity> entity = inventory.Get(resource->entity);
  if (!entity) return;
  const Entity before = *entity;
  entity->last_seen = LastSeen(context, entity->last_seen, entry.at);
  if (entity->came != 0) return inventory.Touch(entity->id, entity->last_seen, entry.id);
  entity->came = entry.id;
  SaveEntity(context, *entity, before);
}

void ApplyDeviceDown(FoldContext& context, const DeviceDownRecord& record) {
  Inventory inventory(context.connection, context.entry.org);
  std::optional<Entity> entity = inventory.Get(record.entity);
  if (!entity || entity->present || entity->down || entity->since != record.since) return;
  if (!store::IsOn(*entity, "alert_down")) return;
  entity->down = true;
  AppendDeviceEvent(context, DeviceEventKind::kDown, *entity, true);
  inventory.Save(*entity, context.entry.id);
}

void ApplySettled(FoldContext& context, const SettledRecord& record) {
  DeviceEvents events(context.connection, context.entry.org);
  Inventory inventory(context.connection, context.entry.org);
  std::set<EntityId> told;
  for (const std::int64_t id : record.events)
    if (const auto entity = events.Settle(id, context.entry.id); entity && record.told) told.insert(*entity);
  for (const EntityId entity : told) inventory.SetNotified(entity, context.entry.at, context.entry.id);
  if (record.reports_upto > 0)
    store::ObjectLog(context.connection, context.entry.org, store::ObjectLogKind::kReports)
        .ForgetUpTo(record.reports_upto);
}

PresenceLook GoneLook(FoldContext& context, EntityId after, EntityId upto, int limit) {
  const store::Entry& entry = context.entry;
  Inventory inventory(context.connection, entry.org);
  const Scanner self = ThisScanner(entry);
  std::optional<std::set<std::string>> rivals;  // living scanners that decide rather than this one
  const auto may_decide = [&](EntityId entity, EntryId came) {
    if (!rivals) {
      rivals.emplace();
      for (const Scanner& other : inventory.Scanners())
        if (other.plugin != self.plugin && IsAlive(other, entry.at) && RunsMoreOften(other, self))
          rivals->insert(other.plugin);
    }
    if (rivals->empty()) return true;
    const std::vector<store::Sighting> sightings = inventory.Sightings(entity);
    return std::none_of(sightings.begin(), sightings.end(), [&](const store::Sighting& sighting) {
      return sighting.entry >= came && rivals->contains(sighting.plugin);
    });
  };
  const PresenceLook look = Look(
      after, upto, limit, [&](EntityId from, int most) { return inventory.SeenBy(entry.plugin, from, most); },
      [&](const store::LastSight& sight) {
        if (sight.entry == entry.id || sight.came == 0 || sight.entry < sight.came || self.began > self.at)
          return false;
        Entity entity = *inventory.Get(sight.entity);
        const bool heard = entity.last_seen >= self.began && entity.last_seen <= self.at + kPatience;
        if (!heard && may_decide(entity.id, entity.came)) Go(context, std::move(entity));
        return true;
      });
  if (look.end) inventory.SaveScanner(self);
  return look;
}

PresenceLook AbsentLook(FoldContext& context, EntityId after, EntityId upto, int limit) {
  const store::Entry& entry = context.entry;
  Inventory inventory(context.connection, entry.org);
  const auto body = ParseJson(entry.body);
  const EntryId began = body ? body->value("seen_after", EntryId{0}) : 0;
  const bool judged = body && body->contains("seen_after") && inventory.AnySeenAfter(began);
  PresenceLook look{.last = after, .looked = 0, .end = true};
  if (judged)
    look = Look(
        after, upto, limit, [&](EntityId from, int most) { return inventory.SeenByAnybody(from, most); },
        [&](const store::LastSight& sight) {
          if (sight.came == 0 || sight.entry < sight.came || sight.entry > began) return false;
          Go(context, *inventory.Get(sight.entity));
          return true;
        });
  if (!look.end) return look;
  const store::EntityCounts counts = inventory.Counts();
  AppendEntityEvent(context, "cycle.closed", 0,
                    {{"cycle", body ? body->value("cycle", CycleId{0}) : 0},
                     {"all", counts.all},
                     {"online", counts.present},
                     {"down", counts.down},
                     {"archived", counts.archived},
                     {"offline", counts.all - counts.archived - counts.present}});
  return look;
}

}  // namespace backplane::ingest
