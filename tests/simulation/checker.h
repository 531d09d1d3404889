// Looks at a simulated world from outside and knows the true time: says which rule was broken.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/time.h"
#include "dispatch/guard.h"
#include "model/run.h"
#include "store.h"

namespace backplane::simulation {

/// What a lane promises.
struct LaneRules {
  Millis period{0};            ///< greatest distance of two slots; 0: it has none
  Millis min_interval{0};      ///< between two starts that count
  Millis results_interval{0};  ///< and from the start of a run that reported something
  std::size_t plugin = 0;      ///< its number
  bool many = false;           ///< a plugin of many targets, whose lanes spread over the period
};

/// The rules, all in true time:
///  - mutual exclusion: a run starts on a lane only when the run before it has ended or was killed;
///  - fencing: a result is taken only from the run that holds the last token issued for its lane, that was
///    not killed, and only once;
///  - pace: a start on a lane is at least min_interval after the last one that counts (that of a run
///    which never began does not), and at least results_interval after that of the last run which
///    reported something; unless that start was before the plugin changed. Across a restart of the
///    daemon, or a removal of the lane, the distance is known by wall time only: there it may be
///    shorter by as much as the wall clock was put forward in between;
///  - slots: no key is started twice on a lane, whatever became of the first, and the scheduler
///    issues none twice within an epoch;
///  - progress: a lane with slots starts again within 2 * period + its longest interval + kPatience. The
///    count begins anew when the lane or the daemon comes back and when the wall clock is put
///    back, and stands still while the wall clock is up to an hour short of what the lane has had;
///  - promptness: a slot is issued, and a job is started, within kPrompt of the moment at which nothing
///    of its own lane held it back, while workers were left. So a target that never answers delays no other;
///  - share: no run starts for a plugin that has three quarters of the workers (rounded up, but less than
///    all). So a plugin whose targets all hang stops no other;
///  - spread: the slots of a plugin's many lanes keep their place in the period, and no sixtieth of it has
///    more than 5/2 times as many of them as the mean, nor less than a tenth. Their runs start within
///    kOffPlace of their slots, or within kPrompt of what held them up. What fell due before the
///    daemon came is not made up for. The first slot of a lane that never ran may be in any place;
///  - answers: each job is started or dropped, once, unless the daemon crashed.
class Checker {
 public:
  static constexpr Millis kPatience = std::chrono::minutes(4);
  static constexpr Millis kPrompt = std::chrono::seconds(1);
  static constexpr Millis kOffPlace = std::chrono::seconds(10);

  explicit Checker(std::vector<LaneRules> rules) : rules_(std::move(rules)), lanes_(rules_.size()) {}

  /// `last_slot`: as restored from the store.
  void Registered(Millis now, TimePoint wall, LaneIndex lane, std::optional<TimePoint> last_slot);
  /// The plugin of the lane is another one since then, and the daemon knows.
  void Changed(Millis now, LaneIndex lane, TimePoint changed);
  void Removed(LaneIndex lane) { lanes_[lane].there = false; }
  /// The scheduler issued a job, or someone calls.
  void Issued(Millis now, TimePoint wall, LaneIndex lane, const Job& job);
  /// The lane has a slot then; of plugins of many targets only.
  void Placed(Millis now, LaneIndex lane, TimePoint slot);
  void Dropped(Millis now, LaneIndex lane, const std::string& key, std::string_view reason);
  void Started(Millis now, TimePoint wall, LaneIndex lane, RunId run, Token token, const Job& job);
  /// The run's worker is done, or can do nothing any more.
  void Ended(Millis now, RunId run, dispatch::Outcome outcome);
  /// The daemon has so many from now on.
  void Workers(Millis now, std::size_t workers);
  /// All workers were taken until now.
  void Full(Millis now) { full_until_ = now; }
  void Accepted(Millis now, LaneIndex lane, RunId run, Token token);
  void Crashed();
  /// `wall`: the time it shows now.
  void ClockSet(Millis now, TimePoint wall, Millis by);
  void CheckProgress(Millis now, TimePoint wall);
  /// The scheduler knows so many lanes.
  void CheckLanes(Millis now, std::size_t lanes);
  void CheckEnd(Millis now, std::size_t running, std::size_t queued, std::size_t open_runs);

  const std::vector<std::string>& violations() const { return violations_; }
  /// A number that is equal when two simulations did the same.
  std::uint64_t digest() const { return digest_; }
  std::int64_t started() const { return started_; }
  std::int64_t accepted() const { return accepted_; }
  std::int64_t answered() const { return answered_; }
  const std::map<std::string, std::int64_t, std::less<>>& drops() const { return drops_; }

 private:
  struct Instant {
    Millis at{0};  // true time
    TimePoint wall;
  };
  struct Begun : Instant {
    std::optional<Instant> restored;  // by a daemon that knows it from the store
    // When it was, by what a daemon knows that may or may not have had to restore it.
    std::pair<Millis, Millis> Span() const;
  };
  struct Pending {
    int count = 0;  // jobs of that key that want an answer
    Millis since{0};
  };
  struct Lane {
    bool there = false;
    std::optional<RunId> active;
    Token last_token;
    std::optional<Begun> last, reported;  // starts: the last that counts, that of the last run that reported something
    std::optional<Begun> former;          // if the last does not count after all
    std::optional<TimePoint> changed;
    std::optional<Millis> place;  // of its slots in the period
    bool fresh = false;           // its next slot may be in another place
    Millis free_from{0};          // when it was set up, changed or left by its last run
    Millis patient_from{0};
    // Wall times that the scheduler may wait for once more after the clock was put back: when the lane was
    // added or began anew, and slots that were issued.
    std::optional<TimePoint> began, latest_slot, greatest_slot;
  };

  struct Plugin {
    std::size_t running = 0;
    Millis full_until{-1};  // it had its share until then
  };

  Millis Answer(Millis now, LaneIndex lane, const std::string& key);
  void CheckPace(Millis now, LaneIndex lane, std::string_view what, const std::optional<Begun>& begun, Millis interval);
  Plugin& PluginOf(LaneIndex lane) { return plugins_[rules_[lane].plugin]; }
  void CheckPlace(Millis now, TimePoint wall, LaneIndex lane, const Job& job);
  void CheckPromptness(Millis now, LaneIndex lane, const std::string& key, Millis issued);
  void CheckSpread(Millis now);
  // From when on the daemon has known of the clock that was set last: it looks at each heartbeat.
  Millis ClockSeen() const { return clock_set_ + std::chrono::seconds(5); }
  void Violation(Millis now, LaneIndex lane, const std::string& what);
  void Digest(std::string_view what, Millis now, LaneIndex lane, std::string_view key);

  const std::vector<LaneRules> rules_;
  std::vector<Lane> lanes_;
  std::map<std::size_t, Plugin> plugins_;
  std::size_t share_ = 0;
  std::vector<LaneIndex> lane_of_run_;  // number i + 1 at i
  std::map<std::pair<LaneIndex, std::string>, Pending> pending_;
  std::unordered_set<std::uint64_t> started_keys_;  // hashes of lane and key
  std::unordered_set<std::uint64_t> issued_keys_;   // in this epoch
  Millis full_until_{-1};
  Millis clock_set_{0};
  std::vector<std::string> violations_;
  std::map<std::string, std::int64_t, std::less<>> drops_;
  std::uint64_t digest_ = 0;
  std::int64_t started_ = 0, accepted_ = 0, answered_ = 0;
};

}  // namespace backplane::simulation
