#include "dispatch/open_runs.h"

#include <algorithm>
#include <future>

#include <fmt/format.h>
#include <unistd.h>

#include "base/files.h"
#include "base/log.h"
#include "dispatch/run_folder.h"

namespace backplane::dispatch {
namespace {

// What a run had left when the daemon died under it, and nobody has decoded.
Batch LeftBehind(const HostParts& parts, const Run& run) {
  const Plugin* plugin = parts.catalog->FindById(run.lane.plugin);
  if (plugin == nullptr) return {};
  const Manifest& manifest = plugin->manifest;
  Output output;
  output.status = run.status;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(ResultsOf(parts.runs, run.id), error), end; !error && entry != end;
       entry.increment(error)) {
    auto content = ReadLeftFile(entry->path(), geteuid(), static_cast<std::size_t>(manifest.limits.result_bytes));
    if (content) output.files.push_back({entry->path().filename(), *std::move(content), {}});
  }
  if (output.files.empty()) return {};
  std::sort(output.files.begin(), output.files.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  try {
    Batch batch = plugin->codec->Decode(manifest, plugin->settings, parts.catalog->DialectSettings(manifest.dialect),
                                        output, *run.finished);
    return batch.failure.empty() ? std::move(batch) : Batch();
  } catch (const std::exception& bug) {
    LogError("run {} of {}: what it left could not be read: {}", run.id, run.lane.plugin, bug.what());
    return {};
  }
}

Status AcceptNow(store::Database& database, const std::shared_ptr<const ingest::Sealed>& sealed) {
  std::promise<Status> closed;
  ingest::Accept(database, sealed, [&closed](Status status) { closed.set_value(std::move(status)); });
  return closed.get_future().get();
}

}  // namespace

Status CloseOpenRuns(const HostParts& parts) {
  std::vector<Run> open;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    open = store::OpenRuns(connection);
    return {};
  }));
  for (Run& run : open) {
    run.status = RunStatus::kInterrupted;
    run.message = run.trigger == TriggerKind::kFile ? "the daemon ended while it was taken in; it is tried again"
                                                    : "the daemon ended while it ran; its processes were killed";
    run.finished = parts.clock.Now();
    auto sealed = std::make_shared<const ingest::Sealed>(ingest::Seal({run, LeftBehind(parts, run)}));
    // To its end before any lane gets a new token, or the run could never be closed.
    Status status = AcceptNow(parts.database, sealed);
    if (!status && sealed->SaysSomething()) {
      // A result that the store refuses must not keep us from starting.
      LogError("run {} of {}: what it left could not be stored: {}", run.id, run.lane.plugin, status.error().message);
      sealed = std::make_shared<const ingest::Sealed>(ingest::WithoutResult(*sealed, run.message));
      status = AcceptNow(parts.database, sealed);
    }
    if (!status) return Fail(status.error().code, fmt::format("closing run {}: {}", run.id, status.error().message));
    RemoveWork(parts.runs, run.id);
    if (!run.lane.target.empty()) RemoveResults(parts.runs, run.id);
  }
  if (!open.empty()) LogInfo("{} runs were interrupted when the last daemon ended", open.size());
  return {};
}

}  // namespace backplane::dispatch
