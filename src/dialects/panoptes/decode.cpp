#include "dialects/panoptes/decode.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace backplane::panoptes {
namespace {

constexpr std::int64_t kMostSeconds = 253'402'300'799;  // 9999-12-31T23:59:59Z
constexpr std::chrono::seconds kLongestTtl = std::chrono::hours(10 * 365 * 24);

// An error in a part is one in the whole, at `place`.
tl::unexpected<Error> In(std::string place, Error error) {
  if (!error.where.empty()) place += "." + error.where;
  error.where = std::move(place);
  return Fail(std::move(error));
}

// Reads each item of an array.
template <typename Read>
Status Each(const Json& object, const char* key, const char* place, Read read) {
  const auto array = object.find(key);
  if (array == object.end() || !array->is_array()) return Fail(Errc::kInvalid, "an array is missing", place);
  for (std::size_t i = 0; i < array->size(); ++i)
    if (Status status = read((*array)[i]); !status) return In(fmt::format("{}[{}]", place, i), status.error());
  return {};
}

Result<std::string> Text(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string() || found->get_ref<const std::string&>().empty())
    return Fail(Errc::kInvalid, "a text that is not empty is missing", key);
  return found->get<std::string>();
}

Result<std::string> Word(const Json& object, const char* key) {
  BACKPLANE_ASSIGN(auto word, Text(object, key));
  if (IsWord(word)) return word;
  return Fail(Errc::kInvalid,
              fmt::format("\"{}\" is not a letter or underscore followed by letters, digits and underscores",
                          Shorten(word, 60)),
              key);
}

// A text that is part of a key: '|' divides those.
Result<std::string> Field(const Json& object, const char* key) {
  BACKPLANE_ASSIGN(auto text, Text(object, key));
  if (text.find('|') == std::string::npos) return text;
  return Fail(Errc::kInvalid, fmt::format("\"{}\" holds a \"|\"", Shorten(text, 60)), key);
}

Result<Millis> Seconds(const Json& object, const char* key) {
  const auto found = object.find(key);
  const double seconds = found != object.end() && found->is_number_integer() ? found->get<double>() : 0;
  if (seconds < 1 || seconds > static_cast<double>(kMostSeconds))
    return Fail(Errc::kInvalid, "a whole number of seconds above zero is missing", key);
  return std::chrono::seconds(static_cast<std::int64_t>(seconds));
}

Result<TimePoint> Time(const Json& object, const char* key) {
  const auto found = object.find(key);
  const double seconds = found != object.end() && found->is_number() ? found->get<double>() : -1;
  if (seconds < 0 || seconds > static_cast<double>(kMostSeconds))
    return Fail(Errc::kInvalid, "a time in seconds since 1970 is missing", key);
  return FromMillis(std::llround(seconds * 1000));
}

Result<Resource> ReadResource(const Json& json) {
  Resource out;
  BACKPLANE_ASSIGN(out.site, Field(json, "resource_site"));
  BACKPLANE_ASSIGN(out.class_name, Field(json, "resource_class"));
  BACKPLANE_ASSIGN(out.subclass, Field(json, "resource_subclass"));
  BACKPLANE_ASSIGN(out.type, Field(json, "resource_type"));
  BACKPLANE_ASSIGN(out.id, Field(json, "resource_id"));
  BACKPLANE_ASSIGN(out.endpoint, Field(json, "resource_endpoint"));
  BACKPLANE_ASSIGN(out.plugin, Field(json, "resource_plugin"));
  const auto metadata = json.find("resource_metadata");
  if (metadata == json.end() || !metadata->is_object())
    return Fail(Errc::kInvalid, "an object is missing", "resource_metadata");
  for (const auto& [key, value] : metadata->items()) {
    const auto* text = value.get_ptr<const std::string*>();
    if (!IsWord(key) || !text || text->empty() || text->find('|') != std::string::npos)
      return Fail(Errc::kInvalid, fmt::format("\"{}\" or its value is not as it should be", Shorten(key, 60)),
                  "resource_metadata");
    out.metadata[key] = *text;
  }
  return out;
}

class Decoder {
 public:
  explicit Decoder(TimePoint at) : at_(at) {}

  Status Decode(const Json& result, const std::string& type) {
    const char* const kind = type == "discovery" ? "resources" : type == "enrichment" ? "enrichments" : "metrics";
    if (result.value("kind", Json()) != kind)
      return Fail(Errc::kInvalid, fmt::format("\"{}\" is missing", kind), "kind");
    return Each(result, "value", kind, [&](const Json& item) {
      return type == "discovery" ? AddResource(item) : type == "enrichment" ? AddEnrichment(item) : AddMetrics(item);
    });
  }
  std::vector<Record> Take() { return std::move(records_); }

 private:
  Status AddResource(const Json& json) {
    ResourceRecord out{.at = at_};
    BACKPLANE_ASSIGN(out.resource, ReadResource(json));
    std::int64_t seconds = 604'800;
    if (const auto given = out.resource.metadata.find("_resource_ttl"); given != out.resource.metadata.end()) {
      const char* const end = given->second.data() + given->second.size();
      const auto read = std::from_chars(given->second.data(), end, seconds);
      if (read.ec != std::errc() || read.ptr != end || seconds < 1 || seconds > kMostSeconds)
        return Fail(Errc::kInvalid,
                    fmt::format("\"{}\" is not a whole number of seconds above zero", Shorten(given->second, 60)),
                    "resource_metadata._resource_ttl");
    }
    out.ttl = std::min(std::chrono::seconds(seconds), kLongestTtl);
    records_.emplace_back(std::move(out));
    return {};
  }

  Status AddEnrichment(const Json& json) {
    EnrichmentRecord out{.at = at_};
    BACKPLANE_ASSIGN(out.resource_id, Text(json, "resource_id"));
    BACKPLANE_ASSIGN(out.name_space, Text(json, "namespace"));
    BACKPLANE_ASSIGN(const auto ttl, Seconds(json, "ttl"));
    out.ttl = std::min<Millis>(ttl, kLongestTtl);
    BACKPLANE_ASSIGN(out.body, Text(json, "body"));
    auto body = ParseJson(out.body);
    if (!body) return In("body", body.error());
    if (!body->is_object()) return Fail(Errc::kInvalid, "is no object", "body");
    // When it was made does not make it another.
    if (const auto metadata = body->find("metadata"); metadata != body->end() && metadata->is_object())
      metadata->erase("_enrichment_group_creation_timestamp");
    out.watch_key = Sha256Hex(DumpJson(*body));
    records_.emplace_back(std::move(out));
    return {};
  }

  Status AddMetrics(const Json& json) {
    MetricsRecord out;
    const auto about = json.find("resource");
    auto resource = ReadResource(about == json.end() ? Json() : *about);
    if (!resource) return In("resource", resource.error());
    out.resource = ResourcePath(*resource);
    out.endpoint = resource->endpoint;
    BACKPLANE_ASSIGN(out.group, Text(json, "metrics_group_type"));
    BACKPLANE_ASSIGN(out.interval, Seconds(json, "metrics_group_interval"));
    BACKPLANE_ASSIGN(out.at, Time(json, "metrics_group_creation_timestamp"));
    BACKPLANE_TRY(Each(json, "dimensions", "dimensions", [&](const Json& item) -> Status {
      BACKPLANE_ASSIGN(auto name, Word(item, "dimension_name"));
      BACKPLANE_ASSIGN(auto value, Text(item, "dimension_value"));
      out.dimensions.emplace_back(std::move(name), std::move(value));
      return {};
    }));
    auto& dimensions = out.dimensions;
    std::sort(dimensions.begin(), dimensions.end());
    const auto twice = std::adjacent_find(dimensions.begin(), dimensions.end(),
                                          [](const auto& a, const auto& b) { return a.first == b.first; });
    if (twice != dimensions.end())
      return Fail(Errc::kInvalid, fmt::format("\"{}\" is there twice", twice->first), "dimensions");
    if (const auto metrics = json.find("metrics"); metrics != json.end()) measurements_ += metrics->size();
    if (measurements_ > kMostMeasurements)
      return Fail(Errc::kInvalid, fmt::format("the run has more than {} measurements", kMostMeasurements), "metrics");
    BACKPLANE_TRY(Each(json, "metrics", "metrics", [&](const Json& item) -> Status {
      BACKPLANE_ASSIGN(auto measurement, ReadMeasurement(item));
      out.measurements.push_back(std::move(measurement));
      return {};
    }));
    records_.emplace_back(std::move(out));
    return {};
  }

  Result<Measurement> ReadMeasurement(const Json& json) {
    Measurement out;
    BACKPLANE_ASSIGN(out.name, Word(json, "metric_name"));
    BACKPLANE_ASSIGN(out.at, Time(json, "metric_creation_timestamp"));
    BACKPLANE_ASSIGN(const auto kind, Text(json, "metric_type"));
    if (kind != "gauge" && kind != "counter")
      return Fail(Errc::kInvalid, fmt::format("\"{}\" is neither gauge nor counter", Shorten(kind, 60)), "metric_type");
    out.kind = kind == "gauge" ? MetricKind::kGauge : MetricKind::kCounter;
    const auto value = json.find("metric_value");
    if (value == json.end() || !value->is_number()) return Fail(Errc::kInvalid, "a number is missing", "metric_value");
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
    const bool whole = value->is_number_integer() && (!value->is_number_unsigned() || *value <= kMost);
    if (whole)
      out.value = value->get<std::int64_t>();
    else
      out.value = value->get<double>();
    return out;
  }

  const TimePoint at_;
  std::vector<Record> records_;
  std::size_t measurements_ = 0;
};

Batch Failure(std::string reason) {
  Batch batch;
  batch.failure = std::move(reason);
  return batch;
}

}  // namespace

bool IsWord(std::string_view name) {
  const auto letter = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
  };
  return !name.empty() && letter(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return letter(static_cast<unsigned char>(c)) || (c >= '0' && c <= '9'); });
}

Batch DecodeOutput(const Manifest& manifest, const Output& output, TimePoint at) {
  if (output.status != RunStatus::kOk) return {};
  const auto file = std::find_if(output.files.begin(), output.files.end(),
                                 [](const Output::ResultFile& one) { return one.name == kResultFile; });
  if (file == output.files.end()) return Failure("the plugin ended its process before it gave a result");
  if (!file->error.empty()) return Failure(fmt::format("{}: {}", kResultFile, file->error));
  const auto result = ParseJson(file->content);
  if (!result) return Failure(fmt::format("{}: {}", kResultFile, result.error().message));
  if (!result->is_object()) return Failure(fmt::format("{}: is no object", kResultFile));

  const auto type = manifest.document.at("type").get<std::string>();
  Decoder decoder(at);
  if (const Status status = decoder.Decode(*result, type); !status)
    return Failure(fmt::format("{}: {}", status.error().where, status.error().message));
  Batch batch;
  batch.records = decoder.Take();
  batch.complete = type == "discovery" && !batch.records.empty();
  return batch;
}

}  // namespace backplane::panoptes
