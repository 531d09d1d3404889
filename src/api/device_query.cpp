#include "api/device_query.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace backplane::api {
namespace {

constexpr std::array kOwnFilters = {"search", "status", "present"};

std::optional<bool> ParseFlag(std::string_view text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return std::nullopt;
}

std::optional<std::int64_t> ParseNumber(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

Json ValueOf(const store::Entity& device, const DeviceField& field) {
  const std::string_view value = store::ValueOf(device, field.name);
  if (field.kind == FieldKind::kFlag) return value == "1";
  if (field.kind == FieldKind::kNumber) return ParseNumber(value).value_or(0);
  return value;
}

// As the store has it.
Result<std::string> ReadField(const DeviceField& field, const std::string& text, const std::string& where) {
  if (field.kind == FieldKind::kFlag) {
    const auto flag = ParseFlag(text);
    if (!flag) return Fail(Errc::kInvalid, fmt::format("{}: \"{}\" is neither true nor false", where, text), where);
    return std::string(*flag ? "1" : "0");
  }
  if (field.kind == FieldKind::kNumber && !ParseNumber(text))
    return Fail(Errc::kInvalid, fmt::format("{}: \"{}\" is not a number from 0 on", where, text), where);
  return text;
}

}  // namespace

Json ToJson(const store::Entity& device) {
  Json json = {{"id", device.id}, {"kind", device.kind}};
  for (const DeviceField& field : kDeviceFieldList) json[field.name] = ValueOf(device, field);
  json["first_seen"] = FormatIso(device.first_seen);
  json["last_seen"] = FormatIso(device.last_seen);
  json["revision"] = device.revision;
  json["present"] = device.present;
  json["since"] = FormatIso(device.since);
  json["down"] = device.down;
  json["status"] = DeviceStatusName(store::StatusOf(device));
  json["notified"] = device.notified ? Json(FormatIso(*device.notified)) : Json(nullptr);
  return json;
}

const std::vector<std::string>& DeviceMembers() {
  static const std::vector<std::string> members = [] {
    std::vector<std::string> names;
    const Json device = ToJson(store::Entity{});
    for (const auto& [name, value] : device.items()) names.push_back(name);
    return names;
  }();
  return members;
}

Result<store::DeviceQuery> ReadDeviceFilters(const std::map<std::string, std::string>& filters,
                                             const std::string& prefix) {
  store::DeviceQuery query;
  // Whoever asks for archived ones by the field wants to see them.
  if (filters.contains("archived")) query.group = store::DeviceGroup::kAll;
  for (const auto& [name, text] : filters) {
    const std::string where = prefix + name;
    if (name == "search") {
      query.search = text;
    } else if (name == "status") {
      const auto group = store::ParseDeviceGroup(text);
      if (!group)
        return Fail(
            Errc::kInvalid,
            fmt::format("{}: no such status: \"{}\"; there are {}", where, text, fmt::join(store::kDeviceGroups, ", ")),
            where);
      query.group = *group;
    } else if (name == "present") {
      query.present = ParseFlag(text);
      if (!query.present)
        return Fail(Errc::kInvalid, fmt::format("{}: \"{}\" is neither true nor false", where, text), where);
    } else if (const auto index = store::FieldIndex(name)) {
      BACKPLANE_ASSIGN(query.equals[name], ReadField(kDeviceFieldList[*index], text, where));
    } else {
      return Fail(Errc::kInvalid,
                  fmt::format("no such filter: {}; there are {}, {}", where, fmt::join(kOwnFilters, ", "),
                              fmt::join(kDeviceFields, ", ")),
                  where);
    }
  }
  return query;
}

std::string EncodeCursor(const store::DeviceQuery& query, const store::DevicePlace& place) {
  return ToHex(
      DumpJson(Json::array({static_cast<int>(query.sort), query.descending, place.text, place.number, place.id})));
}

Result<store::DevicePlace> DecodeCursor(const store::DeviceQuery& query, const std::string& cursor) {
  const auto json = ParseJson(FromHex(cursor).value_or(""));
  if (!json || !json->is_array() || json->size() != 5 || (*json)[0] != static_cast<int>(query.sort) ||
      (*json)[1] != query.descending || !(*json)[2].is_string() || !(*json)[3].is_number_integer() ||
      !(*json)[4].is_number_integer())
    return Fail(Errc::kInvalid, "after: not the `next` of a page of this list; sort and desc must be the same",
                "after");
  return store::DevicePlace{(*json)[2].get<std::string>(), (*json)[3].get<std::int64_t>(), (*json)[4].get<EntityId>()};
}

}  // namespace backplane::api
