// The site's options, declared once.
//
// Describe() is the declaration: reading the file and the environment, `--help` and the
// reference in docs/ all come from it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace backplane::config {

struct Options {
  std::string listen = "127.0.0.1:8700";
  std::string hosts;
  std::string data;
  std::string python = "/usr/bin/python3";
  std::string path;
  std::string log_level = "info";
  std::string synchronous = "normal";
  std::int64_t workers = 8;
  Millis rescan = std::chrono::minutes(1);
  std::string trust = "review";
  std::int64_t runs_keep = 20;
  std::int64_t runs_keep_all = 500;
  Millis sessions_keep = std::chrono::hours(12);
  Millis sessions_idle = std::chrono::hours(1);
  std::int64_t objects_history_keep = 5'000;
  Millis journal_keep = std::chrono::hours(1);
  Millis audit_keep = std::chrono::hours(365 * 24);
  Millis events_keep = std::chrono::hours(7 * 24);
  std::string presence = "scanner";
  std::string own_host = "yes";
  Millis device_events_keep = std::chrono::hours(90 * 24);
  std::int64_t notifications_keep = 1'000;
  std::string key_file;
  std::string passphrase_file;
  Millis metrics_keep = std::chrono::hours(30 * 24);
};

/// What is done with each option. `name` is its key in the file ("store.synchronous"); the
/// environment variable is BACKPLANE_ and the name in capitals, dots as underscores.
class OptionVisitor {
 public:
  virtual ~OptionVisitor() = default;
  virtual void Text(std::string_view name, std::string& value, std::string_view sentence) = 0;
  virtual void Choice(std::string_view name, std::string& value, const std::vector<std::string_view>& choices,
                      std::string_view sentence) = 0;
  virtual void Integer(std::string_view name, std::int64_t& value, std::int64_t least, std::int64_t most,
                       std::string_view sentence) = 0;
  virtual void Duration(std::string_view name, Millis& value, Millis least, Millis most, std::string_view sentence) = 0;
};

void Describe(Options& options, OptionVisitor& visitor);

/// The environment variable of an option.
std::string EnvironmentName(std::string_view option);

/// One paragraph per option: name, variable, default, limits, sentence; Markdown.
std::string OptionReference();

}  // namespace backplane::config
