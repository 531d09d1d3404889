#include "ingest/core_fold.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "ingest/batch_body.h"
#include "ingest/inventory.h"
#include "ingest/objects.h"
#include "ingest/presence.h"
#include "ingest/resources.h"
#include "store/events.h"
#include "store/notifications.h"
#include "store/runs.h"

namespace backplane::ingest {
namespace {

constexpr int kPerLook = 200;
// Positions from here on are looks at resources, by their id. No id of an object is as large.
constexpr std::int64_t kResourceLooks = std::int64_t{1} << 50;
// Likewise at entities that may be gone.
constexpr std::int64_t kPresenceLooks = std::int64_t{1} << 51;

void ReportOutcome(FoldContext& context) {
  const store::Entry& entry = context.entry;
  if (entry.status == RunStatus::kOk) return;
  const Json body = {{"status", RunStatusName(entry.status)}, {"message", entry.message}};
  store::Events(context.connection, entry.org)
      .Append({0, "run.failed", entry.at, entry.plugin, 0, entry.run, DumpJson(body)});
}

void ApplyNotification(FoldContext& context, const NotificationRecord& record) {
  const std::int64_t id = store::Notifications(context.connection, context.entry.org).Append(record, context.entry.id);
  const Json body = {{"notification", id}, {"level", NotificationLevelName(record.level)}, {"title", record.title}};
  store::Events(context.connection, context.entry.org)
      .Append({0, "notification.raised", context.entry.at, context.entry.plugin, 0, context.entry.run, DumpJson(body)});
}

void ApplyRecord(FoldContext& context, const Record& record) {
  if (const auto* observation = std::get_if<Observation>(&record)) ApplyObservation(context, *observation);
  if (const auto* object = std::get_if<ObjectRecord>(&record)) ApplyObject(context, *object);
  if (const auto* resource = std::get_if<ResourceRecord>(&record)) ApplyResource(context, *resource);
  if (const auto* gone = std::get_if<ResourceGone>(&record)) ApplyResourceGone(context, *gone);
  if (const auto* enrichment = std::get_if<EnrichmentRecord>(&record)) ApplyEnrichment(context, *enrichment);
  if (const auto* object = std::get_if<ObjectGone>(&record)) ApplyObjectGone(context, *object);
  if (const auto* claims = std::get_if<ClaimsRecord>(&record)) ApplyClaims(context, *claims);
  if (const auto* down = std::get_if<DeviceDownRecord>(&record)) ApplyDeviceDown(context, *down);
  if (const auto* notification = std::get_if<NotificationRecord>(&record)) ApplyNotification(context, *notification);
  if (const auto* settled = std::get_if<SettledRecord>(&record)) ApplySettled(context, *settled);
  // Samples have a fold of their own.
}

// Whether who is not in the entry may be gone.
bool SaysWhoIsGone(const OpenEntry& open) {
  return open.entry.complete && open.entry.every &&
         std::any_of(open.lines.begin(), open.lines.end(), [](std::string_view line) { return IsObservation(line); });
}

int LookLimit(std::int64_t left) { return static_cast<int>(std::min<std::int64_t>(left, kPerLook)); }

Fold::Progress ApplyCycle(FoldContext& context, std::int64_t position, const Budget& budget) {
  std::int64_t left = budget.steps;
  while (true) {
    const PresenceLook look = AbsentLook(context, position, budget.until, LookLimit(left));
    if (look.end) return {0, true};
    position = look.last, left -= look.looked;
    if (left <= 0 || position >= budget.until || (budget.spent && budget.spent())) return {position, false};
  }
}

}  // namespace

Fold::Progress CoreFold::Apply(store::Connection& connection, const OpenEntry& open, std::int64_t position,
                               const Budget& budget) {
  // A person's edit was applied when it was written.
  if (open.entry.kind == store::EntryKind::kEdit) return {0, true};

  FoldContext context{connection, open.entry, 0};
  if (open.entry.kind == store::EntryKind::kTime) {
    const bool ended = EndExpired(context);
    return {ended ? 0 : position + 1, ended};
  }
  if (open.entry.kind == store::EntryKind::kCycle) return ApplyCycle(context, position, budget);
  const auto records = static_cast<std::int64_t>(open.lines.size());
  const auto decoded = static_cast<std::int64_t>(open.first + open.records.size());
  std::int64_t left = budget.steps;
  bool done = false;
  do {
    if (position == 0) {
      ReportOutcome(context);
      HearTarget(context);
      ++position, --left;
    } else if (position <= records) {
      if (position > decoded) break;
      ApplyRecord(context, open.records[static_cast<std::size_t>(position - 1) - open.first]);
      ++position, --left;
    } else if (position < kResourceLooks) {
      const std::int64_t base = 1 + records;
      const ObjectsLook look = MarkMissingObjects(context, position - base, budget.until - base, LookLimit(left));
      position = look.end ? kResourceLooks : base + look.last;
      left -= look.looked;
    } else if (position < kPresenceLooks) {
      const ResourcesLook look =
          EndMissingResources(context, position - kResourceLooks, budget.until - kResourceLooks, LookLimit(left));
      position = look.end ? kPresenceLooks : kResourceLooks + look.last, left -= look.looked;
      done = look.end && !SaysWhoIsGone(open);
    } else {
      const PresenceLook look =
          GoneLook(context, position - kPresenceLooks, budget.until - kPresenceLooks, LookLimit(left));
      position = kPresenceLooks + look.last, left -= look.looked;
      done = look.end;
    }
    // An incomplete batch ends with its last record, without a further step.
    if (position > records && !open.entry.complete) done = true;
  } while (!done && left > 0 && position < budget.until && !(budget.spent && budget.spent()));

  if (context.changed > 0 && open.entry.run != 0)
    store::Runs(connection, open.entry.org).AddChanged(open.entry.run, context.changed);
  return {done ? 0 : position, done};
}

}  // namespace backplane::ingest
