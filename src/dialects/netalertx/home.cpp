#include "dialects/netalertx/home.h"

#include <fmt/format.h>

#include "base/files.h"
#include "base/log.h"
#include "dialects/netalertx/settings_table.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDialect = "netalertx";
constexpr const char* kTemplate = "__template";
// Of ours, or of somebody who means harm.
constexpr std::size_t kMaxModule = 4 << 20;

// Replaces what differs, each file in one step: a script may be reading them.
Status CopyModules(const fs::path& from, const fs::path& to) {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(from, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path place = to / entry->path().lexically_relative(from);
    if (entry->path().filename() == "__pycache__") {
      entry.disable_recursion_pending();
    } else if (entry->is_directory()) {
      BACKPLANE_TRY(MakePrivateFolder(place));
    } else {
      BACKPLANE_ASSIGN(const std::string content, ReadFile(entry->path(), kMaxModule));
      if (const auto present = ReadFile(place, kMaxModule); !present || *present != content)
        BACKPLANE_TRY(WriteFileAtomic(place, content));
    }
  }
  if (error) return Fail(Errc::kUnavailable, fmt::format("{}: {}", from.string(), error.message()));
  return {};
}

// What an earlier release had there. Links are the plugins', and compiled modules without their source count for
// nothing.
Status RemoveOthers(const fs::path& from, const fs::path& to) {
  std::error_code error;
  std::vector<fs::path> others;
  for (fs::recursive_directory_iterator entry(to, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->is_symlink()) continue;
    const bool compiled = entry->path().filename() == "__pycache__";
    const bool other = !compiled && !fs::exists(from / entry->path().lexically_relative(to), error);
    if (other) others.push_back(entry->path());
    if ((compiled || other) && entry->is_directory()) entry.disable_recursion_pending();
  }
  for (const fs::path& other : others)
    if (!error) fs::remove_all(other, error);
  if (error) return Fail(Errc::kUnavailable, fmt::format("{}: {}", to.string(), error.message()));
  return {};
}

// Puts a link in the place of another, in one step; what is not a link stays.
Status PlaceLink(const fs::path& link, const fs::path& target) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(link, error)) && !fs::is_symlink(fs::symlink_status(link, error)))
    return Fail(Errc::kConflict, fmt::format("{}: is there, and is not a link", link.string()));
  if (fs::read_symlink(link, error) == target) return {};
  const fs::path fresh = link.parent_path() / ("." + link.filename().string());
  fs::remove(fresh, error);
  fs::create_symlink(target, fresh, error);
  if (!error) fs::rename(fresh, link, error);
  if (error) return Fail(Errc::kUnavailable, fmt::format("{}: {}", link.string(), error.message()));
  return {};
}

}  // namespace

Status Home::Make(const fs::path& share) const {
  const fs::path server = folders_.root / "server", front = folders_.root / "front";
  for (const fs::path& folder : {folders_.root, server, front, folders_.data, folders_.config, folders_.database,
                                 folders_.temporary, folders_.api, folders_.log, folders_.plugin_log})
    BACKPLANE_TRY(MakePrivateFolder(folder));
  const fs::path modules = share / "python" / "netalertx" / "server";
  BACKPLANE_TRY(CopyModules(modules, server));
  BACKPLANE_TRY(RemoveOthers(modules, server));
  // Where the guides tell authors to copy it from.
  BACKPLANE_TRY(
      PlaceLink(folders_.root / "server/plugins" / kTemplate, share / "examples/netalertx/front/plugins" / kTemplate));
  return PlaceLink(front / "plugins", "../server/plugins");
}

void Home::SetCatalog(const Catalog& catalog, const Settings& values) {
  LinkPlugins(catalog);
  const std::string text = AppConfText(catalog.ManifestsOf(kDialect), values);
  if (const Status written = WriteFileAtomic(folders_.config / "app.conf", text, 0600); !written)
    LogWarning("scripts that are started by hand see old settings: {}", written.error().message);
  const std::lock_guard lock(mutex_);
  plugins_.clear();
  for (const Plugin& plugin : catalog.plugins())
    if (plugin.manifest.dialect == kDialect && !plugin.manifest.runtime.empty())
      plugins_[plugin.manifest.name] = plugin.manifest.id;
}

// By the names of their folders: of two plugins with one name the first has it.
void Home::LinkPlugins(const Catalog& catalog) const {
  const fs::path plugins = folders_.root / "server" / "plugins";
  std::map<fs::path, fs::path> wanted;
  for (const Plugin& plugin : catalog.plugins()) {
    if (plugin.manifest.dialect != kDialect) continue;
    const fs::path folder(plugin.manifest.folder);
    if (!wanted.emplace(folder.filename(), folder).second)
      LogWarning("{}: another plugin's folder has that name too, and is the one in {}", folder.string(),
                 plugins.string());
  }
  std::error_code error;
  for (fs::directory_iterator entry(plugins, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    const fs::path name = entry->path().filename();
    if (entry->is_symlink(ignored) && name != kTemplate && !wanted.contains(name)) fs::remove(entry->path(), ignored);
  }
  for (const auto& [name, folder] : wanted)
    if (const Status placed = PlaceLink(plugins / name, folder); !placed)
      LogWarning("a plugin cannot be started by hand: {}", placed.error().message);
}

Result<std::string> Home::PluginOf(std::string_view file) const {
  constexpr std::string_view kStart = "last_result.", kEnd = ".log";
  if (!file.starts_with(kStart) || !file.ends_with(kEnd) || file.size() <= kStart.size() + kEnd.size())
    return std::string();
  const std::string_view prefix = file.substr(kStart.size(), file.size() - kStart.size() - kEnd.size());
  // With a dot in it, it came from another node.
  if (prefix.find('.') != std::string_view::npos) return std::string();
  const std::lock_guard lock(mutex_);
  if (const auto plugin = plugins_.find(prefix); plugin != plugins_.end()) return plugin->second;
  return Fail(
      Errc::kNotFound,
      fmt::format("no plugin in force that runs scripts has the prefix {}; `backplane plugins list` shows which "
                  "are disabled or wait for approval",
                  prefix));
}

std::map<std::string, std::string> AppEnvironment(const AppFolders& folders) {
  const std::string root = folders.root;
  return {{"PYTHONPATH", fmt::format("{0}:{0}/server:{0}/server/plugins", root)},
          {"PYTHONDONTWRITEBYTECODE", "1"},
          {"NETALERTX_APP", root},
          {"NETALERTX_DATA", folders.data},
          {"NETALERTX_CONFIG", folders.config},
          {"NETALERTX_DB", folders.database},
          {"NETALERTX_TMP", folders.temporary},
          {"NETALERTX_API", folders.api},
          {"NETALERTX_LOG", folders.log},
          {"NETALERTX_PLUGINS_LOG", folders.plugin_log}};
}

std::vector<std::pair<fs::path, fs::path>> DefaultPlaces(const AppFolders& folders) {
  return {{"/app/server", folders.root / "server"},
          {"/app/front/plugins", folders.root / "server" / "plugins"},
          {"/tmp/log", folders.log},
          {"/tmp/api", folders.api},
          {"/data/config", folders.config},
          {"/data/db", folders.database}};
}

}  // namespace backplane::netalertx
