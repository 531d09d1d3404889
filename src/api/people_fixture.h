// People of two organisations on the API, with tokens and sessions that need no sign-in.
#pragma once

#include <string>

#include "api/api_fixture.h"
#include "base/crypt.h"
#include "base/rng.h"
#include "base/text.h"
#include "store/people.h"
#include "store/tokens.h"

namespace backplane::api {

class PeopleFixture : public ApiFixture {
 public:
  using ApiFixture::ApiFixture;

  static constexpr const char* kPassword = "correct horse";

  /// The password's hash is made once, as cheap as can be.
  UserId AddUser(const std::string& name, Role role, OrgId org = kDefaultOrg) {
    static const std::string hash = HashPassword(Secret(kPassword), {8, 1, 1}).value();
    return host().store.Write([&](store::Connection& c) {
      return store::People(c, org)
          .Add({.name = name, .password = hash, .role = role, .created = host().clock.Now()})
          .value();
    });
  }
  /// What an API token of the user is called with.
  std::string AddToken(UserId user, Permissions scopes, OrgId org = kDefaultOrg,
                       std::optional<TimePoint> expires = std::nullopt) {
    const std::string secret = SecretHex(32);
    const TokenId id = host().store.Write([&](store::Connection& c) {
      return store::Tokens(c, org)
          .Add({.user = user,
                .name = "t" + secret.substr(0, 8),
                .scopes = scopes,
                .created = host().clock.Now(),
                .expires = expires},
               Sha256Hex(secret))
          .value();
    });
    return "bp_" + std::to_string(id) + "_" + secret;
  }
  /// The cookie of a session that began at `at`.
  std::string AddSession(UserId user, TimePoint at, Millis keep = Millis(3'600'000), OrgId org = kDefaultOrg) {
    const std::string secret = SecretHex(32);
    host().store.Write([&](store::Connection& c) {
      store::Tokens(c, org).AddSession({.user = user, .created = at, .expires = at + keep}, Sha256Hex(secret),
                                       {.idle = std::chrono::hours(1), .most_of_a_user = 100});
    });
    return secret;
  }
  std::filesystem::path setup_file() const { return auth.setup_file(); }
  OrgId AddOrganisation(const std::string& name) { return host().store.AddOrganisation(name); }

  http::Request As(http::Request request, const std::string& token) const {
    request.headers["Authorization"] = "Bearer " + token;
    return request;
  }
  /// With a session's cookie and the header that goes with it.
  http::Request WithSession(http::Request request, const std::string& secret) const {
    request.headers.erase("Authorization");
    request.headers["Cookie"] = "theme=dark; backplane_session=" + secret;
    request.headers["X-Backplane-CSRF"] = Auth::ForgeryToken(request);
    return request;
  }
  http::Response Call(const std::string& method, const std::string& path, const Json& body = nullptr,
                      const std::string& token = "secret") const {
    http::Request request = As(NewRequest(method, "/api/v1" + path), token);
    if (!body.is_null()) request.body = DumpJson(body);
    return Send(request);
  }
};

}  // namespace backplane::api
