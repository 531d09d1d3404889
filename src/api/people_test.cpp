// Getting in and out, and looking after people and tokens.
#include "api/people.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/people_fixture.h"
#include "base/files.h"
#include "store/audit.h"

namespace backplane::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Json Parse(const http::Response& response) { return ParseJson(response.body).value_or(Json()); }

class PeopleApiTest : public ::testing::Test {
 protected:
  http::Response SignIn(const std::string& user, const std::string& password, const Json& more = Json::object()) {
    Json body = {{"user", user}, {"password", password}};
    body.update(more);
    return Enter("/session", body);
  }
  http::Response Enter(const std::string& path, const Json& body) {
    http::Request request = f_.NewRequest("POST", "/api/v1" + path);
    request.headers.erase("Authorization");
    request.body = DumpJson(body);
    return f_.Send(request);
  }
  /// The cookie that an answer sets.
  static std::string CookieOf(const http::Response& response) {
    const std::string cookie = response.headers.at("Set-Cookie");
    return cookie.substr(cookie.find('=') + 1, cookie.find(';') - cookie.find('=') - 1);
  }
  http::Response With(const std::string& session, const std::string& method, const std::string& path,
                      const Json& body = nullptr) {
    http::Request request = f_.WithSession(f_.NewRequest(method, "/api/v1" + path), session);
    if (!body.is_null()) request.body = DumpJson(body);
    return f_.Send(request);
  }
  /// "actor action subject detail" of each entry about users, tokens and organisations, oldest first.
  std::vector<std::string> AuditLog() {
    std::vector<std::string> log;
    for (const auto& entry :
         f_.host().store.Read([](store::Connection& c) { return store::Audit(c, kDefaultOrg).List({}); }))
      if (!entry.action.starts_with("session."))
        log.insert(log.begin(), entry.actor + " " + entry.action + " " + entry.subject + " " + entry.detail);
    return log;
  }

  PeopleFixture f_;
};

TEST_F(PeopleApiTest, SigningInGivesASessionUntilSigningOut) {
  f_.AddUser("alice", Role::kOperator);
  const auto answer = SignIn("Alice", f_.kPassword);
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_THAT(answer.headers.at("Set-Cookie"), HasSubstr("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"));
  EXPECT_THAT(answer.headers.at("Set-Cookie"), Not(HasSubstr("Secure")));
  const std::string session = CookieOf(answer);
  EXPECT_EQ(session.size(), 64U);
  EXPECT_THAT(answer.body, Not(HasSubstr(session)));

  const Json who = Parse(With(session, "GET", "/session"));
  EXPECT_EQ(who.at("user"), "alice");
  EXPECT_EQ(who.at("actor"), "user:alice");
  EXPECT_EQ(who.at("org"), "default");
  EXPECT_EQ(who.at("permissions"), (Json{"self", "read", "operate", "edit"}));
  EXPECT_EQ(who.at("csrf"), Parse(answer).at("csrf"));
  EXPECT_EQ(With(session, "POST", "/plugins/scan/run").status, 202);

  const auto out = With(session, "DELETE", "/session");
  EXPECT_EQ(out.status, 200);
  EXPECT_THAT(out.headers.at("Set-Cookie"), StartsWith("backplane_session=; Path=/; Max-Age=0;"));
  EXPECT_EQ(With(session, "GET", "/session").status, 401);
  const Json log = Parse(f_.Call("GET", "/audit")).at("entries");
  ASSERT_EQ(log.size(), 2U);
  EXPECT_EQ(log[0].at("action"), "session.end");
  EXPECT_EQ(log[1].at("action"), "session.start");
  EXPECT_EQ(log[1].at("actor"), "user:alice");
}

TEST_F(PeopleApiTest, BehindAProxyWithTlsTheCookieIsSecure) {
  f_.AddUser("alice", Role::kViewer);
  http::Request request = f_.NewRequest("POST", "/api/v1/session");
  request.headers.erase("Authorization");
  request.headers["Host"] = "backplane.example.org";
  request.headers["Origin"] = "https://backplane.example.org";
  request.body = DumpJson({{"user", "alice"}, {"password", f_.kPassword}});
  EXPECT_EQ(f_.Send(request).status, 403);
  request.headers["X-Forwarded-Proto"] = "https";
  const auto answer = f_.Send(request);
  EXPECT_EQ(answer.status, 201);
  EXPECT_THAT(answer.headers.at("Set-Cookie"), ::testing::EndsWith("; Secure"));
}

TEST_F(PeopleApiTest, WhoIsRefusedLearnsNothing) {
  const UserId dan = f_.AddUser("dan", Role::kAdmin);
  f_.host().store.Write([&](store::Connection& c) { store::People(c, kDefaultOrg).Edit(dan, {.disabled = true}); });
  f_.AddUser("alice", Role::kViewer);
  const auto wrong = SignIn("alice", "wrong password");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_FALSE(wrong.headers.contains("Set-Cookie"));
  for (const auto& other :
       {SignIn("nobody", f_.kPassword), SignIn("dan", f_.kPassword), SignIn("alice", f_.kPassword, {{"org", "none"}})})
    EXPECT_EQ(other.body, wrong.body);
}

TEST_F(PeopleApiTest, GuessesHaveToWait) {
  f_.AddUser("alice", Role::kViewer);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(SignIn("alice", "wrong password").status, 401);
  const auto slowed = SignIn("alice", f_.kPassword);
  EXPECT_EQ(slowed.status, 429);
  EXPECT_EQ(slowed.headers.at("Retry-After"), "1");
  // Neither others nor the local token.
  EXPECT_EQ(SignIn("bob", "wrong password").status, 401);
  EXPECT_EQ(f_.Get("/api/v1/status").status, 200);
}

TEST_F(PeopleApiTest, TheFirstUserIsMadeWithTheSetUpToken) {
  ASSERT_TRUE(f_.auth.OfferSetup());
  const auto file = f_.setup_file();
  const std::string token(Trim(ReadFile(file, 100).value()));
  EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600));
  const Json body = {{"token", token}, {"user", "Alice"}, {"password", "long enough"}};
  Json wrong = body;
  wrong["token"] = "x" + token.substr(1);
  EXPECT_EQ(Enter("/setup", wrong).status, 403);
  Json short_one = body;
  short_one["password"] = "short";
  EXPECT_EQ(Enter("/setup", short_one).status, 400);
  const auto answer = Enter("/setup", body);
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_EQ(Parse(With(CookieOf(answer), "GET", "/users")).at("users")[0].at("user"), "alice");
  EXPECT_EQ(Enter("/setup", body).status, 403);
  EXPECT_THAT(AuditLog(), ElementsAre("setup user.add alice {\"role\":\"admin\"}"));
}

TEST_F(PeopleApiTest, TheSetUpTokenEndsWithTheFirstUserHoweverMade) {
  ASSERT_TRUE(f_.auth.OfferSetup());
  const std::string token(Trim(ReadFile(f_.setup_file(), 100).value()));
  ASSERT_EQ(f_.Call("POST", "/users", {{"user", "alice"}, {"password", "long enough"}, {"role", "admin"}}).status, 201);
  EXPECT_FALSE(std::filesystem::exists(f_.setup_file()));
  EXPECT_EQ(Enter("/setup", {{"token", token}, {"user", "eve"}, {"password", "long enough"}}).status, 403);
  // One that a crash left behind goes at the next start.
  ASSERT_TRUE(WriteFileAtomic(f_.setup_file(), token, 0600));
  ASSERT_TRUE(f_.auth.OfferSetup());
  EXPECT_FALSE(std::filesystem::exists(f_.setup_file()));
  EXPECT_FALSE(f_.auth.IsSetupToken(token));
  EXPECT_FALSE(f_.auth.IsSetupToken(""));
}

TEST_F(PeopleApiTest, UsersAreAddedChangedAndRemoved) {
  const auto added = f_.Call("POST", "/users", {{"user", "Alice"}, {"password", "long enough"}, {"role", "admin"}});
  ASSERT_EQ(added.status, 201) << added.body;
  EXPECT_EQ(Parse(added).at("user"), "alice");
  EXPECT_THAT(added.body, Not(HasSubstr("argon2")));
  EXPECT_EQ(f_.Call("POST", "/users", {{"user", "alice"}, {"password", "long enough"}, {"role", "admin"}}).status, 409);
  ASSERT_EQ(f_.Call("POST", "/users", {{"user", "bob"}, {"password", "bob's own one"}, {"role", "viewer"}}).status,
            201);
  const auto session = CookieOf(SignIn("bob", "bob's own one"));
  EXPECT_EQ(Parse(f_.Call("PATCH", "/users/Bob", {{"role", "operator"}})).at("role"), "operator");
  EXPECT_EQ(With(session, "GET", "/status").status, 200);
  EXPECT_EQ(f_.Call("PATCH", "/users/bob", {{"password", "another one"}}).status, 200);
  EXPECT_EQ(With(session, "GET", "/status").status, 401);
  EXPECT_EQ(SignIn("bob", "bob's own one").status, 401);
  EXPECT_EQ(SignIn("bob", "another one").status, 201);
  EXPECT_EQ(f_.Call("DELETE", "/users/bob").status, 200);
  EXPECT_EQ(f_.Call("DELETE", "/users/bob").status, 404);
  EXPECT_THAT(f_.Call("GET", "/users").body, Not(HasSubstr("bob")));
  EXPECT_THAT(AuditLog(),
              ElementsAre(R"(local user.add alice {"role":"admin"})", R"(local user.add bob {"role":"viewer"})",
                          R"(local user.edit bob {"role":"operator"})", R"(local user.edit bob {"password":"new"})",
                          "local user.remove bob {}"));
}

TEST_F(PeopleApiTest, WhatIsWrongWithAUserIsNamed) {
  const auto refusal = [&](const Json& body) {
    const auto response = f_.Call("POST", "/users", body);
    EXPECT_EQ(response.status, 400) << response.body;
    return Parse(response).value("field", "") + ": " + Parse(response).value("detail", "");
  };
  EXPECT_THAT(refusal({{"user", "al ice"}, {"password", "long enough"}, {"role", "admin"}}), StartsWith("user: "));
  EXPECT_THAT(refusal({{"user", ""}, {"password", "long enough"}, {"role", "admin"}}), StartsWith("user: "));
  EXPECT_THAT(refusal({{"password", "long enough"}, {"role", "admin"}}), StartsWith("user: user: is missing"));
  EXPECT_THAT(refusal({{"user", "alice"}, {"password", "123456789"}, {"role", "admin"}}),
              HasSubstr("it has 9 characters, and needs 10"));
  EXPECT_THAT(refusal({{"user", "alice"}, {"password", "\u00e4\u00e4\u00e4\u00e4\u00e4"}, {"role", "admin"}}),
              HasSubstr("it has 5 characters"));
  EXPECT_THAT(refusal({{"user", "long-enough"}, {"password", "Long-Enough"}, {"role", "admin"}}),
              HasSubstr("is the user's name"));
  EXPECT_THAT(refusal({{"user", "alice"}, {"password", std::string(1001, 'x')}, {"role", "admin"}}),
              HasSubstr("longer than 1000"));
  EXPECT_THAT(refusal({{"user", "alice"}, {"password", 1234567890}, {"role", "admin"}}), StartsWith("password: "));
  EXPECT_THAT(refusal({{"user", "alice"}, {"password", "long enough"}, {"role", "root"}}), StartsWith("role: "));
  EXPECT_THAT(refusal({{"user", "alice"}, {"pasword", "long enough"}, {"role", "admin"}}), StartsWith("pasword: "));
  EXPECT_EQ(f_.Call("PATCH", "/users/alice", Json::object()).status, 400);
  EXPECT_EQ(f_.Call("PATCH", "/users/alice", {{"disabled", 1}}).status, 400);
  EXPECT_EQ(f_.Call("PATCH", "/users/alice", {{"disabled", true}}).status, 404);
}

TEST_F(PeopleApiTest, TheLastAdminStays) {
  f_.AddUser("alice", Role::kAdmin);
  EXPECT_EQ(f_.Call("DELETE", "/users/alice").status, 409);
  EXPECT_EQ(f_.Call("PATCH", "/users/alice", {{"role", "viewer"}}).status, 409);
  EXPECT_EQ(f_.Call("PATCH", "/users/alice", {{"disabled", true}}).status, 409);
  EXPECT_THAT(AuditLog(), ElementsAre());
  f_.AddUser("bob", Role::kAdmin);
  EXPECT_EQ(f_.Call("DELETE", "/users/alice").status, 200);
}

TEST_F(PeopleApiTest, OnesOwnPasswordIsChangedWithTheOldOne) {
  f_.AddUser("alice", Role::kViewer);
  const std::string session = CookieOf(SignIn("alice", f_.kPassword));
  const std::string other = CookieOf(SignIn("alice", f_.kPassword));
  const auto change = [&](const std::string& from, const std::string& to) {
    return With(session, "POST", "/session/password", {{"password", from}, {"new_password", to}}).status;
  };
  EXPECT_EQ(change("wrong password", "long enough"), 403);
  EXPECT_EQ(change(f_.kPassword, "short"), 400);
  EXPECT_EQ(change(f_.kPassword, "long enough"), 200);
  EXPECT_EQ(With(session, "GET", "/status").status, 200);
  EXPECT_EQ(With(other, "GET", "/status").status, 401);
  EXPECT_EQ(SignIn("alice", "long enough").status, 201);
  EXPECT_EQ(f_.Call("POST", "/session/password", {{"password", "x"}, {"new_password", "long enough"}}).status, 409);
}

TEST_F(PeopleApiTest, ATokenIsShownOnceAndDoesWhatItsScopesSay) {
  f_.AddUser("alice", Role::kOperator);
  const std::string session = CookieOf(SignIn("alice", f_.kPassword));
  const auto made = With(session, "POST", "/tokens", {{"name", "ci"}, {"scopes", {"read"}}, {"expires", "30d"}});
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string token = Parse(made).at("token");
  EXPECT_THAT(token, StartsWith("bp_" + DumpJson(Parse(made).at("id")) + "_"));
  const auto list = With(session, "GET", "/tokens");
  EXPECT_THAT(list.body, Not(HasSubstr(token.substr(5))));
  EXPECT_EQ(Parse(list).at("tokens")[0].at("user"), "alice");
  const Json who = Parse(f_.Call("GET", "/session", nullptr, token));
  EXPECT_EQ(who.at("actor"), "token:alice/ci");
  EXPECT_EQ(who.at("permissions"), Json{"read"});
  EXPECT_EQ(f_.Call("POST", "/plugins/scan/run", nullptr, token).status, 403);

  EXPECT_EQ(With(session, "POST", "/tokens", {{"name", "ci"}, {"scopes", {"read"}}}).status, 409);
  EXPECT_EQ(With(session, "POST", "/tokens", {{"name", "up"}, {"scopes", {"admin"}}}).status, 400);
  EXPECT_EQ(With(session, "POST", "/tokens", {{"name", "up"}, {"scopes", Json::array()}}).status, 400);
  EXPECT_EQ(With(session, "POST", "/tokens", {{"name", "up"}, {"scopes", {"read"}}, {"expires", "0s"}}).status, 400);
  EXPECT_EQ(With(session, "POST", "/tokens", {{"name", "x"}, {"scopes", {"read"}}, {"user", "bob"}}).status, 403);
  EXPECT_EQ(With(session, "DELETE", "/tokens/" + DumpJson(Parse(made).at("id"))).status, 200);
  EXPECT_EQ(f_.Call("GET", "/session", nullptr, token).status, 401);
}

TEST_F(PeopleApiTest, TheLocalTokenMakesTokensForSomebody) {
  f_.AddUser("alice", Role::kAdmin);
  EXPECT_EQ(f_.Call("POST", "/tokens", {{"name", "ci"}, {"scopes", {"read"}}}).status, 400);
  EXPECT_EQ(f_.Call("POST", "/tokens", {{"name", "ci"}, {"scopes", {"read"}}, {"user", "eve"}}).status, 404);
  const auto made = f_.Call("POST", "/tokens", {{"name", "ci"}, {"scopes", {"read", "admin"}}, {"user", "alice"}});
  ASSERT_EQ(made.status, 201) << made.body;
  // One with admin can make others.
  EXPECT_EQ(f_.Call("POST", "/tokens", {{"name", "more"}, {"scopes", {"read"}}}, Parse(made).at("token")).status, 201);
  EXPECT_THAT(AuditLog(), ElementsAre(R"(local token.add alice/ci {"scopes":"read,admin","expires":null})",
                                      R"(token:alice/ci token.add alice/more {"scopes":"read","expires":null})"));
}

TEST_F(PeopleApiTest, OthersTokensAndSessionsAreForAdmins) {
  const TimePoint now = f_.host().clock.Now();
  const UserId alice = f_.AddUser("alice", Role::kAdmin);
  const UserId bob = f_.AddUser("bob", Role::kOperator);
  const std::string hers = f_.AddSession(alice, now);
  const std::string his = f_.AddSession(bob, now);
  f_.AddToken(alice, {Permission::kRead});
  EXPECT_EQ(Parse(With(his, "GET", "/tokens")).at("tokens").size(), 0U);
  EXPECT_EQ(Parse(With(hers, "GET", "/tokens")).at("tokens").size(), 1U);
  EXPECT_EQ(With(his, "DELETE", "/tokens/1").status, 404);
  const Json own = Parse(With(his, "GET", "/sessions")).at("sessions");
  ASSERT_EQ(own.size(), 1U);
  EXPECT_EQ(own[0].at("own"), true);
  EXPECT_EQ(Parse(With(hers, "GET", "/sessions")).at("sessions").size(), 2U);
  EXPECT_EQ(With(his, "DELETE", "/sessions/1").status, 404);
  EXPECT_EQ(With(hers, "DELETE", "/sessions/" + DumpJson(own[0].at("id"))).status, 200);
  EXPECT_EQ(With(his, "GET", "/sessions").status, 401);
}

TEST_F(PeopleApiTest, ListsPage) {
  for (const char* name : {"a", "b", "c"}) f_.AddUser(name, Role::kViewer);
  http::Request request = f_.NewRequest("GET", "/api/v1/users");
  request.query["limit"] = "2";
  const Json first = Parse(f_.Send(request));
  EXPECT_EQ(first.at("users").size(), 2U);
  request.query["after"] = DumpJson(first.at("next"));
  const Json rest = Parse(f_.Send(request));
  EXPECT_EQ(rest.at("users").size(), 1U);
  EXPECT_EQ(rest.at("next"), nullptr);
}

TEST_F(PeopleApiTest, AnotherOrganisationIsGivenItsFirstUser) {
  ASSERT_EQ(f_.Call("POST", "/orgs", {{"name", "Second"}}).status, 201);
  EXPECT_EQ(f_.Call("POST", "/orgs", {{"name", "second"}}).status, 409);
  http::Request request = f_.NewRequest("POST", "/api/v1/users");
  request.query["org"] = "second";
  request.body = DumpJson({{"user", "alice"}, {"password", "long enough"}, {"role", "admin"}});
  ASSERT_EQ(f_.Send(request).status, 201);
  EXPECT_EQ(SignIn("alice", "long enough").status, 401);
  const auto answer = SignIn("alice", "long enough", {{"org", "second"}});
  ASSERT_EQ(answer.status, 201);
  const std::string session = CookieOf(answer);
  EXPECT_EQ(Parse(With(session, "GET", "/session")).at("org"), "second");
  const Json orgs = Parse(With(session, "GET", "/orgs")).at("orgs");
  ASSERT_EQ(orgs.size(), 1U);
  EXPECT_EQ(orgs[0].at("name"), "second");
  EXPECT_EQ(Parse(f_.Call("GET", "/orgs")).at("orgs").size(), 2U);
  const auto log = Parse(With(session, "GET", "/audit")).at("entries");
  EXPECT_EQ(log[1].at("actor"), "default/local");
}

TEST_F(PeopleApiTest, OnlyConfiguredNamesAreOurs) {
  for (const auto& [name, status] :
       {std::pair("backplane.example.org", 200), std::pair("Backplane.Example.ORG:443", 200),
        std::pair("other.example.org", 403), std::pair("example.org", 403)}) {
    http::Request request = f_.NewRequest("GET", "/api/v1/status");
    request.headers["Host"] = name;
    EXPECT_EQ(f_.Send(request).status, status) << name;
  }
}

TEST(AddressOf, IsWhoGuessesAsFarAsWeCanTell) {
  http::Request request{.method = "POST", .path = "/"};
  request.peer = "192.0.2.7";
  EXPECT_EQ(AddressOf(request), "192.0.2.7");
  request.headers["X-Forwarded-For"] = "10.0.0.1, 198.51.100.9";
  EXPECT_EQ(AddressOf(request), "192.0.2.7");  // not through our proxy
  request.peer = "127.0.0.1";
  EXPECT_EQ(AddressOf(request), "198.51.100.9");
  request.headers.clear();
  EXPECT_EQ(AddressOf(request), "127.0.0.1");
  request.peer = "2001:db8:1:2:3:4:5:6";
  EXPECT_EQ(AddressOf(request), "2001:db8:1:2::/64");
  request.local_socket = true;
  EXPECT_EQ(AddressOf(request), "");
}

}  // namespace
}  // namespace backplane::api
