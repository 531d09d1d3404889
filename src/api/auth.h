// Who calls: the token of this machine's user, an API token, or the session of somebody who signed in.
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "api/endpoint.h"
#include "api/sign_in.h"
#include "base/secret.h"
#include "base/time.h"
#include "http/http.h"
#include "store/database.h"
#include "store/people.h"
#include "store/tokens.h"

namespace backplane::api {

struct AuthParts {
  store::Database& database;
  const Clock& clock;
  std::string local_token;               ///< stands for an admin of the default organisation
  std::filesystem::path setup_file;      ///< where the set-up token lies while there is one
  Millis keep = std::chrono::hours(12);  ///< of sessions
  Millis idle = std::chrono::hours(1);   ///< of sessions without a request
};

/// The cookie of a session, and the header that says a page of ours sent the request.
inline constexpr std::string_view kSessionCookie = "backplane_session";
inline constexpr std::string_view kForgeryHeader = "X-Backplane-CSRF";

/// Whoever has called lately is kept in memory (at most 4096), so that a call costs no read of the
/// store; each change of people, tokens and sessions empties that, before the change is answered.
/// Thread-safe.
class Auth {
 public:
  explicit Auth(AuthParts parts);
  Auth(const Auth&) = delete;
  Auth& operator=(const Auth&) = delete;

  /// While nobody can sign in: makes a set-up token, writes it to the file and to the log.
  Status OfferSetup();
  const std::filesystem::path& setup_file() const { return parts_.setup_file; }
  /// Whether this is the set-up token. False when there is none.
  bool IsSetupToken(std::string_view token);

  /// Says who calls. kDenied: nobody that we know, or no longer.
  Result<Principal> Identify(const http::Request& request);
  /// A cookie comes with requests that other sites make a browser send. kDenied: a changing call
  /// with a session's cookie and without its header.
  static Status RefuseForgery(const http::Request& request);
  /// What that header must hold, for the session of the request; empty if it has none.
  static std::string ForgeryToken(const http::Request& request);

  /// To be called after each change of people, tokens or sessions, before it is answered.
  void Changed();

  /// Hashes a new password in the pool and sends what `done` makes of the hash; 503 if too many wait.
  void WithHash(Secret password, const http::Responder& responder,
                std::function<http::Response(const std::string& hash)> done);
  /// Looks in the pool whether the password is that of `user` in the organisation, which need not
  /// exist, and sends what `done` makes of it. 429 after too many failures, 503 if too many wait.
  void WithUser(const std::string& org, const std::string& user, Secret password, const http::Request& request,
                const http::Responder& responder,
                std::function<http::Response(OrgId org, const store::User* user)> done);

  /// A session that begins now; the text is for its cookie.
  struct Begun {
    store::Session session;
    std::string secret;
  };
  Result<Begun> BeginSession(OrgId org, const store::User& user, const http::Request& request);
  /// The header that gives a browser the session, or takes it away.
  std::string Cookie(const http::Request& request, std::string_view secret) const;

  /// Ends what the pool does, before that goes which it refers to.
  void Stop() { pool_.Stop(); }

 private:
  struct Known {
    Principal principal;
    std::int64_t id = 0;  ///< of the token or session
    std::optional<TimePoint> expires;
    std::optional<TimePoint> used;     ///< a session's last request
    std::optional<TimePoint> written;  ///< of that, what the store knows
  };

  Result<Principal> Look(const std::string& secret, bool session);
  Result<std::optional<Known>> Load(const std::string& secret, bool session) const;
  bool IsOver(const Known& known, TimePoint now) const;
  void Touch(std::int64_t id, bool session, TimePoint now) const;
  void InPool(const http::Responder& responder, std::function<http::Response()> work);
  const std::string& DummyHash();

  const AuthParts parts_;
  std::mutex mutex_;                              // guards what follows
  std::unordered_map<std::string, Known> known_;  // by the hash of what they send
  std::uint64_t changes_ = 0;
  std::string setup_token_;  // empty: somebody can sign in
  SignInLimiter limiter_;
  std::string dummy_;  // the pool's thread's
  PasswordPool pool_;  // last: it uses all of the above
};

/// The address that a request came from, as far as guessing is concerned: that of the proxy's client
/// if a proxy on this machine says so; of IPv6 the network; empty for the local socket.
std::string AddressOf(const http::Request& request);

}  // namespace backplane::api
