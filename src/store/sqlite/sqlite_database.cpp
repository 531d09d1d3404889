#include "store/sqlite/sqlite_database.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "store/migrations.h"
#include "store/sqlite/sqlite_connection.h"

namespace backplane::store {
namespace {

constexpr std::size_t kMaxWaiting = 10'000;
// A group is bounded so that a person's write behind a flood of others is not kept waiting.
constexpr std::size_t kMaxGroup = 512;
// Pages of 4 KiB. Checkpoints run beside the writer; past the second figure the writer helps,
// or the log would grow for as long as the load lasts.
constexpr int kCheckpointPages = 2'000;
constexpr int kMaxLogPages = 64'000;
constexpr int kShortWait = 20;  // ms

class NewerSchemaError : public DatabaseError {
 public:
  using DatabaseError::DatabaseError;
};

struct Waiting {
  Database::Work work;
  Database::Done done;
};

class SqliteDatabase final : public Database {
 public:
  explicit SqliteDatabase(const SqliteOptions& options)
      : writer_(options.file, SqliteConnection::Mode::kReadWrite),
        checkpointer_(options.file, SqliteConnection::Mode::kReadWrite) {
    writer_.Script("PRAGMA journal_mode = WAL");
    writer_.Script(options.synchronous == Synchronous::kFull ? "PRAGMA synchronous = FULL"
                                                             : "PRAGMA synchronous = NORMAL");
    // temp_store: what a savepoint may have to undo stays in memory; else each group makes a temporary file.
    writer_.Script(
        "PRAGMA foreign_keys = OFF; PRAGMA cache_size = -16000; PRAGMA wal_autocheckpoint = 0; "
        "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864");
    checkpointer_.Script("PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -500");
    Migrate(options.migrations);
    sqlite3_wal_hook(
        writer_.handle(),
        [](void* self, sqlite3*, const char*, int pages) {
          static_cast<SqliteDatabase*>(self)->log_pages_ = pages;
          return SQLITE_OK;
        },
        this);
    for (int i = 0; i < options.readers; ++i) {
      auto& reader =
          readers_.emplace_back(std::make_unique<SqliteConnection>(options.file, SqliteConnection::Mode::kReadOnly));
      reader->Script("PRAGMA cache_size = -1000");
      idle_readers_.push_back(reader.get());
    }
    thread_ = std::jthread([this] { WriteLoop(); });
    checkpoint_thread_ = std::jthread([this](const std::stop_token& stop) { CheckpointLoop(stop); });
  }

  ~SqliteDatabase() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    work_arrived_.notify_all();
    thread_.join();
    checkpoint_thread_.request_stop();
    checkpoint_thread_.join();
  }

  void Submit(Priority priority, Work work, Done done) override {
    std::unique_lock lock(mutex_);
    if (std::this_thread::get_id() != thread_.get_id())
      room_.wait(lock, [this] { return normal_.size() + slices_.size() < kMaxWaiting; });
    const bool idle = normal_.empty() && slices_.empty();
    (priority == Priority::kSlice ? slices_ : normal_).push_back({std::move(work), std::move(done)});
    lock.unlock();
    if (idle) work_arrived_.notify_one();
  }

  Status Read(const std::function<Status(Connection&)>& work) override {
    SqliteConnection* reader = nullptr;
    {
      std::unique_lock lock(readers_mutex_);
      reader_free_.wait(lock, [this] { return !idle_readers_.empty(); });
      reader = idle_readers_.back();
      idle_readers_.pop_back();
    }
    Status status;
    try {
      reader->Script("BEGIN");
      status = work(*reader);
    } catch (const DatabaseError& error) {
      status = Fail(Errc::kInternal, error.what());
    }
    try {
      reader->Script("COMMIT");
    } catch (const DatabaseError&) {
      // BEGIN failed: nothing to end.
    }
    {
      const std::lock_guard lock(readers_mutex_);
      idle_readers_.push_back(reader);
    }
    reader_free_.notify_one();
    return status;
  }

 private:
  void Migrate(std::span<const Migration> migrations) {
    writer_.Script("CREATE TABLE IF NOT EXISTS schema_version (number INTEGER PRIMARY KEY, title TEXT NOT NULL)");
    std::int64_t present = 0;
    {
      Rows rows = writer_.Query("SELECT COALESCE(MAX(number), 0) FROM schema_version");
      if (rows.Next()) present = rows.Int(0);
    }
    if (present > migrations.back().number)
      throw NewerSchemaError(
          fmt::format("the store has schema {}, this program knows {}: it was made by a newer version", present,
                      migrations.back().number));
    for (const Migration& migration : migrations) {
      if (migration.number <= present) continue;
      writer_.Script("BEGIN IMMEDIATE");
      writer_.Script(ReplaceAll(ReplaceAll(migration.sql, "{serial}", "INTEGER PRIMARY KEY AUTOINCREMENT"), "{key}",
                                "INTEGER PRIMARY KEY"));
      writer_.Execute("INSERT INTO schema_version (number, title) VALUES (?, ?)", migration.number, migration.title);
      writer_.Script("COMMIT");
    }
  }

  // Everything that waits, but one slice at most: a fold never delays a person by more than one.
  std::vector<Waiting> TakeGroup() {
    std::unique_lock lock(mutex_);
    work_arrived_.wait(lock, [this] { return stopping_ || !normal_.empty() || !slices_.empty(); });
    std::vector<Waiting> group;
    while (!normal_.empty() && group.size() < kMaxGroup) {
      group.push_back(std::move(normal_.front()));
      normal_.pop_front();
    }
    if (!slices_.empty()) {
      group.push_back(std::move(slices_.front()));
      slices_.pop_front();
    }
    lock.unlock();
    room_.notify_all();
    return group;
  }

  void WriteLoop() {
    while (true) {
      std::vector<Waiting> group = TakeGroup();
      if (group.empty()) return;  // stopping, and nothing waits
      std::vector<Status> results = Commit(group);
      static Metric& commits = Counter("backplane_store_commits_total", "Groups of writes committed");
      static Metric& writes = Counter("backplane_store_writes_total", "Writes committed or refused");
      commits.Add();
      writes.Add(static_cast<std::int64_t>(group.size()));
      for (std::size_t i = 0; i < group.size(); ++i)
        if (group[i].done) group[i].done(std::move(results[i]));
      if (log_pages_ > kCheckpointPages) WantCheckpoint();
      if (log_pages_ > kMaxLogPages) {
        // Not at the price of a long wait for a reader: it is tried again after the next group.
        sqlite3_busy_timeout(writer_.handle(), kShortWait);
        sqlite3_wal_checkpoint_v2(writer_.handle(), nullptr, SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
        sqlite3_busy_timeout(writer_.handle(), SqliteConnection::kBusyTimeout);
      }
    }
  }

  std::vector<Status> Commit(std::vector<Waiting>& group) {
    std::vector<Status> results(group.size());
    try {
      writer_.Script("BEGIN IMMEDIATE");
      for (std::size_t i = 0; i < group.size(); ++i) results[i] = RunOne(group[i].work, group.size() > 1);
      // Alone, without a savepoint, a failed piece of work is undone with its transaction.
      writer_.Script(group.size() == 1 && !results[0] ? "ROLLBACK" : "COMMIT");
    } catch (const DatabaseError& error) {
      LogError("store: {}", error.what());
      if (sqlite3_get_autocommit(writer_.handle()) == 0) {
        try {
          writer_.Script("ROLLBACK");
        } catch (const DatabaseError&) {
          // SQLite has rolled back by itself already.
        }
      }
      for (Status& result : results)
        if (result) result = Fail(Errc::kUnavailable, error.what());
    }
    return results;
  }

  Status RunOne(const Work& work, bool in_group) {
    if (in_group) writer_.Execute("SAVEPOINT piece");
    Status status;
    try {
      status = work(writer_);
    } catch (const DatabaseError& error) {
      status = Fail(Errc::kInternal, error.what());
      // A full disk or the like ends the whole transaction.
      if (sqlite3_get_autocommit(writer_.handle()) != 0) throw;
    }
    if (in_group) {
      if (!status) writer_.Execute("ROLLBACK TO piece");
      writer_.Execute("RELEASE piece");
    }
    return status;
  }

  void WantCheckpoint() {
    {
      const std::lock_guard lock(checkpoint_mutex_);
      checkpoint_wanted_ = true;
    }
    checkpoint_due_.notify_one();
  }

  void CheckpointLoop(const std::stop_token& stop) {
    std::unique_lock lock(checkpoint_mutex_);
    while (checkpoint_due_.wait(lock, stop, [this] { return checkpoint_wanted_; })) {
      checkpoint_wanted_ = false;
      lock.unlock();
      sqlite3_wal_checkpoint_v2(checkpointer_.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
      lock.lock();
    }
  }

  SqliteConnection writer_;
  SqliteConnection checkpointer_;
  std::vector<std::unique_ptr<SqliteConnection>> readers_;

  std::mutex mutex_;  // guards normal_, slices_, stopping_
  std::condition_variable work_arrived_;
  std::condition_variable room_;
  std::deque<Waiting> normal_;
  std::deque<Waiting> slices_;
  bool stopping_ = false;

  std::mutex readers_mutex_;  // guards idle_readers_
  std::condition_variable reader_free_;
  std::vector<SqliteConnection*> idle_readers_;

  std::atomic<int> log_pages_{0};
  std::mutex checkpoint_mutex_;  // guards checkpoint_wanted_
  std::condition_variable_any checkpoint_due_;
  bool checkpoint_wanted_ = false;
  std::jthread thread_;
  std::jthread checkpoint_thread_;
};

}  // namespace

Result<std::unique_ptr<Database>> OpenSqlite(const SqliteOptions& options) {
  const auto refuse = [&](Errc code, const DatabaseError& error) {
    return Fail(code, fmt::format("{}: {}", options.file.string(), error.what()));
  };
  try {
    return std::make_unique<SqliteDatabase>(options);
  } catch (const NewerSchemaError& error) {
    return refuse(Errc::kConflict, error);
  } catch (const DamagedError& error) {
    return refuse(Errc::kInternal, error);
  } catch (const DatabaseError& error) {
    return refuse(Errc::kUnavailable, error);
  }
}

Status CopySqlite(const std::filesystem::path& from, const std::filesystem::path& to) {
  try {
    SqliteConnection connection(from, SqliteConnection::Mode::kReadOnly);
    connection.Execute("VACUUM INTO ?", to.string());
    return {};
  } catch (const DamagedError& error) {
    return Fail(Errc::kInternal, fmt::format("{}: {}", from.string(), error.what()));
  } catch (const DatabaseError& error) {
    return Fail(Errc::kUnavailable, fmt::format("{}: {}", from.string(), error.what()));
  }
}

Status CheckSqlite(const std::filesystem::path& file) {
  try {
    SqliteConnection connection(file, SqliteConnection::Mode::kReadOnly);
    Rows rows = connection.Query("PRAGMA integrity_check(1)");
    if (rows.Next() && rows.View(0) == "ok") return {};
    return Fail(Errc::kInternal, fmt::format("{}: {}", file.string(), rows.View(0)));
  } catch (const DatabaseError& error) {
    return Fail(Errc::kInternal, fmt::format("{}: {}", file.string(), error.what()));
  }
}

}  // namespace backplane::store
