#include "dispatch/host.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/log.h"
#include "base/metrics.h"
#include "dispatch/open_runs.h"
#include "dispatch/run_folder.h"
#include "dispatch/task.h"

namespace backplane::dispatch {
namespace {

// Deadlines and the wall clock are looked at this often even if nothing happens.
constexpr Millis kTick{5'000};
constexpr Millis kRetryDelay{1'000};
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

Pace PaceOf(const Plugin& plugin) {
  return {plugin.manifest.min_interval, plugin.manifest.results_interval, plugin.manifest.modified};
}

// Of a run that was to take in what a script had left.
bool TookIn(const Run& run) { return run.status == RunStatus::kOk || run.status == RunStatus::kFailed; }

bool MayBeAwaited(TriggerKind trigger) { return trigger == TriggerKind::kFile || trigger == TriggerKind::kPhase; }

// What is seen in a phase, the cycle that raised it sees too.
bool Scans(const Task& task) {
  return task.plugin != nullptr && task.plugin->manifest.scans && task.run.trigger != TriggerKind::kPhase;
}

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
  const std::shared_ptr<const Catalog> before = targets_.catalog();
  for (Installation* const installation : parts_.installations) installation->SetCatalog(catalog);
  const Status status = Follow(targets_.SetCatalog(catalog));
  if (before != nullptr) TellOfSettings(*before, *catalog);
  return status;
}

void Host::TellOfSettings(const Catalog& before, const Catalog& now) {
  const std::string key = fmt::format("phase/{}/{}", kSettingsPhase, ToMillis(parts_.clock.Now()));
  for (const LaneKey& lane : LanesOf(kSettingsPhase)) {
    const std::string& dialect = now.FindById(lane.plugin)->manifest.dialect;
    if (before.DialectSettings(dialect) != now.DialectSettings(dialect)) Raise(lane, key, 0, [](const auto&) {});
  }
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

std::vector<LaneKey> Host::LanesOf(const std::string& phase) {
  std::vector<LaneKey> lanes;
  const std::shared_ptr<const Catalog> catalog = targets_.catalog();
  for (const Plugin& plugin : catalog->plugins()) {
    const std::vector<Trigger>& triggers = plugin.manifest.triggers;
    if (std::none_of(triggers.begin(), triggers.end(), [&](const Trigger& trigger) {
          return trigger.kind == TriggerKind::kPhase && trigger.name == phase;
        }))
      continue;
    const std::string& id = plugin.manifest.id;
    for (std::string& target : targets_.TargetsOf(id, "", std::numeric_limits<std::size_t>::max()))
      lanes.push_back({kDefaultOrg, id, std::move(target)});
  }
  return lanes;
}

void Host::Order(Job job, Awaited awaited) {
  {
    const std::lock_guard lock(mutex_);
    awaited_.insert_or_assign(CallId(job.lane, job.key), std::move(awaited));
    dispatcher_inputs_.jobs.push_back(std::move(job));
    woken_ = true;
  }
  wake_.notify_one();
}

void Host::Raise(const LaneKey& lane, const std::string& key, CycleId cycle, std::function<void(Result<Run>)> told) {
  Order({.lane = lane,
         .trigger = TriggerKind::kPhase,
         .key = key,
         .due = parts_.clock.Now(),
         .deadline = {},
         .cycle = cycle},
        {.left = {}, .told = std::move(told)});
}

void Host::TakeBack(const LaneKey& lane, const std::string& key) {
  {
    const std::lock_guard lock(mutex_);
    dispatcher_inputs_.cancel.push_back({lane, key});
    woken_ = true;
  }
  wake_.notify_one();
}

void Host::TakeIn(Left left, std::function<void(Result<RunId>)> done) {
  Job job{.lane = left.lane, .trigger = TriggerKind::kFile, .key = left.key, .due = parts_.clock.Now(), .deadline = {}};
  Order(std::move(job), {.left = std::move(left), .told = [done = std::move(done)](const Result<Run>& run) {
                           if (!run) return done(Fail(run.error()));
                           if (!TookIn(*run)) return done(Fail(Errc::kUnavailable, run->message));
                           done(run->id);
                         }});
}

void Host::Tell(const LaneKey& lane, const std::string& key, const Result<Run>& run) {
  std::optional<Awaited> one;
  {
    const std::lock_guard lock(mutex_);
    const auto found = awaited_.find({lane, key});
    if (found == awaited_.end()) return;
    one = std::move(found->second);
    awaited_.erase(found);
  }
  one->told(run);
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
    if (MayBeAwaited(drop.job.trigger))
      Tell(drop.job.lane, drop.job.key, Fail(Errc::kUnavailable, std::string(DropReasonText(drop.reason))));
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
std::vector<std::shared_ptr<Task>> Host::TasksFor(std::vector<Start> starts) {
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
    task->run.cycle = start.job.cycle;
    if (task->run.trigger == TriggerKind::kFile) task->left = awaited_.at({task->run.lane, task->run.key}).left;
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
          const bool once =
              task->run.trigger == TriggerKind::kCall || task->run.trigger == TriggerKind::kPhase || task->left;
          auto earlier = once ? runs.FindByKey(task->run.lane, task->run.key) : std::nullopt;
          // What was cut short took nothing in.
          if (earlier && task->left && !TookIn(*earlier)) earlier.reset();
          task->run.id = earlier ? earlier->id : runs.Begin(task->run, SlotOf(task->run.key));
          task->earlier = std::move(earlier);
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
      Tell(task->run.lane, task->run.key, Fail(status.error()));
      Release(task->run.lane, task->run.token, Outcome::kNothing);
    }
    return;
  }
  bool awaited = false;
  {
    const std::lock_guard lock(mutex_);
    awaited = !callers_.empty();  // who calls from now on finds the run
    for (const auto& task : tasks) {
      if (task->earlier)
        running_.erase(task->run.lane);
      else
        task->id = task->run.id;
    }
  }
  for (const auto& task : tasks)
    if (!task->earlier && Scans(*task)) parts_.scan_began(task->run.id);
  {
    const std::lock_guard lock(tasks_mutex_);
    for (const auto& task : tasks)
      if (!task->earlier) tasks_.push_back(task);
  }
  task_arrived_.notify_one();
  for (const auto& task : tasks) {
    if (awaited) Answer(task->run.lane, task->run.key, {CallAnswer::State::kStarted, task->run.id, ""});
    if (!task->earlier) continue;
    Tell(task->run.lane, task->run.key, *task->earlier);
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
    ingest::Acceptance acceptance = Execute(parts_, task);
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
  if (IsScan(run)) parts_.scan_ended(run.id);
  const bool lost = !status && run.trigger == TriggerKind::kFile;  // what was executed has happened all the same
  if (MayBeAwaited(run.trigger)) Tell(run.lane, run.key, lost ? Result<Run>(Fail(status.error())) : Result<Run>(run));
  Release(run.lane, run.token, status ? OutcomeOf(run) : Outcome::kRan);  // last: ~Host may return after it
}

bool Host::IsScan(const Run& run) {
  const std::lock_guard lock(mutex_);
  const auto task = running_.find(run.lane);
  return task != running_.end() && task->second->run.token == run.token && Scans(*task->second);
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
