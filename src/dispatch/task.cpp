#include "dispatch/task.h"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "base/files.h"
#include "dispatch/run_folder.h"
#include "plugin/secret_ref.h"
#include "schedule/period.h"
#include "store/resources.h"

namespace backplane::dispatch {
namespace {

// How long a run waits for its dialect's files to be up to date.
constexpr Millis kPatience{5'000};

Result<std::vector<Enrichment>> EnrichmentsOf(store::Database& database, OrgId org, const std::string& id,
                                              const std::string& name_space, TimePoint now) {
  std::vector<Enrichment> enrichments;
  BACKPLANE_TRY(database.Read([&](store::Connection& connection) -> Status {
    for (store::StoredEnrichment& stored : store::Enrichments(connection, org).Of(id, name_space, now))
      enrichments.push_back({std::move(stored.resource_id), std::move(stored.name_space), std::move(stored.body),
                             stored.at, stored.expires});
    return {};
  }));
  return enrichments;
}

ingest::Acceptance TakeIn(const HostParts& parts, const Task& task) {
  ingest::Acceptance acceptance{task.run, {}};
  Run& run = acceptance.run;
  const Manifest& manifest = task.plugin->manifest;
  run.status = RunStatus::kOk;
  run.message = "left by a script that was not started here";
  Output output;
  auto content = ReadLeftFile(task.left->file, geteuid(), static_cast<std::size_t>(manifest.limits.result_bytes));
  output.files.push_back({.name = task.left->name, .content = {}, .error = {}});
  if (content)
    output.files[0].content = *std::move(content);
  else
    output.files[0].error = content.error().message;
  acceptance.batch = task.plugin->codec->Decode(
      manifest, task.plugin->settings, task.catalog->DialectSettings(manifest.dialect), output, parts.clock.Now());
  if (content && acceptance.batch.failure.empty()) return acceptance;
  run.status = RunStatus::kFailed;
  run.message = content ? acceptance.batch.failure : content.error().message;
  if (content) acceptance.batch = {};
  return acceptance;
}

}  // namespace

ingest::Acceptance Execute(const HostParts& parts, Task& task) {
  ingest::Acceptance acceptance{task.run, {}};
  Run& run = acceptance.run;
  const auto not_started = [&](std::string message) {
    run.status = RunStatus::kNotStarted;
    run.message = std::move(message);
    return acceptance;
  };
  // What it is about may have gone between the decision and now.
  if (task.plugin == nullptr || (task.resource == nullptr && !run.lane.target.empty()))
    return not_started("what it was to run, or to run about, is gone");
  if (task.left) return TakeIn(parts, task);
  const Plugin& plugin = *task.plugin;
  const auto runtime = std::find_if(parts.runtimes.begin(), parts.runtimes.end(),
                                    [&](const auto& known) { return known->name() == plugin.manifest.runtime; });
  if (runtime == parts.runtimes.end())
    return not_started(fmt::format("no runtime {} on this machine", plugin.manifest.runtime));

  const auto folder = parts.runs / std::to_string(run.id);
  RunContext context{.run = run.id,
                     .work = WorkOf(parts.runs, run.id),
                     .share = parts.share,
                     .python = parts.python,
                     .path = parts.path,
                     .installation = {},
                     .now = parts.clock.Now(),
                     .all_settings = &task.catalog->DialectSettings(plugin.manifest.dialect),
                     .manifests = task.catalog->ManifestsOf(plugin.manifest.dialect),
                     .given = &task.catalog->Given(plugin.manifest.dialect),
                     .resource = task.resource.get(),
                     .enrichments = [&](const std::string& id, const std::string& name_space) {
                       return EnrichmentsOf(parts.database, run.lane.org, id, name_space, run.started);
                     }};
  if ((*runtime)->uses_files())
    if (const Status made = MakePrivateFolder(context.work); !made) return not_started(made.error().message);

  const Job job{.lane = run.lane, .trigger = run.trigger, .key = run.key, .due = run.started, .deadline = {}};
  // What runs is what was approved, or nothing: looked at before, and once more after.
  std::uint64_t put_back = 0;
  if (plugin.files != nullptr) {
    const Result<std::uint64_t> files = plugin.files->PutBack();
    if (!files) return not_started(files.error().message);
    put_back = *files;
  }
  // Most plugins refer to none: their settings are not copied.
  OpenedSettings opened;
  const bool secret = !SecretNames(plugin.settings).empty() || !SecretNames(*context.all_settings).empty();
  if (secret) {
    auto values = OpenSettings(plugin.settings, *context.all_settings,
                               [&](const std::vector<std::string>& names) { return parts.secrets(run, names); });
    if (!values) return not_started(values.error().message);
    opened = *std::move(values);
    context.all_settings = &opened.all;
  }
  const Settings& settings = secret ? opened.own : plugin.settings;
  // What is not up to date yet does not hold a run up for long: it says so instead.
  std::string remark;
  for (Installation* const installation : parts.installations) {
    if (installation->dialect() != plugin.manifest.dialect) continue;
    context.installation = installation->folder();
    const Status current = installation->CatchUp(kPatience);
    if (current) continue;
    remark = current.error().message;
    // A publisher that does not find what it is to send would end well, and nobody would be told.
    if (run.key.starts_with(kRoundKey) && current.error().code == Errc::kTimeout) return not_started(remark);
  }
  Result<Invocation> invocation = plugin.codec->Prepare(plugin.manifest, job, settings, context);
  if (invocation) {
    invocation->secrets.insert(invocation->secrets.end(), opened.secrets.begin(), opened.secrets.end());
    run.command = DisplayCommand(*invocation);
    const std::vector<std::string> secrets = invocation->secrets;
    const Output output =
        (*runtime)->Run({run.id, *std::move(invocation), folder, ResultsOf(parts.runs, run.id)}, task.stop.get_token());
    task.has_results =
        std::any_of(output.files.begin(), output.files.end(), [](const auto& file) { return file.error.empty(); });
    run.status = output.status;
    run.exit_code = output.exit_code;
    run.message = MaskSecrets(output.message, secrets);
    if (!remark.empty()) run.message += (run.message.empty() ? "" : "; ") + remark;
    acceptance.batch =
        plugin.codec->Decode(plugin.manifest, settings, *context.all_settings, output, parts.clock.Now());
    if (plugin.manifest.scans && parts.scanners_tell_absence)
      acceptance.every = schedule::PeriodOf(plugin.manifest.triggers, run.started);
    if (plugin.files != nullptr)
      if (const Status unchanged = plugin.files->Unchanged(put_back); !unchanged)
        acceptance.batch.failure = fmt::format("its files were changed while it ran: {}", unchanged.error().message);
    if (!acceptance.batch.failure.empty()) {
      if (run.status == RunStatus::kOk) {
        run.status = RunStatus::kFailed;
        run.message = acceptance.batch.failure;
      }
      acceptance.batch = {};
    }
  } else {
    not_started(MaskSecrets(invocation.error().message, opened.secrets));
  }
  return acceptance;
}

}  // namespace backplane::dispatch
