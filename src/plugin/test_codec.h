// A tiny dialect for tests: a folder with a file `<dialect>.list`, one plugin a line, its name and
// what follows.
//
//   scan interval    runs each minute; `cron` at noon; without either it runs when called
//   slow min=60000   milliseconds that it waits between two starts
//   scan how=hang    what the fake runtime is told, "ok" unless given; `unprepared`: prepare fails;
//                    the word `resource` is the id of what the run is about
//   scan wants=x     asks for the capability x
//   poll on=sw       runs about each resource whose id starts with "sw"
//   scan runtime=x   instead of "fake"; `runtime=` declares settings only
//   scan scans       its runs see devices
//   tell phase=x     runs in the phase x
//
//   scan reads=x     gets to know the secret of the common setting x
//
// A plugin called `broken` is an error. Each has the integer setting `<name>_level`, 1 by default, and the
// secret `<name>_password`, empty by default. Common are the text `site_name` and the secret `site_key`, which
// nobody should guess. A folder `own` beside a folder of plugins, or the one that is named, holds a JSON object in
// base.json, and perhaps another in override.json.
// A run yields an observation per word of its log and its result files, or an object if the word starts
// with a plus, or a notification if it starts with an exclamation mark.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <tuple>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/rng.h"
#include "base/text.h"
#include "plugin/codec.h"
#include "plugin/secret_ref.h"

namespace backplane {

class TestCodec : public Codec {
 public:
  explicit TestCodec(std::string name) : name_(std::move(name)) {}

  static void WriteFolder(const std::filesystem::path& path, const std::string& dialect,
                          const std::vector<std::string>& plugins) {
    std::filesystem::create_directories(path);
    std::ofstream out(path / (dialect + ".list"));
    for (const std::string& plugin : plugins) out << plugin << "\n";
  }

  std::string_view name() const override { return name_; }

  bool Recognises(const std::filesystem::path& path) const override {
    return std::filesystem::exists(path / (name_ + ".list"));
  }

  ReadResult Read(const std::filesystem::path& path, const Settings&,
                  const std::filesystem::path& = {}) const override {
    ReadResult result;
    std::vector<std::filesystem::path> files{path};
    if (std::filesystem::is_directory(path)) {
      files.clear();
      for (const auto& entry : std::filesystem::directory_iterator(path))
        if (entry.is_regular_file()) files.push_back(entry.path());
    }
    for (const auto& file : files) {
      const auto text = ReadFile(file, 1 << 20);
      for (const std::string_view line : Split(text.value(), '\n'))
        if (!line.empty()) AddPlugin(line, file, result);
    }
    return result;
  }

  Result<Settings> Effective(const Manifest& manifest, const Settings& site) const override {
    const std::string key = manifest.name + "_level", password = manifest.name + "_password";
    Settings settings = {{key, 1}};
    if (const auto given = site.find(password); given != site.end()) settings.insert(*given);
    const auto given = site.find(key);
    if (given == site.end()) return settings;
    if (!given->second.is_number_integer()) return Fail(Errc::kInvalid, key + ": is not a whole number", key);
    settings[key] = given->second;
    return settings;
  }

  std::vector<Setting> CommonSettings() const override {
    return {{.key = "site_name", .type = "string", .default_value = "home"},
            {.key = "site_key", .type = "string", .default_value = "", .secret = true, .fresh = [] {
               return SecretHex(4);
             }}};
  }

  Result<Json> CommonValue(const std::string& key, const Json& given) const override {
    if (!given.is_string() && !IsSecretRef(given)) return Fail(Errc::kInvalid, key + ": is not a text", key);
    return given;
  }

  OwnConfig ReadConfig(const std::filesystem::path& plugins, const std::filesystem::path& config) const override {
    OwnConfig own;
    const auto folder = config.empty() ? plugins.parent_path() / "own" : config;
    for (const auto& [name, layer, values] : {std::tuple("base", SettingLayer::kOwn, &own.base),
                                              std::tuple("override", SettingLayer::kOverride, &own.overrides)}) {
      const auto file = folder / (std::string(name) + ".json");
      const auto text = ReadFile(file, 1 << 20);
      if (!text) continue;
      const auto json = ParseJson(*text);
      if (!json) {
        own.findings.push_back({Finding::Severity::kError, file, "", "is not JSON"});
        continue;
      }
      for (const auto& [key, value] : json->items()) (*values)[key] = {value, layer, name, file};
    }
    return own;
  }

  Result<Invocation> Prepare(const Manifest& manifest, const Job&, const Settings&,
                             const RunContext& context) const override {
    const auto how = manifest.document.at("how").get<std::string>();
    if (how == "unprepared") return Fail(Errc::kInvalid, "this plugin cannot be prepared");
    Invocation invocation;
    invocation.runtime = manifest.runtime;
    for (const std::string_view word : Split(how, ','))
      invocation.argv.push_back(word == "resource" ? context.resource->id : std::string(word));
    return invocation;
  }

  Batch Decode(const Manifest& manifest, const Settings&, const Settings&, const Output& output,
               TimePoint at) const override {
    Batch batch;
    std::string text = output.log;
    for (const Output::ResultFile& file : output.files) text += " " + file.content;
    for (const std::string_view word : Split(text, ' ')) {
      if (word.empty()) continue;
      if (word == "unreadable") return {.records = {}, .refused = {}, .failure = "this output is unreadable"};
      if (word.starts_with('+'))
        batch.records.push_back(ObjectRecord{.key = std::string(word), .at = at});
      else if (word.starts_with('!'))
        batch.records.push_back(
            NotificationRecord{.source = manifest.name, .title = std::string(word.substr(1)), .at = at});
      else
        batch.records.push_back(
            Observation{.source = manifest.name, .identifiers = {{"mac", std::string(word)}}, .claims = {}, .at = at});
    }
    return batch;
  }

 private:
  void AddPlugin(std::string_view line, const std::filesystem::path& file, ReadResult& result) const {
    const auto words = Split(line, ' ');
    Manifest manifest;
    manifest.name = std::string(words[0]);
    if (manifest.name == "broken") {
      result.findings.push_back({Finding::Severity::kError, file.string(), "", "this plugin is broken"});
      return;
    }
    manifest.id = name_ + ":" + manifest.name;
    manifest.dialect = name_;
    manifest.title = manifest.name;
    manifest.folder = file.parent_path().string();
    manifest.file = file.string();
    manifest.contents = {file.parent_path()};
    manifest.runtime = "fake";
    manifest.document["how"] = "ok";
    manifest.settings.push_back({.key = manifest.name + "_level", .type = "integer", .default_value = 1});
    manifest.settings.push_back(
        {.key = manifest.name + "_password", .type = "string", .default_value = "", .secret = true});
    for (const std::string_view word : words) {
      const std::string value(word.substr(word.find('=') + 1));
      if (word == "interval") manifest.triggers.push_back({.kind = TriggerKind::kInterval, .interval = Millis(60'000)});
      if (word == "cron") manifest.triggers.push_back({.kind = TriggerKind::kCron, .cron = "0 12 * * *"});
      if (word == "start") manifest.triggers.push_back({.kind = TriggerKind::kStart});
      if (word == "scans") manifest.scans = true;
      if (word.starts_with("phase=")) manifest.triggers.push_back({.kind = TriggerKind::kPhase, .name = value});
      if (word.starts_with("on="))
        manifest.targets = std::make_shared<TargetFilter>(
            TargetFilter{value, [value](const Resource& resource) { return resource.id.starts_with(value); }});
      if (word.starts_with("wants=")) manifest.capabilities.push_back(value);
      if (word.starts_with("reads=")) manifest.reads.push_back(value);
      if (word.starts_with("min=")) manifest.min_interval = Millis(std::stoll(value));
      if (word.starts_with("how=")) manifest.document["how"] = value;
      if (word.starts_with("runtime=")) manifest.runtime = value;
    }
    result.manifests.push_back(std::move(manifest));
  }

  const std::string name_;
};

}  // namespace backplane
