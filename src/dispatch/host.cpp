#include "dispatch/host.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "base/files.h"
#include "base/log.h"
#include "base/metrics.h"
#include "dispatch/open_runs.h"
#include "dispatch/run_folder.h"
#include "plugin/secret_ref.h"
#include "store/resources.h"

namespace backplane::dispatch {
namespace {

// Deadlines and the wall clock are looked at this often even if nothing happens.
constexpr Millis kTick{5'000};
constexpr Millis kRetryDelay{1'000};
// How long a run waits for its dialect's files to be up to date.
constexpr Millis kPatience{5'000};
// As many of a lane's runs as may be kept, and more.
constexpr int kMostOlderRuns = 10'000;

// "slot/<ms>" or "slot/<ms>/<correction>" → ms.
std::optional<TimePoint> SlotOf(const std::string& key) {
  constexpr std::string_view kPrefix = "slot/";
  if (!key.starts_with(kPrefix)) return std::nullopt;
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(key.data() + kPrefix.size(), key.data() + key.size(), ms);
  if (error != std::errc()) return std::nullopt;
  return FromMillis(ms);
}

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

Pace PaceOf(const Plugin& plugin) {
  return {plugin.manifest.min_interval, plugin.manifest.results_interval, plugin.manifest.modified};
}

// Of a run that was to take in what a script had left.
bool TookIn(const Run& run) { return run.status == RunStatus::kOk || run.status == RunStatus::kFailed; }

Outcome OutcomeOf(const Run& run) {
  if (run.taken > 0) return Outcome::kReported;
  return run.status == RunStatus::kNotStarted ? Outcome::kNothing : Outcome::kRan;
}

}  // namespace

Result<std::unique_ptr<Host>> Host::Open(HostParts parts) {
  std::int64_t epoch = 0;
  BACKPLANE_TRY(CloseOpenRuns(parts));
  BACKPLANE_TRY(parts.database.Write([&](store::Connection& connection) -> Status {
    epoch = store::RaiseEpoch(connection);
    return {};
  }));
  std::shared_ptr<const Catalog> catalog = parts.catalog;
  std::unique_ptr<Host> host(new Host(std::move(parts), epoch));
  BACKPLANE_TRY(host->SetCatalog(std::move(catalog)));
  return host;
}

void Host::StartScheduling() {
  for (std::size_t i = 0; i < parts_.workers; ++i)
    workers_.emplace_back([this](const std::stop_token& stop) { WorkerThread(stop); });
  loop_ = std::jthread([this](const std::stop_token& stop) { LoopThread(stop); });
}

Host::Host(HostParts parts, std::int64_t epoch)
    : parts_(std::move(parts)), epoch_(epoch), scheduler_(epoch), dispatcher_(epoch, parts_.workers) {}

std::shared_ptr<const Catalog> Host::catalog() { return targets_.catalog(); }

Status Host::SetCatalog(std::shared_ptr<const Catalog> catalog) {
  const std::lock_guard changing(lanes_mutex_);
  for (Installation* const installation : parts_.installations) installation->SetCatalog(catalog);
  return Follow(targets_.SetCatalog(std::move(catalog)));
}

Status Host::SetResources(std::vector<Resource> set, const std::vector<std::string>& gone) {
  const std::lock_guard changing(lanes_mutex_);
  LaneChanges changes = targets_.RemoveResources(gone);
  LaneChanges more = targets_.SetResources(std::move(set));
  std::move(more.begin(), more.end(), std::back_inserter(changes));
  return Follow(std::move(changes));
}

std::vector<std::string> Host::ResourceKeys() { return targets_.Keys(); }

std::vector<std::string> Host::TargetsOf(const std::string& plugin, const std::string& after, std::size_t limit) {
  return targets_.TargetsOf(plugin, after, limit);
}

std::vector<std::string> Host::TargetsNamed(const std::string& plugin, const std::string& name) {
  return targets_.TargetsNamed(plugin, name);
}

std::size_t Host::CountTargets(const std::string& plugin) { return targets_.CountOf(plugin); }

std::shared_ptr<const Resource> Host::FindResource(const std::string& key) { return targets_.Find(key); }

Status Host::Follow(LaneChanges changes) {
  std::move(changes.begin(), changes.end(), std::back_inserter(unfollowed_));
  if (unfollowed_.empty()) return {};
  std::vector<LaneKey> lanes;
  for (const LaneChange& change : unfollowed_)
    if (change.plugin != nullptr) lanes.push_back(change.lane);
  std::vector<store::LaneRow> rows;
  BACKPLANE_TRY(parts_.database.Read([&](store::Connection& connection) -> Status {
    rows = store::LanesOf(connection, lanes);
    return {};
  }));
  std::unordered_map<LaneKey, const store::LaneRow*, schedule::LaneKeyHash> known;
  for (const store::LaneRow& row : rows) known[row.key] = &row;
  decltype(schedule::SchedulerInputs::lanes) plans;
  decltype(DispatcherInputs::lanes) policies;
  for (LaneChange& change : std::exchange(unfollowed_, {})) {
    if (change.plugin == nullptr) {
      plans.emplace_back(change.lane);
      policies.emplace_back(std::move(change.lane));
      continue;
    }
    const Manifest& manifest = change.plugin->manifest;
    schedule::LanePlan plan{.lane = change.lane, .triggers = manifest.triggers};
    LanePolicy policy{.lane = std::move(change.lane), .pace = PaceOf(*change.plugin)};
    if (const auto row = known.find(plan.lane); row != known.end()) {
      plan.last_slot = row->second->last_slot;
      policy.last_start = row->second->last_started;
      policy.last_results = row->second->last_results;
    }
    plans.emplace_back(std::move(plan));
    policies.emplace_back(std::move(policy));
  }
  {
    const std::lock_guard lock(mutex_);
    std::move(plans.begin(), plans.end(), std::back_inserter(scheduler_inputs_.lanes));
    std::move(policies.begin(), policies.end(), std::back_inserter(dispatcher_inputs_.lanes));
    woken_ = true;
  }
  wake_.notify_one();
  return {};
}

Host::~Host() {
  loop_.request_stop();
  if (loop_.joinable()) loop_.join();
  std::vector<Retry> retries;
  std::vector<std::stop_source> stops;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& [lane, task] : running_) stops.push_back(task->stop);
    retries = std::exchange(retries_, {});
  }
  for (std::stop_source& stop : stops) stop.request_stop();
  for (Retry& retry : retries) Submit(std::move(retry.sealed));
  {
    // What was begun is ended and accepted, or given up by a store that fails even now.
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return open_ == 0; });
  }
  for (std::jthread& worker : workers_) worker.request_stop();
  workers_.clear();
  for (const auto& [call, answers] : callers_)
    for (const auto& answer : answers) answer({CallAnswer::State::kDropped, 0, "the daemon is stopping"});
}

void Host::Call(const LaneKey& lane, const std::string& key, std::function<void(CallAnswer)> answer) {
  {
    const std::lock_guard lock(mutex_);
    callers_[{lane, key}].push_back(std::move(answer));
    dispatcher_inputs_.jobs.push_back(
        {.lane = lane, .trigger = TriggerKind::kCall, .key = key, .due = parts_.clock.Now(), .deadline = {}});
    woken_ = true;
  }
  wake_.notify_one();
}

void Host::TakeIn(Left left, std::function<void(Result<RunId>)> done) {
  {
    const std::lock_guard lock(mutex_);
    dispatcher_inputs_.jobs.push_back(
        {.lane = left.lane, .trigger = TriggerKind::kFile, .key = left.key, .due = parts_.clock.Now(), .deadline = {}});
    CallId id(left.lane, left.key);
    taken_in_.insert_or_assign(std::move(id), TakenIn{std::move(left), std::move(done)});
    woken_ = true;
  }
  wake_.notify_one();
}

void Host::TellTakenIn(const Run& run, Status status) {
  std::optional<TakenIn> one;
  {
    const std::lock_guard lock(mutex_);
    const auto found = taken_in_.find({run.lane, run.key});
    if (found == taken_in_.end()) return;
    one = std::move(found->second);
    taken_in_.erase(found);
  }
  one->done(status ? Result<RunId>(run.id) : Result<RunId>(Fail(std::move(status).error())));
}

void Host::KeepResultsOf(const LaneKey& lane, RunId run) {
  RunId older = 0;
  {
    const std::lock_guard lock(mutex_);
    RunId& last = last_results_[lane];
    if (last == run) return;
    older = std::min(last, run);
    last = std::max(last, run);
  }
  if (older != 0) return RemoveResults(parts_.runs, older);
  // The first since the start.
  std::vector<Run> runs;
  const Status status = parts_.database.Read([&](store::Connection& connection) -> Status {
    runs = store::Runs(connection, lane.org)
               .List({.plugin = lane.plugin, .target = lane.target, .before = run, .limit = kMostOlderRuns});
    return {};
  });
  if (!status) LogWarning("older results of {}: {}", lane.plugin, status.error().message);
  for (const Run& one : runs) RemoveResults(parts_.runs, one.id);
}

Status Host::Cancel(RunId run) {
  std::optional<std::stop_source> stop;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [lane, task] : running_)
      if (task->id == run) stop = task->stop;
  }
  if (!stop) return Fail(Errc::kNotFound, fmt::format("run {} is not running", run));
  stop->request_stop();  // calls out: not under the lock
  return {};
}

Host::LaneView Host::View(const LaneKey& lane) {
  const std::lock_guard lock(mutex_);
  LaneView view{scheduler_.NextSlot(lane), dispatcher_.LastDecision(lane), {}};
  if (const auto task = running_.find(lane); task != running_.end()) view.running = task->second->id;
  return view;
}

std::map<LaneKey, int> Host::TakeFinishedLanes() {
  const std::lock_guard lock(mutex_);
  return std::exchange(finished_, {});
}

void Host::LoopThread(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) StepOnce(lock, stop);
}

void Host::StepOnce(std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
  static Metric& started = Counter("backplane_jobs_started_total", "Jobs admitted to run");
  static Metric& dropped = Counter("backplane_jobs_dropped_total", "Jobs that were not run");

  woken_ = false;
  const Moment now = MomentOf(parts_.clock);
  const std::size_t room = dispatcher_.room();
  scheduler_inputs_.most_due = room;
  schedule::SchedulerEffects due = scheduler_.Step(now.wall, std::exchange(scheduler_inputs_, {}));
  DispatcherInputs inputs = std::exchange(dispatcher_inputs_, {});
  std::map<CallId, int> calls;
  for (const Job& job : inputs.jobs)
    if (job.trigger == TriggerKind::kCall) ++calls[{job.lane, job.key}];
  std::move(due.due.begin(), due.due.end(), std::back_inserter(inputs.jobs));
  DispatcherEffects effects = dispatcher_.Step(now, std::move(inputs));

  started.Add(static_cast<std::int64_t>(effects.start.size()));
  dropped.Add(static_cast<std::int64_t>(effects.drop.size()));
  open_ += effects.start.size();
  std::vector<std::stop_source> stops;
  for (const Stop& ended : effects.stop)
    if (const auto task = running_.find(ended.lane); task != running_.end() && task->second->run.token == ended.token)
      stops.push_back(task->second->stop);

  Millis next = now.monotonic + kTick;
  if (effects.wake) next = std::min(next, *effects.wake);
  // Without room for more, it is the end of a run that wakes us, not the next slot.
  if (due.next_wake && room > 0) next = std::min(next, now.monotonic + (*due.next_wake - now.wall));
  std::vector<Retry> again;
  for (auto& retry : std::exchange(retries_, {})) {
    if (retry.at > now.monotonic) {
      next = std::min(next, retry.at);
      retries_.push_back(std::move(retry));
    } else {
      again.push_back(std::move(retry));
    }
  }

  const auto answers = AnswersTo(std::move(calls), effects);
  std::vector<std::shared_ptr<Task>> tasks = TasksFor(std::move(effects.start));

  lock.unlock();
  for (const auto& [lane, error] : due.problems)
    LogError("{}: {}: this trigger is left out", lane.plugin, error.message);
  if (due.set_back)
    LogWarning("the clock was set back by {}; schedules go on from the new time", FormatDuration(*due.set_back));
  for (std::stop_source& one : stops) one.request_stop();
  for (const Drop& drop : effects.drop) {
    LogDebug("{} {}: dropped: {}", drop.job.lane.plugin, drop.job.key, DropReasonText(drop.reason));
    if (drop.job.trigger == TriggerKind::kFile)
      TellTakenIn({.lane = drop.job.lane, .key = drop.job.key},
                  Fail(Errc::kUnavailable, std::string(DropReasonText(drop.reason))));
  }
  for (const auto& [call, answer] : answers) Answer(call.first, call.second, answer);
  if (!tasks.empty()) Begin(std::move(tasks));
  for (Retry& retry : again) Submit(std::move(retry.sealed));
  lock.lock();
  wake_.wait_for(lock, stop, std::max(Millis(0), next - parts_.clock.Monotonic()), [this] { return woken_; });
}

// What callers are told now; those whose job starts are told in Begun. `calls` counts the jobs
// called for in this step: a repeated call shares the fate of the first.
std::vector<std::pair<Host::CallId, CallAnswer>> Host::AnswersTo(std::map<CallId, int> calls,
                                                                 const DispatcherEffects& effects) {
  std::vector<std::pair<CallId, CallAnswer>> answers;
  for (const Start& start : effects.start) {
    const CallId id(start.job.lane, start.job.key);
    waiting_.erase(id);
    calls.erase(id);
  }
  for (const Drop& drop : effects.drop) {
    const CallId id(drop.job.lane, drop.job.key);
    if (drop.reason == DropReason::kDuplicate) {
      if (const auto call = calls.find(id); call != calls.end()) --call->second;
      continue;
    }
    waiting_.erase(id);
    calls.erase(id);
    answers.push_back({id, {CallAnswer::State::kDropped, 0, std::string(DropReasonText(drop.reason))}});
  }
  for (const auto& [id, fresh] : calls) {
    if (fresh > 0) waiting_.insert(id);
    const auto task = running_.find(id.first);
    const bool busy = task != running_.end();
    if (waiting_.contains(id)) {
      const auto what = busy ? Decision::What::kWaitsForLane : Decision::What::kWaitsForWorker;
      const auto decision = dispatcher_.LastDecision(id.first);
      const bool tells = decision && decision->what != Decision::What::kDropped;
      answers.push_back(
          {id, {CallAnswer::State::kWaiting, 0, DecisionText(tells ? *decision : Decision{.what = what})}});
    } else if (busy && task->second->run.key == id.second) {
      if (task->second->id) answers.push_back({id, {CallAnswer::State::kStarted, *task->second->id, ""}});
    } else {
      // The run with its key has ended in this very step: asked again, it is found in the store.
      dispatcher_inputs_.jobs.push_back({.lane = id.first,
                                         .trigger = TriggerKind::kCall,
                                         .key = id.second,
                                         .due = parts_.clock.Now(),
                                         .deadline = {}});
      woken_ = true;
    }
  }
  return answers;
}

// With what the lanes are about now.
std::vector<std::shared_ptr<Host::Task>> Host::TasksFor(std::vector<Start> starts) {
  std::vector<std::shared_ptr<Task>> tasks;
  const TimePoint now = parts_.clock.Now();
  for (Start& start : starts) {
    auto task = std::make_shared<Task>();
    task->catalog = targets_.catalog();
    task->plugin = {task->catalog, task->catalog->FindById(start.job.lane.plugin)};
    task->resource = targets_.Find(start.job.lane.target);
    task->run.lane = std::move(start.job.lane);
    task->run.trigger = start.job.trigger;
    task->run.key = std::move(start.job.key);
    task->run.token = start.token;
    task->run.started = now;
    if (task->run.trigger == TriggerKind::kFile) task->left = taken_in_.at({task->run.lane, task->run.key}).left;
    running_[task->run.lane] = task;
    tasks.push_back(std::move(task));
  }
  return tasks;
}

void Host::Begin(std::vector<std::shared_ptr<Task>> begun) {
  auto tasks = std::make_shared<std::vector<std::shared_ptr<Task>>>(std::move(begun));
  // Durable before it runs: after a crash the lane knows its last start.
  parts_.database.Submit(
      store::Priority::kNormal,
      [tasks](store::Connection& connection) -> Status {
        for (const auto& task : *tasks) {
          store::Runs runs(connection, task->run.lane.org);
          // Here no other run can begin or end between the look and the deed.
          const bool once = task->run.trigger == TriggerKind::kCall || task->left;
          auto earlier = once ? runs.FindByKey(task->run.lane, task->run.key) : std::nullopt;
          // What was cut short took nothing in.
          if (earlier && task->left && !TookIn(*earlier)) earlier.reset();
          task->repeats = earlier.has_value();
          task->run.id = earlier ? earlier->id : runs.Begin(task->run, SlotOf(task->run.key));
        }
        return {};
      },
      [this, tasks](const Status& status) { Begun(*tasks, status); });
}

void Host::Begun(const std::vector<std::shared_ptr<Task>>& tasks, const Status& status) {
  if (!status) {
    LogError("{} runs could not be started: {}", tasks.size(), status.error().message);
    {
      const std::lock_guard lock(mutex_);
      for (const auto& task : tasks) running_.erase(task->run.lane);
    }
    for (const auto& task : tasks) {
      Answer(task->run.lane, task->run.key, {CallAnswer::State::kDropped, 0, status.error().message});
      TellTakenIn(task->run, status);
      Release(task->run.lane, task->run.token, Outcome::kNothing);
    }
    return;
  }
  bool awaited = false;
  {
    const std::lock_guard lock(mutex_);
    awaited = !callers_.empty();  // who calls from now on finds the run
    for (const auto& task : tasks) {
      if (task->repeats)
        running_.erase(task->run.lane);
      else
        task->id = task->run.id;
    }
  }
  {
    const std::lock_guard lock(tasks_mutex_);
    for (const auto& task : tasks)
      if (!task->repeats) tasks_.push_back(task);
  }
  task_arrived_.notify_one();
  for (const auto& task : tasks) {
    if (awaited) Answer(task->run.lane, task->run.key, {CallAnswer::State::kStarted, task->run.id, ""});
    if (!task->repeats) continue;
    TellTakenIn(task->run, {});
    Release(task->run.lane, task->run.token, Outcome::kNothing);
  }
}

void Host::WorkerThread(const std::stop_token& stop) {
  while (true) {
    std::shared_ptr<Task> task;
    bool wake_another = false;
    {
      std::unique_lock lock(tasks_mutex_);
      const bool slept = tasks_.empty();
      if (!task_arrived_.wait(lock, stop, [this] { return !tasks_.empty(); })) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
      wake_another = slept && !tasks_.empty();
    }
    // One wakes the next: short tasks are done by few workers, and no crowd is woken for them.
    if (wake_another) task_arrived_.notify_one();
    RunTask(*task);
  }
}

void Host::RunTask(Task& task) {
  std::shared_ptr<const ingest::Sealed> sealed;
  try {
    ingest::Acceptance acceptance = Execute(task);
    acceptance.run.finished = parts_.clock.Now();
    sealed = std::make_shared<const ingest::Sealed>(ingest::Seal(acceptance));
  } catch (const std::exception& error) {
    Run run = task.run;
    run.status = RunStatus::kFailed;
    run.message = fmt::format("internal error: {}", error.what());
    run.finished = parts_.clock.Now();
    LogError("run {} of {}: {}", run.id, run.lane.plugin, run.message);
    sealed = std::make_shared<const ingest::Sealed>(ingest::Seal({std::move(run), {}}));
  }
  RemoveWork(parts_.runs, task.run.id);
  Submit(std::move(sealed));
  if (!task.has_results) return;
  if (task.run.lane.target.empty())
    KeepResultsOf(task.run.lane, task.run.id);
  else
    RemoveResults(parts_.runs, task.run.id);
}

ingest::Acceptance Host::Decode(const Task& task) {
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
  acceptance.batch = task.plugin->codec->Decode(manifest, task.plugin->settings,
                                                   task.catalog->DialectSettings(manifest.dialect), output, parts_.clock.Now());
  if (content && acceptance.batch.failure.empty()) return acceptance;
  run.status = RunStatus::kFailed;
  run.message = content ? acceptance.batch.failure : content.error().message;
  if (content) acceptance.batch = {};
  return acceptance;
}

ingest::Acceptance Host::Execute(Task& task) {
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
  if (task.left) return Decode(task);
  const Plugin& plugin = *task.plugin;
  const auto runtime = std::find_if(parts_.runtimes.begin(), parts_.runtimes.end(),
                                    [&](const auto& known) { return known->name() == plugin.manifest.runtime; });
  if (runtime == parts_.runtimes.end())
    return not_started(fmt::format("no runtime {} on this machine", plugin.manifest.runtime));

  const auto folder = parts_.runs / std::to_string(run.id);
  RunContext context{.run = run.id,
                     .work = WorkOf(parts_.runs, run.id),
                     .share = parts_.share,
                     .python = parts_.python,
                     .path = parts_.path,
                     .installation = {},
                     .now = parts_.clock.Now(),
                     .all_settings = &task.catalog->DialectSettings(plugin.manifest.dialect),
                     .manifests = task.catalog->ManifestsOf(plugin.manifest.dialect),
                     .given = &task.catalog->Given(plugin.manifest.dialect),
                     .resource = task.resource.get(),
                     .enrichments = [&](const std::string& id, const std::string& name_space) {
                       return EnrichmentsOf(parts_.database, run.lane.org, id, name_space, run.started);
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
                               [&](const std::vector<std::string>& names) { return parts_.secrets(run, names); });
    if (!values) return not_started(values.error().message);
    opened = *std::move(values);
    context.all_settings = &opened.all;
  }
  const Settings& settings = secret ? opened.own : plugin.settings;
  // What is not up to date yet does not hold a run up for long: it says so instead.
  std::string remark;
  for (Installation* const installation : parts_.installations) {
    if (installation->dialect() != plugin.manifest.dialect) continue;
    context.installation = installation->folder();
    if (const Status current = installation->CatchUp(kPatience); !current) remark = current.error().message;
  }
  Result<Invocation> invocation = plugin.codec->Prepare(plugin.manifest, job, settings, context);
  if (invocation) {
    invocation->secrets.insert(invocation->secrets.end(), opened.secrets.begin(), opened.secrets.end());
    run.command = DisplayCommand(*invocation);
    const std::vector<std::string> secrets = invocation->secrets;
    const Output output = (*runtime)->Run({run.id, *std::move(invocation), folder, ResultsOf(parts_.runs, run.id)},
                                          task.stop.get_token());
    task.has_results =
        std::any_of(output.files.begin(), output.files.end(), [](const auto& file) { return file.error.empty(); });
    run.status = output.status;
    run.exit_code = output.exit_code;
    run.message = MaskSecrets(output.message, secrets);
    if (!remark.empty()) run.message += (run.message.empty() ? "" : "; ") + remark;
    acceptance.batch = plugin.codec->Decode(plugin.manifest, settings, *context.all_settings, output, parts_.clock.Now());
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

void Host::Submit(std::shared_ptr<const ingest::Sealed> sealed) {
  ingest::Accept(parts_.database, sealed, [this, sealed](const Status& status) { Accepted(sealed, status); });
}

void Host::Accepted(const std::shared_ptr<const ingest::Sealed>& sealed, const Status& status) {
  const Run& run = sealed->run;
  if (!status && status.error().code != Errc::kConflict) {
    LogError("run {} of {} could not be stored: {}", run.id, run.lane.plugin, status.error().message);
    // A store that is down may come back; a result that it refuses is refused again, so the run is
    // closed without it.
    const bool refused = status.error().code == Errc::kInternal && sealed->SaysSomething();
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      auto next = refused ? std::make_shared<const ingest::Sealed>(ingest::WithoutResult(
                                *sealed, fmt::format("its result could not be stored: {}", status.error().message)))
                          : sealed;
      retries_.push_back({std::move(next), parts_.clock.Monotonic() + kRetryDelay});
      woken_ = true;
      wake_.notify_one();
      return;
    }
  } else if (!status) {
    LogWarning("{}", status.error().message);
  } else if (run.status != RunStatus::kOk) {
    LogWarning("run {} of {}: {}{}{}", run.id, run.lane.plugin, RunStatusName(run.status),
               run.message.empty() ? "" : ": ", run.message);
  }
  parts_.folder.Wake();
  parts_.ended();
  if (run.trigger == TriggerKind::kFile)
    TellTakenIn(run, status && !TookIn(run) ? Fail(Errc::kUnavailable, run.message) : status);
  Release(run.lane, run.token, status ? OutcomeOf(run) : Outcome::kRan);  // last: ~Host may return after it
}

void Host::Release(const LaneKey& lane, Token token, Outcome outcome) {
  {
    const std::lock_guard lock(mutex_);
    dispatcher_inputs_.finished.push_back({lane, token, outcome});
    const auto task = running_.find(lane);
    if (task != running_.end() && task->second->run.token == token) running_.erase(task);
    ++finished_[lane];
    if (--open_ == 0) idle_.notify_all();
    if (!std::exchange(woken_, true)) wake_.notify_one();
  }
}

void Host::Answer(const LaneKey& lane, const std::string& key, const CallAnswer& answer) {
  std::vector<std::function<void(CallAnswer)>> answers;
  {
    const std::lock_guard lock(mutex_);
    const auto found = callers_.find({lane, key});
    if (found == callers_.end()) return;
    answers = std::move(found->second);
    callers_.erase(found);
  }
  for (const auto& call : answers) call(answer);
}

}  // namespace backplane::dispatch
