// What only a store in a file owes; the rest is in store/database_test.cpp.
#include "store/sqlite/sqlite_database.h"

#include <atomic>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/test_folder.h"
#include "store/sqlite/sqlite_connection.h"

namespace backplane::store {
namespace {

using ::testing::HasSubstr;

class SqliteDatabaseTest : public ::testing::Test {
 protected:
  SqliteOptions Options(Synchronous synchronous = Synchronous::kNormal) const {
    return {.file = folder_.path() / "store.db", .synchronous = synchronous};
  }
  void Fill(std::string_view content) const { std::ofstream(Options().file, std::ios::binary) << content; }
  Error Refused() const {
    const auto opened = OpenSqlite(Options());
    EXPECT_FALSE(opened);
    return opened ? Error{} : opened.error();
  }

  TestFolder folder_;
};

TEST_F(SqliteDatabaseTest, SaysWhenTheFileCannotBeOpened) {
  const auto opened = OpenSqlite({.file = folder_.path() / "none" / "store.db"});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::kUnavailable);
  EXPECT_THAT(opened.error().message, HasSubstr("none/store.db"));
}

TEST_F(SqliteDatabaseTest, RefusesAFileThatIsNoStore) {
  Fill(std::string(8192, 'x'));
  EXPECT_EQ(Refused().code, Errc::kInternal);
  const auto content = ReadFile(Options().file, 1 << 20);
  EXPECT_EQ(content, std::string(8192, 'x'));  // and leaves it alone
}

TEST_F(SqliteDatabaseTest, RefusesADamagedFile) {
  {
    ASSERT_TRUE(OpenSqlite(Options()));
  }
  auto content = ReadFile(Options().file, 16 << 20);
  ASSERT_TRUE(content);
  ASSERT_GT(content->size(), 4096U);
  for (std::size_t i = 100; i < 4096; ++i) (*content)[i] = '\xAA';  // the schema's own page
  Fill(*content);
  EXPECT_EQ(Refused().code, Errc::kInternal);
}

TEST_F(SqliteDatabaseTest, DamageInsideIsFound) {
  {
    const auto database = OpenSqlite(Options());
    ASSERT_TRUE(database);
    ASSERT_TRUE((*database)->Write([](Connection& c) -> Status {
      for (int i = 0; i < 1000; ++i)
        c.Execute("INSERT INTO counter (name, value) VALUES (?, 1)", "a counter with a long name " + std::to_string(i));
      return {};
    }));
    EXPECT_TRUE(CheckSqlite(Options().file));
  }
  auto content = ReadFile(Options().file, 16 << 20);
  ASSERT_TRUE(content);
  const std::size_t cell = content->rfind("a counter with a long name");
  ASSERT_NE(cell, std::string::npos);
  content->replace(cell / 4096 * 4096, 1000, 1000, '\xAA');  // the page's header and pointers
  Fill(*content);
  const Status damaged = CheckSqlite(Options().file);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, Errc::kInternal);
  EXPECT_THAT(damaged.error().message, HasSubstr("store.db"));
  EXPECT_FALSE(CheckSqlite(folder_.path() / "none.db"));
}

TEST_F(SqliteDatabaseTest, AnEmptyFileBecomesAStore) {
  Fill("");
  EXPECT_TRUE(OpenSqlite(Options()));
}

TEST_F(SqliteDatabaseTest, SynchronousSaysWhatAPowerLossMayCost) {
  for (const auto& [option, expected] : {std::pair(Synchronous::kNormal, 1), std::pair(Synchronous::kFull, 2)}) {
    const auto database = OpenSqlite(Options(option));
    ASSERT_TRUE(database);
    std::int64_t level = 0;
    std::string mode;
    EXPECT_TRUE((*database)->Write([&](Connection& c) -> Status {
      Rows rows = c.Query("PRAGMA synchronous");
      if (rows.Next()) level = rows.Int(0);
      Rows journal = c.Query("PRAGMA journal_mode");
      if (journal.Next()) mode = journal.Text(0);
      return {};
    }));
    EXPECT_EQ(level, expected);
    EXPECT_EQ(mode, "wal");
  }
}

TEST_F(SqliteDatabaseTest, ACommitIsInTheFileBeforeDone) {
  const auto database = OpenSqlite(Options());
  ASSERT_TRUE(database);
  ASSERT_TRUE((*database)->Write([](Connection& c) -> Status {
    c.Execute("INSERT INTO counter (name, value) VALUES ('a', 1)");
    return {};
  }));
  SqliteConnection other(Options().file, SqliteConnection::Mode::kReadOnly);
  Rows rows = other.Query("SELECT value FROM counter WHERE name = 'a'");
  ASSERT_TRUE(rows.Next());
  EXPECT_EQ(rows.Int(0), 1);
}

TEST_F(SqliteDatabaseTest, MoreReadersThanConnectionsTakeTurns) {
  const auto database = OpenSqlite({.file = Options().file, .readers = 2});
  ASSERT_TRUE(database);
  std::vector<std::thread> threads;
  std::atomic<int> most{0};
  std::atomic<int> now{0};
  std::atomic<int> reads{0};
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i)
        EXPECT_TRUE((*database)->Read([&](Connection&) -> Status {
          const int inside = ++now;
          for (int seen = most; inside > seen && !most.compare_exchange_weak(seen, inside);) continue;
          std::this_thread::yield();
          --now;
          ++reads;
          return {};
        }));
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(reads, 300);
  EXPECT_LE(most, 2);
}

}  // namespace
}  // namespace backplane::store
