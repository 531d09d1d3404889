#include "ingest/objects.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "store/events.h"
#include "store/objects.h"

namespace backplane::ingest {
namespace {

using store::ObjectStatus;

void AppendEvent(FoldContext& context, const char* topic, std::int64_t object, const std::string& primary,
                 const std::string& secondary) {
  ++context.changed;
  const Json body = {{"object", object}, {"primary", primary}, {"secondary", secondary}};
  store::Events(context.connection, context.entry.org)
      .Append({0, topic, context.entry.at, context.entry.plugin, 0, context.entry.run, DumpJson(body)});
}

}  // namespace

void ApplyObject(FoldContext& context, const ObjectRecord& object) {
  store::Objects objects(context.connection, context.entry.org);
  const auto present = objects.Find(context.entry.plugin, object.key);
  if (!present) {
    const auto id = objects.Insert(context.entry.plugin, object, context.entry.id);
    AppendEvent(context, "object.new", id, object.primary, object.secondary);
    return;
  }
  const bool changed = present->watch_key != object.watch_key;
  const bool back = present->status == ObjectStatus::kMissing;
  objects.Update(present->id, object, changed ? ObjectStatus::kChanged : ObjectStatus::kUnchanged,
                 changed || back ? std::optional(object.at) : std::nullopt, context.entry.id);
  if (changed || back) AppendEvent(context, "object.changed", present->id, object.primary, object.secondary);
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
    if (object.entry == context.entry.id || object.status == ObjectStatus::kMissing) continue;
    objects.SetMissing(object.id, context.entry.at);
    AppendEvent(context, "object.missing", object.id, object.primary, object.secondary);
  }
  look.end = static_cast<int>(stored.size()) < limit;
  return look;
}

}  // namespace backplane::ingest
