#include "dialects/netalertx/prepare.h"

#include <algorithm>
#include <cctype>
#include <set>

#include <fmt/format.h>
#include <unistd.h>

#include "base/files.h"
#include "base/text.h"
#include "dialects/netalertx/app_files.h"
#include "dialects/netalertx/core_settings.h"
#include "dialects/netalertx/home.h"
#include "dialects/netalertx/prepare_params.h"
#include "dialects/netalertx/read.h"
#include "dialects/netalertx/settings.h"
#include "dialects/netalertx/texts.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::string_view kInstallRoot = "/app/";
// Shorter ones are parts of words, and whoever wants to know them tries them all.
constexpr std::size_t kShortestSecret = 4;

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

// A secret as it may stand in a command: whole, as a parameter, and each item of a list.
void AddSecret(const Json& value, std::set<std::string>& out) {
  if (value.is_null() || value.is_boolean()) return;
  const auto add = [&](std::string text) {
    if (text.size() >= kShortestSecret) out.insert(std::move(text));
  };
  add(PythonText(value));
  if (auto text = ParamText(value)) add(*std::move(text));
  if (value.is_structured())
    for (const Json& item : value) AddSecret(item, out);
}

// What this command can hold and nobody may see: secrets of its plugin, and what somebody gave for those of others
// and of the core. A default of others is known to all.
std::vector<std::string> Secrets(const Manifest& manifest, const Settings& values, const RunContext& context) {
  std::set<std::string> out;
  const auto add = [&](const std::vector<Setting>& settings, bool own) {
    for (const Setting& setting : settings) {
      const auto value = values.find(setting.key);
      if (!setting.secret || value == values.end()) continue;
      if (own || (context.given != nullptr && context.given->contains(setting.key))) AddSecret(value->second, out);
    }
  };
  add(manifest.settings, true);
  add(CoreDeclarations(), false);
  for (const Manifest* other : context.manifests) add(other->settings, false);
  return {out.begin(), out.end()};
}

std::map<std::string, std::string> Environment(const AppFolders& folders, const RunContext& context,
                                               const std::string& path) {
  std::map<std::string, std::string> out = AppEnvironment(folders);
  out.insert({{"PATH", path},
              {"HOME", context.work},
              {"TMPDIR", folders.temporary},
              {"LANG", "C.UTF-8"},
              {"PYTHONUNBUFFERED", "1"}});
  return out;
}

// A plugin whose data source is a database has a query for a command, and a program of ours runs it.
Result<std::vector<std::string>> QueryCommand(const Manifest& manifest, const std::string& sql, const Settings& values,
                                              const RunContext& context, const fs::path& database) {
  const fs::path file = context.work / "query.sql";
  BACKPLANE_TRY(WriteFileAtomic(file, sql, 0600));
  std::vector<std::string> argv = {
      context.python, context.share / "python" / "netalertx" / "run_query.py",        "--database", database,
      "--result",     AppFolders(context.work).plugin_log / ResultFileName(manifest), "--sql-file", file};
  if (TextAt(manifest.document, "data_source") != "sqlite-db-query") return argv;
  const std::string key = manifest.name + "_DB_PATH";
  const auto other = values.find(key);
  const std::string path = other == values.end() ? std::string() : PythonText(other->second);
  if (path.empty()) return Fail(Errc::kInvalid, fmt::format("{} is empty: no database to query", key), key);
  argv.insert(argv.end(), {"--attach", path, "--name", "EXTERNAL_" + manifest.name});
  return argv;
}

}  // namespace

std::string ResultFileName(const Manifest& manifest) { return fmt::format("last_result.{}.log", manifest.name); }

Result<Invocation> PrepareRun(const Manifest& manifest, const Settings& settings, const RunContext& context) {
  const std::string key = manifest.name + "_CMD";
  const auto setting = settings.find(key);
  const std::string command = setting == settings.end() ? std::string() : PythonText(setting->second);
  if (Words(command).empty()) return Fail(Errc::kInvalid, fmt::format("{} is empty: nothing to run", key), key);
  if (command.find('\0') != std::string::npos)
    return Fail(Errc::kInvalid, fmt::format("{} holds a zero byte", key), key);

  Settings given = context.all_settings ? *context.all_settings : Settings();
  const auto manifests = context.manifests.empty() ? std::vector<const Manifest*>{&manifest} : context.manifests;
  const Settings core = CoreSettings(given, manifests);
  for (const Settings* layer : {&core, &settings})
    for (const auto& [name, value] : *layer) given[name] = value;

  const AppFolders folders(context.work);
  const bool query = TextAt(manifest.document, "data_source").ends_with("-db-query");
  BACKPLANE_TRY(
      WriteApp(folders, manifest, query ? std::vector<std::string>() : NamedPlugins(command), given, context));
  // Its own name, since what lies beside a link to it is not the file's.
  std::error_code missing;
  const fs::path database = fs::weakly_canonical(folders.database / kDatabaseFile, missing);
  BACKPLANE_ASSIGN(const Params params, ReadParams(manifest, command, given, database));

  Invocation out;
  out.runtime = manifest.runtime;
  const std::string path = context.path.empty() ? std::string(kPath) : fmt::format("{}:{}", context.path, kPath);
  // Under another name it is not taken, but told.
  out.result_files = {folders.plugin_log / ResultFileName(manifest), folders.plugin_log / "last_result.*"};
  if (query) {
    BACKPLANE_ASSIGN(out.argv, QueryCommand(manifest, params.Into(command), given, context, database));
  } else {
    const std::string root = folders.root.string() + "/";
    for (const std::string& word : Words(command)) {
      out.argv.push_back(params.Into(Relocated(word, root)));
      if (out.argv.back().find('\0') != std::string::npos)
        return Fail(Errc::kInvalid, fmt::format("{}: a value that it uses holds a zero byte", key), key);
    }
    out.argv[0] = IsPython(out.argv[0]) ? context.python : OnPath(out.argv[0], path);
  }
  out.secrets = Secrets(manifest, given, context);
  out.environment = Environment(folders, context, path);
  out.working_folder = folders.root;
  out.limits = manifest.limits;
  out.limits.timeout = RunTimeout(manifest.document, manifest.name, settings, given, params.rows);
  return out;
}

}  // namespace backplane::netalertx
