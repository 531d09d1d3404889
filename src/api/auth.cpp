#include "api/auth.h"

#include <charconv>
#include <memory>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/crypt.h"
#include "base/files.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/text.h"
#include "store/audit.h"

namespace backplane::api {
namespace {

constexpr std::size_t kMostKnown = 4096;
/// How exactly the store knows when a token or session was used last.
constexpr Millis kTouch = std::chrono::minutes(1);
constexpr int kMostSessionsOfAUser = 100;
constexpr std::string_view kTokenMark = "bp_";

// The value of our cookie in "a=1; backplane_session=..."; empty if it is not there.
std::string_view SessionOf(const http::Request& request) {
  for (std::string_view cookie : Split(request.Header("Cookie"), ';')) {
    cookie = Trim(cookie);
    if (cookie.size() > kSessionCookie.size() && cookie.starts_with(kSessionCookie) &&
        cookie[kSessionCookie.size()] == '=')
      return cookie.substr(kSessionCookie.size() + 1);
  }
  return {};
}

// The id in "bp_<id>_<secret>", and where the secret begins.
std::optional<std::pair<TokenId, std::string_view>> SplitToken(std::string_view text) {
  if (!text.starts_with(kTokenMark)) return std::nullopt;
  text.remove_prefix(kTokenMark.size());
  const auto bar = text.find('_');
  if (bar == std::string_view::npos) return std::nullopt;
  TokenId id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + bar, id);
  if (error != std::errc() || end != text.data() + bar) return std::nullopt;
  return std::pair(id, text.substr(bar + 1));
}

Principal PrincipalOf(const store::Bearer& bearer, bool session) {
  Principal principal{.org = bearer.org,
                      .actor = fmt::format("user:{}", bearer.user_name),
                      .granted = PermissionsOf(bearer.role),
                      .user_name = bearer.user_name,
                      .user = bearer.user};
  if (session) {
    principal.session = bearer.id;
    return principal;
  }
  principal.actor = fmt::format("token:{}/{}", bearer.user_name, bearer.name);
  principal.granted = principal.granted & bearer.scopes;
  // A token that could make tokens would outlive its own end.
  if (principal.granted.Has(Permission::kAdmin)) principal.granted = principal.granted | Permissions{Permission::kSelf};
  return principal;
}

http::Response Busy() {
  http::Response response = http::Problem(503, "too many are signing in: try again in a moment");
  response.headers["Retry-After"] = "2";
  return response;
}

}  // namespace

Auth::Auth(AuthParts parts) : parts_(std::move(parts)), limiter_(parts_.clock) {}

Status Auth::OfferSetup() {
  bool somebody = false;
  BACKPLANE_TRY(parts_.database.Read([&](store::Connection& connection) -> Status {
    somebody = store::HasUsers(connection);
    return {};
  }));
  std::error_code ignored;
  if (somebody) {
    std::filesystem::remove(parts_.setup_file, ignored);
    return {};
  }
  const std::string token = SecretHex(24);
  BACKPLANE_TRY(WriteFileAtomic(parts_.setup_file, token + "\n", 0600));
  {
    const std::lock_guard lock(mutex_);
    setup_token_ = token;
  }
  LogInfo(
      "nobody can sign in yet: make the first user with `backplane users add NAME --role admin`, or with the "
      "set-up token {}, good for once (also in {})",
      token, parts_.setup_file.string());
  return {};
}

bool Auth::IsSetupToken(std::string_view token) {
  const std::lock_guard lock(mutex_);
  return !setup_token_.empty() && EqualSecret(token, setup_token_);
}

Result<Principal> Auth::Identify(const http::Request& request) {
  constexpr std::string_view kBearer = "Bearer ";
  if (const std::string_view authorization = request.Header("Authorization"); !authorization.empty()) {
    if (!authorization.starts_with(kBearer)) return Fail(Errc::kDenied, "Authorization is not \"Bearer <token>\"");
    const std::string token(authorization.substr(kBearer.size()));
    if (EqualSecret(token, parts_.local_token))
      return Principal{.actor = "local", .granted = PermissionsOf(Role::kAdmin)};
    return Look(token, false);
  }
  if (const std::string_view secret = SessionOf(request); !secret.empty()) return Look(std::string(secret), true);
  return Fail(Errc::kDenied,
              "not signed in, and no token: send \"Authorization: Bearer <token>\" with an API token or the content of "
              "DATA/token");
}

Result<Principal> Auth::Look(const std::string& secret, bool session) {
  const Result<Principal> stranger =
      Fail(Errc::kDenied, session ? "the session is over: sign in again" : "no such token, or it has expired");
  const std::string key = Sha256Hex((session ? "session " : "token ") + secret);
  const TimePoint now = parts_.clock.Now();
  std::unique_lock lock(mutex_);
  auto found = known_.find(key);
  if (found == known_.end()) {
    const std::uint64_t changes = changes_;
    lock.unlock();
    BACKPLANE_ASSIGN(std::optional<Known> loaded, Load(secret, session));
    if (!loaded || IsOver(*loaded, now)) return stranger;
    lock.lock();
    // What was read before a change is good for nobody.
    if (changes != changes_) return lock.unlock(), Look(secret, session);
    if (known_.size() >= kMostKnown) known_.clear();
    found = known_.insert_or_assign(key, *std::move(loaded)).first;
  }
  Known& known = found->second;
  if (IsOver(known, now)) return stranger;
  known.used = now;
  const bool touch = !known.written || now - *known.written >= kTouch;
  if (touch) known.written = now;
  const Principal principal = known.principal;
  const std::int64_t id = known.id;
  lock.unlock();
  if (touch) Touch(id, session, now);
  return principal;
}

Result<std::optional<Auth::Known>> Auth::Load(const std::string& secret, bool session) const {
  const auto token = SplitToken(secret);
  if (!session && !token) return std::optional<Known>();
  const std::string hash = Sha256Hex(session ? std::string_view(secret) : token->second);
  std::optional<store::Bearer> bearer;
  BACKPLANE_TRY(parts_.database.Read([&](store::Connection& connection) -> Status {
    bearer = session ? store::FindSession(connection, hash) : store::FindToken(connection, token->first);
    return {};
  }));
  if (!bearer || bearer->disabled || !EqualSecret(bearer->hash, hash)) return std::optional<Known>();
  return std::optional(Known{.principal = PrincipalOf(*bearer, session),
                             .id = bearer->id,
                             .expires = bearer->expires,
                             .used = bearer->used,
                             .written = bearer->used});
}

bool Auth::IsOver(const Known& known, TimePoint now) const {
  if (known.expires && *known.expires <= now) return true;
  return known.principal.session != 0 && known.used && now - *known.used >= parts_.idle;
}

void Auth::Touch(std::int64_t id, bool session, TimePoint now) const {
  parts_.database.Submit(
      store::Priority::kNormal,
      [=](store::Connection& connection) -> Status {
        session ? store::TouchSession(connection, id, now) : store::TouchToken(connection, id, now);
        return {};
      },
      [](const Status&) {});
}

std::string Auth::ForgeryToken(const http::Request& request) {
  const std::string_view secret = SessionOf(request);
  return secret.empty() ? std::string() : Sha256Hex(fmt::format("forgery {}", secret)).substr(0, 32);
}

Status Auth::RefuseForgery(const http::Request& request) {
  if (request.method == "GET" || !request.Header("Authorization").empty()) return {};
  if (EqualSecret(request.Header(kForgeryHeader), ForgeryToken(request))) return {};
  return Fail(Errc::kDenied,
              fmt::format("a change by a session needs the header {} with the `csrf` of GET /session", kForgeryHeader));
}

void Auth::Changed() {
  const std::lock_guard lock(mutex_);
  ++changes_;
  known_.clear();
  if (setup_token_.empty()) return;
  setup_token_.clear();
  std::error_code ignored;
  std::filesystem::remove(parts_.setup_file, ignored);
}

void Auth::InPool(const http::Responder& responder, std::function<http::Response()> work) {
  const bool taken = pool_.Submit([responder, work = std::move(work)] {
    if (!responder.Abandoned()) responder.Send(work());
  });
  if (!taken) responder.Send(Busy());
}

void Auth::WithHash(Secret password, const http::Responder& responder,
                    std::function<http::Response(const std::string& hash)> done) {
  const auto shared = std::make_shared<Secret>(std::move(password));
  InPool(responder, [shared, done = std::move(done)]() -> http::Response {
    const auto hash = HashPassword(*shared);
    return hash ? done(*hash) : ToResponse(Fail(hash.error()));
  });
}

// What the password of somebody unknown is compared with, so that it takes as long.
const std::string& Auth::DummyHash() {
  if (dummy_.empty()) dummy_ = HashPassword(Secret(SecretHex(16))).value_or(std::string());
  return dummy_;
}

void Auth::WithUser(const std::string& org, const std::string& user, Secret password, const http::Request& request,
                    const http::Responder& responder,
                    std::function<http::Response(OrgId org, const store::User* user)> done) {
  const std::string account = Sha256Hex(fmt::format("{}/{}", org, user));  // one length, whatever was sent
  const std::string address = AddressOf(request);
  if (const Millis wait = limiter_.Begin(account, address); wait.count() > 0) {
    const auto seconds = (wait.count() + 999) / 1000;
    http::Response response =
        http::Problem(429, fmt::format("too many failed attempts: the next one may be made in {} s", seconds));
    response.headers["Retry-After"] = std::to_string(seconds);
    return responder.Send(std::move(response));
  }
  const auto shared = std::make_shared<Secret>(std::move(password));
  InPool(responder, [this, org, user, account, address, shared, done = std::move(done)]() -> http::Response {
    OrgId org_id = 0;
    std::optional<store::User> found;
    const Status read = parts_.database.Read([&](store::Connection& connection) -> Status {
      const auto known = store::FindOrganisation(connection, org);
      if (!known) return {};
      org_id = *known;
      if (auto one = store::People(connection, org_id).Find(user)) found = *std::move(one);
      return {};
    });
    if (!read) return ToResponse(Fail(read.error()));
    const std::string& dummy = DummyHash();
    const bool right = VerifyPassword(found ? found->password : dummy, *shared);
    if (!right || !found || found->disabled) {
      // Names of nobody are not written down: some people type their password there.
      if (found) LogWarning("{} of {} was refused from {}", user, org, address.empty() ? "the local socket" : address);
      return done(org_id, nullptr);
    }
    limiter_.Succeeded(account, address);
    return done(org_id, &*found);
  });
}

Result<Auth::Begun> Auth::BeginSession(OrgId org, const store::User& user, const http::Request& request) {
  const TimePoint now = parts_.clock.Now();
  Begun begun{.session = {.user = user.id,
                          .user_name = user.name,
                          .created = now,
                          .expires = now + parts_.keep,
                          .used = now,
                          .address = request.local_socket ? "local" : AddressOf(request),
                          .agent = ToUtf8(Shorten(request.Header("User-Agent"), 200))},
              .secret = SecretHex(32)};
  BACKPLANE_TRY(parts_.database.Write([&](store::Connection& connection) -> Status {
    // The password may have been changed, and all sessions ended, while it was looked at.
    BACKPLANE_ASSIGN(const store::User still, store::People(connection, org).Find(user.name));
    if (still.password != user.password || still.disabled)
      return Fail(Errc::kConflict, fmt::format("{} was changed meanwhile: sign in again", user.name));
    begun.session.id = store::Tokens(connection, org)
                           .AddSession(begun.session, Sha256Hex(begun.secret),
                                       {.idle = parts_.idle, .most_of_a_user = kMostSessionsOfAUser});
    store::People(connection, org).SignedIn(user.id, now);
    store::Audit(connection, org)
        .Append({.at = now,
                 .actor = "user:" + user.name,
                 .action = "session.start",
                 .subject = user.name,
                 .detail = DumpJson({{"session", begun.session.id}, {"address", begun.session.address}})});
    return {};
  }));
  return begun;
}

std::string Auth::Cookie(const http::Request& request, std::string_view secret) const {
  const auto seconds = secret.empty() ? 0 : std::chrono::duration_cast<std::chrono::seconds>(parts_.keep).count();
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}", kSessionCookie, secret, seconds,
                     request.Header("X-Forwarded-Proto") == "https" ? "; Secure" : "");
}

std::string AddressOf(const http::Request& request) {
  if (request.local_socket) return {};
  std::string address = request.peer;
  const std::string_view forwarded = request.Header("X-Forwarded-For");
  if ((address.starts_with("127.") || address == "::1") && !forwarded.empty())
    address = Trim(Split(forwarded, ',').back());
  in6_addr network{};
  if (inet_pton(AF_INET6, address.c_str(), &network) != 1) return Shorten(address, 64);
  std::fill(std::begin(network.s6_addr) + 8, std::end(network.s6_addr), std::uint8_t{0});
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(AF_INET6, &network, text, sizeof text);
  return std::string(text) + "/64";
}

}  // namespace backplane::api
