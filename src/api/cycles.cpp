// /cycles: passes, and the runs that belong to them.
#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/api.h"
#include "base/text.h"
#include "store/cycles.h"
#include "store/runs.h"

namespace backplane::api {
namespace {

// More than a pass of a large site has.
constexpr int kMostRuns = 10'000;

// `now` ends what has not ended.
std::int64_t Duration(TimePoint from, std::optional<TimePoint> to, TimePoint now) {
  return std::max<std::int64_t>(0, (to.value_or(now) - from).count());
}

Json ToJson(const store::Cycle& cycle, TimePoint now) {
  return {{"id", cycle.id},
          {"status", cycle.status},
          {"stage", cycle.stage},
          {"message", cycle.message},
          {"opened", FormatIso(cycle.opened)},
          {"closed", cycle.closed ? Json(FormatIso(*cycle.closed)) : Json(nullptr)},
          {"duration_ms", Duration(cycle.opened, cycle.closed, now)}};
}

// The phase that a run was about: it stands in its key.
std::string PhaseOf(const Run& run) {
  if (run.key.starts_with(kRoundKey)) return kNotificationPhase;
  if (!run.key.starts_with("phase/")) return "scan";
  return std::string(Split(run.key, '/').back());
}

Json ToJson(const Run& run, TimePoint now) {
  return {{"id", run.id},
          {"plugin", run.lane.plugin},
          {"resource", ResourceIdOf(run.lane.target)},
          {"phase", PhaseOf(run)},
          {"status", RunStatusName(run.status)},
          {"message", run.message},
          {"started", FormatIso(run.started)},
          {"finished", run.finished ? Json(FormatIso(*run.finished)) : Json(nullptr)},
          {"duration_ms", Duration(run.started, run.finished, now)}};
}

Result<Reply> List(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const std::int64_t before, call.QueryInt("before", 0, 0, std::numeric_limits<std::int64_t>::max()));
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("limit", 50, 1, 1000));
  Json body;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    auto cycles = store::Cycles(connection, call.org()).List(before, static_cast<int>(limit) + 1);
    const bool more = cycles.size() > static_cast<std::size_t>(limit);
    if (more) cycles.pop_back();
    body["cycles"] = Json::array();
    for (const store::Cycle& cycle : cycles) body["cycles"].push_back(ToJson(cycle, parts.clock.Now()));
    body["next"] = more ? Json(cycles.back().id) : Json(nullptr);
    return {};
  }));
  return Reply{std::move(body)};
}

Result<Json> Describe(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const CycleId id, call.PathId("id"));
  const TimePoint now = parts.clock.Now();
  Json body;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    const auto cycle = store::Cycles(connection, call.org()).Get(id);
    if (!cycle) return Fail(Errc::kNotFound, fmt::format("no cycle {}: it never was, or is no longer kept", id));
    body = ToJson(*cycle, now);
    body["runs"] = Json::array();
    auto runs = store::Runs(connection, call.org()).List({.cycle = id, .limit = kMostRuns});
    for (auto run = runs.rbegin(); run != runs.rend(); ++run) body["runs"].push_back(ToJson(*run, now));
    return {};
  }));
  return body;
}

Result<Reply> Show(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(Json body, Describe(parts, call));
  return Reply{std::move(body)};
}

Result<Reply> Cancel(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(Json body, Describe(parts, call));
  if (!parts.cycles.Cancel(body["id"].get<CycleId>()))
    return Fail(Errc::kConflict, fmt::format("cycle {} is over already", body["id"].get<CycleId>()));
  return Reply{std::move(body), 202, {}};
}

}  // namespace

std::vector<Endpoint> CycleEndpoints(const ApiParts& parts) {
  return {
      {"GET",
       "/cycles",
       Permission::kRead,
       "Scan passes, newest first.",
       {{"before", "Cursor: the `next` of the page before."},
        {"limit", "Passes per page, 1 to 1000; 50 unless given."}},
       [&parts](const Call& call) { return List(parts, call); }},
      {"GET",
       "/cycles/{id}",
       Permission::kRead,
       "One pass, with its runs in the order in which they began.",
       {},
       [&parts](const Call& call) { return Show(parts, call); }},
      {"POST",
       "/cycles/{id}/cancel",
       Permission::kOperate,
       "Gives a pass up: what it has not begun is taken back, and the runs of its phase are stopped. Notifications "
       "that "
       "it has raised are sent all the same.",
       {},
       [&parts](const Call& call) { return Cancel(parts, call); }},
  };
}

}  // namespace backplane::api
