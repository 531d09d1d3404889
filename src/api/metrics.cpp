// /metrics: what plugins measured, as series and their points.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/api.h"
#include "ingest/sample_steps.h"

namespace backplane::api {
namespace {

// Who asks after a run is over sees what it measured. Longer than that only a fold that is far behind.
constexpr Millis kCatchUp{1'000};

Json ToJson(const store::SampleValue& value) {
  return std::visit([](const auto number) { return Json(number); }, value);
}

Json ToJson(const store::Series& series) {
  return {{"id", series.id},
          {"resource", series.resource},
          {"endpoint", series.endpoint},
          {"group", series.group},
          {"name", series.name},
          {"kind", MetricKindName(series.kind)},
          {"dimensions", ParseJson(series.dimensions).value_or(Json::object())},
          {"interval", series.interval.count() > 0 ? Json(FormatDuration(series.interval)) : Json(nullptr)}};
}

Json ToJson(const ingest::Point& point, bool step) {
  Json json = {{"at", FormatIso(point.at)}};
  if (step) {
    json["samples"] = point.samples;
    json["min"] = ToJson(point.min);
    json["avg"] = point.avg;
    json["max"] = ToJson(point.max);
    json["last"] = ToJson(point.last);
  } else {
    json["value"] = ToJson(point.last);
  }
  if (point.rate) json["rate"] = *point.rate;
  return json;
}

Result<Reply> List(const ApiParts& parts, const Call& call) {
  store::SeriesFilter filter{
      .resource = call.Query("resource"), .group = call.Query("group"), .name = call.Query("name")};
  if (const std::string text = call.Query("dimensions"); !text.empty()) {
    const Result<Json> dimensions = ParseJson(text);
    if (!dimensions || !dimensions->is_object())
      return Fail(Errc::kInvalid, fmt::format("dimensions: \"{}\" is not a JSON object", text), "dimensions");
    for (const auto& [name, value] : dimensions->items()) {
      if (!value.is_string())
        return Fail(Errc::kInvalid, fmt::format("dimensions: the value of {} is not a text", name), "dimensions");
      filter.dimensions.emplace_back(name, value.get<std::string>());
    }
  }
  BACKPLANE_ASSIGN(filter.after, call.QueryInt("after", 0, 0, std::numeric_limits<std::int64_t>::max()));
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("limit", 100, 1, 1000));
  filter.limit = static_cast<int>(limit) + 1;
  parts.samples.WaitUntilFolded(kCatchUp);
  BACKPLANE_ASSIGN(auto listed, parts.samples.List(call.org(), filter));
  const bool more = listed.size() > static_cast<std::size_t>(limit);
  if (more) listed.pop_back();
  Json body = {{"series", Json::array()}};
  for (const auto& [series, last] : listed) {
    Json json = ToJson(series);
    json["last"] = last ? Json({{"at", FormatIso(last->at)}, {"value", ToJson(last->value)}}) : Json(nullptr);
    body["series"].push_back(std::move(json));
  }
  body["next"] = more ? Json(listed.back().series.id) : Json(nullptr);
  return Reply{std::move(body)};
}

Result<Reply> Show(const ApiParts& parts, const Call& call) {
  const TimePoint now = parts.clock.Now();
  BACKPLANE_ASSIGN(const std::int64_t id, call.PathId("id"));
  BACKPLANE_ASSIGN(const TimePoint from, call.QueryTime("from", "-1h", now));
  BACKPLANE_ASSIGN(const TimePoint to, call.QueryTime("to", "now", now));
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("limit", 1000, 1, 10'000));
  const std::string step_text = call.Query("step", "0s");
  const auto step = ParseDuration(step_text);
  if (!step) return Fail(Errc::kInvalid, fmt::format("step: \"{}\" is not a duration", step_text), "step");

  parts.samples.WaitUntilFolded(kCatchUp);
  BACKPLANE_ASSIGN(const store::Series series, parts.samples.Get(call.org(), id));
  ingest::Steps steps(series.kind, from, *step);
  const auto most = static_cast<std::size_t>(limit);
  // From an hour before on: the first rate begins with the sample before it.
  BACKPLANE_TRY(parts.samples.Read(id, from - std::chrono::hours(1), to, [&](const store::Sample& sample) {
    steps.Add(sample);
    return steps.points().size() <= most;
  }));
  Json body = {{"series", ToJson(series)}, {"points", Json::array()}, {"next", nullptr}};
  for (const ingest::Point& point : steps.points()) {
    if (body["points"].size() < most)
      body["points"].push_back(ToJson(point, step->count() > 0));
    else
      body["next"] = FormatIso(point.at);
  }
  return Reply{std::move(body)};
}

}  // namespace

std::vector<Endpoint> MetricEndpoints(const ApiParts& parts) {
  return {{"GET",
           "/metrics",
           Permission::kRead,
           "Series that plugins measured, with their last sample.",
           {{"resource", "Only of resources with this in their path, site|class|subclass|type|id."},
            {"group", "Only of this group."},
            {"name", "Only of this name."},
            {"dimensions", "Only with these dimensions: a JSON object of texts."},
            {"after", "Cursor: the `next` of the page before."},
            {"limit", "Series per page, 1 to 1000; 100 unless given."}},
           [&parts](const Call& call) { return List(parts, call); }},
          {"GET",
           "/metrics/{id}",
           Permission::kRead,
           "A series with its samples in a range of time, or with what they were in each step: min, avg, max and "
           "last. Of a counter also its rate per second, where one that fell has begun anew.",
           {{"from", "Time, or time before now such as -90m; -1h unless given."},
            {"to", "The same; now unless given."},
            {"step", "Length of a step, such as 5m; each sample unless given."},
            {"limit", "Points at most, 1 to 10000; 1000 unless given. `next` is the `from` to go on with."}},
           [&parts](const Call& call) { return Show(parts, call); }}};
}

}  // namespace backplane::api
