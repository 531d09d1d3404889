// The checks of what a plugin runs: CMD and the script that it names.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include <fmt/ranges.h>

#include "base/text.h"
#include "dialects/netalertx/checker.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 10;

const Json* Get(const Json& object, const char* key) { return Checker::Get(object, key); }

// What `word` names in the plugin's folder of that name; empty: it names nothing there.
std::string_view InFolder(std::string_view word, const std::string& folder) {
  for (const char* above : {"/app/server", "/app/front", "server", "front"})
    if (const std::string start = fmt::format("{}/plugins/{}/", above, folder); word.starts_with(start))
      return word.substr(start.size());
  return {};
}

// The files that could be meant, in order.
std::vector<std::string> FilesIn(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename();
    const std::string lower = ToLower(name);
    std::error_code unknown;
    if (entry->is_regular_file(unknown) && lower != "config.json" && lower != "readme.md" && !name.starts_with('.'))
      names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Each "{name}" of the command has a parameter.
void Placeholders(Checker& checker, const Json& document, std::string_view command, const std::string& where) {
  std::vector<std::string_view> names = {"s-quote"};
  const Json* params = Get(document, "params");
  if (params && params->is_array())
    for (const Json& param : *params)
      if (const Json* name = Get(param, "name"); name && name->is_string())
        names.push_back(name->get_ref<const std::string&>());
  for (auto open = command.find('{'); open != std::string_view::npos; open = command.find('{', open + 1)) {
    const auto close = command.find_first_of("{} \t", open + 1);
    if (close == std::string_view::npos || command[close] != '}' || close == open + 1) continue;
    const std::string_view name = command.substr(open + 1, close - open - 1);
    if (!OneOf(names, name))
      checker.Warn(where, fmt::format("{{{}}} is no parameter and stays as it is{}", Shorten(name, 40),
                                      DidYouMean(name, names)));
  }
}

// The first word that lies in the plugin's own folder is its script; the rest may be files that it makes.
void Script(Checker& checker, std::string_view command, const fs::path& folder, const std::string& where) {
  std::string_view script;
  for (const std::string_view word : Split(command, ' '))
    if (script.empty()) script = InFolder(word, folder.filename());
  if (script.empty()) return;
  const fs::path path = folder / script;
  const std::string name = Shorten(script, 60);
  std::error_code error;
  if (fs::is_regular_file(path, error)) {
    if (faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0)
      checker.Warn(where, fmt::format("{} cannot be read: permission denied", name));
    return;
  }
  std::vector<std::string> files = FilesIn(folder);
  const std::vector<std::string_view> known(files.begin(), files.end());
  const std::string meant = DidYouMean(script, known);
  if (files.size() > kMostFiles) files.resize(kMostFiles), files.emplace_back("...");
  checker.Warn(where, fmt::format("there is no file {} in the plugin's folder, which holds {}{}", name,
                                  files.empty() ? "no script" : fmt::format("{}", fmt::join(files, ", ")), meant));
}

// Whether the setting RUN lets the plugin run.
bool CanRun(const Json& run) {
  const auto starts = [](const Json& word) { return word != "disabled" && word != "unused" && word != ""; };
  const Json* standard = Get(run, "default_value");
  if (standard && standard->is_string() && starts(*standard)) return true;
  const Json* options = Get(run, "options");
  return options && options->is_array() && std::any_of(options->begin(), options->end(), starts);
}

}  // namespace

void CheckCommand(Checker& checker, const Json& document, const std::string& file) {
  const Json* settings = Get(document, "settings");
  if (!settings || !settings->is_array()) return;
  const fs::path folder = fs::path(file).parent_path();
  bool runs = false, commanded = false;
  for (std::size_t i = 0; i < settings->size(); ++i) {
    const Json& setting = (*settings)[i];
    const Json* function = Get(setting, "function");
    const Json* standard = Get(setting, "default_value");
    if (function && *function == "RUN") runs = CanRun(setting);
    if (!function || *function != "CMD") continue;
    const bool text = standard && standard->is_string();
    commanded = !text || !Trim(standard->get_ref<const std::string&>()).empty();
    if (!text) continue;
    const std::string where = fmt::format("settings[{}].default_value", i);
    Placeholders(checker, document, standard->get_ref<const std::string&>(), where);
    if (!folder.empty()) Script(checker, standard->get_ref<const std::string&>(), folder, where);
  }
  const Json* source = Get(document, "data_source");
  if (runs && !commanded && source && *source == "script")
    checker.Warn("settings", "there is nothing to run: no CMD, or an empty one, though RUN offers to run it");
}

}  // namespace backplane::netalertx
