#include "dialects/netalertx/read.h"

#include <algorithm>
#include <array>
#include <climits>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "base/files.h"
#include "base/text.h"
#include "dialects/netalertx/check.h"
#include "dialects/netalertx/core_settings.h"
#include "dialects/netalertx/form.h"
#include "dialects/netalertx/settings.h"
#include "dialects/netalertx/texts.h"
#include "dialects/netalertx/words.h"
#include "schedule/cron.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;
using Severity = Finding::Severity;

constexpr std::size_t kManifestBytes = 1 << 20;
constexpr Millis kStandardTimeout{10'000};
constexpr Millis kLongestTimeout = std::chrono::hours(24);
constexpr std::size_t kMostMultiplied = 10'000;

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// RUN values that a phase starts.
constexpr std::array<std::pair<std::string_view, const char*>, 5> kPhases = {
    {{"always_after_scan", kAfterScanPhase},
     {"on_new_device", kNewDevicePhase},
     {"before_name_updates", kBeforeNamesPhase},
     {"on_notification", kNotificationPhase},
     {"before_config_save", kSettingsPhase}}};

// One that may not be looked at counts too, so that somebody is told.
bool HasManifest(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / "config.json", error) || error == std::errc::permission_denied;
}

void AddPluginsIn(const fs::path& folder, std::vector<fs::path>& out) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path& path = entry->path();
    if (path.filename().string().starts_with("__")) continue;
    if (HasManifest(path) && !Exists(path / "ignore_plugin")) out.push_back(path);
  }
}

std::vector<Setting> DeclaredSettings(const Json& document, const std::string& prefix) {
  std::map<std::string, std::size_t> place;
  std::vector<Setting> out;
  for (const Json& setting : document["settings"]) {
    Setting one = DeclaredSetting(setting, prefix + "_" + TextAt(setting, "function"));
    if (const auto [at, added] = place.try_emplace(one.key, out.size()); added)
      out.push_back(std::move(one));
    else
      out[at->second] = std::move(one);
  }
  return out;
}

const Json* ValueOf(const std::string& key, const Settings& effective, const Settings& core) {
  for (const Settings* settings : {&effective, &core})
    if (const auto at = settings->find(key); at != settings->end()) return &at->second;
  return nullptr;
}

// What its command is built from besides its own; and the ecosystem's own plugins speak for the host.
std::vector<std::string> ForeignSettings(const Json& document) {
  std::vector<std::string> keys;
  if (const auto params = document.find("params"); params != document.end() && params->is_array())
    for (const Json& param : *params)
      if (TextAt(param, "type") == "setting") keys.push_back(TextAt(param, "value"));
  if (TextAt(document, "plugin_type") == "core") keys.emplace_back("API_TOKEN");
  return keys;
}

std::string Effective(const Settings& settings, const std::string& key) {
  const auto at = settings.find(key);
  return at == settings.end() ? std::string() : PythonText(at->second);
}

class Builder {
 public:
  Builder(Json document, const std::string& file, const std::string& folder, const Settings& site)
      : document_(std::move(document)),
        file_(file),
        folder_(folder),
        site_(site),
        prefix_(TextAt(document_, "unique_prefix")) {}

  ManifestText Build() {
    ManifestText out;
    auto effective = EffectiveSettings(document_, prefix_, site_);
    if (!effective) {
      out.findings.push_back({Severity::kError, file_, effective.error().where,
                              fmt::format("the value that is given does not fit: {}", effective.error().message)});
      return out;
    }
    settings_ = *std::move(effective);
    Manifest manifest;
    manifest.id = "netalertx:" + prefix_;
    manifest.dialect = "netalertx";
    manifest.name = prefix_;
    manifest.title = LocalText(document_, "display_name");
    manifest.description = LocalText(document_, "description");
    manifest.kind = TextAt(document_, "plugin_type");
    manifest.folder = folder_;
    manifest.file = file_;
    manifest.contents = {folder_};
    manifest.read_with = site_;
    manifest.runtime = Runtime();
    if (!manifest.runtime.empty()) manifest.runs = Effective(settings_, Key("CMD"));
    manifest.settings = DeclaredSettings(document_, prefix_);
    manifest.reads = ForeignSettings(document_);
    if (!manifest.runtime.empty()) {
      manifest.triggers = Triggers();
      manifest.scans = TextAt(document_, "mapped_to_table") == "CurrentScan";
    }
    manifest.limits.timeout = RunTimeout(document_, prefix_, settings_, CoreSettings(site_));
    manifest.document = std::move(document_);
    out.findings = std::move(findings_);
    if (!HasError(out.findings)) out.manifest = std::move(manifest);
    return out;
  }

 private:
  std::string Key(std::string_view function) const { return fmt::format("{}_{}", prefix_, function); }

  // Queries are run by a process too: Prepare() knows which.
  std::string Runtime() {
    const bool runs = TextAt(document_, "data_source") != "template" && !Trim(Effective(settings_, Key("CMD"))).empty();
    return runs ? "process" : std::string();
  }

  std::vector<Trigger> Triggers() {
    auto triggers = TriggersOf(prefix_, settings_);
    if (triggers) return *std::move(triggers);
    findings_.push_back({Severity::kError, file_, triggers.error().where, triggers.error().message});
    return {};
  }

  Json document_;
  const std::string& file_;
  const std::string& folder_;
  const Settings& site_;
  const std::string prefix_;
  Settings settings_;
  std::vector<Finding> findings_;
};

// Layer_2 is 2; without a number, last.
int Layer(const Manifest& manifest) {
  const std::string order = TextAt(manifest.document, "execution_order");
  return order.empty() || order == "Layer_N" ? INT_MAX : std::atoi(order.c_str() + sizeof "Layer_" - 1);
}

}  // namespace

Result<std::vector<Trigger>> TriggersOf(std::string_view prefix, const Settings& effective) {
  const std::string run_key = fmt::format("{}_RUN", prefix), cron_key = run_key + "_SCHD";
  const std::string run = Effective(effective, run_key);
  if (run == "once") return std::vector{Trigger{.kind = TriggerKind::kStart}};
  for (const auto& [value, phase] : kPhases)
    if (run == value) return std::vector{Trigger{.kind = TriggerKind::kPhase, .name = phase}};
  if (run == "schedule") {
    const std::string cron = Effective(effective, cron_key);
    if (const auto parsed = schedule::Cron::Parse(cron); !parsed)
      return Fail(Errc::kInvalid, parsed.error().message, cron_key);
    return std::vector{Trigger{.kind = TriggerKind::kCron, .cron = cron}};
  }
  if (!run.empty() && !OneOf(kRunValues, run)) return Fail(Errc::kInvalid, UnknownRun(run), run_key);
  return std::vector<Trigger>();
}

std::vector<fs::path> FindPluginFolders(const fs::path& path) {
  std::vector<fs::path> out;
  if (path.filename() == "config.json" && Exists(path)) return {path.parent_path()};
  if (HasManifest(path)) return {path};
  AddPluginsIn(path, out);
  std::error_code error;
  const fs::path server = path / "server" / "plugins", front = path / "front" / "plugins";
  AddPluginsIn(server, out);
  // One is usually a link to the other.
  if (!fs::equivalent(server, front, error)) AddPluginsIn(front, out);
  std::sort(out.begin(), out.end(), [](const fs::path& a, const fs::path& b) {
    return std::pair(a.filename(), a) < std::pair(b.filename(), b);
  });
  return out;
}

ManifestText ReadManifest(std::string_view text, const std::string& file, const std::string& folder,
                          const Settings& site) {
  ManifestText out;
  auto document = ParseJson(text);
  if (!document) {
    out.findings.push_back({Severity::kError, file, "", document.error().message});
    return out;
  }
  out.findings = CheckKeys(text, *document, file);
  auto checked = CheckManifest(*document, file);
  std::move(checked.begin(), checked.end(), std::back_inserter(out.findings));
  if (HasError(out.findings)) return out;
  ManifestText built = Builder(*std::move(document), file, folder, site).Build();
  out.manifest = std::move(built.manifest);
  for (Finding& finding : built.findings) {
    // Of a default that will not do the check has told already, as a warning and with its place.
    const auto told = std::find_if(out.findings.begin(), out.findings.end(),
                                   [&](const Finding& one) { return one.message == finding.message; });
    if (told == out.findings.end())
      out.findings.push_back(std::move(finding));
    else
      told->severity = finding.severity;
  }
  return out;
}

ReadResult ReadFolders(const fs::path& path, const Settings& site) {
  ReadResult out;
  std::error_code error;
  fs::path root = fs::weakly_canonical(fs::absolute(path, error), error);
  if (error) root = path;
  if (root.filename() == "config.json") root = root.parent_path();
  const auto folders = FindPluginFolders(root);
  if (folders.empty())
    out.findings.push_back(
        {Severity::kError, root.string(), "", "holds no plugin: no config.json here or one level below"});
  std::map<std::string, std::string> seen;
  for (const fs::path& folder : folders) {
    const std::string file = folder / "config.json";
    const auto text = ReadFile(file, kManifestBytes);
    if (!text) {
      out.findings.push_back({Severity::kError, file, "", ReplaceAll(text.error().message, file + ": ", "")});
      continue;
    }
    ManifestText one = ReadManifest(*text, file, folder.string(), site);
    std::move(one.findings.begin(), one.findings.end(), std::back_inserter(out.findings));
    if (!one.manifest) continue;
    if (const auto [first, added] = seen.try_emplace(one.manifest->name, file); !added) {
      out.findings.push_back({Severity::kError, file, "unique_prefix",
                              fmt::format("\"{}\" is taken by {}", one.manifest->name, first->second)});
      continue;
    }
    out.manifests.push_back(*std::move(one.manifest));
  }
  std::sort(out.manifests.begin(), out.manifests.end(), [](const Manifest& a, const Manifest& b) {
    const fs::path one(a.folder), other(b.folder);
    return std::tuple(Layer(a), one.filename(), one) < std::tuple(Layer(b), other.filename(), other);
  });
  return out;
}

Millis RunTimeout(const Json& document, std::string_view prefix, const Settings& effective, const Settings& core,
                  const std::map<std::string, std::size_t>& rows) {
  const auto limit = effective.find(fmt::format("{}_RUN_TIMEOUT", prefix));
  const std::int64_t seconds =
      limit != effective.end() && limit->second.is_number_integer() ? limit->second.get<std::int64_t>() : 0;
  std::int64_t total = kStandardTimeout.count();
  if (seconds > 0) total = std::min<std::int64_t>(seconds, kLongestTimeout.count() / 1000) * 1000;
  const auto params = document.find("params");
  if (params == document.end()) return Millis(total);
  for (const Json& param : *params) {
    const auto flag = param.find("timeoutMultiplier");
    if (flag == param.end() || *flag != true) continue;
    std::size_t count = 1;
    if (TextAt(param, "type") == "sql") {
      const auto at = rows.find(TextAt(param, "name"));
      if (at != rows.end()) count = at->second;
    } else if (const Json* value = ValueOf(TextAt(param, "value"), effective, core); value && value->is_array()) {
      count = value->size();
    }
    // Nothing to look at must not leave no time at all.
    total *= static_cast<std::int64_t>(std::clamp<std::size_t>(count, 1, kMostMultiplied));
    total = std::min<std::int64_t>(total, kLongestTimeout.count());
  }
  return Millis(total);
}

}  // namespace backplane::netalertx
