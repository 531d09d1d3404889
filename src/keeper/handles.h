// What the keeper writes down of its processes, so that the next keeper finds them.
//
// FOLDER/handles: a line "boot <boot id>", then one line "<id> <pid> <start time> <mark>" per
// process, each appended by one write before the process may execute.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/files.h"
#include "base/result.h"

namespace backplane::keeper {

struct Handle {
  std::int64_t id = 0;
  pid_t pid = 0;
  std::uint64_t start_time = 0;
  std::string mark;
};

/// Kills every process that the handles in `folder` name, whatever carries their marks, and
/// the descendants of both; returns when they are gone. kUnavailable: some survived for long.
Status KillLeftovers(const std::filesystem::path& folder);

/// Starts with an empty file. Not thread-safe.
class HandleFile {
 public:
  static Result<HandleFile> Create(const std::filesystem::path& folder);
  Status Append(const Handle& handle);
  /// Whether so many lines were appended that Rewrite() is worth it.
  bool Grown() const;
  /// Leaves only `live`, in one step.
  Status Rewrite(const std::vector<Handle>& live);

 private:
  std::filesystem::path path_;
  Fd file_;
  int lines_ = 0;
};

/// FOLDER/exits: how runs ended, one JSON line each; when it has grown it becomes FOLDER/exits.1.
class ExitFile {
 public:
  static Result<ExitFile> Create(const std::filesystem::path& folder);
  Status Append(std::string_view line);

 private:
  Status Open();

  std::filesystem::path path_;
  Fd file_;
  int lines_ = 0;
};

}  // namespace backplane::keeper
