// What stands for a person in a request: API tokens, and the sessions of those who have signed in.
//
// Of their secrets only SHA-256 is stored: they are random, so that nothing is gained by guessing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/access.h"
#include "model/ids.h"
#include "store/database.h"

namespace backplane::store {

struct ApiToken {
  TokenId id = 0;
  UserId user = 0;
  std::string user_name;  ///< as read, like `id`, `created` and `used`
  std::string name;       ///< unique among its user's
  Permissions scopes;     ///< what it is for; at most that of its user's role it may do
  TimePoint created{};
  std::optional<TimePoint> expires;
  std::optional<TimePoint> used;  ///< to the minute
};

struct Session {
  SessionId id = 0;
  UserId user = 0;
  std::string user_name;
  TimePoint created{};
  TimePoint expires{};
  TimePoint used{};  ///< to the minute
  std::string address;
  std::string agent;
};

/// How long sessions last.
struct SessionLimits {
  Millis idle{};           ///< without a request
  int most_of_a_user = 0;  ///< beyond that the oldest ends
};

/// The tokens and sessions of one organisation. Lives inside one piece of work on a connection.
/// Where a user is given, those of others are as if they were not there.
class Tokens {
 public:
  Tokens(Connection& connection, OrgId org) : db_(connection), org_(org) {}

  std::vector<ApiToken> List(std::optional<UserId> user, TokenId after, int limit);
  /// kConflict: the user has a token of that name, or 100 in all.
  Result<TokenId> Add(const ApiToken& token, std::string_view hash);
  /// The token as it was. kNotFound.
  Result<ApiToken> Remove(std::optional<UserId> user, TokenId id);

  std::vector<Session> ListSessions(std::optional<UserId> user, SessionId after, int limit);
  /// Also ends what is over, in every organisation.
  SessionId AddSession(const Session& session, std::string_view hash, const SessionLimits& limits);
  /// Whose it was. kNotFound.
  Result<Session> RemoveSession(std::optional<UserId> user, SessionId id);
  /// Ends all of a user's but `keep`.
  void EndSessions(UserId user, SessionId keep = 0);

 private:
  Connection& db_;
  const OrgId org_;
};

/// Who a token or a session stands for: this is how the organisation of a call is found.
struct Bearer {
  std::int64_t id = 0;  ///< of the token or session
  OrgId org = 0;
  UserId user = 0;
  std::string user_name;
  Role role = Role::kViewer;
  bool disabled = false;  ///< the user is
  std::string name;       ///< of the token
  std::string hash;
  Permissions scopes;  ///< of the token
  std::optional<TimePoint> expires;
  std::optional<TimePoint> used;
};
std::optional<Bearer> FindToken(Connection& connection, TokenId id);
std::optional<Bearer> FindSession(Connection& connection, std::string_view hash);
void TouchToken(Connection& connection, TokenId id, TimePoint at);
void TouchSession(Connection& connection, SessionId id, TimePoint at);

}  // namespace backplane::store
