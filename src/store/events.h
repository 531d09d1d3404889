// The event stream: facts for others, numbered in commit order.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "model/ids.h"
#include "store/database.h"

namespace backplane::store {

struct Event {
  EventSeq seq = 0;
  std::string topic;  ///< "device.new", "object.changed", "run.failed", ...
  TimePoint at;
  std::string plugin;  ///< whose run caused it; empty for a person
  EntityId entity = 0;
  RunId run = 0;
  std::string body;  ///< JSON object, or empty
};

/// Events of one organisation.
class Events {
 public:
  Events(Connection& connection, OrgId org) : db_(connection), org_(org) {}

  EventSeq Append(const Event& event);
  /// Events after `after` whose topic starts with `topic` (empty: all), oldest first.
  std::vector<Event> After(EventSeq after, int limit, const std::string& topic);
  EventSeq Last();
  /// The oldest event that is still kept; 0 if there is none.
  EventSeq First();
  /// Of the oldest `limit` events, forgets those from before `before`, but never the newest. Returns
  /// how many: call again while it is `limit`.
  int Forget(TimePoint before, int limit);

 private:
  Connection& db_;
  OrgId org_;
};

}  // namespace backplane::store
