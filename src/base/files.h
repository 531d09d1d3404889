// Files, read and written with limits and without surprises.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace backplane {

/// Closes a file descriptor. Move only.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.Release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { Reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int Release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void Reset();

 private:
  int fd_ = -1;
};

/// Reads a regular file whole. Follows links. kNotFound: absent; kInvalid: no regular file, or
/// larger than `limit` bytes.
Result<std::string> ReadFile(const std::filesystem::path& path, std::size_t limit);

/// Reads a regular file that only its owner may read, and the owner is this process's user or root.
/// Follows links; never waits for a named pipe. Errors as ReadFile(); kDenied: others may read it, or
/// it is somebody else's.
Result<std::string> ReadPrivateFile(const std::filesystem::path& path, std::size_t limit);

/// Reads what somebody else left behind, trusting nothing: the last path component must be a regular
/// file with one link, not a symbolic link, and owned by `owner` or by root. kNotFound: absent;
/// kDenied: not such a file; kInvalid: larger than `limit` bytes.
Result<std::string> ReadLeftFile(const std::filesystem::path& path, std::uint32_t owner, std::size_t limit);

/// The same for a file that goes to `taken`, on the same file system, before it is read: nobody who
/// knows its old name can replace it under the reader. What is refused is removed.
Result<std::string> TakeFile(const std::filesystem::path& path, const std::filesystem::path& taken, std::uint32_t owner,
                             std::size_t limit);

/// Whether a process has the file open for writing. False where the file system cannot tell.
bool OpenForWriting(const std::filesystem::path& path);

/// Replaces `path` in one step: readers see the old content or the new, never a part.
/// `mode` as in chmod.
Status WriteFileAtomic(const std::filesystem::path& path, std::string_view content, unsigned mode = 0644);

/// The same for what must outlive a power loss: content and name are on the disk when this returns.
/// With `replace` false an existing file stays, and the answer is kConflict.
Status WriteFileDurable(const std::filesystem::path& path, std::string_view content, unsigned mode, bool replace);

/// Makes the folder, for its owner only, and its parents. One that is there already is left as it
/// is.
Status MakePrivateFolder(const std::filesystem::path& path);

/// The folder of the running binary.
std::filesystem::path ExecutableFolder();

/// Where the program's own files (python/ and others) are: $BACKPLANE_SHARE, or share/backplane
/// beside the binary's folder, or the source tree that the binary was built in. kUnavailable:
/// none of these holds `python/`.
Result<std::filesystem::path> ShareFolder();

}  // namespace backplane
