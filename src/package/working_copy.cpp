#include "package/working_copy.h"

#include <array>

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/crash_point.h"
#include "base/files.h"
#include "base/text.h"

namespace backplane::package {
namespace {

namespace fs = std::filesystem;

bool CouldBeCode(const fs::path& path) {
  struct stat info{};
  if (lstat(path.c_str(), &info) != 0 || S_ISDIR(info.st_mode)) return false;
  return S_ISLNK(info.st_mode) || IsCode(path, info.st_mode);
}

}  // namespace

bool IsCode(const fs::path& path, unsigned mode) {
  constexpr std::array<std::string_view, 16> kEndings = {".py",  ".pyc", ".pyo", ".pyd", ".pyw", ".pyz",
                                                         ".so",  ".pth", ".egg", ".zip", ".sh",  ".js",
                                                         ".mjs", ".cjs", ".ts",  ".wasm"};
  const std::string ending = ToLower(path.extension().string());
  for (const std::string_view one : kEndings)
    if (ending == one) return true;
  // A library may have numbers behind its ending.
  return path.filename().string().find(".so.") != std::string::npos || (mode & 0111) != 0;
}

WorkingCopy::WorkingCopy(fs::path folder, Tree tree, const std::vector<fs::path>& data, const Blobs& blobs)
    : folder_(std::move(folder)), tree_(std::move(tree)), blobs_(blobs) {
  for (const TreeFile& file : tree_.files) {
    contents_.emplace_back(PathOf(file.path), &file);
    files_.insert(contents_.back().first);
  }
  SetData(data);
}

void WorkingCopy::SetData(const std::vector<fs::path>& data) {
  const std::lock_guard lock(mutex_);
  std::map<fs::path, fs::path> links;
  for (const fs::path& path : data)
    if (!files_.contains(PathOf(path.string()))) links[PathOf(path.string())] = path;
  if (links == links_ && !folders_.empty()) return;
  links_ = std::move(links);
  folders_.clear();
  const auto add_folders = [this](const fs::path& path) {
    for (fs::path parent = path.parent_path(); folders_.insert(parent).second && parent != folder_;)
      parent = parent.parent_path();
  };
  for (const fs::path& path : files_) add_folders(path);
  for (const auto& [path, target] : links_) add_folders(path);
  // What is no data any more is an addition: its folder is looked at again.
  for (const fs::path& path : folders_) left_as_.erase(path.native());
}

WorkingCopy::Signature WorkingCopy::SignatureOf(const fs::path& path) {
  struct stat info{};
  if (lstat(path.c_str(), &info) != 0) return {};
  return {static_cast<std::int64_t>(info.st_dev),
          static_cast<std::int64_t>(info.st_ino),
          static_cast<std::int64_t>(info.st_size),
          static_cast<std::int64_t>(info.st_mode),
          static_cast<std::int64_t>(info.st_uid),
          static_cast<std::int64_t>(info.st_nlink),
          info.st_mtim.tv_sec,
          info.st_mtim.tv_nsec,
          info.st_ctim.tv_sec,
          info.st_ctim.tv_nsec};
}

bool WorkingCopy::AsItWasLeft(const fs::path& path) const {
  const auto left = left_as_.find(path.native());
  return left != left_as_.end() && left->second == SignatureOf(path);
}

Result<std::uint64_t> WorkingCopy::PutBack() const {
  const std::lock_guard lock(mutex_);
  bool changed = false;
  for (const fs::path& path : folders_) BACKPLANE_TRY(PutBackFolder(path));
  for (const auto& [path, file] : contents_) {
    if (AsItWasLeft(path)) continue;
    changed = true;
    left_as_.erase(path.native());
    BACKPLANE_TRY(PutBackFile(*file));
    left_as_[path.native()] = SignatureOf(path);
  }
  for (const auto& [path, target] : links_) {
    if (AsItWasLeft(path)) continue;
    changed = true;
    left_as_.erase(path.native());
    BACKPLANE_TRY(PutBackLink(path, target));
    left_as_[path.native()] = SignatureOf(path);
  }
  // Last, since putting back changes folders.
  for (const fs::path& path : folders_) {
    if (AsItWasLeft(path)) continue;
    left_as_.erase(path.native());
    BACKPLANE_ASSIGN(const bool settled, RemoveAddedCode(path));
    if (settled) left_as_[path.native()] = SignatureOf(path);
  }
  if (changed) ++put_back_;
  return put_back_;
}

Status WorkingCopy::Unchanged(std::uint64_t put_back) const {
  const std::lock_guard lock(mutex_);
  if (put_back != put_back_)
    return Fail(Errc::kConflict, fmt::format("files below {} were changed and put back", folder_.string()));
  for (const auto& [path, file] : contents_)
    if (!AsItWasLeft(path)) return Fail(Errc::kConflict, fmt::format("{} was changed", path.string()));
  for (const auto& [path, target] : links_)
    if (!AsItWasLeft(path)) return Fail(Errc::kConflict, fmt::format("{} was changed", path.string()));
  for (const fs::path& path : folders_) {
    if (AsItWasLeft(path)) continue;
    std::error_code error;
    if (!fs::is_directory(fs::symlink_status(path, error)))
      return Fail(Errc::kConflict, fmt::format("{} was replaced", path.string()));
    for (const fs::path& added : Added(path)) {
      bool code = CouldBeCode(added);
      for (fs::recursive_directory_iterator entry(added, error), end; !error && !code && entry != end;
           entry.increment(error))
        code = CouldBeCode(entry->path());
      if (code) return Fail(Errc::kConflict, fmt::format("{} was added", added.string()));
    }
  }
  return {};
}

Status WorkingCopy::PutBackFolder(const fs::path& path) const {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (fs::is_directory(status)) return {};
  if (fs::exists(status)) fs::remove(path, error);  // a file or link where a folder should be
  return MakePrivateFolder(path);
}

Status WorkingCopy::PutBackFile(const TreeFile& file) const {
  const fs::path path = PathOf(file.path);
  std::error_code error;
  if (fs::is_directory(fs::symlink_status(path, error))) fs::remove_all(path, error);
  BACKPLANE_ASSIGN(const std::string content, blobs_.Get(file.content));
  CrashPoint("plugin.copy");
  return WriteFileAtomic(path, content, file.executable ? 0700 : 0600);
}

Status WorkingCopy::PutBackLink(const fs::path& path, const fs::path& target) const {
  std::error_code error;
  fs::remove_all(path, error);
  fs::create_symlink(target, path, error);
  if (error) return Fail(Errc::kUnavailable, fmt::format("{}: {}", path.string(), error.message()));
  return {};
}

std::vector<fs::path> WorkingCopy::Added(const fs::path& folder) const {
  std::vector<fs::path> added;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path& path = entry->path();
    if (!files_.contains(path) && !folders_.contains(path) && !links_.contains(path)) added.push_back(path);
  }
  return added;
}

// Code that was added could be imported in place of what was approved; so could a folder of code.
Result<bool> WorkingCopy::RemoveAddedCode(const fs::path& folder) const {
  bool settled = true;
  for (const fs::path& path : Added(folder)) {
    std::error_code error;
    bool code = CouldBeCode(path);
    if (fs::is_directory(fs::symlink_status(path, error))) {
      // What comes into it later changes this folder in no way that shows.
      settled = false;
      for (fs::recursive_directory_iterator entry(path, error), end; !error && !code && entry != end;
           entry.increment(error))
        code = CouldBeCode(entry->path());
    }
    if (!code) continue;
    fs::remove_all(path, error);
    if (error) return Fail(Errc::kUnavailable, fmt::format("{}: {}", path.string(), error.message()));
  }
  return settled;
}

}  // namespace backplane::package
