// Keeps the host's lanes in step with the resources of the store, by their events.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "dispatch/host.h"
#include "events/bus.h"
#include "store/database.h"

namespace backplane::dispatch {

/// What it refers to outlives it.
class ResourceFollower {
 public:
  /// Tells the host every resource there is before it returns, and what becomes of them until it ends.
  static Result<std::unique_ptr<ResourceFollower>> Start(Host& host, store::Database& database, events::Bus& bus);
  ~ResourceFollower();

  /// Reads what has happened since the last time; the thread calls it at news.
  Status CatchUp();

 private:
  ResourceFollower(Host& host, store::Database& database, events::Bus& bus)
      : host_(host), database_(database), bus_(bus) {}
  Status Reload();
  void Loop(const std::stop_token& stop);

  Host& host_;
  store::Database& database_;
  events::Bus& bus_;
  EventSeq seen_ = 0;  // events up to this one are followed

  /// Where the bus calls; it may do so after we have gone.
  struct Bell {
    std::mutex mutex;
    std::condition_variable_any rang;
    bool ringing = false;
  };
  const std::shared_ptr<Bell> bell_ = std::make_shared<Bell>();
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace backplane::dispatch
