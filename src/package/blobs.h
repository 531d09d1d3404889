// File contents by their hash.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

namespace backplane::package {

/// A folder with one file per content, named by its SHA-256. Thread-safe, also between processes: a
/// file is complete before it has its name.
class Blobs {
 public:
  explicit Blobs(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Keeps `content`, and returns its hash. kUnavailable: it cannot be written.
  Result<std::string> Put(std::string_view content) const;

  /// kNotFound: not here; kInternal: what lies there has another hash by now.
  Result<std::string> Get(const std::string& hash) const;

  /// Removes every one that is not in `keep`.
  void Sweep(const std::set<std::string>& keep) const;

 private:
  std::filesystem::path PathOf(const std::string& hash) const;

  const std::filesystem::path folder_;
};

}  // namespace backplane::package
