// What commands need that work without a daemon.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/files.h"
#include "base/result.h"
#include "keeper/client.h"
#include "plugin/catalog.h"
#include "runtime/runtime.h"

namespace backplane::cli {

/// Takes a data folder for as long as the result lives: two processes that write to one would fight
/// over it. kConflict: a daemon has it.
Result<Fd> LockFolder(const std::filesystem::path& data);

/// Starts the keeper that stands beside this program on `folder`.
Result<std::unique_ptr<keeper::KeeperClient>> StartKeeper(const std::filesystem::path& folder);

/// Every runtime of this program. `keeper` outlives the list.
runtime::RuntimeList MakeRuntimes(keeper::KeeperClient& keeper);

/// Lists are explicit, and a name is in each of them once. kConflict names the one that is not.
template <typename List>
Status RefuseDuplicateNames(const List& list, std::string_view what) {
  std::set<std::string_view> names;
  for (const auto& item : list)
    if (!names.insert(item->name()).second)
      return Fail(Errc::kConflict, fmt::format("there are two {}s named {}", what, item->name()));
  return {};
}

/// "error: FILE: settings[2].type: ..." on standard error.
void PrintFinding(const Finding& finding);

/// A folder below the system's temporary one, gone with this.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace backplane::cli
