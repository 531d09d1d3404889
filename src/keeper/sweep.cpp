// The second half of the loop: deadlines, and the end of runs.
#include <algorithm>
#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "keeper/family.h"
#include "keeper/loop.h"

namespace backplane::keeper {
namespace {

/// How often to look for processes that were killed, should no SIGCHLD tell.
constexpr Millis kLookAgain{20};
/// How long an orphan without mark and group is spared while it may belong to a run that goes
/// on: in the middle of execve() the mark cannot be seen.
constexpr Millis kSpare{100};
/// Looks in a row while new processes keep appearing, before other runs get their turn.
constexpr int kLooks = 200;
/// Turns at the output that a run leaves in its pipe, each bounded by OnOutput().
constexpr int kDrainTurns = 16;

}  // namespace

void Loop::Finish(Run& run) {
  // All writers are dead, or have been given up: what is in the pipe is all there will be.
  for (int turn = 0; run.child.output && turn < kDrainTurns; ++turn) OnOutput(run);
  if (run.main_ended) waitpid(run.child.pid, nullptr, 0);
  Event event;
  event.kind = Event::Kind::kEnded;
  event.id = run.handle.id;
  event.pid = run.handle.pid;
  event.start_time = run.handle.start_time;
  event.report = std::move(run.report);
  if (auto error = StartError(run.child, run.request)) {
    event.report.ending = ExitReport::Ending::kNotStarted;
    event.report.error = std::move(*error);
  }
  event.report.log_bytes = run.log.bytes();
  event.report.log_dropped = run.log.dropped();
  event.report.left = static_cast<int>(run.killed.size());
  runs_.erase(event.id);

  CrashPoint("keeper.exit.before_record");
  if (const auto kept = exits_.Append(EncodeEvent(event)); !kept) LogError("{}", kept.error().message);
  CrashPoint("keeper.exit.before_report");
  Send(event);
}

void Loop::Tick() {
  const Millis now = clock_.Monotonic();
  for (auto& [id, run] : runs_) {
    if (run.timeout_at <= now) {
      run.timeout_at = kNever;
      run.report.timed_out = true;
      Terminate(run, run.request.grace);
    }
    if (run.kill_at <= now) Kill(run);
    if (!run.main_ended && run.give_up_at <= now) {
      LogWarning("process {} of run {} does not die", run.child.pid, id);
      run.report.ending = ExitReport::Ending::kSignalled;
      run.report.value = SIGKILL;
      Unwatch(run.child.process.get());
      sweep_at_ = now;
    }
  }
  if (sweep_at_ <= now) Sweep();
}

void Loop::Sweep() {
  sweep_at_ = kNever;
  std::vector<Kin> kin;
  std::set<std::int64_t> ending;
  for (const auto& [id, run] : runs_) {
    kin.push_back({id, run.child.pid, run.handle.mark});
    if (run.main_ended || run.give_up_at != kNever) ending.insert(id);
  }
  const bool others = ending.size() < runs_.size();

  std::set<std::int64_t> alive;  // of runs that end
  std::set<std::pair<pid_t, std::uint64_t>> sent;
  std::map<pid_t, Millis> strays;
  bool fresh = true;
  for (int look = 0; fresh && look < kLooks; ++look) {
    alive.clear();
    const Millis now = clock_.Monotonic();
    const Family family = LookAtFamily(kin);
    fresh = family.changing;
    for (const auto& [stat, id] : family.members) {
      if (id == 0) {
        if (ending.empty() && others) continue;
        const auto known = strays_.find(stat.pid);
        const Millis since = strays.try_emplace(stat.pid, known == strays_.end() ? now : known->second).first->second;
        if (now - since > kGiveUp) continue;
        alive.insert(0);
        if (others && now - since < kSpare) continue;
      } else if (!ending.contains(id)) {
        continue;
      }
      alive.insert(id);
      if (!sent.emplace(stat.pid, stat.start_time).second) continue;
      // Nobody knows whose a stray was; somebody's report should tell of it.
      const std::int64_t owner = id != 0 || ending.empty() ? id : *ending.begin();
      if (const auto run = runs_.find(owner); run != runs_.end() && run->second.EndedByItself())
        run->second.killed.insert(stat.pid);
      SignalExactly(stat.pid, stat.start_time, SIGKILL);
      fresh = true;
    }
    // At one stroke, for those who fork faster than they can be listed.
    for (const std::int64_t id : ending) kill(-runs_.at(id).child.pid, SIGKILL);
  }
  strays_ = std::move(strays);
  // A last look that was not conclusive proves nobody's end.
  if (fresh || !alive.empty()) sweep_at_ = clock_.Monotonic() + kLookAgain;
  for (const std::int64_t id : ending) {
    Run& run = runs_.at(id);
    const bool over = run.main_ended && !fresh && !alive.contains(id) && !alive.contains(0);
    if (over || run.give_up_at <= clock_.Monotonic()) Finish(run);
  }
}

Millis Loop::NextDeadline() const {
  Millis next = sweep_at_;
  for (const auto& [id, run] : runs_)
    next = std::min({next, run.timeout_at, run.kill_at, run.main_ended ? kNever : run.give_up_at});
  return next;
}

std::vector<Handle> Loop::LiveHandles() const {
  std::vector<Handle> live;
  for (const auto& [id, run] : runs_)
    if (run.handle.pid > 0) live.push_back(run.handle);
  return live;
}

}  // namespace backplane::keeper
