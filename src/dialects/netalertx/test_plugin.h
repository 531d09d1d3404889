// A small valid plugin for tests.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace backplane::netalertx {

/// Adds a setting with one input element (a select for a list).
inline void AddSetting(Json& document, const std::string& function, const std::string& type, const Json& value) {
  const Json text = Json::array({{{"language_code", "en_us"}, {"string", function}}});
  const Json element = {{"elementType", type == "array" ? "select" : "input"},
                        {"elementOptions", Json::array()},
                        {"transformers", Json::array()}};
  document["settings"].push_back({{"function", function},
                                  {"type", {{"dataType", type}, {"elements", Json::array({element})}}},
                                  {"default_value", value},
                                  {"localized", Json::array({"name", "description"})},
                                  {"name", text},
                                  {"description", text}});
}

inline Json TestManifest(const std::string& prefix) {
  const Json text = Json::array({{{"language_code", "en_us"}, {"string", "Case"}}});
  Json document = {{"code_name", "case"},
                   {"unique_prefix", prefix},
                   {"plugin_type", "device_scanner"},
                   {"data_source", "script"},
                   {"localized", Json::array({"display_name", "description", "icon"})},
                   {"display_name", text},
                   {"description", text},
                   {"icon", text},
                   {"params", Json::array()},
                   {"settings", Json::array()}};
  AddSetting(document, "RUN", "string", "disabled");
  AddSetting(document, "RUN_SCHD", "string", "*/5 * * * *");
  AddSetting(document, "CMD", "string", "python3 /app/server/plugins/case/script.py");
  AddSetting(document, "RUN_TIMEOUT", "integer", 10);
  return document;
}

/// A new folder that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "netalertx_test.XXXXXX";
    if (!mkdtemp(name.data())) std::abort();
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Not root as long as it lives, but somebody who may look into `folder`.
class AsNobody {
 public:
  explicit AsNobody(const std::filesystem::path& folder) {
    if (geteuid() != 0) return;
    std::filesystem::permissions(folder, std::filesystem::perms(0755));
    if (seteuid(65534) != 0) std::abort();
    changed_ = true;
  }
  ~AsNobody() {
    if (changed_ && seteuid(0) != 0) std::abort();
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  bool changed_ = false;
};

}  // namespace backplane::netalertx
