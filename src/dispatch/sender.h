// Gives notifications to the plugins that send them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "dispatch/host.h"
#include "events/bus.h"
#include "events/follower.h"
#include "store/database.h"
#include "store/notifications.h"

namespace backplane::dispatch {

/// A thread that sends what waits, as soon as it does. Everything that waits makes up a round; each lane that runs in
/// kNotificationPhase has one run about it, side by side, with key "round/<number>"; then the round is over, and the
/// next one may begin. Without such a lane a round is over at once.
///
/// A round that a kill cut short goes on when the daemon is back: who had begun is not asked again, and if it did not
/// come to its end, what it was given may have been sent. Thread-safe.
class Sender {
 public:
  /// What it refers to outlives it.
  static Result<std::unique_ptr<Sender>> Start(Host& host, store::Database& database, events::Bus& bus,
                                               const Clock& clock);
  ~Sender();

  /// Looks for what waits. `idle` is called once, from another thread, unless the sender ends before: when nothing
  /// waits and nothing is being sent.
  void Send(std::function<void()> idle);
  /// Rounds that begin from now on belong to this cycle; 0: to none.
  void SetCycle(CycleId cycle) { cycle_ = cycle; }

 private:
  /// What the host tells, from its threads; it may do so after we have gone.
  struct News;

  Sender(Host& host, store::Database& database, const Clock& clock);
  void Loop(const std::stop_token& stop);
  /// Does what can be done now. Fails if the store does; to be called again.
  Status Advance();
  Status BeginRound();
  Status Deliver(const LaneKey& lane, const Result<Run>& run);

  Host& host_;
  store::Database& database_;
  const Clock& clock_;
  std::atomic<CycleId> cycle_{0};
  const std::shared_ptr<News> news_;

  // Of the thread.
  std::int64_t round_ = 0;     // that is being sent; 0: none
  std::set<LaneKey> awaited_;  // lanes that have not told what became of it
  std::vector<std::pair<LaneKey, Result<Run>>> told_;
  std::vector<std::function<void()>> idle_;

  std::jthread thread_;  // uses all of the above
  std::unique_ptr<events::Follower> follower_;
};

}  // namespace backplane::dispatch
