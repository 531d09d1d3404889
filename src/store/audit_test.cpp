#include "store/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/test_store.h"

namespace backplane::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AuditTest : public StoreTest {
 protected:
  void Append(const std::string& actor, const std::string& action, const std::string& subject, std::int64_t at = 0,
              OrgId org = kDefaultOrg) {
    store_.Write([&](Connection& c) {
      Audit(c, org).Append({.at = FromMillis(at), .actor = actor, .action = action, .subject = subject});
    });
  }
  std::vector<std::string> Subjects(const AuditFilter& filter, OrgId org = kDefaultOrg) {
    return store_.Read([&](Connection& c) {
      std::vector<std::string> subjects;
      for (const AuditEntry& entry : Audit(c, org).List(filter)) subjects.push_back(entry.subject);
      return subjects;
    });
  }
};
BACKPLANE_OVER_BACKENDS(AuditTest);

TEST_P(AuditTest, ListsTheNewestFirstAsTheyWereWritten) {
  store_.Write([](Connection& c) {
    Audit(c, kDefaultOrg)
        .Append({.at = FromMillis(5),
                 .actor = "user:alice",
                 .action = "plugin.approve",
                 .subject = "x",
                 .detail = R"({"hash":"ab"})"});
  });
  Append("cli", "secret.set", "b", 6);
  const auto entries = store_.Read([](Connection& c) { return Audit(c, kDefaultOrg).List({}); });
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].subject, "b");
  EXPECT_EQ(entries[0].detail, "{}");
  EXPECT_EQ(entries[1].at, FromMillis(5));
  EXPECT_EQ(entries[1].actor, "user:alice");
  EXPECT_EQ(entries[1].action, "plugin.approve");
  EXPECT_EQ(entries[1].detail, R"({"hash":"ab"})");
  EXPECT_GT(entries[0].id, entries[1].id);
}

TEST_P(AuditTest, FiltersAndPages) {
  Append("cli", "secret.set", "a");
  Append("user:bob", "secret.read", "b");
  Append("cli", "secretive", "c");
  Append("cli", "plugin.approve", "a");
  EXPECT_THAT(Subjects({.actor = "cli"}), ElementsAre("a", "c", "a"));
  EXPECT_THAT(Subjects({.action = "secret."}), ElementsAre("b", "a"));
  EXPECT_THAT(Subjects({.action = "secret.read"}), ElementsAre("b"));
  EXPECT_THAT(Subjects({.actor = "cli", .action = "plugin", .subject = "a"}), ElementsAre("a"));
  EXPECT_THAT(Subjects({.actor = "nobody"}), IsEmpty());
  const auto page = store_.Read([](Connection& c) { return Audit(c, kDefaultOrg).List({.limit = 3}); });
  EXPECT_THAT(Subjects({.before = page.back().id}), ElementsAre("a"));
}

TEST_P(AuditTest, AnOrganisationSeesItsOwn) {
  const OrgId other = store_.AddOrganisation("other");
  Append("cli", "secret.set", "ours");
  Append("cli", "secret.set", "theirs", 0, other);
  EXPECT_THAT(Subjects({}), ElementsAre("ours"));
  EXPECT_THAT(Subjects({}, other), ElementsAre("theirs"));
}

TEST_P(AuditTest, ForgetsTheOldInSmallSteps) {
  for (int i = 0; i < 5; ++i) Append("cli", "secret.set", std::to_string(i), i);
  const auto forget = [&](int limit) {
    return store_.Write([&](Connection& c) { return ForgetAudit(c, FromMillis(3), limit); });
  };
  EXPECT_EQ(forget(2), 2);
  EXPECT_EQ(forget(2), 1);
  EXPECT_EQ(forget(2), 0);
  EXPECT_THAT(Subjects({}), ElementsAre("4", "3"));
}

}  // namespace
}  // namespace backplane::store
