// Secrets: what comes back, what does not, and that no failure does damage.
#include "store/vault.h"

#include <atomic>
#include <latch>
#include <map>
#include <memory>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/crypt.h"
#include "base/files.h"
#include "base/rng.h"
#include "base/text.h"
#include "store/audit.h"
#include "store/test_store.h"

namespace backplane::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Refuses the next write, as a full disk would.
class FullDisk final : public Database {
 public:
  explicit FullDisk(Database& inner) : inner_(inner) {}
  bool full = false;
  void Submit(Priority priority, Work work, Done done) override {
    if (full)
      work = [inner = std::move(work)](Connection& c) -> Status {
        BACKPLANE_TRY(inner(c));
        return Fail(Errc::kUnavailable, "disk full");
      };
    inner_.Submit(priority, std::move(work), std::move(done));
  }
  Status Read(const std::function<Status(Connection&)>& work) override { return inner_.Read(work); }

 private:
  Database& inner_;
};

class VaultTest : public StoreTest {
 protected:
  VaultTest() { Reopen(); }

  std::filesystem::path Path(const std::string& name) const { return folder_.path() / name; }
  KeySource KeyFile(const std::string& name = "secret.key") const { return {Path(name), false}; }
  KeySource Passphrase(const std::string& text) const {
    const auto file = Path("passphrase");
    EXPECT_TRUE(WriteFileAtomic(file, text + "\n", 0600));
    return {file, true};
  }
  // As a restart does.
  void Reopen(std::optional<KeySource> source = {}) {
    vault_.emplace(database_, clock_, VaultOptions{.source = source.value_or(KeyFile())});
  }

  Status Set(const std::string& name, const std::string& value, OrgId org = kDefaultOrg) {
    const auto set = vault_->Set({.org = org, .actor = "user:alice"}, name, Secret(value));
    if (!set) return Fail(set.error());
    return {};
  }
  // The value, or "error: ..."
  std::string Get(const std::string& name, OrgId org = kDefaultOrg) {
    const auto values = vault_->Read({.org = org, .actor = "system"}, {name});
    return values ? std::string(values->at(0).Reveal()) : "error: " + values.error().message;
  }
  std::vector<std::string> Names(OrgId org = kDefaultOrg) {
    return store_.Read([&](Connection& c) {
      std::vector<std::string> names;
      for (const SecretInfo& info : Secrets(c, org).List("", 1000)) names.push_back(info.name);
      return names;
    });
  }
  std::vector<std::string> Log(OrgId org = kDefaultOrg) {
    return store_.Read([&](Connection& c) {
      std::vector<std::string> lines;
      for (const AuditEntry& entry : Audit(c, org).List({}))
        lines.insert(lines.begin(), entry.actor + " " + entry.action + " " + entry.subject);
      return lines;
    });
  }
  std::string Content(const std::filesystem::path& file) { return ReadFile(file, 1 << 20).value_or("(none)"); }
  std::string Stored() {
    return store_.Read([](Connection& c) {
      std::string all;
      Rows secrets = c.Query("SELECT org, name, sealed, set_at, set_by FROM secret ORDER BY org, name");
      while (secrets.Next()) (all += secrets.Text(1)) += secrets.Bytes(2);
      if (const auto key = FindDataKey(c)) (all += key->origin) += key->sealed;
      return all;
    });
  }

  TestFolder folder_;
  ManualClock clock_{FromMillis(1'800'000'000'000)};
  FullDisk database_{*store_};
  std::optional<Vault> vault_;
};
BACKPLANE_OVER_BACKENDS(VaultTest);

TEST_P(VaultTest, KeepsSecretsAndListsThemWithoutTheirValues) {
  EXPECT_TRUE(vault_->Unlock());
  EXPECT_TRUE(Set("b", "hunter2"));
  clock_.Advance(Millis(1000));
  EXPECT_TRUE(Set("site/router:snmp.community-1_A", "public"));
  EXPECT_EQ(Get("b"), "hunter2");
  EXPECT_TRUE(Set("b", "hunter3"));
  Reopen();
  EXPECT_EQ(Get("b"), "hunter3");
  EXPECT_EQ(Get("site/router:snmp.community-1_A"), "public");
  EXPECT_THAT(Names(), ElementsAre("b", "site/router:snmp.community-1_A"));
  const auto page = store_.Read([](Connection& c) { return Secrets(c, kDefaultOrg).List("", 1); });
  ASSERT_EQ(page.size(), 1U);
  EXPECT_EQ(page[0].set_by, "user:alice");
  EXPECT_EQ(page[0].set_at, clock_.Now());
  EXPECT_EQ(Stored().find("hunter"), std::string::npos);
  EXPECT_EQ(vault_->Verify().value_or(-1), 2);
}

TEST_P(VaultTest, AnyValueComesBack) {
  Rng rng(20'260'801);
  std::map<std::string, std::string> expected;
  for (int i = 0; i < 300; ++i) {
    const std::string name = "name" + std::to_string(rng.Below(60));
    if (rng.Chance(0.2)) {
      EXPECT_EQ(vault_->Remove({.actor = "cli"}, name).has_value(), expected.erase(name) > 0);
      continue;
    }
    std::string value(1 + rng.Below(rng.Chance(0.05) ? kLargestSecret : 100), ' ');
    for (char& c : value) c = static_cast<char>(rng.Below(128));
    ASSERT_TRUE(Set(name, value));
    expected[name] = value;
    if (rng.Chance(0.03)) {
      ASSERT_TRUE(vault_->Rotate({.actor = "cli"}, {}));
    }
    if (rng.Chance(0.03)) Reopen();
  }
  for (const auto& [name, value] : expected) EXPECT_EQ(Get(name), value);
  EXPECT_EQ(Names().size(), expected.size());
}

TEST_P(VaultTest, NamesAndValuesAreBounded) {
  EXPECT_TRUE(Set(std::string(200, 'n'), std::string(kLargestSecret, 'v')));
  for (const std::string& name : {std::string(), std::string(201, 'n'), std::string("a b"), std::string("ä"),
                                  std::string("a\n"), std::string("a\0", 2), std::string("a%2f")}) {
    const Status status = Set(name, "v");
    ASSERT_FALSE(status) << name;
    EXPECT_EQ(status.error().where, "name");
  }
  for (const std::string& value : {std::string(), std::string(kLargestSecret + 1, 'v'), std::string("pass\xffword")}) {
    const Status status = Set("n", value);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().where, "value");
    EXPECT_EQ(status.error().message.find("pass"), std::string::npos);
  }
}

TEST_P(VaultTest, EveryChangeAndEveryReadIsInTheLog) {
  EXPECT_TRUE(Set("a", "1"));
  EXPECT_EQ(Get("a"), "1");
  EXPECT_TRUE(vault_->Rotate({.actor = "cli"}, {}));
  EXPECT_THAT(Get("b"), HasSubstr("no secret b"));
  EXPECT_TRUE(vault_->Remove({.actor = "token:ci"}, "a"));
  EXPECT_FALSE(vault_->Remove({.actor = "token:ci"}, "a"));
  EXPECT_THAT(Log(), ElementsAre("user:alice secret.set a", "system secret.read a", "cli secret.rotate ",
                                 "token:ci secret.remove a"));
}

TEST_P(VaultTest, ARunReadsAllThatItNeedsOrNothing) {
  EXPECT_TRUE(Set("a", "1"));
  EXPECT_TRUE(Set("b", "2"));
  const auto both = vault_->Read({.actor = "system", .detail = R"({"run":7})"}, {"b", "a", "b"});
  ASSERT_TRUE(both);
  EXPECT_EQ(both->at(0).Reveal(), "2");
  EXPECT_EQ(both->at(1).Reveal(), "1");
  const std::size_t logged = Log().size();
  const auto some = vault_->Read({.actor = "system"}, {"a", "missing"});
  ASSERT_FALSE(some);
  EXPECT_EQ(some.error().code, Errc::kNotFound);
  EXPECT_THAT(some.error().message, HasSubstr("backplane secrets set missing"));
  EXPECT_EQ(Log().size(), logged);
  const auto last = store_.Read([](Connection& c) { return Audit(c, kDefaultOrg).List({.limit = 1}); });
  EXPECT_EQ(last.at(0).detail, R"({"run":7})");
}

TEST_P(VaultTest, OrganisationsDoNotSeeEachOther) {
  const OrgId other = store_.AddOrganisation("other");
  EXPECT_TRUE(Set("a", "ours"));
  EXPECT_TRUE(Set("a", "theirs", other));
  EXPECT_TRUE(Set("b", "theirs", other));
  EXPECT_EQ(Get("a"), "ours");
  EXPECT_EQ(Get("a", other), "theirs");
  EXPECT_THAT(Get("b"), HasSubstr("no secret"));
  EXPECT_FALSE(vault_->Remove({.actor = "cli"}, "b"));
  EXPECT_THAT(Names(), ElementsAre("a"));
  EXPECT_EQ(Log().size(), 2U);
  EXPECT_TRUE(vault_->Rotate({.actor = "cli"}, {}));
  EXPECT_EQ(Get("a", other), "theirs");
}

TEST_P(VaultTest, ARowThatWasCopiedDoesNotOpen) {
  const OrgId other = store_.AddOrganisation("other");
  EXPECT_TRUE(Set("a", "value"));
  EXPECT_TRUE(Set("b", "value"));
  EXPECT_TRUE(Set("a", "value", other));
  store_.Write([&](Connection& c) {
    const std::string sealed = Secrets(c, kDefaultOrg).Find("a").value();
    Reseal(c, {kDefaultOrg, "b"}, sealed);
    Reseal(c, {other, "a"}, sealed);
  });
  EXPECT_EQ(Get("a"), "value");
  EXPECT_THAT(Get("b"), HasSubstr("cannot be decrypted"));
  EXPECT_THAT(Get("a", other), HasSubstr("cannot be decrypted"));
  EXPECT_FALSE(vault_->Verify());
  const std::string before = Stored();
  EXPECT_THAT(vault_->Rotate({.actor = "cli"}, {}).error().message, HasSubstr("the secret b of organisation"));
  EXPECT_EQ(Stored(), before);
  EXPECT_TRUE(Set("b", "again"));
  EXPECT_EQ(Get("b"), "again");
}

TEST_P(VaultTest, EveryChangedByteOfARowIsNoticed) {
  EXPECT_TRUE(Set("a", "value"));
  const std::string sealed = store_.Read([](Connection& c) { return Secrets(c, kDefaultOrg).Find("a").value(); });
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    store_.Write([&](Connection& c) { Reseal(c, {kDefaultOrg, "a"}, changed); });
    ASSERT_THAT(Get("a"), HasSubstr("error: ")) << i;
  }
}

TEST_P(VaultTest, EveryChangedByteOfTheDataKeyIsNoticed) {
  EXPECT_TRUE(Set("a", "value"));
  const SealedDataKey row = store_.Read([](Connection& c) { return FindDataKey(c).value(); });
  const auto refused = [&](const SealedDataKey& changed) {
    store_.Write([&](Connection& c) { PutDataKey(c, changed); });
    Reopen();
    return !vault_->Unlock() && Get("a").starts_with("error: ");
  };
  for (std::size_t i = 0; i < row.sealed.size(); ++i) {
    SealedDataKey changed = row;
    changed.sealed[i] = static_cast<char>(changed.sealed[i] ^ 1);
    EXPECT_TRUE(refused(changed)) << i;
  }
  for (std::size_t i = 0; i < row.origin.size(); ++i) {
    SealedDataKey changed = row;
    changed.origin[i] = static_cast<char>(changed.origin[i] ^ 1);
    EXPECT_TRUE(refused(changed)) << changed.origin;
  }
  for (const char* origin : {"", "[]", "{}", R"({"kind":1})", R"({"kind":"file"})", R"({"kind":"passphrase"})",
                             R"({"kind":"passphrase","salt":7})"})
    EXPECT_TRUE(refused({origin, row.sealed})) << origin;
  EXPECT_FALSE(refused(row));
}

TEST_P(VaultTest, SecretsWithoutTheirDataKeyAreNotTakenForNone) {
  EXPECT_TRUE(Set("a", "value"));
  store_.Write([](Connection& c) { c.Execute("DELETE FROM data_key"); });
  Reopen();
  EXPECT_FALSE(Set("b", "value"));
  EXPECT_THAT(vault_->Unlock().error().message, HasSubstr("damaged"));
}

TEST_P(VaultTest, TheKeyFileIsMadeForTheFirstSecretAndForItsOwnerAlone) {
  EXPECT_TRUE(vault_->Unlock());
  EXPECT_THAT(Get("a"), HasSubstr("no secret a"));
  EXPECT_EQ(vault_->Rotate({.actor = "cli"}, {}).error().code, Errc::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(Path("secret.key")));
  EXPECT_TRUE(Set("a", "value"));
  struct stat info{};
  ASSERT_EQ(stat(Path("secret.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  const std::string key = Content(Path("secret.key"));
  EXPECT_EQ(key.size(), 65U);
  EXPECT_TRUE(Set("b", "value"));
  EXPECT_EQ(Content(Path("secret.key")), key);
  EXPECT_EQ(Stored().find(key.substr(0, 64)), std::string::npos);
}

TEST_P(VaultTest, AKeyFileThatIsThereIsTaken) {
  const std::string key(64, 'a');
  ASSERT_TRUE(WriteFileAtomic(Path("secret.key"), key, 0600));
  EXPECT_TRUE(Set("a", "value"));
  EXPECT_EQ(Content(Path("secret.key")), key);
  Reopen();
  EXPECT_EQ(Get("a"), "value");
}

// What may be wrong with a key file, each by what its message must say.
TEST_P(VaultTest, ABadKeyFileIsNamedAndNothingIsDamaged) {
  const auto key = Path("secret.key"), kept = Path("kept");
  const std::vector<std::pair<std::string, std::function<void()>>> cases = {
      {"no such file", [] {}},
      {"not a regular file", [&] { ASSERT_EQ(mkfifo(key.c_str(), 0600), 0); }},
      {"not a regular file", [&] { std::filesystem::create_directory(key); }},
      {"not a regular file", [&] { std::filesystem::create_symlink("/dev/zero", key); }},
      {"no such file", [&] { std::filesystem::create_symlink(Path("nowhere"), key); }},
      {"holds no key", [&] { ASSERT_TRUE(WriteFileAtomic(key, "", 0600)); }},
      {"holds no key", [&] { ASSERT_TRUE(WriteFileAtomic(key, std::string(62, 'a'), 0600)); }},
      {"holds no key", [&] { ASSERT_TRUE(WriteFileAtomic(key, std::string(64, 'x'), 0600)); }},
      {"larger than", [&] { ASSERT_TRUE(WriteFileAtomic(key, std::string(5000, 'a'), 0600)); }},
      {"chmod 600", [&] { ASSERT_TRUE(WriteFileAtomic(key, std::string(64, 'a'), 0644)); }},
      {"encrypted with the key", [&] { ASSERT_TRUE(WriteFileAtomic(key, std::string(64, 'a'), 0600)); }},
  };
  EXPECT_TRUE(Set("a", "value"));
  const std::string rows = Stored();
  std::filesystem::rename(key, kept);
  for (const auto& [words, spoil] : cases) {
    spoil();
    Reopen();
    for (const std::string& message :
         {Get("a"), vault_->Unlock().error().message, Set("a", "new").error().message, Set("b", "x").error().message,
          vault_->Rotate({.actor = "cli"}, {}).error().message, vault_->Verify().error().message}) {
      EXPECT_THAT(message, HasSubstr(words));
      EXPECT_THAT(message, HasSubstr(key.string()));
    }
    EXPECT_EQ(Stored(), rows) << words;
    std::filesystem::remove(key);
  }
  std::filesystem::rename(kept, key);
  clock_.Advance(Millis(5000));
  EXPECT_EQ(Get("a"), "value");
}

TEST_P(VaultTest, AfterAFailureReadersAskTheFileNoMoreForAWhile) {
  EXPECT_TRUE(Set("a", "value"));
  std::filesystem::rename(Path("secret.key"), Path("kept"));
  Reopen();
  EXPECT_THAT(Get("a"), HasSubstr("no such file"));
  std::filesystem::rename(Path("kept"), Path("secret.key"));
  EXPECT_THAT(Get("a"), HasSubstr("no such file"));
  clock_.Advance(Millis(5000));
  EXPECT_EQ(Get("a"), "value");
}

TEST_P(VaultTest, WithTheKeyLostOneBeginsAfreshByRemovingEverySecret) {
  const OrgId other = store_.AddOrganisation("other");
  EXPECT_TRUE(Set("a", "value"));
  EXPECT_TRUE(Set("b", "value", other));
  std::filesystem::remove(Path("secret.key"));
  Reopen();
  EXPECT_TRUE(vault_->Remove({.actor = "cli"}, "a"));
  EXPECT_FALSE(Set("a", "new"));
  EXPECT_FALSE(std::filesystem::exists(Path("secret.key")));
  EXPECT_TRUE(vault_->Remove({.org = other, .actor = "cli"}, "b"));
  EXPECT_TRUE(Set("a", "new"));
  EXPECT_TRUE(std::filesystem::exists(Path("secret.key")));
  Reopen();
  EXPECT_EQ(Get("a"), "new");
}

TEST_P(VaultTest, APassphraseOpensWhatItEncrypted) {
  Reopen(Passphrase("correct horse"));
  EXPECT_TRUE(Set("a", "value"));
  EXPECT_FALSE(std::filesystem::exists(Path("secret.key")));
  Reopen(Passphrase("correct horse"));
  EXPECT_EQ(Get("a"), "value");
  const std::string rows = Stored();
  Reopen(Passphrase("correct horsE"));
  EXPECT_THAT(Get("a"), HasSubstr("not the passphrase"));
  EXPECT_THAT(Set("b", "value").error().message, HasSubstr("not the passphrase"));
  Reopen(Passphrase("short"));
  EXPECT_THAT(Get("a"), HasSubstr("shorter than 8"));
  Reopen(KeySource{Path("nowhere"), true});
  EXPECT_THAT(Get("a"), HasSubstr("no such file"));
  EXPECT_EQ(Stored(), rows);
  EXPECT_EQ(rows.find("horse"), std::string::npos);
}

TEST_P(VaultTest, TheWrongKindOfSourceIsNamed) {
  EXPECT_TRUE(Set("a", "value"));
  Reopen(Passphrase("correct horse"));
  EXPECT_THAT(Get("a"), HasSubstr("secrets.key_file"));
  EXPECT_THAT(Get("a"), HasSubstr(Path("secret.key").string()));
  Reopen();
  EXPECT_TRUE(vault_->Rotate({.actor = "cli"}, Passphrase("correct horse")));
  Reopen();
  EXPECT_THAT(Get("a"), HasSubstr("secrets.passphrase_file"));
}

TEST_P(VaultTest, ARotationMakesNewKeysAndKeepsEveryValue) {
  EXPECT_TRUE(Set("a", "1"));
  EXPECT_TRUE(Set("b", "2"));
  const std::string rows = Stored(), first = Content(Path("secret.key"));
  EXPECT_EQ(vault_->Rotate({.actor = "cli"}, {}).value_or(-1), 2);
  const std::string second = Content(Path("secret.key"));
  EXPECT_EQ(second.size(), 130U);
  EXPECT_TRUE(second.ends_with(first)) << "the key before stays until the next rotation";
  EXPECT_NE(Stored(), rows);
  EXPECT_EQ(Get("a"), "1");
  Reopen();
  EXPECT_EQ(Get("b"), "2");
  EXPECT_TRUE(vault_->Rotate({.actor = "cli"}, {}));
  const std::string third = Content(Path("secret.key"));
  EXPECT_TRUE(third.ends_with(second.substr(0, 65)));
  EXPECT_EQ(third.find(first), std::string::npos);
  // The first line alone is enough.
  ASSERT_TRUE(WriteFileAtomic(Path("secret.key"), third.substr(0, 65), 0600));
  Reopen();
  EXPECT_EQ(Get("a"), "1");
}

TEST_P(VaultTest, ARotationGoesToAnotherSource) {
  EXPECT_TRUE(Set("a", "1"));
  EXPECT_TRUE(vault_->Rotate({.actor = "cli"}, KeyFile("elsewhere.key")));
  EXPECT_EQ(Get("a"), "1");
  EXPECT_TRUE(Set("b", "2"));
  EXPECT_TRUE(vault_->Rotate({.actor = "cli"}, {}));  // where it is now
  EXPECT_EQ(Content(Path("elsewhere.key")).size(), 130U);
  Reopen();
  EXPECT_THAT(Get("a"), HasSubstr(Path("elsewhere.key").string()));
  Reopen(KeyFile("elsewhere.key"));
  EXPECT_EQ(Get("a"), "1");
  EXPECT_TRUE(vault_->Rotate({.actor = "cli"}, Passphrase("correct horse")));
  Reopen(Passphrase("correct horse"));
  EXPECT_EQ(Get("a"), "1");
  EXPECT_TRUE(vault_->Rotate({.actor = "cli"}, {}));
  EXPECT_TRUE(vault_->Rotate({.actor = "cli"}, KeyFile()));
  Reopen();
  EXPECT_EQ(Get("b"), "2");
}

TEST_P(VaultTest, ARotationToABadSourceChangesNothing) {
  EXPECT_TRUE(Set("a", "1"));
  const std::string rows = Stored();
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  EXPECT_FALSE(vault_->Rotate({.actor = "cli"}, KeyFile("pipe")));
  EXPECT_FALSE(vault_->Rotate({.actor = "cli"}, KeyFile("no/folder/key")));
  EXPECT_FALSE(vault_->Rotate({.actor = "cli"}, KeySource{Path("nowhere"), true}));
  EXPECT_EQ(Stored(), rows);
  EXPECT_EQ(Get("a"), "1");
}

TEST_P(VaultTest, AFullDiskLeavesTheOldState) {
  database_.full = true;
  EXPECT_FALSE(Set("a", "1"));
  EXPECT_THAT(Names(), IsEmpty());
  database_.full = false;
  const std::string key = Content(Path("secret.key"));
  EXPECT_TRUE(Set("a", "1"));
  EXPECT_EQ(Content(Path("secret.key")), key) << "the key that was made in vain is taken";
  const std::string rows = Stored();
  database_.full = true;
  EXPECT_FALSE(Set("a", "2"));
  EXPECT_FALSE(Set("b", "2"));
  EXPECT_FALSE(vault_->Remove({.actor = "cli"}, "a"));
  EXPECT_FALSE(vault_->Rotate({.actor = "cli"}, {}));
  EXPECT_FALSE(vault_->Rotate({.actor = "cli"}, KeyFile("other")));
  EXPECT_FALSE(vault_->Rotate({.actor = "cli"}, Passphrase("correct horse")));
  EXPECT_THAT(Get("a"), HasSubstr("disk full")) << "nothing is read that is not in the log";
  database_.full = false;
  EXPECT_EQ(Stored(), rows);
  EXPECT_EQ(Get("a"), "1");
  Reopen();
  EXPECT_EQ(Get("a"), "1");
  EXPECT_TRUE(vault_->Rotate({.actor = "cli"}, {}));
  EXPECT_EQ(Get("a"), "1");
}

TEST_P(VaultTest, ReadersDuringARotationSeeTheValue) {
  ASSERT_TRUE(Set("a", "value"));
  Reopen();
  std::vector<std::jthread> readers;
  std::atomic<int> wrong{0}, read{0};
  std::atomic<bool> over{false};
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      while (!over) {
        wrong += Get("a") != "value";
        ++read;
      }
    });
  for (int i = 0; i < 10; ++i) {
    const int before = read;
    EXPECT_TRUE(vault_->Rotate({.actor = "cli"}, {}));
    EXPECT_TRUE(Set("b", "other"));
    while (read < before + 3) std::this_thread::yield();
  }
  over = true;
  readers.clear();
  EXPECT_EQ(wrong, 0);
}

TEST(PatientAsker, GivesUpOnWhatHangsAndAsksAgainWhenItIsBack) {
  PatientAsker asker(Millis(1));
  const auto hung = std::make_shared<std::latch>(1);
  const auto first = asker.Ask("/mnt/key", [hung]() -> Result<WrappingKey> {
    hung->wait();
    return WrappingKey{Secret("late"), ""};
  });
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, Errc::kTimeout);
  EXPECT_THAT(first.error().message, HasSubstr("/mnt/key"));
  const auto asked = std::make_shared<std::atomic<int>>(0);
  const auto ask = [asked]() -> Result<WrappingKey> {
    ++*asked;
    return WrappingKey{Secret("key"), ""};
  };
  EXPECT_EQ(asker.Ask("/mnt/key", ask).error().code, Errc::kTimeout);
  EXPECT_EQ(*asked, 0) << "one thread hangs, not one for each question";
  hung->count_down();
  auto later = asker.Ask("/mnt/key", ask);
  while (!later) later = asker.Ask("/mnt/key", ask);
  EXPECT_EQ(later->key.Reveal(), "key");
}

}  // namespace
}  // namespace backplane::store
