// The deciding code alone, Scheduler and Dispatcher: how many decisions a second, and a million
// lanes at an interval of a minute, beside a plain heap of entries with a map of last starts.
//
//   lanes_bench [SECONDS]      simulated seconds of the million lanes; 240 unless told
//
// Time is simulated and moves from one moment at which something happens to the next, as a host
// would step; and it moves by what the steps themselves take, so that deciding too slowly would
// show as late starts. A decision is a job that the scheduler issued, the dispatcher admitted and
// that was reported as finished.
#include <malloc.h>

#include <cstdio>
#include <ctime>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "base/rng.h"
#include "bench.h"
#include "dispatch/dispatcher.h"
#include "model/resource.h"
#include "schedule/scheduler.h"

namespace backplane::bench {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr TimePoint kBegin{Millis(1'787'400'000'000)};
constexpr double kTargetRate = 200'000;  // decisions per second
constexpr double kTargetShare = 0.6;     // of a core, for the deciding part
constexpr Millis kTargetLateness{1'000};
constexpr std::size_t kCapacity = 200'000;

// Of this thread, in seconds.
double ThreadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double Allocated() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

LaneKey Lane(int plugin, int target) {
  const std::string host = fmt::format("switch-{:06}.dc{}.example.net", target, target % 4);
  return {kDefaultOrg, fmt::format("poll:Interface Plugin {}", plugin),
          ResourceKey({.site = fmt::format("site{}", target % 4),
                       .class_name = "network",
                       .subclass = "switch",
                       .type = "nexus",
                       .id = host,
                       .endpoint = host,
                       .plugin = "site inventory",
                       .metadata = {}})};
}

// The number of a lane of Lane(), where each plugin has so many targets.
std::size_t IndexOf(const LaneKey& lane, int targets) {
  const int plugin = std::atoi(lane.plugin.c_str() + lane.plugin.rfind(' '));
  const int target = std::atoi(lane.target.c_str() + lane.target.find("switch-") + 7);
  return static_cast<std::size_t>(plugin * targets + target);
}

// Most runs are short; one in a thousand lasts for longer than its lane's interval.
Millis RunLength(Rng& rng) {
  return rng.Below(1'000) == 0 ? Millis(60'000 + rng.Below(30'000)) : Millis(50 + rng.Below(4'950));
}

// Scheduler and Dispatcher in simulated time.
class Deciding {
 public:
  Deciding(int plugins, int targets, Millis interval, std::function<Millis()> run_length)
      : plugins_(plugins),
        targets_(targets),
        interval_(interval),
        run_length_(std::move(run_length)),
        may_start_(static_cast<std::size_t>(plugins * targets)) {}

  // Sets all lanes, a plugin at a time, as a scan does.
  void SetLanes() {
    for (int plugin = 0; plugin < plugins_; ++plugin) {
      for (int target = 0; target < targets_; ++target) {
        LaneKey lane = Lane(plugin, target);
        inputs_.lanes.push_back(dispatch::LanePolicy{.lane = lane, .pace = {.min_interval = Pace()}});
        plans_.lanes.push_back(schedule::LanePlan{
            .lane = std::move(lane), .triggers = {{.kind = TriggerKind::kInterval, .interval = interval_}}});
      }
      Step();
    }
  }

  void Run(Millis simulated) {
    const microseconds end = now_ + simulated;
    while (now_ < end) now_ = std::max(now_, microseconds(Step()));
  }

  // Microseconds of a step in which nothing is due and nothing ends.
  double IdleStep() {
    constexpr int kSteps = 10'000;
    const microseconds at = now_;
    Step();  // what is due now
    const double before = cpu;
    for (int i = 0; i < kSteps; ++i) now_ = at, Step();
    return (cpu - before) / kSteps * 1e6;
  }

  void ResetCounts() {
    cpu = 0;
    steps = started = dropped = waited_for_own_run = 0;
    latest = Millis(0);
  }

  double cpu = 0;  // of the steps alone, in seconds
  std::int64_t steps = 0, started = 0, dropped = 0, waited_for_own_run = 0;
  Millis latest{0};  // of the starts that had not to wait for their own lane
  std::size_t most_running = 0;

 private:
  struct End {
    Millis at, started;
    dispatch::Finished finished;
    bool operator<(const End& other) const { return at > other.at; }
  };

  Millis Pace() const { return interval_ - Millis(1'000); }
  Millis Monotonic() const { return std::chrono::floor<Millis>(now_); }

  // Returns when to step again.
  Millis Step() {
    const dispatch::Moment now{kBegin + Monotonic(), Monotonic()};
    for (; !ends_.empty() && ends_.top().at <= now.monotonic; ends_.pop()) {
      const End& end = ends_.top();
      inputs_.finished.push_back(end.finished);
      may_start_[IndexOf(end.finished.lane, targets_)] = std::max(end.at, end.started + Pace());
    }
    auto plans = std::exchange(plans_, {});
    auto inputs = std::exchange(inputs_, {});
    const double before = ThreadSeconds();
    schedule::SchedulerEffects due = scheduler_.Step(now.wall, std::move(plans));
    inputs.jobs = std::move(due.due);
    const dispatch::DispatcherEffects effects = dispatcher_.Step(now, std::move(inputs));
    const double took = ThreadSeconds() - before;
    cpu += took;
    ++steps;
    now_ += microseconds(static_cast<std::int64_t>(took * 1e6));

    for (const dispatch::Start& start : effects.start) Started(start);
    dropped += static_cast<std::int64_t>(effects.drop.size());
    most_running = std::max(most_running, dispatcher_.running());
    Millis next = now.monotonic + seconds(5);
    if (due.next_wake) next = std::min(next, *due.next_wake - kBegin);
    if (effects.wake) next = std::min(next, *effects.wake);
    if (!ends_.empty()) next = std::min(next, ends_.top().at);
    return next;
  }

  void Started(const dispatch::Start& start) {
    ++started;
    const Millis slot = start.job.due - kBegin;
    if (may_start_[IndexOf(start.job.lane, targets_)] > slot) {
      ++waited_for_own_run;
    } else {
      latest = std::max(latest, Monotonic() - slot);
    }
    ends_.push({Monotonic() + run_length_(), Monotonic(), {start.job.lane, start.token, dispatch::Outcome::kReported}});
  }

  const int plugins_, targets_;
  const Millis interval_;
  const std::function<Millis()> run_length_;
  schedule::Scheduler scheduler_{1};
  dispatch::Dispatcher dispatcher_{1, kCapacity};
  schedule::SchedulerInputs plans_;
  dispatch::DispatcherInputs inputs_;
  microseconds now_{0};
  std::priority_queue<End> ends_;
  std::vector<Millis> may_start_;  // by what the lane's last run allows
};

// What a plain scheduler does (Celery's beat, for one, with a worker's guard): a heap of times and names of which
// each tick sends the first if it is due, and a map that knows by name who runs and who ran last.
class Plain {
 public:
  Plain(int plugins, int targets, Millis interval) : interval_(interval) {
    for (int plugin = 0; plugin < plugins; ++plugin) {
      for (int target = 0; target < targets; ++target) {
        const LaneKey lane = Lane(plugin, target);
        const std::string name = lane.plugin + ":" + lane.target;
        heap_.push({Millis(StableHash(name) % static_cast<std::uint64_t>(interval.count())), name});
        entries_[name];
      }
    }
  }

  void Run(Millis simulated, Rng& rng) {
    std::priority_queue<End, std::vector<End>, std::greater<>> ends;
    for (Millis now{0}; now < simulated; ++now) {
      const double before = ThreadSeconds();
      for (; !ends.empty() && std::get<0>(ends.top()) <= now; ends.pop())
        entries_.find(std::get<1>(ends.top()))->second.running = false;
      while (Tick(now)) ends.emplace(now + RunLength(rng), name_);
      cpu += ThreadSeconds() - before;
    }
  }

  double cpu = 0;
  std::int64_t started = 0;

 private:
  using End = std::tuple<Millis, std::string>;
  struct Entry {
    bool running = false;
    std::optional<Millis> last_start;
  };

  bool Tick(Millis now) {
    while (heap_.top().first <= now) {
      auto [at, name] = heap_.top();
      heap_.pop();
      heap_.push({at + interval_, name});
      Entry& entry = entries_.find(name)->second;
      if (entry.running || (entry.last_start && now < *entry.last_start + interval_ - Millis(1'000))) continue;
      entry.running = true;
      entry.last_start = now;
      name_ = std::move(name);
      ++started;
      return true;
    }
    return false;
  }

  const Millis interval_;
  using Due = std::pair<Millis, std::string>;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> heap_;
  std::map<std::string, Entry> entries_;
  std::string name_;
};

double PerStart(const auto& measured) { return measured.cpu / static_cast<double>(measured.started) * 1e6; }

bool Verdict(const std::string& target, bool reached) {
  fmt::print("target, {}: {}\n", target, reached ? "reached" : "missed");
  std::fflush(stdout);
  return reached;
}

// As much as can be started: the runs end at once.
bool Rate() {
  Deciding deciding(100, 100, Millis(1'000), [] { return Millis(1); });
  deciding.SetLanes();
  deciding.ResetCounts();
  const double wall = WallSeconds();
  deciding.Run(seconds(200));
  const double rate = static_cast<double>(deciding.started) / deciding.cpu;
  fmt::print("10,000 lanes at 1 s: {} decisions, {:.0f} per second of processor time ({:.0f} with all around)\n",
             deciding.started, rate, static_cast<double>(deciding.started) / (WallSeconds() - wall));
  return Verdict(fmt::format("at least {:.0f} decisions/s", kTargetRate), rate >= kTargetRate);
}

bool Million(Millis simulated) {
  Rng rng(1);
  const auto run_length = [&] { return RunLength(rng); };
  Deciding deciding(1'000, 1'000, seconds(60), run_length);
  const double before = Allocated();
  const double wall = WallSeconds();
  deciding.SetLanes();
  fmt::print("a million lanes: added in {:.1f} s ({:.1f} s of it in the steps), {:.0f} bytes each\n",
             WallSeconds() - wall, deciding.cpu, (Allocated() - before) / 1e6);
  deciding.Run(seconds(60));  // the lanes' first slots
  fmt::print("  {:.0f} bytes each once all have run\n", (Allocated() - before) / 1e6);
  deciding.ResetCounts();
  deciding.SetLanes();
  fmt::print("  all set again, unchanged: {:.1f} s in the steps\n", deciding.cpu);
  fmt::print("  a step with nothing due: {:.2f} us\n", deciding.IdleStep());

  deciding.ResetCounts();
  deciding.Run(simulated);
  const double share = deciding.cpu / std::chrono::duration<double>(simulated).count();
  fmt::print(
      "  {} s at 60 s: {} started in {} steps, the latest {} ms after its slot; {:.1f} % of a core, {:.2f} us each\n",
      simulated / seconds(1), deciding.started, deciding.steps, deciding.latest.count(), share * 100,
      PerStart(deciding));
  fmt::print("  at most {} ran at once; {} waited for their lane's own run, {} were dropped\n", deciding.most_running,
             deciding.waited_for_own_run, deciding.dropped);

  Deciding fewer(100, 1'000, seconds(6), run_length);
  fewer.SetLanes();
  fewer.Run(seconds(6));
  fewer.ResetCounts();
  fewer.Run(simulated / 2);
  const double growth = PerStart(deciding) / PerStart(fewer);
  fmt::print(
      "  a tenth of the lanes at a tenth of the interval: {:.2f} us each; ten times the lanes take {:.2f} times\n",
      PerStart(fewer), growth);

  Plain plain(1'000, 1'000, seconds(60));
  plain.Run(simulated / 2, rng);
  fmt::print("  plain heap and map, the same lanes: {:.2f} us each; ours takes {:.2f} times\n", PerStart(plain),
             PerStart(deciding) / PerStart(plain));

  bool reached = Verdict(fmt::format("every start within {} ms of its slot", kTargetLateness.count()),
                         deciding.latest <= kTargetLateness);
  reached &= Verdict(fmt::format("under {:.0f} % of a core", kTargetShare * 100), share < kTargetShare);
  reached &= Verdict("ten times the lanes take at most twice the time for a decision", growth <= 2);
  return reached;
}

int Main(int simulated) {
  const bool fast = Rate();
  const bool many = Million(seconds(simulated));
  return fast && many ? 0 : 1;
}

}  // namespace
}  // namespace backplane::bench

int main(int argc, char** argv) { return backplane::bench::Main(argc > 1 ? std::atoi(argv[1]) : 240); }
