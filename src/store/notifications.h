// Notifications, and whom they were given to.
//
// Folds append notifications; their state and their deliveries are the sender's (dispatch/sender).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/record.h"
#include "store/database.h"

namespace backplane::store {

enum class NotificationState {
  kWaiting,  ///< for its round
  kSending,  ///< publishers have it now
  kDone,     ///< each publisher of its round has had its turn
};
/// "waiting", "sending", "done".
const char* NotificationStateName(NotificationState state);
std::optional<NotificationState> ParseNotificationState(std::string_view name);

enum class DeliveryState {
  kSent,       ///< the publisher ended well
  kFailed,     ///< it did not; `message` says why
  kUncertain,  ///< it was cut short: may have been sent, and is not sent again
};
/// "sent", "failed", "uncertain".
const char* DeliveryStateName(DeliveryState state);

struct Delivery {
  std::string plugin;  ///< the publisher
  DeliveryState state = DeliveryState::kSent;
  RunId run = 0;
  std::string message;  ///< for people; may be empty
  TimePoint at;
};

struct Notification {
  std::int64_t id = 0;
  NotificationRecord record;
  NotificationState state = NotificationState::kWaiting;
  std::int64_t round = 0;  ///< those of one round are given to publishers together; 0: none yet
  std::optional<TimePoint> finished;
  std::vector<Delivery> deliveries;
};

struct NotificationFilter {
  std::optional<NotificationState> state;
  std::int64_t before = 0;  ///< only older ones than this id; 0: from the newest
  int limit = 50;
};

/// Notifications of one organisation.
class Notifications {
 public:
  Notifications(Connection& connection, OrgId org) : db_(connection), org_(org) {}

  std::int64_t Append(const NotificationRecord& record, EntryId entry);
  std::optional<Notification> Get(std::int64_t id);
  /// The first that this entry of the journal has raised.
  std::optional<Notification> OfEntry(EntryId entry);
  /// Newest first, with their deliveries.
  std::vector<Notification> List(const NotificationFilter& filter);
  /// Those in this state, oldest first, without deliveries.
  std::vector<Notification> In(NotificationState state);
  std::int64_t Last();
  /// The oldest that is kept; 0: there is none.
  std::int64_t First();
  /// Those after `after`, oldest first, without deliveries.
  std::vector<Notification> After(std::int64_t after, int limit);

  /// Everything that waits is being sent from now on, in a round of its own, whose number is returned; 0 if nothing
  /// waits.
  std::int64_t BeginRound();
  /// The round that is being sent; 0: none is.
  std::int64_t OpenRound();
  /// `delivery` is that of each notification of the round. It replaces an earlier one of its plugin.
  void Deliver(std::int64_t round, const Delivery& delivery);
  void EndRound(std::int64_t round, TimePoint at);
  /// It waits again, for the next round. False: it is not done, or unknown.
  bool SendAgain(std::int64_t id);
  /// Of those that are done, the oldest beyond the newest `keep` go, up to `limit`. Returns how many.
  int Forget(std::int64_t keep, int limit);

 private:
  std::vector<Delivery> DeliveriesOf(std::int64_t id);
  Connection& db_;
  OrgId org_;
};

}  // namespace backplane::store
