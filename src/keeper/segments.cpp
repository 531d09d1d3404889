#include "keeper/segments.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace backplane::keeper {
namespace {

constexpr std::string_view kPrefix = "output.";

std::filesystem::path SegmentPath(const std::filesystem::path& folder, std::int64_t number) {
  return folder / fmt::format("{}{}", kPrefix, number);
}

}  // namespace

Result<SegmentLog> SegmentLog::Open(std::filesystem::path folder, std::int64_t segment_bytes, int segments) {
  SegmentLog log;
  log.folder_ = std::move(folder);
  log.segment_bytes_ = segment_bytes;
  log.segments_ = segments;
  BACKPLANE_TRY(log.StartSegment());
  return log;
}

Status SegmentLog::StartSegment() {
  if (const std::int64_t oldest = next_ - segments_; oldest >= 0) {
    const auto path = SegmentPath(folder_, oldest);
    struct stat info{};
    if (stat(path.c_str(), &info) == 0 && unlink(path.c_str()) == 0) dropped_ += info.st_size;
  }
  const auto path = SegmentPath(folder_, next_);
  file_ = Fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file_) return Fail(Errc::kUnavailable, fmt::format("{}: {}", path.string(), std::strerror(errno)));
  ++next_;
  written_ = 0;
  return {};
}

void SegmentLog::Write(std::string_view bytes) {
  bytes_ += static_cast<std::int64_t>(bytes.size());
  while (!bytes.empty()) {
    if ((!file_ || written_ >= segment_bytes_) && !StartSegment()) break;
    const auto room = static_cast<std::size_t>(segment_bytes_ - written_);
    const ssize_t got = write(file_.get(), bytes.data(), std::min(bytes.size(), room));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    written_ += got;
    bytes.remove_prefix(static_cast<std::size_t>(got));
  }
  dropped_ += static_cast<std::int64_t>(bytes.size());
}

std::string ReadSegments(const std::filesystem::path& folder, std::size_t limit) {
  std::map<std::int64_t, std::filesystem::path, std::greater<>> newest_first;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename();
    std::int64_t number = 0;
    if (!name.starts_with(kPrefix)) continue;
    const auto [stopped, wrong] = std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), number);
    if (wrong == std::errc() && stopped == name.data() + name.size()) newest_first.emplace(number, entry->path());
  }
  std::string log;
  for (const auto& [number, path] : newest_first) {
    if (log.size() >= limit) break;
    const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat info{};
    if (!file || fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    const auto wanted = std::min<std::size_t>(limit - log.size(), static_cast<std::size_t>(info.st_size));
    std::string part(wanted, '\0');
    std::size_t have = 0;
    while (have < wanted) {
      const auto at = info.st_size - static_cast<off_t>(wanted - have);
      const ssize_t got = pread(file.get(), part.data() + have, wanted - have, at);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      have += static_cast<std::size_t>(got);
    }
    part.resize(have);
    log.insert(0, part);
  }
  return log;
}

}  // namespace backplane::keeper
