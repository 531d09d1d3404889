#include "store/people.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/test_store.h"
#include "store/tokens.h"

namespace backplane::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const TimePoint kNoon = FromMillis(1'787'400'000'000);
constexpr SessionLimits kLimits{.idle = Millis(60'000), .most_of_a_user = 3};

class PeopleTest : public StoreTest {
 protected:
  /// Runs work(People, Tokens) in an organisation.
  template <typename Function>
  auto In(OrgId org, Function work) {
    return store_.Write([&](Connection& c) {
      People people(c, org);
      Tokens tokens(c, org);
      return work(people, tokens);
    });
  }
  UserId Add(OrgId org, const std::string& name, Role role = Role::kViewer) {
    return In(org, [&](People& people, Tokens&) {
      return people.Add({.name = name, .password = "hash of " + name, .role = role, .created = kNoon}).value();
    });
  }
  TokenId AddToken(OrgId org, UserId user, const std::string& name) {
    return In(org, [&](People&, Tokens& tokens) {
      return tokens.Add({.user = user, .name = name, .scopes = {Permission::kRead}, .created = kNoon}, "h" + name)
          .value();
    });
  }
  SessionId AddSession(OrgId org, UserId user, const std::string& hash, TimePoint at = kNoon) {
    return In(org, [&](People&, Tokens& tokens) {
      return tokens.AddSession({.user = user, .created = at, .expires = at + Millis(600'000)}, hash, kLimits);
    });
  }

  const OrgId second_ = store_.AddOrganisation("second");
};

TEST_P(PeopleTest, AUserComesBackAsAddedAndAsEdited) {
  EXPECT_FALSE(store_.Read([](Connection& c) { return HasUsers(c); }));
  const UserId id = Add(kDefaultOrg, "alice", Role::kOperator);
  EXPECT_TRUE(store_.Read([](Connection& c) { return HasUsers(c); }));
  In(kDefaultOrg, [&](People& people, Tokens&) {
    auto alice = people.Find("alice").value();
    EXPECT_EQ(alice.id, id);
    EXPECT_EQ(alice.password, "hash of alice");
    EXPECT_EQ(alice.role, Role::kOperator);
    EXPECT_FALSE(alice.disabled);
    EXPECT_EQ(alice.created, kNoon);
    EXPECT_EQ(alice.signed_in, std::nullopt);
    EXPECT_FALSE(people.Find("Alice"));
    EXPECT_EQ(people.Add({.name = "alice"}).error().code, Errc::kConflict);
    EXPECT_FALSE(people.HasAdmin());

    people.Edit(id, {.role = Role::kAdmin});
    EXPECT_TRUE(people.HasAdmin());
    people.Edit(id, {.password = "other", .disabled = true});
    people.SignedIn(id, kNoon + Millis(5));
    alice = people.Find("alice").value();
    EXPECT_EQ(alice.password, "other");
    EXPECT_EQ(alice.role, Role::kAdmin);
    EXPECT_TRUE(alice.disabled);
    EXPECT_EQ(alice.signed_in, kNoon + Millis(5));
    EXPECT_FALSE(people.HasAdmin());
  });
}

TEST_P(PeopleTest, ListsPage) {
  for (const char* name : {"a", "b", "c"}) Add(kDefaultOrg, name);
  In(kDefaultOrg, [](People& people, Tokens&) {
    const auto first = people.List(0, 2);
    ASSERT_THAT(first, SizeIs(2));
    const auto rest = people.List(first.back().id, 2);
    ASSERT_THAT(rest, SizeIs(1));
    EXPECT_EQ(rest[0].name, "c");
  });
}

TEST_P(PeopleTest, OrganisationsHaveUniqueNames) {
  store_.Write([&](Connection& c) {
    EXPECT_EQ(FindOrganisation(c, "default").value(), kDefaultOrg);
    EXPECT_EQ(FindOrganisation(c, "second").value(), second_);
    EXPECT_EQ(FindOrganisation(c, "third").error().code, Errc::kNotFound);
    EXPECT_EQ(AddOrganisation(c, "second").error().code, Errc::kConflict);
    EXPECT_TRUE(AddOrganisation(c, "third"));
    EXPECT_THAT(Organisations(c, 0, 10), SizeIs(3));
    EXPECT_THAT(Organisations(c, second_, 10), SizeIs(1));
  });
}

TEST_P(PeopleTest, ATokenIsFoundWithWhoseItIs) {
  const UserId alice = Add(kDefaultOrg, "alice", Role::kAdmin);
  const TokenId id = In(kDefaultOrg, [&](People&, Tokens& tokens) {
    const ApiToken token{.user = alice,
                         .name = "ci",
                         .scopes = {Permission::kRead, Permission::kOperate},
                         .created = kNoon,
                         .expires = kNoon + Millis(9)};
    const auto added = tokens.Add(token, "hash");
    EXPECT_EQ(tokens.Add(token, "hash2").error().code, Errc::kConflict);
    return added.value();
  });
  store_.Write([&](Connection& c) {
    EXPECT_FALSE(FindToken(c, id + 1));
    TouchToken(c, id, kNoon + Millis(3));
    const auto found = FindToken(c, id);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->org, kDefaultOrg);
    EXPECT_EQ(found->user, alice);
    EXPECT_EQ(found->user_name, "alice");
    EXPECT_EQ(found->role, Role::kAdmin);
    EXPECT_EQ(found->name, "ci");
    EXPECT_EQ(found->hash, "hash");
    EXPECT_EQ(FormatPermissions(found->scopes), "read,operate");
    EXPECT_EQ(found->expires, kNoon + Millis(9));
    EXPECT_EQ(found->used, kNoon + Millis(3));
  });
  In(kDefaultOrg, [&](People&, Tokens& tokens) {
    EXPECT_EQ(tokens.Remove(alice + 1, id).error().code, Errc::kNotFound);
    EXPECT_EQ(tokens.Remove(alice, id).value().name, "ci");
    EXPECT_EQ(tokens.Remove(alice, id).error().code, Errc::kNotFound);
  });
}

TEST_P(PeopleTest, AUserHasAHundredTokensAtMost) {
  const UserId alice = Add(kDefaultOrg, "alice");
  for (int i = 0; i < 100; ++i) AddToken(kDefaultOrg, alice, std::to_string(i));
  In(kDefaultOrg, [&](People&, Tokens& tokens) {
    EXPECT_EQ(tokens.Add({.user = alice, .name = "more"}, "h").error().code, Errc::kConflict);
  });
}

TEST_P(PeopleTest, SessionsEndByTimeAndTheOldestBeyondTheLimit) {
  const UserId alice = Add(kDefaultOrg, "alice");
  const UserId bob = Add(second_, "bob");
  AddSession(second_, bob, "bob");
  const SessionId first = AddSession(kDefaultOrg, alice, "1", kNoon + Millis(1));
  AddSession(kDefaultOrg, alice, "2", kNoon + Millis(2));
  AddSession(kDefaultOrg, alice, "3", kNoon + Millis(3));
  AddSession(kDefaultOrg, alice, "4", kNoon + Millis(4));
  store_.Write([&](Connection& c) {
    EXPECT_FALSE(FindSession(c, "1"));
    const auto found = FindSession(c, "2");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->user_name, "alice");
    EXPECT_EQ(found->id, first + 1);
    EXPECT_EQ(found->expires, kNoon + Millis(600'002));
    EXPECT_TRUE(FindSession(c, "bob"));
    TouchSession(c, found->id, kNoon + Millis(50'000));
  });
  // Another organisation's are tidied up too.
  AddSession(kDefaultOrg, alice, "5", kNoon + Millis(60'003));
  store_.Write([&](Connection& c) {
    EXPECT_FALSE(FindSession(c, "bob"));
    EXPECT_TRUE(FindSession(c, "2"));  // was used
    EXPECT_FALSE(FindSession(c, "3"));
    EXPECT_TRUE(FindSession(c, "4"));
  });
}

TEST_P(PeopleTest, EndingAllSessionsCanKeepOne) {
  const UserId alice = Add(kDefaultOrg, "alice");
  AddSession(kDefaultOrg, alice, "1");
  const SessionId kept = AddSession(kDefaultOrg, alice, "2");
  In(kDefaultOrg, [&](People&, Tokens& tokens) {
    tokens.EndSessions(alice, kept);
    ASSERT_THAT(tokens.ListSessions(alice, 0, 10), SizeIs(1));
    EXPECT_EQ(tokens.ListSessions(std::nullopt, 0, 10)[0].id, kept);
    tokens.EndSessions(alice);
    EXPECT_THAT(tokens.ListSessions(std::nullopt, 0, 10), IsEmpty());
  });
}

TEST_P(PeopleTest, RemovingAUserRemovesWhatStandsForThem) {
  const UserId alice = Add(kDefaultOrg, "alice");
  const TokenId token = AddToken(kDefaultOrg, alice, "ci");
  AddSession(kDefaultOrg, alice, "s");
  In(kDefaultOrg, [&](People& people, Tokens&) {
    people.Remove(alice);
    EXPECT_FALSE(people.Find("alice"));
  });
  store_.Read([&](Connection& c) {
    EXPECT_FALSE(FindToken(c, token));
    EXPECT_FALSE(FindSession(c, "s"));
  });
}

TEST_P(PeopleTest, AnotherOrganisationSeesAndChangesNothing) {
  const UserId alice = Add(kDefaultOrg, "alice", Role::kAdmin);
  const TokenId token = AddToken(kDefaultOrg, alice, "ci");
  const SessionId session = AddSession(kDefaultOrg, alice, "s");
  In(second_, [&](People& people, Tokens& tokens) {
    EXPECT_THAT(people.List(0, 10), IsEmpty());
    EXPECT_EQ(people.Find("alice").error().code, Errc::kNotFound);
    EXPECT_FALSE(people.HasAdmin());
    people.Edit(alice, {.password = "theirs", .role = Role::kViewer, .disabled = true});
    people.SignedIn(alice, kNoon);
    people.Remove(alice);
    for (const std::optional<UserId>& whose : {std::optional<UserId>(), std::optional<UserId>(alice)}) {
      EXPECT_THAT(tokens.List(whose, 0, 10), IsEmpty());
      EXPECT_EQ(tokens.Remove(whose, token).error().code, Errc::kNotFound);
      EXPECT_THAT(tokens.ListSessions(whose, 0, 10), IsEmpty());
      EXPECT_EQ(tokens.RemoveSession(whose, session).error().code, Errc::kNotFound);
    }
    tokens.EndSessions(alice);
    EXPECT_TRUE(people.Add({.name = "alice"}));
  });
  In(kDefaultOrg, [&](People& people, Tokens& tokens) {
    const User still = people.Find("alice").value();
    EXPECT_EQ(still.password, "hash of alice");
    EXPECT_EQ(still.role, Role::kAdmin);
    EXPECT_FALSE(still.disabled);
    EXPECT_EQ(still.signed_in, std::nullopt);
    EXPECT_THAT(tokens.List(alice, 0, 10), SizeIs(1));
    EXPECT_THAT(tokens.ListSessions(alice, 0, 10), SizeIs(1));
    EXPECT_EQ(tokens.RemoveSession(std::nullopt, session).value().user_name, "alice");
  });
}

BACKPLANE_OVER_BACKENDS(PeopleTest);

}  // namespace
}  // namespace backplane::store
