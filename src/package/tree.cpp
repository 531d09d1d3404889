#include "package/tree.h"

#include <algorithm>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"

namespace backplane::package {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLevels = 32;

std::string SignatureOf(const struct stat& info) {
  return fmt::format("{}.{}.{}.{}.{}.{}.{}.{}", info.st_dev, info.st_ino, info.st_size, info.st_mode,
                     info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_ctim.tv_sec, info.st_ctim.tv_nsec);
}

Result<std::string> ReadWhole(int fd, const fs::path& path, std::int64_t limit) {
  std::string content;
  char buffer[1 << 16];
  while (true) {
    const ssize_t count = read(fd, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Fail(Errc::kUnavailable, fmt::format("{}: cannot be read", path.string()));
    if (count == 0) return content;
    content.append(buffer, static_cast<std::size_t>(count));
    if (static_cast<std::int64_t>(content.size()) > limit)
      return Fail(Errc::kInvalid,
                  fmt::format("{}: a plugin has at most {} MiB", path.string(), TreeReader::kMostBytes >> 20));
  }
}

// The deepest folder that holds every file.
std::string CommonFolder(const std::vector<TreeFile>& files) {
  if (files.empty()) return "/";
  fs::path root = fs::path(files.front().path).parent_path();
  for (const TreeFile& file : files)
    while (root != root.root_path() && !file.path.starts_with(root.string() + "/")) root = root.parent_path();
  return root.string();
}

std::string HashOf(const Tree& tree) {
  const std::size_t skip = tree.root == "/" ? 1 : tree.root.size() + 1;
  std::string text;
  for (const TreeFile& file : tree.files) {
    // The length first: no name can be written so that it reads as two.
    text += fmt::format("{} {} {} {}\n", file.path.size() - skip, file.path.substr(skip), file.executable ? 'x' : '-',
                        file.content);
  }
  return Sha256Hex(text);
}

}  // namespace

Json ToJson(const Tree& tree) {
  Json files = Json::array();
  for (const TreeFile& file : tree.files)
    files.push_back(Json::array({file.path, file.executable, file.content, file.size}));
  return {{"root", tree.root}, {"hash", tree.hash}, {"files", std::move(files)}};
}

Result<Tree> TreeFromJson(const Json& json) {
  try {
    Tree tree{{}, json.at("root").get<std::string>(), json.at("hash").get<std::string>()};
    for (const Json& file : json.at("files"))
      tree.files.push_back({file.at(0).get<std::string>(), file.at(1).get<bool>(), file.at(2).get<std::string>(),
                            file.at(3).get<std::int64_t>()});
    return tree;
  } catch (const Json::exception& error) {
    return Fail(Errc::kInvalid, fmt::format("not a tree: {}", error.what()));
  }
}

Result<Tree> TreeReader::Read(const std::vector<fs::path>& contents) {
  Tree tree;
  bytes_ = 0;
  for (const fs::path& path : contents) BACKPLANE_TRY(Walk(path, 0, tree));
  std::sort(tree.files.begin(), tree.files.end(), [](const TreeFile& a, const TreeFile& b) { return a.path < b.path; });
  tree.files.erase(std::unique(tree.files.begin(), tree.files.end()), tree.files.end());
  tree.root = CommonFolder(tree.files);
  tree.hash = HashOf(tree);
  return tree;
}

Status TreeReader::Walk(const fs::path& path, int depth, Tree& tree) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return Take(path, tree);
  if (depth == kMostLevels)
    return Fail(Errc::kInvalid,
                fmt::format("{}: deeper than {} folders, or a link that leads round", path.string(), kMostLevels));
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name == "__pycache__" || name == ".git") continue;
    BACKPLANE_TRY(Walk(entry->path(), depth + 1, tree));
  }
  if (error) return Fail(Errc::kUnavailable, fmt::format("{}: {}", path.string(), error.message()));
  return {};
}

Status TreeReader::Take(const fs::path& path, Tree& tree) {
  if (tree.files.size() == kMostFiles)
    return Fail(Errc::kInvalid, fmt::format("{}: a plugin has at most {} files", path.string(), kMostFiles));
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) {
    if (errno == ENOENT) return Fail(Errc::kNotFound, fmt::format("{}: absent", path.string()));
    return Fail(Errc::kUnavailable, fmt::format("{}: cannot be opened", path.string()));
  }
  struct stat info{};
  if (fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode))
    return Fail(Errc::kInvalid, fmt::format("{}: is no regular file", path.string()));
  const std::string signature = SignatureOf(info);
  Known& known = known_[path.string()];
  if (known.signature != signature) {
    BACKPLANE_ASSIGN(const std::string content, ReadWhole(fd.get(), path, kMostBytes - bytes_));
    BACKPLANE_ASSIGN(std::string hash, blobs_.Put(content));
    known.file = {path.string(), (info.st_mode & S_IXUSR) != 0, std::move(hash),
                  static_cast<std::int64_t>(content.size())};
    struct stat after{};
    // Written to while we read it: what was read stands, and is read again the next time.
    known.signature = fstat(fd.get(), &after) == 0 && SignatureOf(after) == signature ? signature : "";
  }
  bytes_ += known.file.size;
  if (bytes_ > kMostBytes)
    return Fail(Errc::kInvalid, fmt::format("{}: a plugin has at most {} MiB", path.string(), kMostBytes >> 20));
  tree.files.push_back(known.file);
  return {};
}

}  // namespace backplane::package
