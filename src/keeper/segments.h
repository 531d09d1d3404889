// The output of a run as bounded, rotated files: <folder>/output.0, output.1, ...
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/files.h"
#include "base/result.h"

namespace backplane::keeper {

/// Writes. Of everything written, at least the last (segments - 1) * segment_bytes are kept.
class SegmentLog {
 public:
  SegmentLog() = default;
  /// `folder` exists; `segments` is at least 2.
  static Result<SegmentLog> Open(std::filesystem::path folder, std::int64_t segment_bytes, int segments);

  /// Never fails: what the disk does not take is counted as dropped.
  void Write(std::string_view bytes);
  std::int64_t bytes() const { return bytes_; }
  std::int64_t dropped() const { return dropped_; }

 private:
  Status StartSegment();

  std::filesystem::path folder_;
  std::int64_t segment_bytes_ = 0;
  int segments_ = 0;
  Fd file_;
  std::int64_t next_ = 0;     ///< number of the next segment
  std::int64_t written_ = 0;  ///< to the current segment
  std::int64_t bytes_ = 0;
  std::int64_t dropped_ = 0;
};

/// The last `limit` bytes of the segments in `folder`; empty if there are none.
std::string ReadSegments(const std::filesystem::path& folder, std::size_t limit);

}  // namespace backplane::keeper
