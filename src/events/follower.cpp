#include "events/follower.h"

#include <utility>

#include "base/log.h"

namespace backplane::events {
namespace {

constexpr int kPage = 1'000;
constexpr Millis kLongest{3'600'000};
constexpr Millis kRetryDelay{1'000};

}  // namespace

Result<std::unique_ptr<Follower>> Follower::Start(store::Database& database, Bus& bus, Reader reader) {
  std::unique_ptr<Follower> follower(new Follower(database, bus, std::move(reader)));
  BACKPLANE_TRY(follower->Reset());
  follower->thread_ = std::jthread([&self = *follower](const std::stop_token& stop) { self.Loop(stop); });
  return follower;
}

Follower::~Follower() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Follower::Loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const std::uint64_t generation = bus_.generation();
    const Status status = CatchUp();
    if (!status) LogError("following {}*: {}; trying again", reader_.topic, status.error().message);
    bus_.Wait(generation, status ? kLongest : kRetryDelay, [bell = bell_](Wake wake) {
      const std::lock_guard lock(bell->mutex);
      bell->wake = wake;
      bell->rang.notify_all();
    });
    std::unique_lock lock(bell_->mutex);
    bell_->rang.wait(lock, stop, [this] { return bell_->wake.has_value(); });
    const bool news = std::exchange(bell_->wake, std::nullopt) == Wake::kNews;
    // A bus that is full, or ends, calls back at once.
    if (!news) bell_->rang.wait_for(lock, stop, kRetryDelay, [] { return false; });
  }
}

Status Follower::Reset() {
  EventSeq last = 0;
  BACKPLANE_TRY(database_.Read([&](store::Connection& connection) -> Status {
    last = store::Events(connection, kDefaultOrg).Last();
    return {};
  }));
  BACKPLANE_TRY(reader_.reset());
  seen_ = last;
  return {};
}

Status Follower::CatchUp() {
  while (true) {
    std::vector<store::Event> news;
    EventSeq reached = seen_;
    bool missed = false;
    BACKPLANE_TRY(database_.Read([&](store::Connection& connection) -> Status {
      store::Events events(connection, kDefaultOrg);
      const EventSeq last = events.Last();
      if (last == seen_) return {};
      missed = events.First() > seen_ + 1;
      if (!missed) news = events.After(seen_, kPage, reader_.topic);
      reached = static_cast<int>(news.size()) == kPage ? news.back().seq : last;
      return {};
    }));
    if (missed) return Reset();
    if (reached == seen_) return {};
    if (!news.empty()) BACKPLANE_TRY(reader_.take(news));
    seen_ = reached;
  }
}

}  // namespace backplane::events
