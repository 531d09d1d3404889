// /runs: what was executed, and what came of it.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "api/api.h"
#include "base/files.h"
#include "dispatch/run_folder.h"
#include "keeper/segments.h"
#include "store/runs.h"

namespace backplane::api {
namespace {

constexpr std::size_t kMaxLog = 4 << 20;
constexpr std::size_t kMaxResult = 64 << 20;

Json ToJson(const Run& run) {
  Json json = {{"id", run.id},
               {"plugin", run.lane.plugin},
               {"target", run.lane.target},
               {"resource", ResourceIdOf(run.lane.target)},
               {"trigger", TriggerName(run.trigger)},
               {"key", run.key},
               {"cycle", run.cycle == 0 ? Json(nullptr) : Json(run.cycle)},
               {"status", RunStatusName(run.status)},
               {"exit_code", run.exit_code ? Json(*run.exit_code) : Json(nullptr)},
               {"message", run.message},
               {"started", FormatIso(run.started)},
               {"finished", run.finished ? Json(FormatIso(*run.finished)) : Json(nullptr)},
               {"taken", run.taken},
               {"refused", run.refused},
               {"changed", run.changed}};
  return json;
}

// The result files that are kept with the run, by name.
std::vector<std::filesystem::path> ResultFiles(const ApiParts& parts, RunId run) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  const auto folder = dispatch::ResultsOf(parts.runs, run);
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    files.push_back(entry->path());
  std::sort(files.begin(), files.end());
  return files;
}

Json Describe(const ApiParts& parts, const Run& run) {
  Json json = ToJson(run);
  json["results"] = Json::array();
  for (const auto& file : ResultFiles(parts, run.id)) json["results"].push_back(file.filename().string());
  json["command"] = run.command;
  const Result<Json> refusals = ParseJson(run.refusals);
  json["refusals"] = refusals ? *refusals : Json::array();
  return json;
}

Result<Run> Load(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const RunId id, call.PathId("id"));
  std::optional<Run> run;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    run = store::Runs(connection, call.org()).Get(id);
    return {};
  }));
  if (!run) return Fail(Errc::kNotFound, fmt::format("no run {}: it never was, or is no longer kept", id));
  return *std::move(run);
}

Result<Reply> List(const ApiParts& parts, const Call& call) {
  store::RunFilter filter{
      .plugin = call.Query("plugin"), .status = {}, .key = call.Query("key"), .target = call.Query("target")};
  if (!filter.plugin.empty()) {
    BACKPLANE_ASSIGN(filter.plugin, PluginId(parts, call.org(), filter.plugin));
  }
  if (const std::string status = call.Query("status"); !status.empty()) {
    filter.status = ParseRunStatus(status);
    if (!filter.status) return Fail(Errc::kInvalid, fmt::format("status: there is no status \"{}\"", status), "status");
  }
  BACKPLANE_ASSIGN(filter.cycle, call.QueryInt("cycle", 0, 1, std::numeric_limits<std::int64_t>::max()));
  BACKPLANE_ASSIGN(filter.before, call.QueryInt("before", 0, 0, std::numeric_limits<std::int64_t>::max()));
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("limit", 50, 1, 1000));
  filter.limit = static_cast<int>(limit) + 1;
  Json body;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    auto runs = store::Runs(connection, call.org()).List(filter);
    const bool more = runs.size() > static_cast<std::size_t>(limit);
    if (more) runs.pop_back();
    body["runs"] = Json::array();
    for (const Run& run : runs) body["runs"].push_back(ToJson(run));
    body["next"] = more ? Json(runs.back().id) : Json(nullptr);
    return {};
  }));
  return Reply{std::move(body)};
}

// Answers when the run has ended or the time has passed.
void ShowWhenEnded(const ApiParts& parts, RunId id, OrgId org, Millis until, const http::Responder& responder) {
  const std::uint64_t generation = parts.bus.generation();
  std::optional<Run> run;
  const Status read = parts.database.Read([&](store::Connection& connection) -> Status {
    run = store::Runs(connection, org).Get(id);
    return {};
  });
  if (!read) return responder.Send(ToResponse(Fail(read.error())));
  if (!run)
    return responder.Send(
        ToResponse(Fail(Errc::kNotFound, fmt::format("no run {}: it never was, or is no longer kept", id))));
  const Millis left = until - parts.clock.Monotonic();
  if (run->status != RunStatus::kRunning || left.count() <= 0 || responder.Abandoned())
    return responder.Send(ToResponse(Reply{Describe(parts, *run)}));
  // By value: the bus may call back when the Api is gone already.
  parts.bus.Wait(generation, left, [parts, id, org, until, responder](events::Wake wake) {
    ShowWhenEnded(parts, id, org, wake == events::Wake::kNews ? until : Millis(0), responder);
  });
}

void Show(const ApiParts& parts, const Call& call, const http::Responder& responder) {
  const auto id = call.PathId("id");
  if (!id) return responder.Send(ToResponse(Fail(id.error())));
  const auto wait = call.QueryInt("wait", 0, 0, 3600);
  if (!wait) return responder.Send(ToResponse(Fail(wait.error())));
  ShowWhenEnded(parts, *id, call.org(), parts.clock.Monotonic() + std::chrono::seconds(*wait), responder);
}

Result<Reply> Log(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const Run run, Load(parts, call));
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("bytes", 256 << 10, 1, kMaxLog));
  return Reply{{}, 200, keeper::ReadSegments(parts.runs / std::to_string(run.id), static_cast<std::size_t>(limit))};
}

Result<Reply> ResultFile(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const Run run, Load(parts, call));
  const auto files = ResultFiles(parts, run.id);
  const std::string name = call.Query("file");
  std::string names;
  for (const auto& file : files) {
    names += (names.empty() ? "" : ", ") + file.filename().string();
    if (file.filename() != name && (!name.empty() || files.size() > 1)) continue;
    BACKPLANE_ASSIGN(std::string content, ReadLeftFile(file, geteuid(), kMaxResult));
    return Reply{{}, 200, std::move(content)};
  }
  if (files.empty())
    return Fail(
        Errc::kNotFound,
        fmt::format("no result file is kept with run {}: only that of a plugin's last run that left one is", run.id));
  if (name.empty()) return Fail(Errc::kInvalid, fmt::format("file: which of {}?", names), "file");
  return Fail(Errc::kNotFound, fmt::format("run {} has no result file \"{}\", but {}", run.id, name, names), "file");
}

Result<Reply> Cancel(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const Run run, Load(parts, call));
  const Status cancelled = parts.host.Cancel(run.id);
  if (!cancelled) return Fail(Errc::kConflict, fmt::format("run {} has ended: {}", run.id, RunStatusName(run.status)));
  return Reply{Describe(parts, run), 202, {}};
}

}  // namespace

std::vector<Endpoint> RunEndpoints(const ApiParts& parts) {
  return {
      {"GET",
       "/runs",
       Permission::kRead,
       "Runs, newest first.",
       {{"plugin", "Only of this plugin."},
        {"status", "Only with this status."},
        {"key", "Only of the job with this key."},
        {"target", "Only about this resource, by id or key."},
        {"cycle", "Only of this pass."},
        {"before", "Cursor: the `next` of the page before."},
        {"limit", "Runs per page, 1 to 1000; 50 unless given."}},
       [&parts](const Call& call) { return List(parts, call); }},
      {"GET",
       "/runs/{id}",
       Permission::kRead,
       "One run, with its command and the output that was refused.",
       {{"wait", "Seconds to wait for its end, 0 to 3600."}},
       [&parts](const Call& call, const http::Responder& responder) { Show(parts, call, responder); }},
      {"GET",
       "/runs/{id}/log",
       Permission::kRead,
       "What the run wrote to standard output and error, the end of it.",
       {{"bytes", "At most so many; 262144 unless given."}},
       [&parts](const Call& call) { return Log(parts, call); }},
      {"GET",
       "/runs/{id}/result",
       Permission::kOperate,
       "A file that the run left as its result, as it left it, with secrets if its script wrote some into it; kept of "
       "a plugin's last run that left one.",
       {{"file", "Its name, if there are several."}},
       [&parts](const Call& call) { return ResultFile(parts, call); }},
      {"POST",
       "/runs/{id}/cancel",
       Permission::kOperate,
       "Ends a run: its processes are asked to stop, then killed.",
       {},
       [&parts](const Call& call) { return Cancel(parts, call); }},
  };
}

}  // namespace backplane::api
