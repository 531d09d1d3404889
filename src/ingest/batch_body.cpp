#include "ingest/batch_body.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace backplane::ingest {
namespace {

// ["o", source, at, [scheme, value, ...], [field, value, policy, ...]]
Json Encode(const Observation& observation) {
  Json identifiers = Json::array();
  for (const Identifier& identifier : observation.identifiers) {
    identifiers.push_back(identifier.scheme);
    identifiers.push_back(identifier.value);
  }
  Json claims = Json::array();
  for (const Claim& claim : observation.claims) {
    claims.push_back(claim.field);
    claims.push_back(claim.value);
    claims.push_back(static_cast<int>(claim.policy));
  }
  return Json::array({"o", observation.source, ToMillis(observation.at), std::move(identifiers), std::move(claims)});
}

// ["x", key, primary, secondary, at, [watched x 4], extra, foreign key, [help x 4], watch key]
Json Encode(const ObjectRecord& object) {
  return Json::array({"x", object.key, object.primary, object.secondary, ToMillis(object.at), object.watched,
                      object.extra, object.foreign_key, object.help, object.watch_key});
}

Result<ClaimPolicy> DecodePolicy(const Json& value) {
  for (const auto policy : {ClaimPolicy::kAlways, ClaimPolicy::kIfEmpty, ClaimPolicy::kDefault})
    if (value == static_cast<int>(policy)) return policy;
  return Fail(Errc::kInvalid, fmt::format("no claim policy: {}", DumpJson(value)));
}

Result<Record> DecodeObservation(const Json& line) {
  Observation observation;
  observation.source = line.at(1).get<std::string>();
  observation.at = FromMillis(line.at(2).get<std::int64_t>());
  const Json& identifiers = line.at(3);
  const Json& claims = line.at(4);
  if (!identifiers.is_array() || identifiers.size() % 2 != 0 || !claims.is_array() || claims.size() % 3 != 0)
    return Fail(Errc::kInvalid, "not a record: identifiers are pairs and claims are threes");
  for (std::size_t i = 0; i < identifiers.size(); i += 2)
    observation.identifiers.push_back({identifiers[i].get<std::string>(), identifiers[i + 1].get<std::string>()});
  for (std::size_t i = 0; i < claims.size(); i += 3) {
    BACKPLANE_ASSIGN(const ClaimPolicy policy, DecodePolicy(claims[i + 2]));
    observation.claims.push_back({claims[i].get<std::string>(), claims[i + 1].get<std::string>(), policy});
  }
  return observation;
}

Record DecodeObject(const Json& line) {
  ObjectRecord object;
  object.key = line.at(1).get<std::string>();
  object.primary = line.at(2).get<std::string>();
  object.secondary = line.at(3).get<std::string>();
  object.at = FromMillis(line.at(4).get<std::int64_t>());
  object.watched = line.at(5).get<std::array<std::string, 4>>();
  object.extra = line.at(6).get<std::string>();
  object.foreign_key = line.at(7).get<std::string>();
  object.help = line.at(8).get<std::array<std::string, 4>>();
  object.watch_key = line.at(9).get<std::string>();
  return object;
}

}  // namespace

std::string EncodeRecords(const std::vector<Record>& records) {
  std::string body;
  for (const Record& record : records) {
    body += DumpJson(std::visit([](const auto& value) { return Encode(value); }, record));
    body += '\n';
  }
  return body;
}

std::vector<std::string_view> SplitBody(std::string_view body) {
  std::vector<std::string_view> lines = Split(body, '\n');
  lines.pop_back();  // what follows the last newline: nothing
  return lines;
}

Result<Record> DecodeRecord(std::string_view line) {
  BACKPLANE_ASSIGN(const Json json, ParseJson(line));
  try {
    const auto kind = json.at(0).get<std::string>();
    if (kind == "o") return DecodeObservation(json);
    if (kind == "x") return DecodeObject(json);
    return Fail(Errc::kInvalid, fmt::format("unknown kind of record: {}", kind));
  } catch (const Json::exception& error) {
    return Fail(Errc::kInvalid, fmt::format("not a record: {}", error.what()));
  }
}

}  // namespace backplane::ingest
