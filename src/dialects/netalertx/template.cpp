#include "dialects/netalertx/template.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "base/files.h"
#include "base/text.h"
#include "dialects/netalertx/check.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;

constexpr std::array kFiles = {"config.json", "script.py", "README.md"};
constexpr std::size_t kFileBytes = 1 << 20;
constexpr std::size_t kNameBytes = 64;

bool IsCapital(char c) { return c >= 'A' && c <= 'Z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return IsCapital(c) || (c >= 'a' && c <= 'z'); }

// A folder that is read, and that needs no quotes anywhere.
bool IsFolderName(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytes && (IsLetter(name[0]) || name[0] == '_') &&
         !name.starts_with("__") && std::any_of(name.begin(), name.end(), IsLetter) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return IsLetter(c) || IsDigit(c) || c == '_' || c == '-'; });
}

std::string PrefixOf(std::string_view name) {
  std::string out;
  for (const char c : name)
    if (c != '_' && c != '-') out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

// "my_scan" is "My scan".
std::string TitleOf(std::string_view name) {
  std::string out;
  for (const char c : name)
    if (c != '_' && c != '-')
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  out[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[0])));
  return out;
}

}  // namespace

Status MakeFromTemplate(const NewPlugin& wanted) {
  if (!IsFolderName(wanted.name))
    return Fail(
        Errc::kInvalid,
        fmt::format("\"{}\" is no name for a plugin: expected letters, digits, _ and -, a letter or one _ first, "
                    "{} at most",
                    Shorten(wanted.name, 70), kNameBytes));
  const std::string prefix = wanted.short_name.empty() ? PrefixOf(wanted.name) : wanted.short_name;
  if (!IsPrefix(prefix) ||
      std::any_of(prefix.begin(), prefix.end(), [](char c) { return IsLetter(c) && !IsCapital(c); }))
    return Fail(Errc::kInvalid, fmt::format("\"{}\" is no prefix: expected capitals, digits and _, a letter first",
                                            Shorten(prefix, 70)));
  const fs::path from = wanted.share / "examples/netalertx/front/plugins/__template";
  std::vector<std::string> texts;
  for (const char* file : kFiles) {
    BACKPLANE_ASSIGN(std::string text, ReadFile(from / file, kFileBytes));
    for (const auto& [mark, value] : {std::pair<std::string_view, std::string>{"__template", wanted.name},
                                      {"TEMPLATE", prefix},
                                      {"Template scanner", TitleOf(wanted.name)}})
      text = ReplaceAll(text, mark, value);
    texts.push_back(std::move(text));
  }
  std::error_code error;
  fs::create_directories(wanted.folder.parent_path(), error);
  if (!error && !fs::create_directory(wanted.folder, error) && !error)
    return Fail(Errc::kConflict, fmt::format("{} is there already", wanted.folder.string()));
  if (error) return Fail(Errc::kUnavailable, fmt::format("{}: {}", wanted.folder.string(), error.message()));
  for (std::size_t i = 0; i < kFiles.size(); ++i) BACKPLANE_TRY(WriteFileAtomic(wanted.folder / kFiles[i], texts[i]));
  return {};
}

}  // namespace backplane::netalertx
