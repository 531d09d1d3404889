#include "ingest/device_edit.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "ingest/fields.h"
#include "ingest/identity.h"
#include "ingest/presence.h"

namespace backplane::ingest {
namespace {

using store::ClaimRow;
using store::Entity;
using store::Inventory;

constexpr std::size_t kMostBytes = 4096;

// The value that the field has without the person's: the latest claim of any other source.
void Withdraw(Inventory& inventory, Entity& entity, std::size_t index, Changes& changes) {
  const std::string field = kDeviceFields[index];
  const std::vector<ClaimRow> claims = inventory.Claims(entity.id);
  if (FindClaim(claims, field, kPersonSource) == nullptr) return;  // others' values stand as they are
  inventory.DropClaim(entity.id, field, std::string(kPersonSource));
  inventory.JudgeAgain(entity.id);
  std::optional<ClaimRow> heir;
  for (const ClaimRow& claim : inventory.Claims(entity.id))
    if (claim.field == field && (!heir || claim.at > heir->at)) heir = claim;
  if (heir) {
    heir->wins = true;
    inventory.SaveClaim(entity.id, *heir);
  }
  Change(entity, index, heir ? heir->value : "", changes);
}

const char* What(FieldKind kind) {
  switch (kind) {
    case FieldKind::kText: return "a text";
    case FieldKind::kFlag: return "true or false, or 1 or 0 as a text";
    case FieldKind::kNumber: return "a whole number from 0";
    case FieldKind::kForced: return "online or offline, or empty for neither";
  }
  return "a text";
}

// A field's new value; nothing for null.
Result<std::optional<std::string>> DecodeValue(const std::string& field, const Json& value) {
  const std::string where = "set." + field;
  const auto index = store::FieldIndex(field);
  if (!index)
    return Fail(Errc::kInvalid, fmt::format("no such field: {}; there are {}", field, fmt::join(kDeviceFields, ", ")),
                where);
  if (value.is_null()) return std::nullopt;
  const FieldKind kind = kDeviceFieldList[*index].kind;
  std::optional<std::string> text;
  if (value.is_string()) text = value.get<std::string>();
  if (kind == FieldKind::kFlag && value.is_boolean()) text = value.get<bool>() ? "1" : "0";
  if (kind == FieldKind::kNumber && value.is_number_unsigned()) text = std::to_string(value.get<std::uint64_t>());
  if (!text || !Fits(kind, *text))
    return Fail(
        Errc::kInvalid,
        fmt::format("{} is {}, or null to take yours back; not {}", field, What(kind), Shorten(DumpJson(value), 100)),
        where);
  if (text->size() > kMostBytes)
    return Fail(Errc::kInvalid, fmt::format("{} has at most {} bytes", field, kMostBytes), where);
  return text;
}

}  // namespace

Json EncodeEdit(const DeviceEdit& edit) {
  Json set = Json::object();
  for (const auto& [field, value] : edit.set) set[field] = value ? Json(*value) : Json(nullptr);
  return {{"device", edit.device}, {"set", set}, {"lock", edit.lock}, {"unlock", edit.unlock}};
}

Result<DeviceEdit> DecodeEdit(const Json& body) {
  DeviceEdit edit;
  if (!body.is_object()) return Fail(Errc::kInvalid, "an edit is an object with set, lock and unlock");
  for (const auto& [key, value] : body.items()) {
    if (key == "device" && value.is_number_integer()) {
      edit.device = value.get<EntityId>();
    } else if (key == "set" && value.is_object()) {
      for (const auto& [field, text] : value.items()) {
        BACKPLANE_ASSIGN(edit.set[field], DecodeValue(field, text));
      }
    } else if ((key == "lock" || key == "unlock") && value.is_array()) {
      for (const Json& field : value) {
        if (!field.is_string() || !store::FieldIndex(field.get_ref<const std::string&>()))
          return Fail(Errc::kInvalid,
                      fmt::format("no such field: {}; there are {}", DumpJson(field), fmt::join(kDeviceFields, ", ")),
                      key);
        (key == "lock" ? edit.lock : edit.unlock).push_back(field.get<std::string>());
      }
    } else {
      return Fail(Errc::kInvalid,
                  "unknown key, or a value of the wrong type: set is an object, lock and unlock are lists of fields",
                  key);
    }
  }
  return edit;
}

Result<Entity> ApplyEdit(FoldContext& context, const DeviceEdit& edit) {
  Inventory inventory(context.connection, context.entry.org);
  std::optional<Entity> entity = inventory.Get(edit.device);
  if (!entity) return Fail(Errc::kNotFound, fmt::format("no device {}", edit.device));
  const Entity before = *entity;
  const auto claims = inventory.Claims(entity->id);
  const auto locks = inventory.Locks(entity->id);
  Changes changes = Json::object();
  for (const auto& [field, value] : edit.set) {
    const std::size_t index = *store::FieldIndex(field);
    if (!value) {
      Withdraw(inventory, *entity, index, changes);
      continue;
    }
    if (const ClaimRow* present = FindClaim(claims, field, kPersonSource);
        present != nullptr && present->value == *value)
      continue;
    for (ClaimRow claim : claims) {
      if (claim.field != field || !claim.wins || claim.source == kPersonSource) continue;
      claim.wins = false;
      inventory.SaveClaim(entity->id, claim);
    }
    inventory.SaveClaim(entity->id, {field, std::string(kPersonSource), *value, context.entry.at, true});
    Change(*entity, index, *value, changes);
  }
  for (const std::string& field : edit.lock) inventory.Lock(entity->id, field);
  if (!edit.unlock.empty()) inventory.JudgeAgain(entity->id);
  for (const std::string& field : edit.unlock) {
    inventory.Unlock(entity->id, field);
    // What sources said in vain while the field was locked is judged anew when they say it next.
    for (const ClaimRow& claim : inventory.Claims(entity->id))
      if (claim.field == field && !claim.wins) inventory.DropClaim(entity->id, field, claim.source);
  }
  // Setting what is set already is no change.
  if (inventory.Claims(entity->id) == claims && inventory.Locks(entity->id) == locks) return *entity;
  ++entity->revision;
  SaveEntity(context, *entity, before);
  Json body = {{"name", entity->Field("name")}, {"by", kPersonSource}, {"changes", changes}};
  if (!edit.lock.empty()) body["locked"] = edit.lock;
  if (!edit.unlock.empty()) body["unlocked"] = edit.unlock;
  AppendEntityEvent(context, "device.changed", entity->id, body);
  return *entity;
}

}  // namespace backplane::ingest
