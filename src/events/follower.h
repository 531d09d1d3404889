// Reads the events of a topic as they come, on a thread of its own.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "events/bus.h"
#include "store/database.h"
#include "store/events.h"

namespace backplane::events {

/// What one who follows does. A call that fails is made again, a second later.
struct Reader {
  std::string topic;  ///< "device.": every topic that begins so
  /// Takes the state as it is now: at the start, and when events were forgotten before they were read.
  std::function<Status()> reset;
  /// Takes what has happened since, oldest first. What it finds in the store may be newer still.
  std::function<Status(const std::vector<store::Event>&)> take;
};

class Follower {
 public:
  /// Has called `reset` once when it returns. What it refers to outlives it.
  static Result<std::unique_ptr<Follower>> Start(store::Database& database, Bus& bus, Reader reader);
  ~Follower();

 private:
  Follower(store::Database& database, Bus& bus, Reader reader)
      : database_(database), bus_(bus), reader_(std::move(reader)) {}
  Status Reset();
  Status CatchUp();
  void Loop(const std::stop_token& stop);

  store::Database& database_;
  Bus& bus_;
  const Reader reader_;
  EventSeq seen_ = 0;  // events up to this one are taken

  /// Where the bus calls; it may do so after we have gone.
  struct Bell {
    std::mutex mutex;
    std::condition_variable_any rang;
    std::optional<Wake> wake;
  };
  const std::shared_ptr<Bell> bell_ = std::make_shared<Bell>();
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace backplane::events
