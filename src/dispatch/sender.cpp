#include "dispatch/sender.h"

#include <utility>

#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "store/runs.h"

namespace backplane::dispatch {
namespace {

// When the store has failed.
constexpr Millis kRetryDelay{1'000};
// More publishers than anybody has.
constexpr int kMostRuns = 1'000;

std::string KeyOf(std::int64_t round) { return fmt::format("{}{}", kRoundKey, round); }

store::DeliveryState StateOf(RunStatus status) {
  switch (status) {
    case RunStatus::kOk: return store::DeliveryState::kSent;
    case RunStatus::kFailed:
    case RunStatus::kNotStarted: return store::DeliveryState::kFailed;
    case RunStatus::kRunning:
    case RunStatus::kTimeout:
    case RunStatus::kKilled:
    case RunStatus::kCancelled:
    case RunStatus::kInterrupted: return store::DeliveryState::kUncertain;
  }
  return store::DeliveryState::kUncertain;
}

store::Delivery DeliveryOf(const LaneKey& lane, const Result<Run>& run, TimePoint now) {
  if (!run)
    return {.plugin = lane.plugin,
            .state = store::DeliveryState::kFailed,
            .message = "it did not run: " + run.error().message,
            .at = now};
  return {.plugin = lane.plugin,
          .state = StateOf(run->status),
          .run = run->id,
          .message = run->message,
          .at = run->finished.value_or(now)};
}

}  // namespace

struct Sender::News {
  std::mutex mutex;  // guards what follows
  std::condition_variable_any came;
  bool woken = true;
  std::vector<std::pair<LaneKey, Result<Run>>> told;
  std::vector<std::function<void()>> idle;

  template <typename Change>
  void Add(const Change& change) {
    {
      const std::lock_guard lock(mutex);
      change();
      woken = true;
    }
    came.notify_one();
  }
};

Result<std::unique_ptr<Sender>> Sender::Start(Host& host, store::Database& database, events::Bus& bus,
                                              const Clock& clock) {
  std::unique_ptr<Sender> sender(new Sender(host, database, clock));
  const auto look = [news = sender->news_]() -> Status { return news->Add([] {}), Status(); };
  BACKPLANE_ASSIGN(sender->follower_,
                   events::Follower::Start(database, bus,
                                           {.topic = "notification.raised",
                                            .reset = look,
                                            .take = [look](const std::vector<store::Event>&) { return look(); }}));
  sender->thread_ = std::jthread([it = sender.get()](const std::stop_token& stop) { it->Loop(stop); });
  return sender;
}

Sender::Sender(Host& host, store::Database& database, const Clock& clock)
    : host_(host), database_(database), clock_(clock), news_(std::make_shared<News>()) {}

Sender::~Sender() { thread_.request_stop(); }

void Sender::Send(std::function<void()> idle) {
  news_->Add([&] { news_->idle.push_back(std::move(idle)); });
}

void Sender::Loop(const std::stop_token& stop) {
  Status status;
  while (true) {
    {
      std::unique_lock lock(news_->mutex);
      const auto woken = [this] { return news_->woken; };
      if (status)
        news_->came.wait(lock, stop, woken);
      else
        news_->came.wait_for(lock, stop, kRetryDelay, [] { return false; });
      if (stop.stop_requested()) return;
      news_->woken = false;
      std::move(news_->told.begin(), news_->told.end(), std::back_inserter(told_));
      std::move(news_->idle.begin(), news_->idle.end(), std::back_inserter(idle_));
      news_->told.clear();
      news_->idle.clear();
    }
    status = Advance();
    if (!status) LogError("sending notifications: {}; it is tried again", status.error().message);
  }
}

Status Sender::Advance() {
  while (true) {
    while (!told_.empty()) {
      BACKPLANE_TRY(Deliver(told_.back().first, told_.back().second));
      awaited_.erase(told_.back().first);
      told_.pop_back();
    }
    if (!awaited_.empty()) return {};
    if (round_ != 0) {
      CrashPoint("round.end.before");
      BACKPLANE_TRY(database_.Write([&](store::Connection& connection) -> Status {
        store::Notifications(connection, kDefaultOrg).EndRound(round_, clock_.Now());
        return {};
      }));
      CrashPoint("round.end.after");
      round_ = 0;
    }
    BACKPLANE_TRY(BeginRound());
    if (round_ == 0) break;
  }
  for (const auto& idle : std::exchange(idle_, {})) idle();
  return {};
}

Status Sender::BeginRound() {
  std::int64_t round = 0;
  std::vector<Run> begun;
  BACKPLANE_TRY(database_.Write([&](store::Connection& connection) -> Status {
    store::Notifications notifications(connection, kDefaultOrg);
    round = notifications.OpenRound();
    if (round != 0)
      begun = store::Runs(connection, kDefaultOrg).List({.key = KeyOf(round), .limit = kMostRuns});
    else
      round = notifications.BeginRound();
    return {};
  }));
  if (round == 0) return {};
  CrashPoint("round.begin");
  const std::vector<LaneKey> lanes = host_.LanesOf(kNotificationPhase);
  awaited_ = {lanes.begin(), lanes.end()};
  // Who had begun under an earlier daemon, and is not here any more. Of the others the host knows.
  for (const Run& run : begun)
    if (!awaited_.contains(run.lane)) told_.emplace_back(run.lane, run);
  round_ = round;
  for (const LaneKey& lane : lanes)
    host_.Raise(lane, KeyOf(round), cycle_, [news = news_, lane](const Result<Run>& run) {
      news->Add([&] { news->told.emplace_back(lane, run); });
    });
  return {};
}

Status Sender::Deliver(const LaneKey& lane, const Result<Run>& run) {
  const store::Delivery delivery = DeliveryOf(lane, run, clock_.Now());
  CrashPoint("round.deliver.before");
  BACKPLANE_TRY(database_.Write([&](store::Connection& connection) -> Status {
    store::Notifications(connection, kDefaultOrg).Deliver(round_, delivery);
    return {};
  }));
  CrashPoint("round.deliver.after");
  if (delivery.state != store::DeliveryState::kSent)
    LogWarning("notifications of round {} by {}: {}: {}", round_, lane.plugin, store::DeliveryStateName(delivery.state),
               delivery.message);
  return {};
}

}  // namespace backplane::dispatch
