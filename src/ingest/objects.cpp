#include "ingest/objects.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "store/events.h"
#include "store/objects.h"

namespace backplane::ingest {
namespace {

void AppendEvent(FoldContext& context, const char* topic, std::int64_t object, const std::string& primary,
                 const std::string& secondary) {
  ++context.changed;
  const Json body = {{"object", object}, {"primary", primary}, {"secondary", secondary}};
  store::Events(context.connection, context.entry.org)
      .Append({0, topic, context.entry.at, context.entry.plugin, 0, context.entry.run, DumpJson(body)});
}

// The history of the object, if something became of it, and a report, if people are to be told of `status`.
void Log(FoldContext& context, std::int64_t object, ObjectStatus status, bool happened) {
  const auto append = [&](store::ObjectLogKind kind) {
    store::ObjectLog(context.connection, context.entry.org, kind).Append(object, context.entry.run, context.entry.at);
  };
  const std::vector<ObjectStatus>& reported = context.entry.reported;
  if (happened) append(store::ObjectLogKind::kHistory);
  if (std::find(reported.begin(), reported.end(), status) != reported.end()) append(store::ObjectLogKind::kReports);
}

}  // namespace

void ApplyObject(FoldContext& context, const ObjectRecord& object) {
  store::Objects objects(context.connection, context.entry.org);
  auto present = objects.Find(context.entry.plugin, object.key);
  if (!present) {
    const auto id = objects.Insert(context.entry.plugin, object, context.entry.id);
    AppendEvent(context, "object.new", id, object.primary, object.secondary);
    Log(context, id, ObjectStatus::kNew, true);
    return;
  }
  const bool changed = present->record.watch_key != object.watch_key;
  const bool back = present->status == ObjectStatus::kMissing;
  const auto status = changed ? ObjectStatus::kChanged : ObjectStatus::kUnchanged;
  present->record.at = object.at;
  // An object that is back as it was keeps the time at which it went missing.
  if (present->record == object && present->status == status)
    objects.Touch(present->id, context.entry.id);
  else
    objects.Update(present->id, object, status, changed ? std::optional(object.at) : std::nullopt, context.entry.id);
  if (changed || back) AppendEvent(context, "object.changed", present->id, object.primary, object.secondary);
  Log(context, present->id, status, changed || back);
}

void ApplyObjectGone(FoldContext& context, const ObjectGone& record) {
  store::Objects objects(context.connection, context.entry.org);
  const auto present = objects.Get(record.object);
  if (!present) return;
  objects.Remove(record.object);
  AppendEvent(context, "object.removed", record.object, present->record.primary, present->record.secondary);
}

ObjectsLook MarkMissingObjects(FoldContext& context, std::int64_t after, std::int64_t upto, int limit) {
  store::Objects objects(context.connection, context.entry.org);
  ObjectsLook look{.last = after};
  const auto stored = objects.Walk(context.entry.plugin, after, limit);
  for (const auto& object : stored) {
    if (object.id > upto) {
      look.last = upto;
      return look;
    }
    look.last = object.id;
    ++look.looked;
    if (object.entry == context.entry.id) continue;
    const bool newly = object.status != ObjectStatus::kMissing;
    if (newly) {
      objects.SetMissing(object.id, context.entry.at, context.entry.id);
      AppendEvent(context, "object.missing", object.id, object.primary, object.secondary);
    }
    Log(context, object.id, ObjectStatus::kMissing, newly);
  }
  look.end = static_cast<int>(stored.size()) < limit;
  return look;
}

}  // namespace backplane::ingest
