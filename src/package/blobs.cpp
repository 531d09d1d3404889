#include "package/blobs.h"

#include <fmt/format.h>

#include "base/files.h"
#include "base/text.h"

namespace backplane::package {
namespace {

constexpr std::size_t kMostBytes = 256 << 20;

}  // namespace

std::filesystem::path Blobs::PathOf(const std::string& hash) const { return folder_ / hash.substr(0, 2) / hash; }

Result<std::string> Blobs::Put(std::string_view content) const {
  std::string hash = Sha256Hex(content);
  const std::filesystem::path path = PathOf(hash);
  std::error_code error;
  // What lies there is looked at when it is used.
  if (std::filesystem::file_size(path, error) == content.size() && !error) return hash;
  BACKPLANE_TRY(MakePrivateFolder(path.parent_path()));
  BACKPLANE_TRY(WriteFileAtomic(path, content, 0400));
  return hash;
}

Result<std::string> Blobs::Get(const std::string& hash) const {
  BACKPLANE_ASSIGN(std::string content, ReadFile(PathOf(hash), kMostBytes));
  if (Sha256Hex(content) != hash)
    return Fail(Errc::kInternal, fmt::format("{}: its content is not what it was stored with", PathOf(hash).string()));
  return content;
}

void Blobs::Sweep(const std::set<std::string>& keep) const {
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored) && !keep.contains(entry->path().filename().string()))
      std::filesystem::remove(entry->path(), ignored);
  }
}

}  // namespace backplane::package
