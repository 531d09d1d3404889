// Where a plugin's approved files are run from.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "package/blobs.h"
#include "package/tree.h"
#include "plugin/plugin_files.h"

namespace backplane::package {

/// A tree written to disk below a folder of ours, each file under its absolute path: what an
/// ecosystem reads from a path's own parts stays there. Thread-safe.
///
/// Files of the tree that were changed, removed or replaced are put back, by content. Files that
/// were added stay, as data that the plugin keeps beside itself, unless they could be loaded as code
/// (IsCode), are links, or stand where a folder of the tree should. Data that the plugin reads where
/// its author keeps it is there as links.
class WorkingCopy final : public PluginFiles {
 public:
  /// `data`: absolute paths of files that are not part of the tree. `blobs` outlives it. Writes
  /// nothing yet.
  WorkingCopy(std::filesystem::path folder, Tree tree, const std::vector<std::filesystem::path>& data,
              const Blobs& blobs);

  /// Other data from now on; takes effect with the next PutBack().
  void SetData(const std::vector<std::filesystem::path>& data);

  Result<std::uint64_t> PutBack() const override;
  Status Unchanged(std::uint64_t put_back) const override;

  const std::filesystem::path& folder() const { return folder_; }
  const Tree& tree() const { return tree_; }
  /// Where a path of the tree lies in the copy.
  std::filesystem::path PathOf(const std::string& path) const { return folder_ / path.substr(1); }

 private:
  /// What a file or folder was when it was right: owner, mode, links, and all times, since a change
  /// that hides one of them shows in another.
  using Signature = std::array<std::int64_t, 10>;
  static Signature SignatureOf(const std::filesystem::path& path);

  bool AsItWasLeft(const std::filesystem::path& path) const;
  Status PutBackFolder(const std::filesystem::path& path) const;
  Status PutBackFile(const TreeFile& file) const;
  Status PutBackLink(const std::filesystem::path& path, const std::filesystem::path& target) const;
  std::vector<std::filesystem::path> Added(const std::filesystem::path& folder) const;
  /// Whether the folder is settled: what was added is plain files, and no code.
  Result<bool> RemoveAddedCode(const std::filesystem::path& folder) const;

  const std::filesystem::path folder_;
  const Tree tree_;
  const Blobs& blobs_;
  std::set<std::filesystem::path> files_;
  std::vector<std::pair<std::filesystem::path, const TreeFile*>> contents_;

  mutable std::mutex mutex_;                                      // guards what follows
  std::set<std::filesystem::path> folders_;                       // every folder of the copy, parents first
  std::map<std::filesystem::path, std::filesystem::path> links_;  // to their targets
  mutable std::unordered_map<std::string, Signature> left_as_;
  mutable std::uint64_t put_back_ = 0;  // rises whenever something was not as it should be
};

/// Whether an interpreter or loader could take a file of this name, or with this mode, as code.
bool IsCode(const std::filesystem::path& path, unsigned mode);

}  // namespace backplane::package
