#include "dialects/panoptes/read.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/files.h"
#include "base/text.h"
#include "dialects/panoptes/definition.h"
#include "dialects/panoptes/find.h"
#include "dialects/panoptes/python_text.h"

namespace backplane::panoptes {
namespace {

namespace fs = std::filesystem;
using Severity = Finding::Severity;

constexpr std::size_t kFileBytes = 256 << 10;
constexpr std::size_t kFiles = 10'000;
constexpr std::size_t kDataFiles = 1'000;
constexpr std::int64_t kLongestFrequency = 10LL * 365 * 24 * 3600;  // seconds

// Nothing if there is no such file.
std::optional<TimePoint> ModifiedAt(const fs::path& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  return FromMillis(status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1'000'000);
}

bool IsFolder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool IsFile(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

// The module of a plugin.
struct Module {
  std::string path;  // the file, "*.py", or the folder of a package
  TimePoint modified;
};

// `written` is absolute or below the definition's folder, with or without ".py".
Result<Module> FindModule(fs::path written) {
  if (written.filename() == "__init__" || written.filename() == "__init__.py" || written.filename().empty())
    written = written.parent_path();
  if (IsFolder(written)) {
    if (!IsFile(written / "__init__.py"))
      return Fail(Errc::kInvalid, fmt::format("the folder {} holds no __init__.py", written.string()));
    Module module{written.string(), {}};
    std::error_code error;
    for (fs::directory_iterator entry(written, error), end; !error && entry != end; entry.increment(error))
      if (entry->path().filename() != "__pycache__")  // running the plugin is no change of it
        module.modified = std::max(module.modified, ModifiedAt(entry->path()).value_or(TimePoint()));
    return module;
  }
  if (written.extension() == ".py") written.replace_extension();
  const fs::path file = written.string() + ".py";
  if (!IsFile(file))
    return Fail(Errc::kInvalid, fmt::format("there is neither {} nor a folder of that name", file.string()));
  return Module{file.string(), ModifiedAt(file).value_or(TimePoint())};
}

// N.N or N.N.N, with a<n> or b<n> behind it.
bool IsVersion(std::string_view text) {
  const auto take_number = [&] {
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(digits);
    return digits > 0;
  };
  if (!take_number()) return false;
  int dots = 0;
  for (; text.starts_with('.'); ++dots) {
    text.remove_prefix(1);
    if (!take_number()) return false;
  }
  if (text.starts_with('a') || text.starts_with('b')) {
    text.remove_prefix(1);
    if (!take_number()) return false;
  }
  return text.empty() && (dots == 1 || dots == 2);
}

// 1.25 times as long; a half goes to the even second.
std::chrono::seconds TimeLimit(std::int64_t frequency) {
  const std::int64_t whole = frequency * 5 / 4, quarters = frequency * 5 % 4;
  return std::chrono::seconds(whole + (quarters > 2 || (quarters == 2 && whole % 2 == 1) ? 1 : 0));
}

class Builder {
 public:
  Builder(Definition definition, const fs::path& file, const std::string& type, const Site& site, const fs::path& root)
      : definition_(std::move(definition)), file_(file), type_(type), site_(site), root_(root) {}

  DefinitionManifest Build() {
    DefinitionManifest out;
    Manifest manifest;
    manifest.dialect = "panoptes";
    manifest.name = Name();
    manifest.id = fmt::format("panoptes:{}:{}", type_, NormalizedName(manifest.name));
    manifest.title = manifest.name;
    manifest.kind = type_;
    manifest.folder = file_.parent_path().string();
    manifest.file = file_.string();
    manifest.runtime = "python";
    const Module module = ReadModule();
    manifest.modified = std::max(module.modified, ModifiedAt(file_).value_or(TimePoint()));
    const fs::path code = fs::path(module.path).lexically_normal();
    manifest.contents = {file_, code};
    manifest.data = DataFiles(module);
    manifest.runs = "a class of " + code.string();
    manifest.read_with = SettingsOf(site_, type_);
    manifest.limits.memory_bytes = site_.memory_mib << 20;
    ReadTimes(manifest);
    manifest.scans = type_ == "discovery";
    if (!manifest.scans) manifest.targets = Targets();
    Json config = CompletedConfig(manifest.name);
    manifest.description = config["Documentation"]["description"].get<std::string>();
    manifest.document = {
        {"type", type_},
        {"config", std::move(config)},
        {"module", module.path},
        {"site", {{"sites", site_.sites}, {"snmp", site_.snmp}, {"x509", site_.x509}, {"skew", site_.skew}}},
        {"signature_name", NormalizedName(manifest.name)}};
    out.findings = std::move(definition_.findings);
    if (std::none_of(out.findings.begin(), out.findings.end(), IsError)) out.manifest = std::move(manifest);
    return out;
  }

 private:
  void Complain(Severity severity, std::string_view section, std::string_view option, std::string message) {
    definition_.findings.push_back({severity, file_.string(), definition_.Where(section, option), std::move(message)});
  }

  // The value of an option, which is in lower case; empty if it is not there.
  std::string Value(std::string_view section, std::string_view option) const {
    const Section* found = definition_.Find(section);
    const std::string* value = found == nullptr ? nullptr : found->Find(option);
    return value == nullptr ? std::string() : *value;
  }

  std::string Name() {
    std::string name = Value("Core", "name");
    if (name.empty())
      Complain(Severity::kError, "Core", "Name", "is missing: a plugin has a name");
    else if (name.find(";;") != std::string::npos)
      Complain(Severity::kError, "Core", "Name", "holds ;;, which divides names");
    return name;
  }

  Module ReadModule() {
    const std::string written = Value("Core", "module");
    if (written.empty()) {
      Complain(Severity::kError, "Core", "Module", "is missing: the path of the plugin's Python file");
      return {};
    }
    auto module = FindModule(ModulePath());
    if (module) return *std::move(module);
    Complain(Severity::kError, "Core", "Module", module.error().message);
    return {};
  }

  fs::path ModulePath() const {
    const std::string written = Value("Core", "module");
    return written.starts_with('/') ? fs::path(root_.string() + written) : file_.parent_path() / written;
  }

  // Files beside the module, other than code: what the plugin's author keeps there, and it may read.
  std::vector<fs::path> DataFiles(const Module& module) const {
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator entry(fs::path(module.path).lexically_normal().parent_path(), error), end;
         !error && entry != end && files.size() < kDataFiles; entry.increment(error)) {
      const fs::path& file = entry->path();
      const fs::path kind = file.extension();
      // Also definitions that are put aside, as ".example".
      const bool other = kind == ".py" || kind == ".pyc" || kind == ".so" ||
                         file.filename().native().find("." + site_.extension) != std::string::npos;
      if (!other && IsFile(file) && !file.filename().native().starts_with('.')) files.push_back(file);
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  // Seconds in an option of [main]; nothing, with a finding, if it is no number in the range.
  std::optional<std::int64_t> Seconds(const char* option, std::int64_t least, Severity severity) {
    const std::string text = Value("main", option);
    const auto value = ParseInt(text);
    if (value && *value >= least && *value <= kLongestFrequency) return value;
    Complain(severity, "main", option,
             fmt::format("{} a whole number of seconds from {} to {}",
                         text.empty() ? "is missing:" : fmt::format("\"{}\" is not", Shorten(text, 40)), least,
                         kLongestFrequency));
    return std::nullopt;
  }

  void ReadTimes(Manifest& manifest) {
    const auto frequency = Seconds("execute_frequency", 1, Severity::kError);
    if (!frequency) return;
    const auto less_skew = [&](std::int64_t seconds) {
      return std::chrono::seconds(std::max<std::int64_t>(seconds - site_.skew, 0));
    };
    manifest.triggers.push_back({.kind = TriggerKind::kInterval, .interval = std::chrono::seconds(*frequency)});
    manifest.min_interval = less_skew(*frequency);
    manifest.limits.timeout = TimeLimit(*frequency);
    if (Value("main", "results_cache_age").empty()) return;
    // As in the original, what is no number counts as 0.
    const auto age = Seconds("results_cache_age", 0, Severity::kWarning);
    manifest.results_interval = less_skew(age.value_or(0));
  }

  std::shared_ptr<const TargetFilter> Targets() {
    const std::string text = Value("main", "resource_filter");
    if (text.empty()) {
      Complain(Severity::kError, "main", "resource_filter",
               "is missing: it says which resources the plugin runs about");
      return nullptr;
    }
    auto filter = ParseFilter(text, site_.or_rule);
    if (!filter) {
      Complain(Severity::kError, "main", "resource_filter", filter.error().message);
      return nullptr;
    }
    if (!filter->warning.empty()) Complain(Severity::kWarning, "main", "resource_filter", filter->warning);
    return filter->targets;
  }

  // The sections as plugins see them, with what the original's loader adds.
  Json CompletedConfig(const std::string& name) {
    Json config = Json::object();
    for (const Section& section : definition_.sections) {
      Json& options = config[section.name] = Json::object();
      for (const Option& option : section.options) options[option.name] = option.value;
    }
    config["Core"]["name"] = name;
    config["Core"]["module"] = ModulePath().string();
    if (!config.contains("Documentation"))
      Complain(Severity::kWarning, "Documentation", "", "the section is missing: the defaults count");
    constexpr std::pair<const char*, const char*> kDocumentation[] = {
        {"author", "Unknown"}, {"version", "0.0"}, {"website", "None"}, {"copyright", "Unknown"}, {"description", ""}};
    Json& documentation = config["Documentation"];
    for (const auto& [key, value] : kDocumentation)
      if (!documentation.contains(key)) documentation[key] = value;
    const auto version = documentation["version"].get<std::string>();
    if (!IsVersion(version)) {
      Complain(Severity::kWarning, "Documentation", "Version",
               fmt::format("\"{}\" is not of the form 1.2, 1.2.3 or 1.2b1: 0.0 counts", Shorten(version, 40)));
      documentation["version"] = "0.0";
    }
    return config;
  }

  Definition definition_;
  const fs::path& file_;
  const std::string& type_;
  const Site& site_;
  const fs::path& root_;
};

// The type by the nearest folder that is called as one; empty if none is.
std::string TypeOf(const fs::path& file) {
  std::string type;
  for (const fs::path& part : file.parent_path())
    for (const std::string_view one : kTypes)
      if (part == one) type = one;
  return type;
}

class Reader {
 public:
  Reader(const Settings& settings, fs::path root)
      : site_(SiteFromSettings(settings, out_.findings)), root_(std::move(root)) {}

  ReadResult Read(const fs::path& path) {
    if (IsFolder(path)) {
      ReadFolder(path, "");
      if (read_.empty() && out_.findings.empty())
        Complain(path, "", fmt::format("holds no plugin: no file *.{} here or below", site_.extension));
    } else if (path.extension() == ".ini") {
      ReadSiteFile(path);
    } else {
      ReadFile(path, site_.type.empty() ? TypeOf(path) : site_.type);
    }
    std::sort(out_.manifests.begin(), out_.manifests.end(),
              [](const Manifest& a, const Manifest& b) { return a.id < b.id; });
    return std::move(out_);
  }

 private:
  void Complain(const fs::path& file, std::string where, std::string message) {
    out_.findings.push_back({Severity::kError, file.string(), std::move(where), std::move(message)});
  }

  void ReadSiteFile(const fs::path& file) {
    const auto text = backplane::ReadFile(file, kFileBytes);
    if (!text) return Complain(file, "", text.error().message);
    if (!ReadSite(*text, file.string(), site_, out_.findings)) return;
    for (const PluginsPath& one : site_.paths) {
      const fs::path folder = (file.parent_path() / one.path).lexically_normal();
      if (IsFolder(folder))
        ReadFolder(folder, one.type);
      else
        Complain(file, one.where,
                 fmt::format("{} plugins path \"{}\" does not exist or is not accessible", one.type, folder.string()));
    }
  }

  // An empty type: that which its path says.
  void ReadFolder(const fs::path& folder, const std::string& type) {
    FoundFiles found = FindFiles(folder, "." + site_.extension, kFiles);
    for (const auto& problem : found.problems) Complain(problem.folder, "", problem.why);
    for (const fs::path& file : found.files) ReadFile(file, type.empty() ? TypeOf(file) : type);
  }

  void ReadFile(const fs::path& file, const std::string& type) {
    if (!read_.emplace(type, file).second) return;  // folders of one type may hold each other
    if (type.empty())
      return Complain(file, "",
                      "is in no folder called discovery, enrichment or polling, which says what it is: "
                      "put it into one, or name a panoptes.ini");
    const auto text = backplane::ReadFile(file, kFileBytes);
    if (!text) return Complain(file, "", text.error().message);
    DefinitionManifest one = ReadDefinition(*text, file, type, site_, root_);
    std::move(one.findings.begin(), one.findings.end(), std::back_inserter(out_.findings));
    if (!one.manifest) return;
    const auto [first, added] = taken_.try_emplace(one.manifest->id, std::pair(one.manifest->name, file));
    if (added) return out_.manifests.push_back(*std::move(one.manifest));
    const auto& [name, other] = first->second;
    Complain(file, "[Core] Name",
             name == one.manifest->name
                 ? fmt::format("\"{}\" is taken by {}", name, other.string())
                 : fmt::format("\"{}\" is the same as \"{}\" of {} where only letters, digits and _ count",
                               one.manifest->name, name, other.string()));
  }

  ReadResult out_;
  Site site_;
  const fs::path root_;
  std::set<std::pair<std::string, fs::path>> read_;                // type and file
  std::map<std::string, std::pair<std::string, fs::path>> taken_;  // id: name and file
};

}  // namespace

bool IsPluginPath(const fs::path& path) {
  const std::string suffix = "." + Site().extension;
  if (IsFolder(path)) return !FindFiles(path, suffix, 1).files.empty();
  return path.extension() == ".ini" || path.extension() == suffix;
}

ReadResult ReadPath(const fs::path& path, const Settings& settings, const fs::path& root) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  return Reader(settings, root).Read((error ? path : absolute).lexically_normal());
}

DefinitionManifest ReadDefinition(std::string_view text, const fs::path& file, const std::string& type,
                                  const Site& site, const fs::path& root) {
  Definition definition = ParseDefinition(text, file.string());
  if (std::any_of(definition.findings.begin(), definition.findings.end(), IsError))
    return {std::nullopt, std::move(definition.findings)};
  return Builder(std::move(definition), file, type, site, root).Build();
}

std::string NormalizedName(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (c == '_') out += '_';
    // One for a character, not for each of its bytes.
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) out += kept ? c : '_';
  }
  return out;
}

}  // namespace backplane::panoptes
