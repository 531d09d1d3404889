// Site files: the syntax of Python's configobj (nested [[sections]], quotes, comma lists, inline
// comments, $name interpolation).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plugin/manifest.h"

namespace backplane::panoptes {

struct ConfigValue {
  std::vector<std::string> items;  ///< exactly one unless it is a list
  bool list = false;
  int line = 0;
};

struct ConfigSection {
  std::map<std::string, ConfigValue, std::less<>> values;
  std::map<std::string, ConfigSection, std::less<>> sections;

  /// Null if there is none.
  const ConfigSection* Find(std::string_view section) const;
  const ConfigValue* FindValue(std::string_view key) const;
};

struct ConfigFile {
  ConfigSection root;
  std::vector<Finding> findings;  ///< errors; what they are about is left out of `root`
};

/// Pure. Bounded by the length of `text`, which the caller bounds.
ConfigFile ParseConfigFile(std::string_view text, const std::string& file);

/// The value of `key` of a section of the first level with what it refers to put in: each name is
/// looked for in the section, its [[DEFAULT]], the top of the file and its [DEFAULT]. kNotFound: no
/// such key; kInvalid: refers to something that is not there, to itself, or to too much.
Result<ConfigValue> Interpolated(const ConfigSection& root, const ConfigSection& section, std::string_view key);

}  // namespace backplane::panoptes
