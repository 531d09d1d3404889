#include "plugin/catalog.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace backplane {

namespace {

namespace fs = std::filesystem;

bool IsAbove(std::string folder, const std::string& file) {
  if (!folder.ends_with('/')) folder += '/';
  return file.starts_with(folder);
}

// A file that is gone while its folder is there. With the folder it may come back.
bool WasDeleted(const fs::path& file) {
  std::error_code error;
  return fs::status(file, error).type() == fs::file_type::not_found && fs::is_directory(file.parent_path(), error);
}

}  // namespace

Catalog Catalog::Load(const config::Site& site, const DialectList& dialects, const Catalog* before, const Gate& gate) {
  Catalog catalog;
  for (const auto& dialect : dialects) {
    const std::string name(dialect->name());
    const auto values = site.settings.find(name);
    catalog.dialect_settings_[name] = values == site.settings.end() ? Settings{} : values->second;
  }
  for (const auto& [name, values] : site.settings)
    if (!catalog.dialect_settings_.contains(name))
      catalog.findings_.push_back(
          {Finding::Severity::kError, "site configuration", "settings." + name, "no such dialect"});
  for (const config::PluginFolder& folder : site.folders) catalog.AddFolder(folder, site, dialects, gate);
  if (before != nullptr) catalog.Keep(*before);
  return catalog;
}

void Catalog::Keep(const Catalog& before) {
  std::map<Finding*, std::vector<std::string_view>> kept;
  for (const Plugin& plugin : before.plugins_) {
    Finding* const reason = ReasonToKeep(plugin);
    if (reason == nullptr) continue;
    kept[reason].push_back(plugin.manifest.id);
    for (const auto& [key, value] : plugin.settings) dialect_settings_[plugin.manifest.dialect][key] = value;
    by_id_.emplace(plugin.manifest.id, plugins_.size());
    plugins_.push_back(plugin);
  }
  for (auto& [finding, ids] : kept)
    finding->message += ids.size() == 1 ? fmt::format("; {} stays as it was read before", ids[0])
                                        : fmt::format("; {} plugins stay as they were read before", ids.size());
}

Finding* Catalog::ReasonToKeep(const Plugin& plugin) {
  const std::string& id = plugin.manifest.id;
  if (plugin.source.empty() || by_id_.contains(id) || denied_.contains(id)) return nullptr;
  // Others' errors say nothing of a file that was read, nor of one that is missing from its folder.
  const bool settled = files_.contains(plugin.source) || WasDeleted(plugin.source);
  const auto reason = std::find_if(findings_.begin(), findings_.end(), [&](const Finding& finding) {
    if (!IsError(finding)) return false;
    if (finding.file == plugin.source) return true;
    return !settled && (finding.file == plugin.site_folder || IsAbove(finding.file, plugin.source));
  });
  return reason == findings_.end() ? nullptr : &*reason;
}

bool Plugin::operator==(const Plugin& other) const {
  const Manifest& a = manifest;
  const Manifest& b = other.manifest;
  const bool same_targets =
      (a.targets == nullptr) == (b.targets == nullptr) && (a.targets == nullptr || a.targets->text == b.targets->text);
  return a.id == b.id && a.file == b.file && a.modified == b.modified && a.runtime == b.runtime &&
         a.triggers == b.triggers && a.min_interval == b.min_interval && a.results_interval == b.results_interval &&
         a.limits == b.limits && files == other.files && same_targets && a.document == b.document &&
         settings == other.settings;
}

std::vector<Finding> Catalog::UnknownSettings(const config::Site& site, const DialectList& dialects) const {
  std::vector<Finding> unknown;
  for (const auto& dialect : dialects) {
    const auto values = site.settings.find(std::string(dialect->name()));
    if (values == site.settings.end()) continue;
    const std::vector<std::string> common = dialect->CommonSettings();
    std::set<std::string> declared(common.begin(), common.end());
    for (const Plugin& plugin : plugins_)
      if (plugin.manifest.dialect == dialect->name())
        for (const Setting& setting : plugin.manifest.settings) declared.insert(setting.key);
    for (const auto& [key, value] : values->second)
      if (!declared.contains(key))
        unknown.push_back({Finding::Severity::kWarning, "site configuration",
                           fmt::format("settings.{}.{}", dialect->name(), key), "no plugin that was read declares it"});
  }
  return unknown;
}

void Catalog::AddFolder(const config::PluginFolder& folder, const config::Site& site, const DialectList& dialects,
                        const Gate& gate) {
  const auto complain = [&](std::string message) {
    findings_.push_back({Finding::Severity::kError, folder.path.string(), "", std::move(message)});
  };
  std::error_code error;
  if (!std::filesystem::exists(folder.path, error)) return complain("no such file or folder");
  const auto dialect = std::find_if(dialects.begin(), dialects.end(), [&](const auto& one) {
    return folder.dialect.empty() ? one->Recognises(folder.path) : one->name() == folder.dialect;
  });
  if (dialect == dialects.end())
    return complain(folder.dialect.empty() ? "is not laid out as any dialect's plugins are"
                                           : fmt::format("no such dialect: {}", folder.dialect));
  const Codec& codec = **dialect;
  const auto values = site.settings.find(std::string(codec.name()));
  const Settings site_values = values == site.settings.end() ? Settings{} : values->second;
  ReadResult read = codec.Read(folder.path, site_values);
  for (Finding& finding : read.findings) findings_.push_back(std::move(finding));
  for (Manifest& found : read.manifests) {
    const std::string file = found.file;
    files_.insert(file);
    if (const auto other = sources_.find(found.id); other != sources_.end()) {
      findings_.push_back({Finding::Severity::kError, file, "",
                           fmt::format("{} is also in {}, which was read first", found.id, other->second)});
      continue;
    }
    const std::string id = found.id;
    sources_[id] = found.folder;
    Result<Admitted> admitted = gate ? gate(codec, found) : Result<Admitted>(Admitted{std::move(found), nullptr, ""});
    if (!admitted) {
      const bool waits = admitted.error().code == Errc::kDenied;
      if (waits) denied_.insert(id);
      findings_.push_back(
          {waits ? Finding::Severity::kWarning : Finding::Severity::kError, file, "", admitted.error().message});
      continue;
    }
    if (!admitted->remark.empty()) findings_.push_back({Finding::Severity::kWarning, file, "", admitted->remark});
    Add(*std::move(admitted), codec, file, site_values, folder);
  }
}

void Catalog::Add(Admitted admitted, const Codec& codec, const std::string& source, const Settings& site_values,
                  const config::PluginFolder& folder) {
  Manifest& manifest = admitted.manifest;
  Result<Settings> settings = codec.Effective(manifest, site_values);
  if (!settings) {
    findings_.push_back({Finding::Severity::kError, source, settings.error().where, settings.error().message});
    return;
  }
  const bool scheduled = std::any_of(manifest.triggers.begin(), manifest.triggers.end(), [](const Trigger& trigger) {
    return trigger.kind == TriggerKind::kCron || trigger.kind == TriggerKind::kInterval;
  });
  if (folder.run_at_start && scheduled) manifest.triggers.push_back({.kind = TriggerKind::kStart});
  Settings& shared = dialect_settings_[manifest.dialect];
  for (const auto& [key, value] : *settings) shared[key] = value;
  by_id_.emplace(manifest.id, plugins_.size());
  plugins_.push_back(
      {std::move(manifest), &codec, *std::move(settings), std::move(admitted.files), source, folder.path});
}

Result<const Plugin*> Catalog::Find(std::string_view name) const {
  const Plugin* found = FindById(name);
  if (found != nullptr) return found;
  for (const Plugin& plugin : plugins_) {
    if (plugin.manifest.name != name) continue;
    if (found != nullptr)
      return Fail(Errc::kConflict,
                  fmt::format("{} is {} or {}: name it in full", name, found->manifest.id, plugin.manifest.id));
    found = &plugin;
  }
  if (found == nullptr) return Fail(Errc::kNotFound, fmt::format("no plugin {}{}", name, Choices()));
  return found;
}

std::string Catalog::Choices() const {
  constexpr std::size_t kMost = 12;
  if (plugins_.empty() || plugins_.size() > kMost) return "";
  std::vector<std::string_view> names;
  for (const Plugin& plugin : plugins_) names.push_back(plugin.manifest.name);
  return fmt::format("; there are {}", fmt::join(names, ", "));
}

const Plugin* Catalog::FindById(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &plugins_[found->second];
}

const Settings& Catalog::DialectSettings(std::string_view dialect) const {
  static const Settings kNone;
  const auto found = dialect_settings_.find(dialect);
  return found == dialect_settings_.end() ? kNone : found->second;
}

}  // namespace backplane
