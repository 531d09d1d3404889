// The approved files that a plugin runs from.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace backplane {

/// Thread-safe.
class PluginFiles {
 public:
  virtual ~PluginFiles() = default;

  /// Makes every file what was approved; called before a run. Returns a number for Unchanged().
  /// kInternal: a stored content is damaged; kUnavailable: it cannot be written.
  virtual Result<std::uint64_t> PutBack() const = 0;

  /// Whether they still are, and were ever since PutBack() returned `put_back`. kConflict says what
  /// was changed.
  virtual Status Unchanged(std::uint64_t put_back) const = 0;
};

}  // namespace backplane
