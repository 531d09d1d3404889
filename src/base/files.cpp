#include "base/files.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

namespace backplane {
namespace {

std::string ErrnoText() { return std::strerror(errno); }

Error TooLarge(const std::filesystem::path& path, std::size_t limit) {
  return {Errc::kInvalid, fmt::format("{}: larger than the limit of {} bytes", path.string(), limit), {}};
}

Result<std::string> ReadAll(int fd, const std::filesystem::path& path, std::size_t limit) {
  std::string content;
  char chunk[65536];
  while (true) {
    const ssize_t got = read(fd, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail(Errc::kUnavailable, fmt::format("{}: {}", path.string(), ErrnoText()));
    if (got == 0) return content;
    if (content.size() + static_cast<std::size_t>(got) > limit) return Fail(TooLarge(path, limit));
    content.append(chunk, static_cast<std::size_t>(got));
  }
}

// O_NONBLOCK so that a named pipe cannot hold us.
Result<Fd> OpenRegular(const std::filesystem::path& path, struct stat& info) {
  Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd)
    return Fail(errno == ENOENT || errno == ENOTDIR ? Errc::kNotFound : Errc::kUnavailable,
                fmt::format("{}: {}", path.string(), ErrnoText()));
  if (fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode))
    return Fail(Errc::kInvalid, fmt::format("{}: not a regular file", path.string()));
  return fd;
}

// Whether all of it was written.
bool WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t got = write(fd, content.data(), content.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(got));
  }
  return true;
}

bool SyncFolder(const std::filesystem::path& folder) {
  const Fd fd(open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd && fsync(fd.get()) == 0;
}

// link() does not replace what is there.
bool Publish(const std::string& temporary, const std::filesystem::path& path, bool replace) {
  if (replace) return rename(temporary.c_str(), path.c_str()) == 0;
  return link(temporary.c_str(), path.c_str()) == 0 && unlink(temporary.c_str()) == 0;
}

Status WriteFile(const std::filesystem::path& path, std::string_view content, unsigned mode, bool durable,
                 bool replace) {
  std::string temporary = path.string() + ".XXXXXX";
  const Fd fd(mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return Fail(Errc::kUnavailable, fmt::format("{}: {}", path.string(), ErrnoText()));
  if (fchmod(fd.get(), static_cast<mode_t>(mode)) != 0 || !WriteAll(fd.get(), content) ||
      (durable && fsync(fd.get()) != 0) || !Publish(temporary, path, replace)) {
    const int error = errno;
    unlink(temporary.c_str());
    return Fail(error == EEXIST ? Errc::kConflict : Errc::kUnavailable,
                fmt::format("{}: {}", path.string(), std::strerror(error)));
  }
  if (durable && !SyncFolder(path.parent_path()))
    return Fail(Errc::kUnavailable, fmt::format("{}: {}", path.string(), ErrnoText()));
  return {};
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    Reset();
    fd_ = other.Release();
  }
  return *this;
}

void Fd::Reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Result<std::string> ReadFile(const std::filesystem::path& path, std::size_t limit) {
  struct stat info{};
  BACKPLANE_ASSIGN(const Fd fd, OpenRegular(path, info));
  return ReadAll(fd.get(), path, limit);
}

Result<std::string> ReadPrivateFile(const std::filesystem::path& path, std::size_t limit) {
  struct stat info{};
  BACKPLANE_ASSIGN(const Fd fd, OpenRegular(path, info));
  if (info.st_uid != geteuid() && info.st_uid != 0)
    return Fail(Errc::kDenied,
                fmt::format("{}: belongs to user {}, not to user {} or root", path.string(), info.st_uid, geteuid()));
  if ((info.st_mode & 077) != 0)
    return Fail(Errc::kDenied, fmt::format("{}: other users may read it; close it with `chmod 600`", path.string()));
  return ReadAll(fd.get(), path, limit);
}

Result<std::string> ReadLeftFile(const std::filesystem::path& path, std::uint32_t owner, std::size_t limit) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd && errno == ENOENT) return Fail(Errc::kNotFound, fmt::format("{}: absent", path.string()));
  if (!fd)
    return Fail(Errc::kDenied, fmt::format("{}: {}", path.string(),
                                           errno == ELOOP ? std::string("a symbolic link, not a file") : ErrnoText()));
  // Judge what was opened, not what stood there before.
  struct stat info{};
  if (fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode))
    return Fail(Errc::kDenied, fmt::format("{}: not a regular file", path.string()));
  if (info.st_nlink != 1)
    return Fail(Errc::kDenied, fmt::format("{}: has {} hard links", path.string(), info.st_nlink));
  if (info.st_uid != owner && info.st_uid != 0)
    return Fail(Errc::kDenied, fmt::format("{}: owned by user {}, not by {}", path.string(), info.st_uid, owner));
  if (static_cast<std::size_t>(info.st_size) > limit) return Fail(TooLarge(path, limit));
  return ReadAll(fd.get(), path, limit);
}

Result<std::string> TakeFile(const std::filesystem::path& path, const std::filesystem::path& taken, std::uint32_t owner,
                             std::size_t limit) {
  if (rename(path.c_str(), taken.c_str()) != 0) {
    if (errno == ENOENT) return Fail(Errc::kNotFound, fmt::format("{}: absent", path.string()));
    return Fail(Errc::kUnavailable, fmt::format("{}: cannot be renamed: {}", path.string(), ErrnoText()));
  }
  Result<std::string> content = ReadLeftFile(taken, owner, limit);
  if (content) return content;
  std::error_code ignored;
  std::filesystem::remove_all(taken, ignored);
  return Fail(content.error().code, ReplaceAll(content.error().message, taken.string(), path.string()));
}

bool OpenForWriting(const std::filesystem::path& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) return false;
  // A lease for reading is granted only while nobody writes. Who opens the file during the moment that
  // we hold it would wait for us, and make the kernel tell us by a signal: one that nobody listens to.
  fcntl(fd.get(), F_SETSIG, SIGURG);
  return fcntl(fd.get(), F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
}

Status WriteFileAtomic(const std::filesystem::path& path, std::string_view content, unsigned mode) {
  return WriteFile(path, content, mode, false, true);
}

Status WriteFileDurable(const std::filesystem::path& path, std::string_view content, unsigned mode, bool replace) {
  return WriteFile(path, content, mode, true, replace);
}

Status MakePrivateFolder(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::path parent = path.parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (mkdir(path.c_str(), 0700) == 0) return {};
  struct stat info{};
  if (errno != EEXIST || stat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
    return Fail(Errc::kUnavailable,
                fmt::format("{}: {}", path.string(), errno == EEXIST ? "not a folder" : ErrnoText()));
  return {};
}

std::filesystem::path ExecutableFolder() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
}

Result<std::filesystem::path> ShareFolder() {
  std::vector<std::filesystem::path> candidates;
  if (const char* named = std::getenv("BACKPLANE_SHARE")) candidates.emplace_back(named);
  const auto here = ExecutableFolder();
  candidates.push_back(here.parent_path() / "share" / "backplane");
  // build/<preset>/backplane in a source tree
  candidates.push_back(here.parent_path().parent_path());
  for (const auto& candidate : candidates) {
    std::error_code error;
    if (std::filesystem::is_directory(candidate / "python", error)) return candidate;
  }
  return Fail(Errc::kUnavailable,
              fmt::format("no folder python/ in {}: set BACKPLANE_SHARE to the folder that holds it",
                          candidates.front().string()));
}

}  // namespace backplane
