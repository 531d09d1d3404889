// The user's own configuration: app.conf and app_conf_override.json. Read, never executed and never written.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/codec.h"

namespace backplane::netalertx {

/// The assignments of an app.conf.
struct AppConf {
  struct Value {
    Json value;
    int line = 0;
  };
  std::map<std::string, Value> values;  ///< of a key that is assigned twice, the last
  std::vector<Finding> findings;
};

/// Reads `KEY = LITERAL` lines of Python source; `file` is for the findings. A line that is anything else
/// is an error and passed over; after 100 errors the rest is not read. Names of earlier releases become
/// those of today, in keys and in values, and {s-quote} becomes a quote; `KEY__metadata` is passed over.
AppConf ParseAppConf(std::string_view text, const std::string& file);

/// See Codec::ReadConfig(). `config` is an app.conf or a folder that holds one, itself or in config/ or
/// data/config/ below it; empty: the same is looked for below `plugins`, if that is an installation.
OwnConfig ReadOwnConfig(const std::filesystem::path& plugins, const std::filesystem::path& config);

}  // namespace backplane::netalertx
