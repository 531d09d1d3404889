// Stores for tests: every backend of the program, each on a folder of its own.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/test_folder.h"
#include "model/ids.h"
#include "store/database.h"
#include "store/sqlite/sqlite_database.h"

namespace backplane::store {

/// One way to keep a store.
struct Backend {
  std::string name;
  /// Opens, or makes, the store that lives in `folder`.
  std::function<Result<std::unique_ptr<Database>>(const std::filesystem::path& folder,
                                                  std::span<const Migration> migrations)>
      open;
};
inline void PrintTo(const Backend& backend, std::ostream* out) { *out << backend.name; }

/// Every backend; the suites of this folder run over each.
inline const std::vector<Backend>& Backends() {
  static const std::vector<Backend> backends = {
      {"sqlite",
       [](const std::filesystem::path& folder, std::span<const Migration> migrations) {
         return OpenSqlite({.file = folder / "store.db", .migrations = migrations});
       }},
  };
  return backends;
}

inline std::string BackendName(const ::testing::TestParamInfo<Backend>& info) { return info.param.name; }

/// A fresh store, and short words for using it. Calls that fail are test failures.
class TestStore {
 private:
  template <typename Function, typename Runner>
  auto Collect(Function& work, Runner run) {
    using Returned = decltype(work(std::declval<Connection&>()));
    if constexpr (std::is_void_v<Returned>) {
      const Status status = run([&](Connection& c) -> Status { return work(c), Status(); });
      EXPECT_TRUE(status) << status.error().message;
    } else {
      Returned value{};
      const Status status = run([&](Connection& c) -> Status { return value = work(c), Status(); });
      EXPECT_TRUE(status) << status.error().message;
      return value;
    }
  }

 public:
  explicit TestStore(const Backend& backend = Backends().front(), std::span<const Migration> migrations = Migrations())
      : backend_(backend), migrations_(migrations) {
    Open();
  }

  Database& operator*() { return *database_; }
  Database* operator->() { return database_.get(); }
  const std::filesystem::path& folder() const { return folder_.path(); }
  void Close() { database_.reset(); }
  void Open() {
    auto opened = backend_.open(folder_.path(), migrations_);
    if (!opened) throw DatabaseError(opened.error().message);
    database_ = *std::move(opened);
  }

  /// Runs `work(connection)` as one write, or on a snapshot, and returns what it returns.
  template <typename Function>
  auto Write(Function work) {
    return Collect(work, [this](const auto& inner) { return database_->Write(inner); });
  }
  template <typename Function>
  auto Read(Function work) {
    return Collect(work, [this](const auto& inner) { return database_->Read(inner); });
  }

  /// Makes another organisation and returns its number.
  OrgId AddOrganisation(const std::string& name) {
    return Write([&](Connection& c) {
      return c.ExecuteReturning("INSERT INTO organisation (name) VALUES (?) RETURNING id", name);
    });
  }

 private:
  const Backend backend_;
  const std::span<const Migration> migrations_;
  TestFolder folder_;
  std::unique_ptr<Database> database_;
};

/// A test over one backend, with an empty store.
class StoreTest : public ::testing::TestWithParam<Backend> {
 protected:
  TestStore store_{GetParam()};
};

}  // namespace backplane::store

/// Runs the suite over every backend.
#define BACKPLANE_OVER_BACKENDS(suite)                                                        \
  INSTANTIATE_TEST_SUITE_P(Every, suite, ::testing::ValuesIn(::backplane::store::Backends()), \
                           ::backplane::store::BackendName)
