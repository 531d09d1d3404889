#include "dialects/netalertx/prepare.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "dialects/netalertx/app_files.h"
#include "dialects/netalertx/encoding.h"
#include "dialects/netalertx/read.h"
#include "dialects/netalertx/settings.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::string_view kInstallRoot = "/app/";

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  for (const char c : text) {
    if (!std::isspace(static_cast<unsigned char>(c))) {
      word += c;
    } else if (!word.empty()) {
      out.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) out.push_back(std::move(word));
  return out;
}

// Names that follow ".../plugins/" in the command.
std::vector<std::string> NamedPlugins(std::string_view command) {
  constexpr std::string_view kFolder = "/plugins/";
  std::vector<std::string> out;
  for (auto at = command.find(kFolder); at != std::string_view::npos; at = command.find(kFolder, at)) {
    at += kFolder.size();
    const std::string_view name = command.substr(at, command.find_first_of("/ \t\n", at) - at);
    if (!name.empty() && name != "." && name != "..") out.emplace_back(name);
  }
  return out;
}

// Where /app/ begins a path (at the start, or as in "file=/app/x"), it becomes `root`.
std::string Relocated(std::string_view word, std::string_view root) {
  std::string out;
  for (std::size_t at = 0; at < word.size();) {
    const char before = at == 0 ? ' ' : word[at - 1];
    const bool inside = std::isalnum(static_cast<unsigned char>(before)) ||
                        std::string_view("/._-").find(before) != std::string_view::npos;
    if (!inside && word.substr(at).starts_with(kInstallRoot)) {
      out += root;
      at += kInstallRoot.size();
    } else {
      out += word[at++];
    }
  }
  return out;
}

bool IsPython(std::string_view program) {
  const std::string_view name = program.substr(program.rfind('/') + 1);
  return (name == "python" || name == "python3") && (name.size() == program.size() || program.front() == '/');
}

std::string OnPath(const std::string& program, const std::string& path) {
  if (program.find('/') != std::string::npos) return program;
  for (const std::string_view folder : Split(path, ':')) {
    const std::string candidate = fmt::format("{}/{}", folder, program);
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return program;
}

struct Placeholder {
  std::string mark;  // "{name}"
  std::string value;
};

bool Flag(const Json& param, const char* key) {
  const auto at = param.find(key);
  return at != param.end() && *at == true;
}

// The values of the parameters that the command uses.
Result<std::vector<Placeholder>> Placeholders(const Manifest& manifest, std::string_view command,
                                              const Settings& values) {
  std::vector<Placeholder> out;
  const auto params = manifest.document.find("params");
  if (params == manifest.document.end() || !params->is_array()) return out;
  for (std::size_t i = 0; i < params->size(); ++i) {
    const Json& param = (*params)[i];
    const std::string name = param.value("name", ""), key = param.value("value", "");
    const std::string mark = "{" + name + "}";
    const bool used = command.find(mark) != std::string_view::npos;
    if (param.value("type", "") == "sql") {
      if (used || Flag(param, "timeoutMultiplier"))
        return Fail(Errc::kInvalid, fmt::format("parameter \"{}\" is an SQL query, which is not supported yet", name),
                    fmt::format("params[{}]", i));
      continue;
    }
    if (!used) continue;
    const auto value = values.find(key);
    if (value == values.end())
      return Fail(Errc::kInvalid,
                  fmt::format("parameter \"{}\" names the setting {}, which nobody declares", name, key),
                  fmt::format("params[{}].value", i));
    auto text = ParamText(value->second);
    if (!text) return Fail(Errc::kInvalid, fmt::format("parameter \"{}\": {}", name, text.error().message));
    out.push_back({mark, Flag(param, "base64") ? Base64Encode(*text) : *std::move(text)});
  }
  return out;
}

// One pass from left to right, so that a value is never searched for placeholders itself.
std::string Substituted(std::string_view word, const std::vector<Placeholder>& placeholders) {
  std::string out;
  for (std::size_t at = 0; at < word.size();) {
    const auto hit = std::find_if(placeholders.begin(), placeholders.end(), [&](const Placeholder& placeholder) {
      return word[at] == '{' && word.substr(at).starts_with(placeholder.mark);
    });
    if (hit == placeholders.end()) {
      out += word[at++];
      continue;
    }
    out += hit->value;
    at += hit->mark.size();
  }
  return out;
}

// Values of secret settings, as they may stand in the command.
std::vector<std::string> Secrets(const Manifest& manifest, const Settings& settings) {
  std::vector<std::string> out;
  for (const Setting& setting : manifest.settings) {
    const auto value = settings.find(setting.key);
    if (!setting.secret || value == settings.end()) continue;
    const std::string text = PythonText(value->second);
    if (text.empty()) continue;
    out.push_back(Base64Encode(text));
    out.push_back(text);
  }
  return out;
}

std::map<std::string, std::string> Environment(const AppFolders& folders, const RunContext& context,
                                               const std::string& path) {
  const std::string root = folders.root;
  return {{"PATH", path},
          {"HOME", context.work},
          {"TMPDIR", folders.temporary},
          {"LANG", "C.UTF-8"},
          {"PYTHONUNBUFFERED", "1"},
          {"PYTHONDONTWRITEBYTECODE", "1"},
          {"PYTHONPATH", fmt::format("{0}:{0}/server:{0}/server/plugins", root)},
          {"NETALERTX_APP", root},
          {"NETALERTX_DATA", folders.data},
          {"NETALERTX_CONFIG", folders.config},
          {"NETALERTX_DB", folders.database},
          {"NETALERTX_TMP", folders.temporary},
          {"NETALERTX_API", folders.api},
          {"NETALERTX_LOG", folders.log},
          {"NETALERTX_PLUGINS_LOG", folders.plugin_log}};
}

}  // namespace

std::string ResultFileName(const Manifest& manifest) { return fmt::format("last_result.{}.log", manifest.name); }

Result<Invocation> PrepareRun(const Manifest& manifest, const Settings& settings, const RunContext& context) {
  const std::string key = manifest.name + "_CMD";
  const auto setting = settings.find(key);
  const std::string command = setting == settings.end() ? std::string() : PythonText(setting->second);
  std::vector<std::string> argv = Words(command);
  if (argv.empty()) return Fail(Errc::kInvalid, fmt::format("{} is empty: nothing to run", key), key);
  if (command.find('\0') != std::string::npos)
    return Fail(Errc::kInvalid, fmt::format("{} holds a zero byte", key), key);

  Settings given = context.all_settings ? *context.all_settings : Settings();
  const Settings core = CoreSettings(given);
  for (const Settings* layer : {&core, &settings})
    for (const auto& [name, value] : *layer) given[name] = value;

  BACKPLANE_ASSIGN(auto placeholders, Placeholders(manifest, command, given));
  placeholders.push_back({"{s-quote}", "'"});
  const AppFolders folders(context.work);
  const std::string root = folders.root.string() + "/";
  for (std::string& word : argv) {
    word = Substituted(Relocated(word, root), placeholders);
    if (word.find('\0') != std::string::npos)
      return Fail(Errc::kInvalid, fmt::format("{}: a value that it uses holds a zero byte", key), key);
  }
  const std::string path = context.path.empty() ? std::string(kPath) : fmt::format("{}:{}", context.path, kPath);
  argv[0] = IsPython(argv[0]) ? context.python : OnPath(argv[0], path);

  BACKPLANE_TRY(WriteApp(folders, manifest, NamedPlugins(command), given, context));
  Invocation out;
  out.runtime = manifest.runtime;
  out.argv = std::move(argv);
  out.secrets = Secrets(manifest, settings);
  out.environment = Environment(folders, context, path);
  out.working_folder = folders.root;
  out.limits = manifest.limits;
  out.limits.timeout = RunTimeout(manifest.document, manifest.name, settings, given);
  out.result_files = {folders.plugin_log / ResultFileName(manifest)};
  return out;
}

}  // namespace backplane::netalertx
