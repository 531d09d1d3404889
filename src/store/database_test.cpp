// What every backend owes: groups, undoing, snapshots, order, and an orderly end.
#include "store/database.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/test_store.h"

namespace backplane::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

void Put(Connection& c, const std::string& name, std::int64_t value) {
  c.Execute("INSERT INTO counter (name, value) VALUES (?, ?)", name, value);
}
std::vector<std::string> Names(Connection& c) {
  std::vector<std::string> names;
  Rows rows = c.Query("SELECT name FROM counter ORDER BY name");
  while (rows.Next()) names.push_back(rows.Text(0));
  return names;
}

// Holds the writer thread inside a write, so that what is submitted meanwhile forms one group.
class Gate {
 public:
  explicit Gate(Database& database) {
    database.Submit(
        Priority::kNormal,
        [this](Connection&) -> Status {
          std::unique_lock lock(mutex_);
          held_ = true;
          changed_.notify_all();
          changed_.wait(lock, [this] { return open_; });
          return {};
        },
        [this](const Status&) {
          const std::lock_guard lock(mutex_);
          over_ = true;
          changed_.notify_all();
        });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return held_; });
  }
  ~Gate() {
    Open();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return over_; });
  }
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  bool open_ = false;
  bool over_ = false;
};

class DatabaseTest : public StoreTest {
 protected:
  std::vector<std::string> Stored() { return store_.Read(Names); }
};

TEST_P(DatabaseTest, KeepsWhatWasWritten) {
  store_.Write([](Connection& c) { Put(c, "a", 1); });
  store_.Close();
  store_.Open();
  EXPECT_THAT(Stored(), ElementsAre("a"));
}

TEST_P(DatabaseTest, ValuesComeBackAsTheyWere) {
  const std::string odd("a\0'\"\xc3\xa4\n", 7);
  const auto back = store_.Write([&](Connection& c) {
    c.Execute("INSERT INTO counter (name, value) VALUES (?, ?)", odd, std::int64_t{-9'223'372'036'854'775'807});
    Rows rows = c.Query("SELECT name, value, NULL, ? FROM counter", std::optional<std::int64_t>());
    EXPECT_TRUE(rows.Next());
    EXPECT_EQ(rows.Int(1), -9'223'372'036'854'775'807);
    EXPECT_TRUE(rows.IsNull(2));
    EXPECT_EQ(rows.View(2), "");
    EXPECT_EQ(rows.MaybeInt(3), std::nullopt);
    EXPECT_EQ(rows.MaybeInt(1), -9'223'372'036'854'775'807);
    const std::string name = rows.Text(0);
    EXPECT_FALSE(rows.Next());
    return name;
  });
  EXPECT_EQ(back, odd);
}

TEST_P(DatabaseTest, BytesComeBackAsTheyWere) {
  TestStore samples(GetParam(), SampleMigrations());
  const std::string odd("\0\xff'a\0", 5);
  samples.Write([&](Connection& c) {
    c.Execute("INSERT INTO block (id, data) VALUES (1, ?), (2, ?)", Blob{odd}, Blob{});
    Rows rows = c.Query("SELECT data, NULL FROM block ORDER BY id");
    EXPECT_TRUE(rows.Next());
    EXPECT_EQ(rows.Bytes(0), odd);
    EXPECT_EQ(rows.Bytes(1), "");
    EXPECT_TRUE(rows.Next());
    EXPECT_EQ(rows.Bytes(0), "");
    EXPECT_FALSE(rows.IsNull(0));
  });
}

TEST_P(DatabaseTest, OneStatementMayBeReadTwiceAtATime) {
  store_.Write([](Connection& c) {
    Put(c, "a", 1);
    Put(c, "b", 2);
  });
  const auto pairs = store_.Read([](Connection& c) {
    std::vector<std::string> found;
    Rows outer = c.Query("SELECT name FROM counter ORDER BY name");
    while (outer.Next()) {
      Rows inner = c.Query("SELECT name FROM counter ORDER BY name");
      while (inner.Next()) found.push_back(outer.Text(0) + inner.Text(0));
    }
    return found;
  });
  EXPECT_THAT(pairs, ElementsAre("aa", "ab", "ba", "bb"));
}

TEST_P(DatabaseTest, AFailingPieceIsUndoneAlone) {
  std::vector<Status> results(4);
  {
    Gate gate(*store_);
    const auto submit = [&](std::size_t index, Database::Work work) {
      store_->Submit(Priority::kNormal, std::move(work),
                     [&results, index](Status status) { results[index] = std::move(status); });
    };
    submit(0, [](Connection& c) -> Status { return Put(c, "a", 1), Status(); });
    submit(1, [](Connection& c) -> Status {
      Put(c, "refused", 1);
      return Fail(Errc::kConflict, "not now", "field");
    });
    submit(2, [](Connection& c) -> Status {
      Put(c, "broken", 1);
      Put(c, "a", 2);  // the key is taken
      return {};
    });
    submit(3, [](Connection& c) -> Status { return Put(c, "d", 1), Status(); });
    gate.Open();
  }
  store_.Close();  // every callback is over
  EXPECT_TRUE(results[0]);
  ASSERT_FALSE(results[1]);
  EXPECT_EQ(results[1].error().code, Errc::kConflict);
  EXPECT_EQ(results[1].error().where, "field");
  ASSERT_FALSE(results[2]);
  EXPECT_EQ(results[2].error().code, Errc::kInternal);
  EXPECT_TRUE(results[3]);
  store_.Open();
  EXPECT_THAT(Stored(), ElementsAre("a", "d"));
}

TEST_P(DatabaseTest, AFailingPieceOnItsOwnIsUndone) {
  const Status refused = store_->Write([](Connection& c) -> Status {
    Put(c, "a", 1);
    return Fail(Errc::kInvalid, "no");
  });
  EXPECT_EQ(refused.error().code, Errc::kInvalid);
  const Status broken = store_->Write([](Connection& c) -> Status {
    Put(c, "b", 1);
    Put(c, "b", 1);
    return {};
  });
  EXPECT_EQ(broken.error().code, Errc::kInternal);
  store_.Write([](Connection& c) { Put(c, "c", 1); });
  EXPECT_THAT(Stored(), ElementsAre("c"));
}

TEST_P(DatabaseTest, WhatWaitsIsCommittedAsOneGroup) {
  // The first of the group is not visible while the second is at work: one commit for both.
  bool seen = true;
  std::thread reader;
  {
    Gate gate(*store_);
    store_->Submit(Priority::kNormal, [](Connection& c) -> Status { return Put(c, "first", 1), Status(); }, {});
    store_->Submit(Priority::kNormal,
                   [&](Connection& c) -> Status {
                     EXPECT_THAT(Names(c), ElementsAre("first"));
                     reader = std::thread([&] { seen = !Stored().empty(); });
                     reader.join();
                     return {};
                   },
                   {});
    gate.Open();
  }
  store_.Write([](Connection&) {});
  EXPECT_FALSE(seen);
  EXPECT_THAT(Stored(), ElementsAre("first"));
}

TEST_P(DatabaseTest, DoneIsCalledAfterTheCommit) {
  std::vector<std::string> seen;
  store_->Submit(
      Priority::kNormal, [](Connection& c) -> Status { return Put(c, "a", 1), Status(); },
      [&](const Status&) { std::thread([&] { seen = Stored(); }).join(); });
  store_.Write([](Connection&) {});
  store_.Close();
  EXPECT_THAT(seen, ElementsAre("a"));
}

TEST_P(DatabaseTest, ReadersSeeASnapshot) {
  store_.Write([](Connection& c) { Put(c, "a", 1); });
  const auto [before, after] = store_.Read([&](Connection& c) {
    std::vector<std::string> first = Names(c);
    store_.Write([](Connection& w) { Put(w, "b", 1); });
    return std::pair(first, Names(c));
  });
  EXPECT_THAT(before, ElementsAre("a"));
  EXPECT_THAT(after, ElementsAre("a"));
  EXPECT_THAT(Stored(), ElementsAre("a", "b"));
}

TEST_P(DatabaseTest, ReadersCannotWrite) {
  const Status status = store_->Read([](Connection& c) -> Status { return Put(c, "a", 1), Status(); });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::kInternal);
  EXPECT_THAT(Stored(), ElementsAre());
}

TEST_P(DatabaseTest, AFailedReadLeavesItsConnectionUsable) {
  for (int i = 0; i < 50; ++i) {
    const Status broken =
        store_->Read([](Connection& c) -> Status { return c.Query("SELECT x FROM nowhere"), Status(); });
    EXPECT_EQ(broken.error().code, Errc::kInternal);
    EXPECT_THAT(broken.error().message, HasSubstr("nowhere"));
    const Status refused = store_->Read([](Connection&) -> Status { return Fail(Errc::kNotFound, "nothing"); });
    EXPECT_EQ(refused.error().code, Errc::kNotFound);
  }
  store_.Write([](Connection& c) { Put(c, "a", 1); });
  EXPECT_THAT(Stored(), ElementsAre("a"));
}

TEST_P(DatabaseTest, TheWriterItselfIsNeverHeldByAFullQueue) {
  constexpr int kMany = 10'500;  // more than may wait
  std::atomic<int> done{0};
  Database& database = *store_;
  database.Submit(Priority::kNormal,
                  [&](Connection&) -> Status {
                    for (int i = 0; i < kMany; ++i)
                      database.Submit(
                          Priority::kNormal, [](Connection&) -> Status { return {}; }, [&](const Status&) { ++done; });
                    return {};
                  },
                  {});
  store_.Close();
  EXPECT_EQ(done, kMany);
}

TEST_P(DatabaseTest, TheEndCarriesOutWhatWaits) {
  int done = 0;
  {
    Gate gate(*store_);
    for (int i = 0; i < 1'000; ++i)
      store_->Submit(
          i % 3 == 0 ? Priority::kSlice : Priority::kNormal,
          [i](Connection& c) -> Status { return Put(c, "n" + std::to_string(i), i), Status(); },
          [&](const Status& status) { done += status ? 1 : 0; });
    gate.Open();
    store_.Close();
  }
  EXPECT_EQ(done, 1'000);
  store_.Open();
  EXPECT_EQ(Stored().size(), 1'000U);
}

TEST_P(DatabaseTest, ASliceLetsEverybodyElsePass) {
  std::vector<std::string> order;
  {
    Gate gate(*store_);
    const auto submit = [&order, &database = *store_](Priority priority, const std::string& name) {
      database.Submit(priority, [&order, name](Connection&) -> Status { return order.push_back(name), Status(); }, {});
    };
    submit(Priority::kSlice, "slice 1");
    submit(Priority::kSlice, "slice 2");
    submit(Priority::kNormal, "person 1");
    // Submitted when the group is under way, and yet before the second slice.
    store_->Submit(Priority::kNormal,
                   [&order, submit](Connection&) -> Status {
                     order.push_back("person 2");
                     submit(Priority::kNormal, "person 3");
                     return {};
                   },
                   {});
    gate.Open();
  }
  store_.Close();
  EXPECT_THAT(order, ElementsAre("person 1", "person 2", "slice 1", "person 3", "slice 2"));
}

TEST_P(DatabaseTest, WritesOfManyThreadsAllArrive) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([this, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string name = std::to_string(t) + "/" + std::to_string(i);
        store_.Write([&](Connection& c) { Put(c, name, i); });
        EXPECT_THAT(Stored(), ::testing::Contains(name));  // one sees one's own writes
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Stored().size(), 400U);
}

TEST_P(DatabaseTest, OpeningAgainChangesNothing) {
  const auto steps = [](Connection& c) {
    Rows rows = c.Query("SELECT COUNT(*), MAX(number) FROM schema_version");
    rows.Next();
    return std::pair(rows.Int(0), rows.Int(1));
  };
  store_.Write([](Connection& c) { Put(c, "a", 1); });
  const auto first = store_.Read(steps);
  for (int i = 0; i < 3; ++i) {
    store_.Close();
    store_.Open();
  }
  EXPECT_EQ(store_.Read(steps), first);
  EXPECT_THAT(Stored(), ElementsAre("a"));
}

TEST_P(DatabaseTest, RefusesASchemaFromTheFuture) {
  store_.Write([](Connection& c) {
    c.Execute("INSERT INTO schema_version (number, title) VALUES (?, ?)", 1'000'000, "from the future");
  });
  store_.Close();
  const auto opened = GetParam().open(store_.folder(), Migrations());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::kConflict);
  EXPECT_THAT(opened.error().message, HasSubstr("newer version"));
}

BACKPLANE_OVER_BACKENDS(DatabaseTest);

}  // namespace
}  // namespace backplane::store
