// The parameters of a command: {name} stands for the value of a setting, or for what a query gives.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plugin/manifest.h"

namespace backplane::netalertx {

struct Params {
  struct Placeholder {
    std::string mark;  ///< "{name}"
    std::string value;
  };
  std::vector<Placeholder> placeholders;
  std::map<std::string, std::size_t> rows;  ///< of each query that multiplies the time limit

  /// Puts the values into the text, in one pass from left to right: a value is not searched for placeholders itself.
  std::string Into(std::string_view text) const;
};

/// Of the manifest's parameters, those that `command` uses; queries are asked of `database`. kInvalid names the
/// parameter that cannot be used.
Result<Params> ReadParams(const Manifest& manifest, std::string_view command, const Settings& values,
                          const std::filesystem::path& database);

}  // namespace backplane::netalertx
