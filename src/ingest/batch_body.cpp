#include "ingest/batch_body.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace backplane::ingest {
namespace {

Json EncodeClaims(const std::vector<Claim>& list) {
  Json claims = Json::array();
  for (const Claim& claim : list) {
    claims.push_back(claim.field);
    claims.push_back(claim.value);
    claims.push_back(static_cast<int>(claim.policy));
  }
  return claims;
}

Json EncodeIdentifiers(const std::vector<Identifier>& list) {
  Json identifiers = Json::array();
  for (const Identifier& identifier : list) {
    identifiers.push_back(identifier.scheme);
    identifiers.push_back(identifier.value);
  }
  return identifiers;
}

// ["o", source, at, [scheme, value, ...], [field, value, policy, ...]]
Json Encode(const Observation& observation) {
  return Json::array({"o", observation.source, ToMillis(observation.at), EncodeIdentifiers(observation.identifiers),
                      EncodeClaims(observation.claims)});
}

// ["x", key, primary, secondary, at, [watched x 4], extra, foreign key, [help x 4], watch key]
Json Encode(const ObjectRecord& object) {
  return Json::array({"x", object.key, object.primary, object.secondary, ToMillis(object.at), object.watched,
                      object.extra, object.foreign_key, object.help, object.watch_key});
}

// The fields of a resource, in this order, then its metadata.
Json EncodeResource(const Resource& resource) {
  return Json::array({resource.site, resource.class_name, resource.subclass, resource.type, resource.id,
                      resource.endpoint, resource.plugin, resource.metadata});
}

Resource DecodeResource(const Json& json) {
  return {json.at(0).get<std::string>(), json.at(1).get<std::string>(),
          json.at(2).get<std::string>(), json.at(3).get<std::string>(),
          json.at(4).get<std::string>(), json.at(5).get<std::string>(),
          json.at(6).get<std::string>(), json.at(7).get<std::map<std::string, std::string>>()};
}

// ["r", resource, at, ttl, entity]
Json Encode(const ResourceRecord& record) {
  return Json::array({"r", EncodeResource(record.resource), ToMillis(record.at), record.ttl.count(), record.entity});
}

// ["g", key]
Json Encode(const ResourceGone& gone) { return Json::array({"g", gone.key}); }

// ["e", resource id, namespace, body, watch key, at, ttl]
Json Encode(const EnrichmentRecord& record) {
  return Json::array({"e", record.resource_id, record.name_space, record.body, record.watch_key, ToMillis(record.at),
                      record.ttl.count()});
}

// ["m", resource, endpoint, group, interval, at, [name, value, ...] of the dimensions,
//  [name, kind, value, at, ...] of the metrics]
Json Encode(const MetricsRecord& record) {
  Json dimensions = Json::array();
  for (const auto& [name, value] : record.dimensions) {
    dimensions.push_back(name);
    dimensions.push_back(value);
  }
  Json metrics = Json::array();
  for (const Measurement& metric : record.measurements) {
    metrics.push_back(metric.name);
    metrics.push_back(static_cast<int>(metric.kind));
    metrics.push_back(std::visit([](const auto value) { return Json(value); }, metric.value));
    metrics.push_back(ToMillis(metric.at));
  }
  return Json::array({"m", record.resource, record.endpoint, record.group, record.interval.count(), ToMillis(record.at),
                      std::move(dimensions), std::move(metrics)});
}

// ["c", entity, source, at, [field, value, policy, ...], [scheme, value, ...], anew]
Json Encode(const ClaimsRecord& record) {
  return Json::array({"c", record.entity, record.source, ToMillis(record.at), EncodeClaims(record.claims),
                      EncodeIdentifiers(record.identifiers), record.anew});
}

// ["t", object]
Json Encode(const ObjectGone& record) { return Json::array({"t", record.object}); }

// ["d", entity, since]
Json Encode(const DeviceDownRecord& record) { return Json::array({"d", record.entity, ToMillis(record.since)}); }

// ["n", source, level, title, text, html, data, at]
Json Encode(const NotificationRecord& record) {
  return Json::array({"n", record.source, NotificationLevelName(record.level), record.title, record.text, record.html,
                      record.data, ToMillis(record.at)});
}

// ["s", [id, ...], reports up to]
Json Encode(const SettledRecord& record) { return Json::array({"s", record.events, record.reports_upto, record.told}); }

Result<ClaimPolicy> DecodePolicy(const Json& value) {
  for (const auto policy : {ClaimPolicy::kAlways, ClaimPolicy::kIfEmpty, ClaimPolicy::kDefault})
    if (value == static_cast<int>(policy)) return policy;
  return Fail(Errc::kInvalid, fmt::format("no claim policy: {}", DumpJson(value)));
}

Result<std::vector<Claim>> DecodeClaims(const Json& list) {
  if (!list.is_array() || list.size() % 3 != 0) return Fail(Errc::kInvalid, "not a record: claims are threes");
  std::vector<Claim> claims;
  for (std::size_t i = 0; i < list.size(); i += 3) {
    BACKPLANE_ASSIGN(const ClaimPolicy policy, DecodePolicy(list[i + 2]));
    claims.push_back({list[i].get<std::string>(), list[i + 1].get<std::string>(), policy});
  }
  return claims;
}

Result<std::vector<Identifier>> DecodeIdentifiers(const Json& list) {
  if (!list.is_array() || list.size() % 2 != 0) return Fail(Errc::kInvalid, "not a record: identifiers are pairs");
  std::vector<Identifier> identifiers;
  for (std::size_t i = 0; i < list.size(); i += 2)
    identifiers.push_back({list[i].get<std::string>(), list[i + 1].get<std::string>()});
  return identifiers;
}

Result<Record> DecodeClaimsRecord(const Json& line) {
  ClaimsRecord record{.entity = line.at(1).get<EntityId>(),
                      .source = line.at(2).get<std::string>(),
                      .claims = {},
                      .at = FromMillis(line.at(3).get<std::int64_t>())};
  BACKPLANE_ASSIGN(record.claims, DecodeClaims(line.at(4)));
  BACKPLANE_ASSIGN(record.identifiers, DecodeIdentifiers(line.at(5)));
  record.anew = line.at(6).get<bool>();
  return record;
}

Result<Record> DecodeObservation(const Json& line) {
  Observation observation;
  observation.source = line.at(1).get<std::string>();
  observation.at = FromMillis(line.at(2).get<std::int64_t>());
  BACKPLANE_ASSIGN(observation.identifiers, DecodeIdentifiers(line.at(3)));
  BACKPLANE_ASSIGN(observation.claims, DecodeClaims(line.at(4)));
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

Record DecodeResourceRecord(const Json& line) {
  return ResourceRecord{DecodeResource(line.at(1)), FromMillis(line.at(2).get<std::int64_t>()),
                        Millis(line.at(3).get<std::int64_t>()), line.at(4).get<EntityId>()};
}

Record DecodeEnrichment(const Json& line) {
  return EnrichmentRecord{line.at(1).get<std::string>(),
                          line.at(2).get<std::string>(),
                          line.at(3).get<std::string>(),
                          line.at(4).get<std::string>(),
                          FromMillis(line.at(5).get<std::int64_t>()),
                          Millis(line.at(6).get<std::int64_t>())};
}

Result<Record> DecodeNotification(const Json& line) {
  const auto level = ParseNotificationLevel(line.at(2).get_ref<const std::string&>());
  if (!level) return Fail(Errc::kInvalid, fmt::format("no level of a notification: {}", DumpJson(line.at(2))));
  return NotificationRecord{line.at(1).get<std::string>(),
                            *level,
                            line.at(3).get<std::string>(),
                            line.at(4).get<std::string>(),
                            line.at(5).get<std::string>(),
                            line.at(6).get<std::string>(),
                            FromMillis(line.at(7).get<std::int64_t>())};
}

Result<Record> DecodeMetrics(const Json& line) {
  MetricsRecord record{.resource = line.at(1).get<std::string>(),
                       .endpoint = line.at(2).get<std::string>(),
                       .group = line.at(3).get<std::string>(),
                       .interval = Millis(line.at(4).get<std::int64_t>()),
                       .at = FromMillis(line.at(5).get<std::int64_t>()),
                       .dimensions = {},
                       .measurements = {}};
  const Json& dimensions = line.at(6);
  const Json& metrics = line.at(7);
  if (!dimensions.is_array() || dimensions.size() % 2 != 0 || !metrics.is_array() || metrics.size() % 4 != 0)
    return Fail(Errc::kInvalid, "not a record: dimensions are pairs and metrics are fours");
  for (std::size_t i = 0; i < dimensions.size(); i += 2)
    record.dimensions.emplace_back(dimensions[i].get<std::string>(), dimensions[i + 1].get<std::string>());
  for (std::size_t i = 0; i < metrics.size(); i += 4) {
    Measurement metric{.name = metrics[i].get<std::string>(), .at = FromMillis(metrics[i + 3].get<std::int64_t>())};
    if (metrics[i + 1] == static_cast<int>(MetricKind::kCounter)) metric.kind = MetricKind::kCounter;
    if (metrics[i + 2].is_number_integer())
      metric.value = metrics[i + 2].get<std::int64_t>();
    else
      metric.value = metrics[i + 2].get<double>();
    record.measurements.push_back(std::move(metric));
  }
  return record;
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

bool IsMetrics(std::string_view line) { return line.starts_with(R"(["m",)"); }
bool IsObservation(std::string_view line) { return line.starts_with(R"(["o",)"); }

Result<Record> DecodeRecord(std::string_view line) {
  BACKPLANE_ASSIGN(const Json json, ParseJson(line));
  try {
    const auto kind = json.at(0).get<std::string>();
    if (kind == "o") return DecodeObservation(json);
    if (kind == "x") return DecodeObject(json);
    if (kind == "r") return DecodeResourceRecord(json);
    if (kind == "g") return ResourceGone{json.at(1).get<std::string>()};
    if (kind == "e") return DecodeEnrichment(json);
    if (kind == "m") return DecodeMetrics(json);
    if (kind == "c") return DecodeClaimsRecord(json);
    if (kind == "t") return ObjectGone{json.at(1).get<std::int64_t>()};
    if (kind == "d") return DeviceDownRecord{json.at(1).get<EntityId>(), FromMillis(json.at(2).get<std::int64_t>())};
    if (kind == "n") return DecodeNotification(json);
    if (kind == "s")
      return SettledRecord{json.at(1).get<std::vector<std::int64_t>>(), json.at(2).get<std::int64_t>(),
                           json.at(3).get<bool>()};
    return Fail(Errc::kInvalid, fmt::format("unknown kind of record: {}", kind));
  } catch (const Json::exception& error) {
    return Fail(Errc::kInvalid, fmt::format("not a record: {}", error.what()));
  }
}

}  // namespace backplane::ingest
