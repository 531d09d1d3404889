// Folds turn journal entries into state, in order, each exactly once, in slices.
//
// A fold takes ids and times from the entry, never from a clock or Rng, so that replaying the
// journal into an empty store gives the same state.
#pragma once

#include <functional>
#include <limits>
#include <string_view>
#include <vector>

#include "model/record.h"
#include "store/database.h"
#include "store/journal.h"

namespace backplane::ingest {

/// An entry, and those of its records that are decoded and not folded yet.
struct OpenEntry {
  store::Entry entry;
  std::vector<std::string_view> lines;  ///< of entry.body
  std::vector<Record> records;          ///< decoded, from record number `first` on
  std::size_t first = 0;
};

/// What one step may know.
struct FoldContext {
  store::Connection& connection;
  const store::Entry& entry;
  std::int64_t changed = 0;  ///< entities and objects found new or changed; the steps count up
};

/// When a slice ends.
struct Budget {
  std::int64_t steps = std::numeric_limits<std::int64_t>::max();
  std::int64_t until = std::numeric_limits<std::int64_t>::max();  ///< position not to pass
  std::function<bool()> spent;                                    ///< asked between steps
};

class Fold {
 public:
  struct Progress {
    std::int64_t position = 0;  ///< how far the entry is done; the fold decides what it counts
    bool done = false;          ///< the entry is
  };

  virtual ~Fold() = default;
  /// Names the fold's watermark.
  virtual std::string_view name() const = 0;
  /// Applies the entry from `position` on; at least one step. Stops at the end of the budget or
  /// of the decoded records. Throws store::DatabaseError only.
  virtual Progress Apply(store::Connection& connection, const OpenEntry& open, std::int64_t position,
                         const Budget& budget) = 0;
};

}  // namespace backplane::ingest
