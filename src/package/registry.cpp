#include "package/registry.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/files.h"
#include "base/log.h"
#include "base/text.h"
#include "package/diff.h"
#include "store/audit.h"

namespace backplane::package {
namespace {

namespace fs = std::filesystem;
using store::PluginVersion;
using store::VersionState;

constexpr int kVersionsKept = 10;
constexpr std::size_t kShortHash = 12;

std::string Short(const std::string& hash) { return hash.substr(0, kShortHash); }

bool LiesIn(const std::string& file, const std::string& path) { return file == path || file.starts_with(path + "/"); }

// Of the files and of what the plugin asks for: a change of either waits.
std::string HashOf(const Manifest& found, const Tree& tree) {
  if (found.capabilities.empty()) return tree.hash;
  std::string text = tree.hash;
  for (const std::string& capability : found.capabilities) text += "\n" + capability;
  return Sha256Hex(text);
}

Json AsksOf(const Manifest& found) {
  Json settings = Json::array();
  for (const Setting& setting : found.settings) settings.push_back(setting.key);
  Json data = Json::array();
  for (const fs::path& path : found.data) data.push_back(path.string());
  return {{"runs", found.runs},
          {"runtime", found.runtime},
          {"timeout", FormatDuration(found.limits.timeout)},
          {"targets", found.targets == nullptr ? "" : found.targets->text},
          {"capabilities", found.capabilities},
          {"data", std::move(data)},
          {"settings", std::move(settings)}};
}

}  // namespace

Registry::Registry(RegistryParts parts)
    : parts_(std::move(parts)), blobs_(parts_.folder / "contents"), reader_(blobs_) {}

Gate Registry::AsGate() {
  return [this](const Codec& codec, const Manifest& found) { return Admit(codec, found); };
}

Result<Admitted> Registry::Admit(const Codec& codec, const Manifest& found) {
  const std::lock_guard lock(mutex_);
  BACKPLANE_ASSIGN(Tree tree, reader_.Read(found.contents));
  BACKPLANE_ASSIGN(const PluginVersion seen, Keep(found, tree));
  std::optional<PluginVersion> version;
  bool enabled = true;
  BACKPLANE_TRY(parts_.database.Read([&](store::Connection& connection) -> Status {
    store::Plugins plugins(connection, kDefaultOrg);
    version = plugins.Approved(found.id);
    enabled = plugins.Enabled(found.id);
    return {};
  }));
  if (!version)
    return Fail(Errc::kDenied, fmt::format("{} waits for approval: look with `backplane plugins review {}`, then "
                                           "`backplane plugins approve {}`",
                                           found.id, found.id, found.id));
  if (!enabled)
    return Fail(Errc::kDenied,
                fmt::format("{} is disabled: `backplane plugins enable {}` ends that", found.id, found.id));
  Admitted admitted;
  if (version->id != seen.id) {
    admitted.remark = fmt::format("{}: what lies there now ({}) waits for approval; {} runs", found.id,
                                  Short(seen.hash), Short(version->hash));
    const auto stored = ParseJson(version->tree);
    if (!stored) return Fail(stored.error());
    BACKPLANE_ASSIGN(tree, TreeFromJson(*stored));
  }
  const auto copy = CopyOf(*version, found, std::move(tree));
  // Read from the copy: what runs and what it is declared to be are of one version.
  BACKPLANE_TRY(copy->PutBack());
  ReadResult read = codec.Read(copy->PathOf(version->source), found.read_with, copy->folder());
  const auto same = std::find_if(read.manifests.begin(), read.manifests.end(),
                                 [&](const Manifest& manifest) { return manifest.id == found.id; });
  if (same == read.manifests.end())
    return Fail(Errc::kInternal, fmt::format("{}: its approved files cannot be read any more{}", found.id,
                                             read.findings.empty() ? "" : ": " + Describe(read.findings.front())));
  admitted.manifest = std::move(*same);
  // What was approved is what counts as changed, not the copy that was made of it.
  admitted.manifest.modified = version->id == seen.id ? found.modified : version->decided.value_or(found.modified);
  admitted.files = copy;
  return admitted;
}

Result<PluginVersion> Registry::Keep(const Manifest& found, const Tree& tree) {
  PluginVersion version{.plugin = found.id,
                        .hash = HashOf(found, tree),
                        .source = found.file,
                        .dialect = found.dialect,
                        .title = found.title,
                        .tree = DumpJson(ToJson(tree)),
                        .asks = DumpJson(AsksOf(found)),
                        .found = parts_.clock.Now()};
  std::optional<PluginVersion> known;
  BACKPLANE_TRY(parts_.database.Read([&](store::Connection& connection) -> Status {
    known = store::Plugins(connection, kDefaultOrg).Find(found.id, version.hash);
    return {};
  }));
  const bool waits = !known || known->state == VersionState::kReplaced ||
                     (known->state == VersionState::kWaiting && known->source != version.source);
  if (!waits && !(parts_.trust && known->state == VersionState::kWaiting)) return *known;
  CrashPoint("plugin.keep.before");
  BACKPLANE_TRY(parts_.database.Write([&](store::Connection& connection) -> Status {
    store::Plugins plugins(connection, kDefaultOrg);
    if (waits) {
      // What was replaced once is decided anew, as the newest.
      if (known) plugins.Forget(known->id);
      version.id = plugins.Insert(version);
      plugins.Prune(found.id, kVersionsKept);
    } else {
      version = *known;
    }
    if (!parts_.trust) return {};
    plugins.Approve(version, "auto", parts_.clock.Now());
    version.state = VersionState::kApproved;
    return Audit(connection, "auto", "plugin.approve", version);
  }));
  if (!parts_.trust) LogInfo("{}: {} waits for approval", found.id, Short(version.hash));
  return version;
}

std::shared_ptr<const WorkingCopy> Registry::CopyOf(const PluginVersion& version, const Manifest& found, Tree tree) {
  auto& copy = copies_[version.id];
  if (copy == nullptr)
    // Of its own, though another plugin may consist of the same files: one must not put back the other's.
    copy = std::make_shared<WorkingCopy>(parts_.folder / "copies" / std::to_string(version.id), std::move(tree),
                                         found.data, blobs_);
  else
    copy->SetData(found.data);
  return copy;
}

Result<VersionView> Registry::View(const std::string& plugin, const std::string& hash) {
  VersionView view;
  std::vector<PluginVersion> versions;
  BACKPLANE_TRY(parts_.database.Read([&](store::Connection& connection) -> Status {
    store::Plugins plugins(connection, kDefaultOrg);
    versions = plugins.Versions(plugin);
    view.enabled = plugins.Enabled(plugin);
    view.approved = plugins.Approved(plugin);
    return {};
  }));
  if (versions.empty()) return Fail(Errc::kNotFound, fmt::format("no plugin {} was ever found", plugin));
  std::erase_if(versions, [&](const PluginVersion& version) { return !version.hash.starts_with(hash); });
  if (versions.empty()) return Fail(Errc::kNotFound, fmt::format("{} has no version {}", plugin, hash), "hash");
  if (!hash.empty() && versions.size() > 1)
    return Fail(Errc::kConflict, fmt::format("{} versions of {} begin with {}", versions.size(), plugin, hash), "hash");
  view.version = std::move(versions.front());
  BACKPLANE_ASSIGN(const Json tree, ParseJson(view.version.tree));
  BACKPLANE_ASSIGN(view.tree, TreeFromJson(tree));
  if (view.approved && view.approved->id == view.version.id) view.approved.reset();
  return view;
}

Result<std::vector<PluginVersion>> Registry::Newest() {
  std::vector<PluginVersion> versions;
  BACKPLANE_TRY(parts_.database.Read([&](store::Connection& connection) -> Status {
    versions = store::Plugins(connection, kDefaultOrg).Newest();
    return {};
  }));
  return versions;
}

Result<std::string> Registry::Diff(const VersionView& view) {
  Tree before{.root = view.tree.root};
  if (view.approved) {
    BACKPLANE_ASSIGN(const Json json, ParseJson(view.approved->tree));
    BACKPLANE_ASSIGN(before, TreeFromJson(json));
  }
  return DiffTrees(before, view.tree, blobs_);
}

Result<PluginVersion> Registry::Approve(const std::string& plugin, const std::string& hash, const std::string& by) {
  BACKPLANE_ASSIGN(VersionView view, View(plugin, hash));
  if (view.version.hash != hash)
    return Fail(Errc::kInvalid, "approve by the whole hash of what you have looked at", "hash");
  // A version that is approved must be whole: its contents are looked at once more.
  for (const TreeFile& file : view.tree.files) BACKPLANE_TRY(blobs_.Get(file.content));
  PluginVersion& version = view.version;
  BACKPLANE_TRY(parts_.database.Write([&](store::Connection& connection) -> Status {
    store::Plugins plugins(connection, kDefaultOrg);
    const auto now = plugins.Get(version.id);
    if (!now) return Fail(Errc::kConflict, fmt::format("{} {} is gone by now", plugin, Short(hash)));
    if (now->state == VersionState::kApproved) return {};
    plugins.Approve(version, by, parts_.clock.Now());
    CrashPoint("plugin.approve.inside");
    return Audit(connection, by, "plugin.approve", version);
  }));
  CrashPoint("plugin.approve.after");
  version.state = VersionState::kApproved;
  return std::move(version);
}

Status Registry::SetEnabled(const std::string& plugin, bool enabled, const std::string& by) {
  BACKPLANE_ASSIGN(const VersionView view, View(plugin));
  return parts_.database.Write([&](store::Connection& connection) -> Status {
    store::Plugins plugins(connection, kDefaultOrg);
    if (plugins.Enabled(plugin) == enabled) return {};
    plugins.SetEnabled(plugin, enabled);
    return Audit(connection, by, enabled ? "plugin.enable" : "plugin.disable", view.version);
  });
}

Status Registry::Remove(const std::string& plugin, const std::string& by) {
  BACKPLANE_ASSIGN(const VersionView view, View(plugin));
  BACKPLANE_TRY(parts_.database.Write([&](store::Connection& connection) -> Status {
    store::Plugins plugins(connection, kDefaultOrg);
    plugins.Remove(plugin);
    CrashPoint("plugin.remove.inside");
    // A path that was added goes with the last plugin that it held.
    const std::vector<PluginVersion> left = plugins.Newest();
    for (const auto& [path, dialect] : plugins.Sources()) {
      const bool needed = std::any_of(left.begin(), left.end(),
                                      [&](const PluginVersion& version) { return LiesIn(version.source, path); });
      if (LiesIn(view.version.source, path) && !needed) plugins.RemoveSource(path);
    }
    return Audit(connection, by, "plugin.remove", view.version);
  }));
  CrashPoint("plugin.remove.after");
  return Sweep();
}

Status Registry::AddSource(const fs::path& path, const std::string& dialect, const std::string& by) {
  return parts_.database.Write([&](store::Connection& connection) -> Status {
    store::Plugins(connection, kDefaultOrg).AddSource(path.string(), dialect);
    return Audit(connection, by, "plugin.install",
                 {.plugin = path.string(), .hash = "", .source = path.string(), .dialect = dialect});
  });
}

Result<std::vector<config::PluginFolder>> Registry::Folders(const config::Site& site) {
  std::vector<config::PluginFolder> folders = site.folders;
  BACKPLANE_TRY(parts_.database.Read([&](store::Connection& connection) -> Status {
    for (auto& [path, dialect] : store::Plugins(connection, kDefaultOrg).Sources())
      folders.push_back({.path = path, .dialect = dialect, .installed = true});
    return {};
  }));
  return folders;
}

Status Registry::Sweep() {
  const std::lock_guard lock(mutex_);
  std::set<std::string> contents;
  std::set<std::string> versions;
  BACKPLANE_TRY(parts_.database.Read([&](store::Connection& connection) -> Status {
    for (const std::string& text : store::AllTrees(connection)) {
      BACKPLANE_ASSIGN(const Json json, ParseJson(text));
      BACKPLANE_ASSIGN(const Tree tree, TreeFromJson(json));
      for (const TreeFile& file : tree.files) contents.insert(file.content);
    }
    for (const PluginVersion& version : store::Plugins(connection, kDefaultOrg).Newest())
      for (const PluginVersion& one : store::Plugins(connection, kDefaultOrg).Versions(version.plugin))
        versions.insert(std::to_string(one.id));
    return {};
  }));
  blobs_.Sweep(contents);
  reader_.Forget();
  std::error_code error;
  for (fs::directory_iterator entry(parts_.folder / "copies", error), end; !error && entry != end;
       entry.increment(error)) {
    if (versions.contains(entry->path().filename().string())) continue;
    std::error_code ignored;
    fs::remove_all(entry->path(), ignored);
  }
  return {};
}

Status Registry::Audit(store::Connection& connection, const std::string& by, const char* action,
                       const PluginVersion& version) const {
  store::Audit(connection, kDefaultOrg)
      .Append({.at = parts_.clock.Now(),
               .actor = by,
               .action = action,
               .subject = version.plugin,
               .detail = DumpJson(Json{{"hash", version.hash}, {"source", version.source}})});
  return {};
}

}  // namespace backplane::package
