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
#include "model/run.h"
#include "store.h"

namespace backplane::simulation {

/// What a lane promises.
struct LaneRules {
  Millis period{0};        ///< greatest distance of two slots; 0: it has none
  Millis min_interval{0};  ///< between two starts
};

/// The rules, all in true time:
///  - mutual exclusion: a run starts on a lane only when the run before it has ended or was killed;
///  - fencing: a result is taken only from the run that holds the last token issued for its lane, that was
///    not killed, and only once;
///  - frequency: two starts on a lane are at least min_interval apart. Across a restart of the
///    daemon, or a removal of the lane, the distance is known by wall time only: there it may be
///    shorter by as much as the wall clock was put forward in between;
///  - slots: no key is started twice on a lane, whatever became of the first, and the scheduler
///    issues none twice within an epoch;
///  - progress: a lane with slots starts again within 2 * period + min_interval + kPatience. The
///    count begins anew when the lane or the daemon comes back and when the wall clock is put
///    back, and stands still while the wall clock is up to an hour short of what the lane has had;
///  - answers: each job is started or dropped, once, unless the daemon crashed.
class Checker {
 public:
  static constexpr Millis kPatience = std::chrono::minutes(4);

  explicit Checker(std::vector<LaneRules> rules) : rules_(std::move(rules)), lanes_(rules_.size()) {}

  /// `last_slot`: as restored from the store.
  void Registered(Millis now, TimePoint wall, LaneIndex lane, std::optional<TimePoint> last_slot, Millis clock_offset);
  void Removed(LaneIndex lane) { lanes_[lane].there = false; }
  /// The scheduler issued a job, or someone calls.
  void Issued(Millis now, LaneIndex lane, const Job& job);
  void Dropped(Millis now, LaneIndex lane, const std::string& key, std::string_view reason);
  void Started(Millis now, LaneIndex lane, RunId run, Token token, const std::string& key, Millis clock_offset);
  /// The run's worker is done, or can do nothing any more.
  void Ended(RunId run);
  void Accepted(Millis now, LaneIndex lane, RunId run, Token token);
  void Crashed();
  /// `wall`: the time it shows now.
  void ClockSet(Millis now, TimePoint wall, Millis by);
  void CheckProgress(Millis now, TimePoint wall);
  void CheckEnd(Millis now, std::size_t running, std::size_t queued, std::size_t open_runs);

  const std::vector<std::string>& violations() const { return violations_; }
  /// A number that is equal when two simulations did the same.
  std::uint64_t digest() const { return digest_; }
  std::int64_t started() const { return started_; }
  std::int64_t accepted() const { return accepted_; }
  std::int64_t answered() const { return answered_; }
  const std::map<std::string, std::int64_t, std::less<>>& drops() const { return drops_; }

 private:
  struct Lane {
    bool there = false;
    std::optional<RunId> active;
    Token last_token;
    std::optional<Millis> last_start;
    Millis offset_at_start{0};
    std::optional<Millis> offset_restored;  // since the last start, if it was restored
    Millis patient_from{0};
    // Wall times that the scheduler may wait for once more after the clock was put back: when the lane was
    // added or began anew, and slots that were issued.
    std::optional<TimePoint> began, latest_slot, greatest_slot;
  };

  void Answer(Millis now, LaneIndex lane, const std::string& key);
  void Violation(Millis now, LaneIndex lane, const std::string& what);
  void Digest(std::string_view what, Millis now, LaneIndex lane, std::string_view key);

  const std::vector<LaneRules> rules_;
  std::vector<Lane> lanes_;
  std::vector<LaneIndex> lane_of_run_;                        // number i + 1 at i
  std::map<std::pair<LaneIndex, std::string>, int> pending_;  // how many jobs of that key want an answer
  std::unordered_set<std::uint64_t> started_keys_;            // hashes of lane and key
  std::unordered_set<std::uint64_t> issued_keys_;             // in this epoch
  std::vector<std::string> violations_;
  std::map<std::string, std::int64_t, std::less<>> drops_;
  std::uint64_t digest_ = 0;
  std::int64_t started_ = 0, accepted_ = 0, answered_ = 0;
};

}  // namespace backplane::simulation
