// The schema, as numbered steps that only ever grow.
#pragma once

#include <span>
#include <string_view>

namespace backplane::store {

struct Migration {
  int number;
  std::string_view title;
  /// Statements separated by ";\n". "{serial}" stands for the backend's own 64-bit key that is
  /// never used twice, "{key}" for a 64-bit key of ours by which rows lie in order.
  std::string_view sql;
};

/// In order. A backend applies, in one transaction each, those that a store has not seen.
std::span<const Migration> Migrations();
/// Of the file that the samples lie in (samples.h).
std::span<const Migration> SampleMigrations();

}  // namespace backplane::store
