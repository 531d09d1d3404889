#include "runtime/process/process_runtime.h"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "base/files.h"
#include "keeper/proc.h"
#include "keeper/segments.h"

namespace backplane::runtime {
namespace {

using keeper::ExitReport;

/// Of the log that is kept, one segment may be only just begun: the others hold all of it.
constexpr int kFullSegments = 4;
/// More files than that match no honest pattern.
constexpr std::size_t kMaxResultFiles = 1000;

keeper::SpawnRequest ToSpawn(const RunRequest& request, Millis grace) {
  const Invocation& invocation = request.invocation;
  keeper::SpawnRequest spawn;
  spawn.argv = invocation.argv;
  spawn.environment = invocation.environment;
  spawn.working_folder = invocation.working_folder;
  spawn.log_folder = request.log_folder;
  spawn.segments = kFullSegments + 1;
  spawn.segment_bytes = std::max<std::int64_t>(1, (invocation.limits.output_bytes + kFullSegments - 1) / kFullSegments);
  spawn.timeout = invocation.limits.timeout;
  spawn.grace = grace;
  spawn.memory_bytes = invocation.limits.memory_bytes;
  return spawn;
}

// Status, exit code and the first part of the message.
void TakeEnding(const ExitReport& report, const Limits& limits, Output& output) {
  const bool exited = report.ending == ExitReport::Ending::kExited;
  if (exited) output.exit_code = report.value;
  if (report.ending == ExitReport::Ending::kNotStarted) {
    output.status = RunStatus::kNotStarted;
    output.message = report.error;
  } else if (report.ending == ExitReport::Ending::kKeeperDied) {
    output.status = RunStatus::kInterrupted;
    output.message = report.error;
  } else if (report.timed_out) {
    output.status = RunStatus::kTimeout;
    output.message =
        fmt::format("time limit of {} passed; the process tree was killed", FormatDuration(limits.timeout));
  } else if (report.cancelled) {
    output.status = RunStatus::kCancelled;
    output.message = "cancelled; the process tree was killed";
  } else if (!exited) {
    output.status = RunStatus::kKilled;
    output.message = keeper::SignalText(report.value);
  } else if (report.value != 0) {
    output.status = RunStatus::kFailed;
    output.message = fmt::format("exit code {}", report.value);
  }
}

void Say(Output& output, const std::string& text) {
  if (!output.message.empty()) output.message += "; ";
  output.message += text;
}

void TakeResult(const std::filesystem::path& path, const std::filesystem::path& results, std::size_t limit,
                Output& output) {
  std::error_code error;
  if (output.files.size() >= kMaxResultFiles || !std::filesystem::exists(symlink_status(path, error))) return;
  const Status made = MakePrivateFolder(results);
  auto content = made ? TakeFile(path, results / path.filename(), getuid(), limit) : Fail(made.error());
  Output::ResultFile file{path.filename().string(), {}, {}};
  if (content)
    file.content = std::move(*content);
  else
    file.error = content.error().message;
  output.files.push_back(std::move(file));
}

void TakeResults(const RunRequest& request, Output& output) {
  const Invocation& invocation = request.invocation;
  const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(0, invocation.limits.result_bytes));
  for (const auto& path : invocation.result_files) {
    std::string prefix = path.filename().string();
    if (!prefix.ends_with('*')) {
      TakeResult(path, request.results, limit, output);
      continue;
    }
    prefix.pop_back();
    std::vector<std::filesystem::path> matches;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(path.parent_path(), error), end; !error && entry != end;
         entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (name.starts_with(prefix)) matches.push_back(entry->path());
    }
    std::sort(matches.begin(), matches.end());
    for (const auto& match : matches) TakeResult(match, request.results, limit, output);
  }
}

}  // namespace

Output ProcessRuntime::Run(const RunRequest& request, std::stop_token stop) {
  Output output;
  const Invocation& invocation = request.invocation;
  if (stop.stop_requested()) {
    output.status = RunStatus::kCancelled;
    output.message = "cancelled before it started";
    return output;
  }
  auto spawned = keeper_.Spawn(ToSpawn(request, grace_));
  if (!spawned) {
    output.status = RunStatus::kNotStarted;
    output.message = spawned.error().message;
    return output;
  }
  ExitReport report;
  {
    const std::stop_callback cancel(stop, [&] { keeper_.Kill(spawned->id, grace_); });
    report = spawned->report.get();
  }
  TakeEnding(report, invocation.limits, output);
  output.log = keeper::ReadSegments(
      request.log_folder, static_cast<std::size_t>(std::max<std::int64_t>(0, invocation.limits.output_bytes)));
  output.log_dropped = std::max<std::int64_t>(0, report.log_bytes - static_cast<std::int64_t>(output.log.size()));
  if (report.left > 0)
    Say(output, report.left == 1 ? "1 process it had left behind was killed"
                                 : fmt::format("{} processes it had left behind were killed", report.left));
  if (output.log_dropped > 0)
    Say(output, fmt::format("{} bytes of its output were dropped, the last {} are kept", output.log_dropped,
                            output.log.size()));
  if (report.ending != ExitReport::Ending::kNotStarted) TakeResults(request, output);
  CrashPoint("run.taken");
  return output;
}

}  // namespace backplane::runtime
