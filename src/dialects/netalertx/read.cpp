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
#include "dialects/netalertx/settings.h"
#include "schedule/cron.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;
using Severity = Finding::Severity;

constexpr std::size_t kManifestBytes = 1 << 20;
constexpr Millis kStandardTimeout{10'000};
constexpr Millis kLongestTimeout = std::chrono::hours(24);

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// RUN values that a phase of the scan cycle starts.
constexpr std::array<std::string_view, 4> kPhases = {"always_after_scan", "on_new_device", "on_notification",
                                                     "before_name_updates"};

void AddPluginsIn(const fs::path& folder, std::vector<fs::path>& out) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path& path = entry->path();
    if (path.filename().string().starts_with("__")) continue;
    if (Exists(path / "config.json") && !Exists(path / "ignore_plugin")) out.push_back(path);
  }
}

std::string TextAt(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// The text for people in a list of translations: en_us, else the first.
std::string Localized(const Json& object, const char* key) {
  const auto list = object.find(key);
  if (list == object.end() || !list->is_array()) return {};
  std::string first;
  for (const Json& entry : *list) {
    if (!entry.is_object()) continue;
    if (TextAt(entry, "language_code") == "en_us") return TextAt(entry, "string");
    if (first.empty()) first = TextAt(entry, "string");
  }
  return first;
}

// The value is typed into a password field.
bool IsSecret(const Json& setting) {
  const auto elements = setting["type"].find("elements");
  if (elements == setting["type"].end()) return false;
  for (const Json& element : *elements) {
    const auto options = element.find("elementOptions");
    if (options == element.end()) continue;
    for (const Json& option : *options)
      if (TextAt(option, "type") == "password") return true;
  }
  return false;
}

std::vector<Setting> DeclaredSettings(const Json& document, const std::string& prefix) {
  const Settings defaults = EffectiveSettings(document, prefix, {}).value_or(Settings());
  std::map<std::string, std::size_t> place;
  std::vector<Setting> out;
  for (const Json& setting : document["settings"]) {
    Setting one;
    one.key = prefix + "_" + TextAt(setting, "function");
    one.type = ReadType(setting).data_type;
    if (const auto value = defaults.find(one.key); value != defaults.end()) one.default_value = value->second;
    one.title = Localized(setting, "name");
    one.help = Localized(setting, "description");
    one.secret = IsSecret(setting);
    if (const auto [at, added] = place.try_emplace(one.key, out.size()); added)
      out.push_back(std::move(one));
    else
      out[at->second] = std::move(one);
  }
  return out;
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
                              fmt::format("the site's value does not fit: {}", effective.error().message)});
      return out;
    }
    settings_ = *std::move(effective);
    Manifest manifest;
    manifest.id = "netalertx:" + prefix_;
    manifest.dialect = "netalertx";
    manifest.name = prefix_;
    manifest.title = Localized(document_, "display_name");
    manifest.description = Localized(document_, "description");
    manifest.kind = TextAt(document_, "plugin_type");
    manifest.folder = folder_;
    manifest.file = file_;
    manifest.contents = {folder_};
    manifest.read_with = site_;
    manifest.runtime = Runtime();
    if (!manifest.runtime.empty()) manifest.runs = Effective(settings_, Key("CMD"));
    manifest.settings = DeclaredSettings(document_, prefix_);
    if (!manifest.runtime.empty()) manifest.triggers = Triggers();
    manifest.limits.timeout = RunTimeout(document_, prefix_, settings_, CoreSettings(site_));
    manifest.document = std::move(document_);
    out.findings = std::move(findings_);
    if (!HasError(out.findings)) out.manifest = std::move(manifest);
    return out;
  }

 private:
  std::string Key(std::string_view function) const { return fmt::format("{}_{}", prefix_, function); }

  std::string Runtime() {
    const std::string source = TextAt(document_, "data_source");
    if (source.ends_with("-db-query"))
      findings_.push_back({Severity::kWarning, file_, "data_source",
                           fmt::format("{} is not supported yet: the plugin is loaded and never runs", source)});
    if (source != "script") return {};
    return Trim(Effective(settings_, Key("CMD"))).empty() ? std::string() : "process";
  }

  std::vector<Trigger> Triggers() {
    const std::string run = Effective(settings_, Key("RUN"));
    if (run == "once") return {Trigger{.kind = TriggerKind::kStart}};
    if (std::find(kPhases.begin(), kPhases.end(), run) != kPhases.end())
      return {Trigger{.kind = TriggerKind::kPhase, .name = run}};
    if (run == "schedule") {
      const std::string cron = Effective(settings_, Key("RUN_SCHD"));
      if (auto parsed = schedule::Cron::Parse(cron); !parsed)
        findings_.push_back({Severity::kError, file_, Key("RUN_SCHD"), parsed.error().message});
      return {Trigger{.kind = TriggerKind::kCron, .cron = cron}};
    }
    if (!run.empty() && run != "disabled" && run != "unused")
      findings_.push_back({Severity::kWarning, file_, Key("RUN"),
                           fmt::format("\"{}\" never comes: the plugin runs by hand only", Shorten(run, 40))});
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

std::vector<fs::path> FindPluginFolders(const fs::path& path) {
  std::vector<fs::path> out;
  if (Exists(path / "config.json")) return {path};
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
  out.findings = CheckManifest(*document, file);
  if (HasError(out.findings)) return out;
  ManifestText built = Builder(*std::move(document), file, folder, site).Build();
  out.manifest = std::move(built.manifest);
  std::move(built.findings.begin(), built.findings.end(), std::back_inserter(out.findings));
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
      out.findings.push_back({Severity::kError, file, "", text.error().message});
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

Millis RunTimeout(const Json& document, std::string_view prefix, const Settings& effective, const Settings& core) {
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
    for (const Settings* settings : {&effective, &core}) {
      const auto value = settings->find(TextAt(param, "value"));
      if (value == settings->end()) continue;
      // An empty list must not leave no time at all.
      if (value->second.is_array())
        total *= std::clamp<std::int64_t>(static_cast<std::int64_t>(value->second.size()), 1, 10'000);
      total = std::min<std::int64_t>(total, kLongestTimeout.count());
      break;
    }
  }
  return Millis(total);
}

}  // namespace backplane::netalertx
