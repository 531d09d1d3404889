// Archives: many files in one. Written as tar with zstd; read with limits, and without trust.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct archive;

namespace backplane::package {

/// Writes one archive. Not thread-safe. After an error the file is no archive: remove it.
class ArchiveWriter {
 public:
  /// Makes the file, readable by its owner only. kConflict: it is there already; kUnavailable: it cannot be made.
  static Result<ArchiveWriter> Create(const std::filesystem::path& file);

  /// What was written of an entry.
  struct Added {
    std::int64_t bytes = 0;
    std::string sha256;  ///< lower-case hex
  };
  /// A regular file as it is now, with its permission bits; `name` is relative. kNotFound: it is gone.
  Result<Added> AddFile(const std::string& name, const std::filesystem::path& file);
  Result<Added> AddText(const std::string& name, std::string_view content);

  /// Completes the archive: it is on the disk when this returns.
  Status Finish();

 private:
  struct Close {
    void operator()(archive* handle) const;
  };
  explicit ArchiveWriter(std::unique_ptr<archive, Close> handle, std::filesystem::path file)
      : handle_(std::move(handle)), file_(std::move(file)) {}
  template <typename Fill>
  Result<Added> Add(const std::string& name, std::int64_t bytes, unsigned mode, const Fill& fill);
  Error Failure() const;

  std::unique_ptr<archive, Close> handle_;
  std::filesystem::path file_;
};

struct ArchiveLimits {
  std::int64_t entries = 1'000'000;
  std::int64_t bytes = std::int64_t{1} << 40;  ///< of all files unpacked
};

/// Unpacks into `folder`, which exists, owner-only: regular files and folders below it and nothing else. Whatever else
/// an archive holds (a link, a device, an absolute name, "..", a name twice) is refused and named. kInvalid: not an
/// archive, damaged, or not one that may be unpacked; kUnavailable: it cannot be written.
Status Unpack(const std::filesystem::path& file, const std::filesystem::path& folder, const ArchiveLimits& limits = {});

/// SHA-256 of a file's content, as ArchiveWriter::Added has it. kNotFound, kUnavailable.
Result<std::string> Sha256OfFile(const std::filesystem::path& file);

}  // namespace backplane::package
