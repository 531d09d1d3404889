// Who is refused, by every row of the table: those of today and those to come.
#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/people_fixture.h"
#include "store/events.h"
#include "store/inventory.h"
#include "store/objects.h"
#include "store/resources.h"
#include "store/runs.h"
#include "store/samples.h"
#include "store/vault.h"

namespace backplane::api {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Permissions kEverything = {Permission::kRead, Permission::kOperate, Permission::kEdit, Permission::kAdmin};

std::string What(const Endpoint& endpoint) { return endpoint.method + " " + endpoint.path; }

class AccessTest : public ::testing::Test {
 protected:
  AccessTest() {
    // Rows are tried with the id 1: nothing that a test needs has it.
    const UserId nobody = f_.AddUser("nobody", Role::kViewer);
    f_.AddToken(nobody, {Permission::kRead});
    f_.AddSession(nobody, f_.host().clock.Now());
    alice_ = f_.AddUser("alice", Role::kAdmin);
  }

  /// Calls every row but those that let somebody in.
  template <typename Function>
  void ForEachRow(Function check) {
    int rows = 0;
    for (const Endpoint& endpoint : f_.api->endpoints())
      if (endpoint.permission != Permission::kEnter) check(endpoint), ++rows;
    EXPECT_GT(rows, 30);
  }
  void ExpectAll(int status, const std::string& token) {
    ForEachRow([&](const Endpoint& endpoint) {
      EXPECT_EQ(f_.Send(f_.As(f_.RequestFor(endpoint), token)).status, status) << What(endpoint) << " " << token;
    });
  }
  /// Rows whose permission the token has answer; the others refuse.
  void ExpectOnly(Permissions granted, const std::string& token) {
    ForEachRow([&](const Endpoint& endpoint) {
      const int status = f_.Send(f_.As(f_.RequestFor(endpoint), token)).status;
      if (granted.Has(endpoint.permission))
        EXPECT_THAT(status, AnyOf(200, 201, 202, 400, 404, 409, 503)) << What(endpoint);
      else
        EXPECT_EQ(status, 403) << What(endpoint);
    });
  }

  PeopleFixture f_{{"scan how=ok,aa", "firsts how=ok,firsts"}};
  UserId alice_ = 0;
};

// A script may have written a secret into it.
TEST_F(AccessTest, AResultFileIsNotForWhoeverMayRead) {
  const auto& rows = f_.api->endpoints();
  const auto row = std::find_if(rows.begin(), rows.end(), [](const Endpoint& one) {
    return one.method == "GET" && one.path.ends_with("/runs/{id}/result");
  });
  ASSERT_NE(row, rows.end());
  EXPECT_EQ(row->permission, Permission::kOperate);
}

TEST_F(AccessTest, EveryRowRefusesTokensThatAreNone) {
  const std::string good = f_.AddToken(alice_, kEverything);
  const auto bar = good.rfind('_');
  const std::string other = f_.AddToken(alice_, kEverything);
  for (const std::string& token : std::vector<std::string>{
           good.substr(0, good.size() - 1), good + "0", good.substr(0, bar + 1), good.substr(bar + 1), "bp_" + good,
           "bp_999" + good.substr(bar), "bp_" + good.substr(bar), "bp_-1_x", "bp_99999999999999999999_x", "bp__", "bp_",
           good.substr(0, bar) + other.substr(other.rfind('_'))})
    ExpectAll(401, token);
  EXPECT_EQ(f_.Call("GET", "/status", nullptr, good).status, 200);
  EXPECT_TRUE(f_.host().Runs().empty());
}

TEST_F(AccessTest, EveryRowRefusesATokenThatHasExpired) {
  ExpectAll(401, f_.AddToken(alice_, kEverything, kDefaultOrg, f_.host().clock.Now()));
  EXPECT_EQ(f_.Call("GET", "/status", nullptr,
                    f_.AddToken(alice_, kEverything, kDefaultOrg, f_.host().clock.Now() + Millis(3'600'000)))
                .status,
            200);
}

TEST_F(AccessTest, EveryRowRefusesATokenThatWasRevoked) {
  const std::string token = f_.AddToken(alice_, kEverything);
  ASSERT_EQ(f_.Call("GET", "/status", nullptr, token).status, 200);  // known by now
  const std::string id = token.substr(3, token.rfind('_') - 3);
  ASSERT_EQ(f_.Call("DELETE", "/tokens/" + id).status, 200);
  ExpectAll(401, token);
}

TEST_F(AccessTest, EveryRowRefusesAUserWhoIsDisabled) {
  const UserId carol = f_.AddUser("carol", Role::kAdmin);
  const std::string token = f_.AddToken(carol, kEverything);
  const std::string session = f_.AddSession(carol, f_.host().clock.Now());
  const auto with_session = [&](const Endpoint& endpoint) {
    return f_.Send(f_.WithSession(f_.RequestFor(endpoint), session)).status;
  };
  ASSERT_EQ(f_.Call("GET", "/status", nullptr, token).status, 200);
  ASSERT_EQ(f_.Send(f_.WithSession(f_.NewRequest("GET", "/api/v1/status"), session)).status, 200);
  ASSERT_EQ(f_.Call("PATCH", "/users/carol", {{"disabled", true}}).status, 200);
  ExpectAll(401, token);
  ForEachRow([&](const Endpoint& endpoint) { EXPECT_EQ(with_session(endpoint), 401) << What(endpoint); });
  // Tokens work again when the user does; sessions have ended.
  ASSERT_EQ(f_.Call("PATCH", "/users/carol", {{"disabled", false}}).status, 200);
  EXPECT_EQ(f_.Call("GET", "/status", nullptr, token).status, 200);
  ForEachRow([&](const Endpoint& endpoint) { EXPECT_EQ(with_session(endpoint), 401) << What(endpoint); });
}

TEST_F(AccessTest, EveryRowRefusesASessionThatIsOver) {
  const TimePoint now = f_.host().clock.Now();
  for (const std::string& session :
       {f_.AddSession(alice_, now - Millis(3'600'001), Millis(9'000'000)),  // idle for an hour
        f_.AddSession(alice_, now - Millis(60'000), Millis(60'000)),        // at its end
        std::string("f00"), std::string(64, '0')})
    ForEachRow([&](const Endpoint& endpoint) {
      EXPECT_EQ(f_.Send(f_.WithSession(f_.RequestFor(endpoint), session)).status, 401) << What(endpoint);
    });
}

TEST_F(AccessTest, EveryChangeByASessionNeedsItsHeader) {
  const std::string session = f_.AddSession(alice_, f_.host().clock.Now());
  const std::string other = f_.AddSession(alice_, f_.host().clock.Now());
  ForEachRow([&](const Endpoint& endpoint) {
    http::Request request = f_.WithSession(f_.RequestFor(endpoint), session);
    const std::string foreign = Auth::ForgeryToken(f_.WithSession(request, other));
    request.headers.erase("X-Backplane-CSRF");
    if (endpoint.method == "GET") {
      EXPECT_NE(f_.Send(request).status, 403) << What(endpoint);
      return;
    }
    EXPECT_EQ(f_.Send(request).status, 403) << What(endpoint);
    for (const std::string& value : {std::string("x"), foreign}) {
      request.headers["X-Backplane-CSRF"] = value;
      EXPECT_EQ(f_.Send(request).status, 403) << What(endpoint);
    }
  });
  EXPECT_TRUE(f_.host().Runs().empty());
}

TEST_F(AccessTest, EveryRowRefusesAWeakerRole) {
  // A token with all scopes has no more than its user.
  ExpectOnly({Permission::kRead}, f_.AddToken(f_.AddUser("vic", Role::kViewer), kEverything));
  ExpectOnly({Permission::kRead, Permission::kOperate, Permission::kEdit},
             f_.AddToken(f_.AddUser("olive", Role::kOperator), kEverything));
}

TEST_F(AccessTest, EveryRowRefusesAWeakerScope) {
  for (const Permission scope : {Permission::kRead, Permission::kOperate, Permission::kEdit})
    ExpectOnly({scope}, f_.AddToken(alice_, {scope}));
  ExpectOnly({Permission::kAdmin, Permission::kSelf}, f_.AddToken(alice_, {Permission::kAdmin}));
}

TEST_F(AccessTest, EveryRowAnswersSessionsByTheirRole) {
  for (const Role role : {Role::kViewer, Role::kOperator, Role::kAdmin}) {
    const UserId user = f_.AddUser(std::string("session-") + RoleName(role), role);
    ForEachRow([&](const Endpoint& endpoint) {
      // A row may end the session.
      const std::string session = f_.AddSession(user, f_.host().clock.Now());
      const int status = f_.Send(f_.WithSession(f_.RequestFor(endpoint), session)).status;
      if (PermissionsOf(role).Has(endpoint.permission))
        EXPECT_THAT(status, AnyOf(200, 201, 202, 400, 404, 409, 503)) << What(endpoint);
      else
        EXPECT_EQ(status, 403) << What(endpoint);
    });
  }
}

TEST_F(AccessTest, AChangedRoleCountsAtOnce) {
  const UserId carol = f_.AddUser("carol", Role::kAdmin);
  const std::string token = f_.AddToken(carol, kEverything);
  EXPECT_EQ(f_.Call("GET", "/users", nullptr, token).status, 200);
  EXPECT_EQ(f_.Call("PATCH", "/users/carol", {{"role", "viewer"}}).status, 200);
  EXPECT_EQ(f_.Call("GET", "/users", nullptr, token).status, 403);
  EXPECT_EQ(f_.Call("DELETE", "/users/carol").status, 200);
  EXPECT_EQ(f_.Call("GET", "/status", nullptr, token).status, 401);
}

/// One thing of each kind in the default organisation, with "firsts" in whatever can be read of it.
class ForeignTest : public AccessTest {
 protected:
  ForeignTest() {
    f_.AddSession(f_.AddUser("firsts", Role::kViewer), f_.host().clock.Now());
    for (int i = 0; i < 6; ++i) f_.AddToken(alice_, {Permission::kRead});
    f_.host().RunToEnd("firsts", "call/firsts");
    EXPECT_TRUE(f_.host().folder->WaitUntilFolded(Millis(60'000)));
    const TimePoint now = f_.host().clock.Now();
    f_.host().store.Write([&](store::Connection& c) {
      store::Inventory inventory(c, kDefaultOrg);
      auto entity = inventory.Get(inventory.Create("device", now)).value();
      entity.fields[0] = "firsts";
      inventory.Save(entity, 1);
      store::Resources(c, kDefaultOrg)
          .Insert({.resource = dispatch::HostFixture::Switch("firsts"), .entity = entity.id, .source = "t:firsts"});
      store::Events(c, kDefaultOrg).Append({.topic = "device.firsts", .at = now});
    });
    f_.AddSeries({.resource = "s|c|b|t|firsts", .group = "g", .dimensions = "{}", .name = "n"});
    EXPECT_TRUE(f_.vault.Set({.actor = "user:alice"}, "firsts", Secret("value")));
    second_ = f_.AddOrganisation("second");
    token_ = f_.AddToken(f_.AddUser("bea", Role::kAdmin, second_), kEverything, second_);
  }

  /// What the first organisation's own admin reads everywhere.
  std::map<std::string, std::string> EverythingOfTheFirst() {
    std::map<std::string, std::string> all;
    ForEachRow([&](const Endpoint& endpoint) {
      if (endpoint.method == "GET" && endpoint.path.find('{') == std::string::npos)
        all[endpoint.path] = f_.Send(f_.RequestFor(endpoint)).body;
    });
    return all;
  }

  OrgId second_ = 0;
  std::string token_;  // of an admin of the second organisation
};

TEST_F(ForeignTest, NoListShowsWhatIsOfAnother) {
  int shown = 0;
  for (const auto& [path, body] : EverythingOfTheFirst())
    if (body.find("firsts") != std::string::npos) ++shown;
  EXPECT_GE(shown, 9);  // devices, resources, objects, runs, plugins, events, series, secrets, users, ...
  ForEachRow([&](const Endpoint& endpoint) {
    if (endpoint.method != "GET" || endpoint.path.find('{') != std::string::npos) return;
    const auto response = f_.Send(f_.As(f_.RequestFor(endpoint), token_));
    EXPECT_EQ(response.status, 200) << What(endpoint);
    EXPECT_THAT(response.body, Not(HasSubstr("firsts"))) << What(endpoint);
    EXPECT_THAT(response.body, Not(HasSubstr("\"alice\""))) << What(endpoint);
  });
}

TEST_F(ForeignTest, NoRowFindsOrChangesWhatIsOfAnother) {
  // What makes something of one's own under a name that another organisation has, too.
  const std::set<std::string> own = {"PUT /secrets/{name*}"};
  const auto before = EverythingOfTheFirst();
  ForEachRow([&](const Endpoint& endpoint) {
    if (endpoint.path.find('{') == std::string::npos || own.contains(What(endpoint))) return;
    for (const char* id : {"1", "2", "3", "4", "5", "6", "firsts", "t:firsts", "firsts_level", "alice"}) {
      const auto response = f_.Send(f_.As(f_.RequestFor(endpoint, id), token_));
      EXPECT_EQ(response.status, 404) << What(endpoint) << " " << id << " " << response.body;
    }
  });
  EXPECT_EQ(EverythingOfTheFirst(), before);
}

TEST_F(ForeignTest, WhatIsOfTheInstallationIsOfTheFirst) {
  EXPECT_EQ(f_.Send(f_.As(f_.NewRequest("GET", "/metrics"), token_)).status, 403);
  EXPECT_EQ(f_.Call("POST", "/plugins/rescan", nullptr, token_).status, 403);
  EXPECT_EQ(f_.rescans, 0);
  EXPECT_EQ(f_.Call("POST", "/orgs", {{"name", "third"}}, token_).status, 403);
  EXPECT_EQ(f_.Call("GET", "/runs", nullptr, token_).status, 200);
  http::Request filtered = f_.As(f_.NewRequest("GET", "/api/v1/runs"), token_);
  filtered.query["plugin"] = "firsts";
  EXPECT_EQ(f_.Send(filtered).status, 404);
  const Json status = ParseJson(f_.Call("GET", "/status", nullptr, token_).body).value();
  EXPECT_EQ(status.at("plugins"), 0);
  EXPECT_EQ(status.at("pid"), nullptr);
  EXPECT_EQ(status.at("journal"), nullptr);
}

TEST_F(ForeignTest, TheOrganisationOfACallCannotBeNamedByOthers) {
  for (const char* method : {"GET", "POST"}) {
    http::Request request = f_.As(f_.NewRequest(method, "/api/v1/users"), token_);
    request.body = R"({"user":"eve","password":"long enough","role":"admin"})";
    request.query["org"] = "default";
    EXPECT_EQ(f_.Send(request).status, 404) << method;
    request.query["org"] = "none";
    EXPECT_EQ(f_.Send(request).status, 404) << method;
    request.query["org"] = "second";
    EXPECT_THAT(f_.Send(request).status, AnyOf(200, 201)) << method;
  }
  for (const char* method : {"PATCH", "DELETE"}) {
    http::Request request = f_.As(f_.NewRequest(method, "/api/v1/users/alice"), token_);
    request.body = R"({"role":"viewer"})";
    request.query["org"] = "default";
    EXPECT_EQ(f_.Send(request).status, 404) << method;
  }
  // An admin of the first may look after others.
  http::Request request = f_.NewRequest("GET", "/api/v1/users");
  request.query["org"] = "second";
  EXPECT_THAT(f_.Send(request).body, HasSubstr("bea"));
}

}  // namespace
}  // namespace backplane::api
