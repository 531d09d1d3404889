#include "dialects/netalertx/app_files.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/files.h"
#include "dialects/netalertx/settings.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;

Status Link(const fs::path& target, const fs::path& link) {
  std::error_code error;
  fs::create_symlink(target, link, error);
  if (error) return Fail(Errc::kUnavailable, fmt::format("{}: {}", link.string(), error.message()));
  return {};
}

bool IsName(std::string_view key) {
  return !key.empty() && (key[0] < '0' || key[0] > '9') && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// Every line is an assignment of a literal: scripts execute this file.
std::string AppConf(const Settings& values) {
  std::string out;
  for (const auto& [key, value] : values)
    if (IsName(key)) out += fmt::format("{}={}\n", key, PythonLiteral(value));
  return out;
}

const char* DataType(const Json& value) {
  if (value.is_array()) return "array";
  if (value.is_boolean()) return "boolean";
  if (value.is_number_integer()) return "integer";
  return value.is_object() ? "object" : "string";
}

// The snapshot of the Settings table. Values are already decoded, so no type has transformers.
std::string TableSettings(const Settings& values) {
  Json rows = Json::array();
  for (const auto& [key, value] : values) {
    const char* type = DataType(value);
    const char* element = value.is_array() ? "select" : "input";
    rows.push_back({{"setKey", key},
                    {"setName", key},
                    {"setDescription", ""},
                    {"setType", fmt::format("{{'dataType': '{}', 'elements': [{{'elementType': '{}', "
                                            "'elementOptions': [], 'transformers': []}}]}}",
                                            type, element)},
                    {"setOptions", "[]"},
                    {"setGroup", key.substr(0, key.find('_'))},
                    {"setValue", value.is_object() ? DumpJson(value) : PythonText(value)},
                    {"setEvents", "[]"},
                    {"setOverriddenByEnv", 0}});
  }
  return DumpJson(Json{{"data", std::move(rows)}});
}

}  // namespace

Status WriteApp(const AppFolders& folders, const Manifest& manifest, const std::vector<std::string>& siblings,
                const Settings& values, const RunContext& context) {
  const fs::path own(manifest.folder);
  std::error_code error;
  if (!fs::is_directory(own, error))
    return Fail(Errc::kNotFound, fmt::format("{}: the plugin's folder is gone", own.string()));
  const fs::path server = folders.root / "server", plugins = server / "plugins", front = folders.root / "front";
  for (const fs::path& folder : {plugins, front, folders.config, folders.database, folders.api, folders.plugin_log})
    BACKPLANE_TRY(MakePrivateFolder(folder));

  const fs::path modules = context.share / "python" / "netalertx" / "server";
  // Copied, not linked: what a script writes among them is its own affair.
  std::error_code failed;
  fs::copy(modules, server, fs::copy_options::recursive, failed);
  if (failed) return Fail(Errc::kUnavailable, fmt::format("{}: {}", modules.string(), failed.message()));
  BACKPLANE_TRY(Link("../server/plugins", front / "plugins"));
  BACKPLANE_TRY(Link(own, plugins / own.filename()));
  for (const std::string& name : siblings) {
    const fs::path sibling = own.parent_path() / name;
    if (fs::is_directory(sibling, error) && !fs::exists(fs::symlink_status(plugins / name, error)))
      BACKPLANE_TRY(Link(sibling, plugins / name));
  }

  BACKPLANE_TRY(WriteFileAtomic(folders.config / "app.conf", AppConf(values), 0600));
  return WriteFileAtomic(folders.api / "table_settings.json", TableSettings(values), 0600);
}

}  // namespace backplane::netalertx
