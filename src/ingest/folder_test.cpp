#include "ingest/folder.h"

#include <atomic>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "ingest/test_journal.h"

namespace backplane::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr Millis kLong{60'000};

// Time passes only by being looked at, so that a slice ends after a few steps.
class TickingClock final : public Clock {
 public:
  TimePoint Now() const override { return kNoon + Millis(++ticks_); }
  Millis Monotonic() const override { return Millis(++ticks_); }

 private:
  mutable std::atomic<std::int64_t> ticks_{0};
};

DeviceEdit Named(EntityId device, const std::string& name) {
  return {.device = device, .set = {{"name", name}}, .lock = {}, .unlock = {}};
}

class FolderTest : public ::testing::Test {
 protected:
  std::unique_ptr<Folder> Start() {
    return std::make_unique<Folder>(*journal_.store(), fold_, clock_, [this] { ++committed_; });
  }
  static store::Watermark Reached(TestJournal& journal) {
    return journal.store().Read([](store::Connection& c) { return store::GetWatermark(c, "core"); });
  }

  TestJournal journal_;
  CoreFold fold_;
  TickingClock clock_;
  std::atomic<int> committed_{0};
};

TEST_F(FolderTest, FoldsWhatWasThereAndWhatComes) {
  journal_.Append(Entry({Seen("a")}));
  const auto folder = Start();
  ASSERT_TRUE(folder->WaitUntilFolded(kLong));
  EXPECT_EQ(Reached(journal_), (store::Watermark{1, 0}));
  journal_.Append(Entry({Seen("b")}));
  folder->Wake();
  ASSERT_TRUE(folder->WaitUntilFolded(kLong));
  EXPECT_THAT(journal_.NewEvents(), ElementsAre(StartsWith("device.new"), StartsWith("device.connected"),
                                                StartsWith("device.new"), StartsWith("device.connected")));
  EXPECT_GE(committed_, 1);  // what came first was told before the second was folded
}

TEST_F(FolderTest, AnEmptyJournalIsFolded) {
  const auto folder = Start();
  EXPECT_TRUE(folder->WaitUntilFolded(kLong));
}

TEST_F(FolderTest, WaitingEndsWhenTheTimeHasPassed) {
  const auto folder = Start();
  ASSERT_TRUE(folder->WaitUntilFolded(kLong));
  std::promise<void> held;
  std::promise<void> open;
  journal_.store()->Submit(
      store::Priority::kNormal,
      [&](store::Connection& c) -> Status {
        store::AppendEntry(c, Entry({Seen("a")}));
        return {};
      },
      [&](const Status&) {
        held.set_value();
        open.get_future().wait();  // the writer is busy: no slice can be applied
      });
  held.get_future().wait();
  EXPECT_FALSE(folder->WaitUntilFolded(Millis(1)));
  open.set_value();
  EXPECT_TRUE(folder->WaitUntilFolded(kLong));
}

TEST_F(FolderTest, GoesOnWhereTheLastOneStopped) {
  std::vector<Record> many;
  for (int i = 0; i < 500; ++i) many.push_back(Seen(std::to_string(i)));
  for (int i = 0; i < 4; ++i) journal_.Append(Entry(many, i));
  for (int i = 0; i < 20; ++i) Start()->Wake();  // started and ended at any place
  EXPECT_TRUE(Start()->WaitUntilFolded(kLong));
  TestJournal whole;
  for (int i = 0; i < 4; ++i) whole.AppendAndFold(Entry(many, i));
  EXPECT_EQ(State(*journal_.store()), State(*whole.store()));
}

TEST_F(FolderTest, ADamagedLineIsPassedOver) {
  store::Entry entry = Entry({Seen("a")});
  entry.body += "garbage\n[\"z\"]\n" + EncodeRecords({Seen("b")});
  journal_.Append(entry);
  const auto folder = Start();
  ASSERT_TRUE(folder->WaitUntilFolded(kLong));
  EXPECT_EQ(journal_.Device(2).id, 2);
  EXPECT_EQ(journal_.Device(3).id, 0);
}

TEST_F(FolderTest, AnEditIsInTheJournalAndInTheState) {
  journal_.Append(Entry({Seen("a", {{"name", "a"}})}));
  const auto folder = Start();
  ASSERT_TRUE(folder->WaitUntilFolded(kLong));
  const int before = committed_;
  const DeviceEdit edit{.device = 1, .set = {{"name", "mine"}}, .lock = {"name"}, .unlock = {}};
  const auto device = folder->Change(kDefaultOrg, edit, "local");
  ASSERT_TRUE(device);
  EXPECT_EQ(device->fields[0], "mine");
  EXPECT_EQ(journal_.Field(1, "name"), "mine");
  EXPECT_GT(committed_, before);
  const auto edits = journal_.store().Read(store::ReadEdits);
  ASSERT_EQ(edits.size(), 1U);
  EXPECT_EQ(edits[0].base, (store::Watermark{1, 0}));
  EXPECT_EQ(DecodeEdit(*ParseJson(edits[0].body))->set, edit.set);
  EXPECT_TRUE(folder->WaitUntilFolded(kLong));
  EXPECT_EQ(Reached(journal_).entry, 2);
}

TEST_F(FolderTest, ARefusedEditLeavesNothing) {
  journal_.Append(Entry({Seen("a")}));
  const auto folder = Start();
  ASSERT_TRUE(folder->WaitUntilFolded(kLong));
  const auto before = State(*journal_.store());
  const auto refused = folder->Change(kDefaultOrg, Named(7, "x"), "local");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kNotFound);
  const OrgId second = journal_.store().AddOrganisation("second");
  EXPECT_EQ(folder->Change(second, Named(1, "x"), "local").error().code, Errc::kNotFound);
  EXPECT_EQ(State(*journal_.store()), before);
  EXPECT_THAT(journal_.store().Read(store::ReadEdits), IsEmpty());
}

TEST_F(FolderTest, AReplayWithEditsInBetweenGivesTheSameState) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    TestJournal journal;
    std::vector<Record> many;
    for (int i = 0; i < 400; ++i)
      many.push_back(Seen("many" + std::to_string(i % 50), {{"name", std::to_string(i)}}, i));
    journal.AppendAndFold(Entry({Seen("m0"), Seen("m1"), Seen("m2"), Seen("m3")}));
    for (const store::Entry& entry : RandomEntries(seed, 20)) journal.Append(entry);
    journal.Append(Entry(many, 30'000));
    for (const store::Entry& entry : RandomEntries(seed + 100, 20)) journal.Append(entry);
    const EntryId last = journal.store().Read(store::LastEntry);
    Rng rng(seed);
    {
      Folder folder(*journal.store(), fold_, clock_, [] {});
      for (int i = 0; Reached(journal).entry < last; ++i) {
        DeviceEdit edit{.device = static_cast<EntityId>(1 + rng.Below(4)), .set = {}, .lock = {}, .unlock = {}};
        const std::string field = rng.Chance(0.5) ? "name" : "vendor";
        edit.set[field] = rng.Chance(0.3) ? std::nullopt : std::optional("edit " + std::to_string(i));
        if (rng.Chance(0.3)) edit.lock = {field};
        if (rng.Chance(0.5)) edit.unlock = {"name", "vendor"};
        ASSERT_TRUE(folder.Change(kDefaultOrg, edit, "local"));
      }
      ASSERT_TRUE(folder.WaitUntilFolded(kLong));
    }
    int inside = 0;
    for (const store::Entry& edit : journal.store().Read(store::ReadEdits)) inside += edit.base.position > 0 ? 1 : 0;
    EXPECT_GT(inside, 0) << "no edit fell between two slices of one entry";
    store::TestStore target;
    ASSERT_TRUE(Replay(*journal.store(), *target, fold_));
    ASSERT_EQ(State(*target), State(*journal.store())) << "seed " << seed;
  }
}

TEST_F(FolderTest, AReplayNeedsTheWholeJournal) {
  journal_.AppendAndFold(Entry({Seen("a")}));
  journal_.AppendAndFold(Entry({Seen("b")}));
  journal_.store().Write([](store::Connection& c) { EXPECT_EQ(store::ForgetEntries(c, 1, kNoon + kLong, 10), 1); });
  store::TestStore target;
  const Status replayed = Replay(*journal_.store(), *target, fold_);
  ASSERT_FALSE(replayed);
  EXPECT_EQ(replayed.error().code, Errc::kConflict);
}

}  // namespace
}  // namespace backplane::ingest
