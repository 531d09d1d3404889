#include "ingest/fields.h"

#include <nlohmann/json.hpp>

#include "store/events.h"

namespace backplane::ingest {
namespace {

constexpr std::size_t kMostDigits = 9;

}  // namespace

bool Fits(FieldKind kind, std::string_view value) {
  if (value.empty()) return true;
  switch (kind) {
    case FieldKind::kText: return true;
    case FieldKind::kFlag: return value == "0" || value == "1";
    case FieldKind::kNumber:
      return value.size() <= kMostDigits && value.find_first_not_of("0123456789") == std::string_view::npos;
    case FieldKind::kForced: return value == "online" || value == "offline";
  }
  return false;
}

void Change(store::Entity& entity, std::size_t index, const std::string& value, Changes& changes) {
  std::string& present = entity.fields[index];
  if (present == value) return;
  changes[kDeviceFields[index]] = {{"from", present}, {"to", value}};
  present = value;
}

const store::ClaimRow* FindClaim(const std::vector<store::ClaimRow>& claims, std::string_view field,
                                 std::string_view source) {
  for (const store::ClaimRow& claim : claims)
    if (claim.field == field && claim.source == source) return &claim;
  return nullptr;
}

Json FieldsOf(const store::Entity& entity) {
  Json fields = Json::object();
  for (std::size_t i = 0; i < kDeviceFields.size(); ++i)
    if (!entity.fields[i].empty()) fields[kDeviceFields[i]] = entity.fields[i];
  return fields;
}

void AppendEntityEvent(FoldContext& context, const std::string& topic, EntityId entity, const Json& body) {
  store::Events(context.connection, context.entry.org)
      .Append({0, topic, context.entry.at, context.entry.plugin, entity, context.entry.run, DumpJson(body)});
}

}  // namespace backplane::ingest
