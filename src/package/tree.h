// What a plugin consists of: its files by content.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "package/blobs.h"

namespace backplane::package {

struct TreeFile {
  std::string path;  ///< absolute, where it was found
  bool executable = false;
  std::string content;  ///< SHA-256 of its bytes
  std::int64_t size = 0;
  bool operator==(const TreeFile&) const = default;
};

struct Tree {
  std::vector<TreeFile> files;  ///< by path
  std::string root;             ///< the folder that all of them are in
  /// SHA-256 over each file's path below the root, mode and content: equal hashes are the same
  /// plugin, wherever it lies.
  std::string hash;
  bool operator==(const Tree&) const = default;
};

Json ToJson(const Tree& tree);
/// kInvalid: not what ToJson made.
Result<Tree> TreeFromJson(const Json& json);

/// Makes trees of what lies on the disk. Remembers the contents of files that have not changed since,
/// by device, inode, size and times of change. Not thread-safe.
class TreeReader {
 public:
  static constexpr std::size_t kMostFiles = 10'000;
  static constexpr std::int64_t kMostBytes = 256 << 20;

  explicit TreeReader(const Blobs& blobs) : blobs_(blobs) {}

  /// Reads `contents`, files and folders (absolute), to any depth; each file is read once, so that
  /// what is hashed is what is kept. Links are followed: a tree has none. Folders called __pycache__
  /// and .git are passed over. kNotFound: absent; kInvalid: no regular file, or more than the limits;
  /// kUnavailable: cannot be read.
  Result<Tree> Read(const std::vector<std::filesystem::path>& contents);

  /// Reads every file anew the next time: contents may have been removed.
  void Forget() { known_.clear(); }

 private:
  struct Known {
    std::string signature;
    TreeFile file;
  };
  Status Walk(const std::filesystem::path& path, int depth, Tree& tree);
  Status Take(const std::filesystem::path& path, Tree& tree);

  const Blobs& blobs_;
  std::map<std::string, Known> known_;
  std::int64_t bytes_ = 0;  // of the tree that is being read
};

}  // namespace backplane::package
