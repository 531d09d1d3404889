#include "plugin/catalog.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "plugin/secret_ref.h"

namespace backplane {

namespace {

namespace fs = std::filesystem;

bool IsAbove(std::string folder, const std::string& file) {
  if (!folder.ends_with('/')) folder += '/';
  return file.starts_with(folder);
}

// Whether a value's place, "FILE" or "FILE:LINE", is this file or below this folder.
bool IsFrom(const std::string& place, const std::string& file) {
  return place == file || place.starts_with(file + ":") || IsAbove(file, place);
}

// A file that is gone while its folder is there. With the folder it may come back.
bool WasDeleted(const fs::path& file) {
  std::error_code error;
  return fs::status(file, error).type() == fs::file_type::not_found && fs::is_directory(file.parent_path(), error);
}

}  // namespace

Catalog Catalog::Load(const config::Site& site, const DialectList& dialects, const Catalog* before, const Gate& gate,
                      const StoredSettings& stored) {
  Catalog catalog;
  for (const auto& dialect : dialects) {
    catalog.codecs_.push_back(dialect.get());
    catalog.dialect_settings_[std::string(dialect->name())];
  }
  for (const auto& [name, values] : site.settings)
    if (!catalog.dialect_settings_.contains(name))
      catalog.findings_.push_back(
          {Finding::Severity::kError, "site configuration", "settings." + name, "no such dialect"});
  std::vector<std::pair<const config::PluginFolder*, const Codec*>> folders;
  for (const config::PluginFolder& folder : site.folders)
    if (const Codec* codec = catalog.CodecOf(folder, dialects)) folders.emplace_back(&folder, codec);
  for (const auto& [folder, codec] : folders) catalog.GiveOwn(*folder, *codec, before);
  for (const auto& dialect : dialects) {
    const std::string name(dialect->name());
    if (const auto values = site.settings.find(name); values != site.settings.end())
      for (const auto& [key, value] : values->second)
        catalog.Give(*dialect, key, {value, SettingLayer::kSite, "site", "the site configuration"});
    if (const auto values = stored.find(name); values != stored.end())
      for (const auto& [key, value] : values->second) catalog.Give(*dialect, key, value);
    catalog.SettleCommon(*dialect);
    Settings& settings = catalog.dialect_settings_[name];
    for (const auto& [key, value] : catalog.given_[name]) settings[key] = value.value;
  }
  for (const auto& [folder, codec] : folders) catalog.AddFolder(*folder, *codec, gate);
  if (before != nullptr) catalog.Keep(*before);
  return catalog;
}

void Catalog::Give(const Codec& codec, const std::string& key, GivenValue value) {
  const auto [at, added] = given_[std::string(codec.name())].try_emplace(key, value);
  if (!added && at->second.layer < value.layer) at->second = std::move(value);
}

void Catalog::GiveOwn(const config::PluginFolder& folder, const Codec& codec, const Catalog* before) {
  if (folder.installed) return;
  OwnConfig own = codec.ReadConfig(folder.path, folder.config);
  if (before != nullptr) KeepLastReading(before->Given(codec.name()), own);
  std::move(own.findings.begin(), own.findings.end(), std::back_inserter(findings_));
  for (GivenSettings* values : {&own.base, &own.overrides})
    for (auto& [key, value] : *values) {
      if (SecretNames({{key, value.value}}).empty())
        Give(codec, key, std::move(value));
      else
        findings_.push_back({Finding::Severity::kError, value.place, key,
                             "refers to a secret, which only the site configuration and the API can: left out"});
    }
}

// A file with an error, which may be half an edit, says what it said before.
void Catalog::KeepLastReading(const GivenSettings& before, OwnConfig& own) {
  std::set<std::string> kept;
  for (Finding& finding : own.findings) {
    if (!IsError(finding) || !kept.insert(finding.file).second) continue;
    const auto is_from = [&](const auto& given) { return IsFrom(given.second.place, finding.file); };
    if (std::none_of(before.begin(), before.end(), is_from)) continue;
    finding.message += "; until that is mended, what was read before counts";
    std::erase_if(own.base, is_from);
    std::erase_if(own.overrides, is_from);
    for (const auto& given : before)
      if (is_from(given)) (given.second.layer == SettingLayer::kOverride ? own.overrides : own.base).insert(given);
  }
}

void Catalog::SettleCommon(const Codec& codec) {
  GivenSettings& given = given_[std::string(codec.name())];
  for (const Setting& setting : codec.CommonSettings()) {
    const auto at = given.find(setting.key);
    if (at == given.end()) continue;
    auto value = codec.CommonValue(setting.key, at->second.value);
    if (value) {
      at->second.value = *std::move(value);
    } else {
      const bool site = at->second.layer == SettingLayer::kSite;
      findings_.push_back({Finding::Severity::kError, site ? "site configuration" : at->second.place,
                           site ? fmt::format("settings.{}.{}", codec.name(), setting.key) : setting.key,
                           fmt::format("{}; the default counts", value.error().message)});
      given.erase(at);
    }
  }
}

void Catalog::AddFinding(const Codec& codec, Finding finding) {
  const GivenSettings& given = given_[std::string(codec.name())];
  if (const auto at = given.find(finding.where); at != given.end()) {
    const GivenValue& value = at->second;
    finding.message += fmt::format(" (given in {})", value.place.empty() ? value.source : value.place);
  }
  findings_.push_back(std::move(finding));
}

bool Catalog::operator==(const Catalog& other) const {
  return plugins_ == other.plugins_ && findings_ == other.findings_ && dialect_settings_ == other.dialect_settings_ &&
         given_ == other.given_;
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

std::vector<Finding> Catalog::UnknownSettings(const DialectList& dialects) const {
  std::vector<Finding> unknown;
  for (const auto& dialect : dialects) {
    std::set<std::string> declared;
    for (const Setting& setting : dialect->CommonSettings()) declared.insert(setting.key);
    for (const Manifest* manifest : ManifestsOf(dialect->name()))
      for (const Setting& setting : manifest->settings) declared.insert(setting.key);
    for (const auto& [key, value] : Given(dialect->name())) {
      const bool site = value.layer == SettingLayer::kSite;
      if ((!site && value.layer != SettingLayer::kOverride) || declared.contains(key)) continue;
      unknown.push_back({Finding::Severity::kWarning, site ? "site configuration" : value.place,
                         site ? fmt::format("settings.{}.{}", dialect->name(), key) : key,
                         "no plugin that was read declares it"});
    }
  }
  return unknown;
}

const Codec* Catalog::CodecOf(const config::PluginFolder& folder, const DialectList& dialects) {
  const auto complain = [&](std::string message) {
    findings_.push_back({Finding::Severity::kError, folder.path.string(), "", std::move(message)});
    return nullptr;
  };
  std::error_code error;
  if (!std::filesystem::exists(folder.path, error))
    return complain(error ? ToLower(error.message()) : "no such file or folder");
  const auto dialect = std::find_if(dialects.begin(), dialects.end(), [&](const auto& one) {
    return folder.dialect.empty() ? one->Recognises(folder.path) : one->name() == folder.dialect;
  });
  if (dialect == dialects.end() && std::filesystem::is_directory(folder.path, error)) {
    std::filesystem::directory_iterator(folder.path, error);
    if (error) return complain(ToLower(error.message()));
  }
  if (dialect == dialects.end())
    return complain(folder.dialect.empty() ? "is not laid out as any dialect's plugins are"
                                           : fmt::format("no such dialect: {}", folder.dialect));
  return dialect->get();
}

void Catalog::AddFolder(const config::PluginFolder& folder, const Codec& codec, const Gate& gate) {
  Settings values;
  for (const auto& [key, value] : Given(codec.name())) values[key] = value.value;
  ReadResult read = codec.Read(folder.path, values);
  for (Finding& finding : read.findings) AddFinding(codec, std::move(finding));
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
    Add(*std::move(admitted), codec, file, values, folder);
  }
}

void Catalog::Add(Admitted admitted, const Codec& codec, const std::string& source, const Settings& values,
                  const config::PluginFolder& folder) {
  Manifest& manifest = admitted.manifest;
  Result<Settings> settings = codec.Effective(manifest, values);
  if (!settings) {
    AddFinding(codec, {Finding::Severity::kError, source, settings.error().where, settings.error().message});
    return;
  }
  // Its own secrets are among its settings; a foreign one joins them.
  for (const std::string& key : manifest.reads)
    if (const auto foreign = values.find(key); foreign != values.end() && IsSecretRef(foreign->second))
      settings->insert(*foreign);
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

const GivenSettings& Catalog::Given(std::string_view dialect) const {
  static const GivenSettings kNone;
  const auto found = given_.find(dialect);
  return found == given_.end() ? kNone : found->second;
}

std::vector<const Manifest*> Catalog::ManifestsOf(std::string_view dialect) const {
  std::vector<const Manifest*> manifests;
  for (const Plugin& plugin : plugins_)
    if (plugin.manifest.dialect == dialect) manifests.push_back(&plugin.manifest);
  return manifests;
}

}  // namespace backplane
