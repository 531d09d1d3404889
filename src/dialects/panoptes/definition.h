// Plugin definition files: the syntax of Python's configparser (strict, basic interpolation).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugin/manifest.h"

namespace backplane::panoptes {

struct Option {
  std::string name;   ///< lower case
  std::string value;  ///< interpolated, without white space at the ends
  int line = 0;
};

struct Section {
  std::string name;
  int line = 0;
  std::vector<Option> options;  ///< in the file's order, then those of [DEFAULT]

  /// Null if there is none.
  const std::string* Find(std::string_view option) const;
};

struct Definition {
  std::vector<Section> sections;  ///< in the file's order, without [DEFAULT]
  std::vector<Finding> findings;  ///< without an error among them the sections are complete

  const Section* Find(std::string_view section) const;
  /// "[main] execute_frequency, line 12", as far as it is there; the place for a finding.
  std::string Where(std::string_view section, std::string_view option) const;
};

/// Reads a definition; `file` is for the findings. Pure. Bounded by the length of `text`, which the
/// caller bounds, and by limits on options and on what interpolation makes of them.
Definition ParseDefinition(std::string_view text, const std::string& file);

}  // namespace backplane::panoptes
