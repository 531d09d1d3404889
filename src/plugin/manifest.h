// What a plugin declares, in the core's words.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/time.h"
#include "model/resource.h"
#include "model/run.h"

namespace backplane {

/// A remark on a manifest, with its place.
struct Finding {
  enum class Severity { kError, kWarning };
  Severity severity = Severity::kError;
  std::string file;
  std::string where;    ///< key path ("settings[2].type.dataType") or "line 4, column 7"; may be empty
  std::string message;  ///< what is wrong and what would be right
  bool operator==(const Finding&) const = default;
};

bool IsError(const Finding& finding);
/// "FILE: WHERE: MESSAGE".
std::string Describe(const Finding& finding);
/// {"severity": "error" or "warning", "file", "where", "message"}.
Json ToJson(const Finding& finding);
Json ToJson(const std::vector<Finding>& findings);

struct Setting {
  std::string key;   ///< as the ecosystem's users write it
  std::string type;  ///< "string", "integer", "boolean", "array", "object"
  Json default_value;
  std::string title;
  std::string help;
  bool secret = false;
  /// Makes up a value that nobody could guess, another each time: one is kept if the setting is needed and not
  /// given. Null: the default will do.
  std::string (*fresh)() = nullptr;
};

/// Settings with their effective values, by key.
using Settings = std::map<std::string, Json>;

/// Who says what a setting is, the weakest first; below all of them is the manifest's default.
enum class SettingLayer {
  kKept,      ///< made up once by us
  kOwn,       ///< the ecosystem's own configuration
  kSite,      ///< the site configuration
  kSet,       ///< a person, over the API
  kOverride,  ///< the ecosystem's own configuration, where it says so
};

struct GivenValue {
  Json value;
  SettingLayer layer = SettingLayer::kSite;
  std::string source;  ///< for people: "app.conf", "site", "set by user:alice", "override", "made up once"
  std::string place;   ///< file and line, where there is one
  bool operator==(const GivenValue&) const = default;
};
/// Values that somebody gives, by key.
using GivenSettings = std::map<std::string, GivenValue>;

struct Limits {
  Millis timeout{10'000};
  std::int64_t output_bytes = 4 << 20;   ///< standard output and error that are kept
  std::int64_t result_bytes = 64 << 20;  ///< of each result file
  std::int64_t memory_bytes = 0;         ///< 0: no limit
  bool operator==(const Limits&) const = default;
};

/// Which resources a plugin runs about: one lane each.
struct TargetFilter {
  std::string text;  ///< as its author wrote it
  /// Pure and thread-safe.
  std::function<bool(const Resource&)> matches;
};

struct Manifest {
  std::string id;  ///< "dialect:name", unique within an organisation
  std::string dialect;
  std::string name;  ///< the ecosystem's own short name
  std::string title;
  std::string description;
  std::string kind;    ///< the ecosystem's grouping, for display
  std::string folder;  ///< absolute
  std::string file;    ///< what declares it, absolute
  TimePoint modified;  ///< when its code or declaration last changed
  /// What is approved: files and folders, absolute. They hold `file` and all code of the plugin's own.
  std::vector<std::filesystem::path> contents;
  /// Files that it reads where they lie, absolute: data that its author keeps and changes.
  std::vector<std::filesystem::path> data;
  std::string runs;  ///< what is executed, for people
  /// What it wants of the host beyond running: a change waits for approval as a change of files does.
  std::vector<std::string> capabilities;
  /// What Read() was given besides the path: with it, `file` alone reads the same again.
  std::map<std::string, Json> read_with;
  std::string runtime;  ///< name of a Runtime; empty: declares settings only and never runs
  std::vector<Setting> settings;
  /// Keys of settings besides its own whose secrets it gets to know.
  std::vector<std::string> reads;
  std::vector<Trigger> triggers;
  bool scans = false;                           ///< its runs see devices
  std::shared_ptr<const TargetFilter> targets;  ///< null: it runs about nothing in particular
  Millis min_interval{0};                       ///< never started again within this of the last start
  Millis results_interval{0};  ///< nor within this of the start of the last run that reported something
  Limits limits;
  Json document;  ///< the manifest as the ecosystem wrote it
};

}  // namespace backplane
