#include "dialects/netalertx/app_conf.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "dialects/netalertx/python_literal.h"
#include "dialects/netalertx/settings.h"
#include "plugin/secret_ref.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;
using Severity = Finding::Severity;
using Renames = std::span<const std::pair<std::string_view, std::string_view>>;

constexpr std::size_t kLargestFile = 1 << 20;
constexpr std::size_t kMostErrors = 100;
constexpr std::string_view kMetadata = "__metadata";

constexpr auto kOldKeys = std::to_array<std::pair<std::string_view, std::string_view>>(
    {{"REPORT_TO", "SMTP_REPORT_TO"}, {"SYNC_api_token", "API_TOKEN"}});
// Columns of tables, as templates, queries and lists of watched values name them.
constexpr auto kOldColumns = std::to_array<std::pair<std::string_view, std::string_view>>(
    {{"eve_MAC", "eveMac"},
     {"eve_IP", "eveIp"},
     {"eve_DateTime", "eveDateTime"},
     {"eve_EventType", "eveEventType"},
     {"eve_AdditionalInfo", "eveAdditionalInfo"},
     {"eve_PendingAlertEmail", "evePendingAlertEmail"},
     {"eve_PairEventRowid", "evePairEventRowid"},
     {"eve_PairEventRowID", "evePairEventRowid"},
     {"ses_MAC", "sesMac"},
     {"ses_IP", "sesIp"},
     {"ses_DateTimeConnection", "sesDateTimeConnection"},
     {"ses_DateTimeDisconnection", "sesDateTimeDisconnection"},
     {"ses_EventTypeConnection", "sesEventTypeConnection"},
     {"ses_EventTypeDisconnection", "sesEventTypeDisconnection"},
     {"ses_StillConnected", "sesStillConnected"},
     {"ses_AdditionalInfo", "sesAdditionalInfo"},
     {"Object_PrimaryID", "objectPrimaryId"},
     {"Object_PrimaryId", "objectPrimaryId"},
     {"ObjectPrimaryID", "objectPrimaryId"},
     {"Object_SecondaryID", "objectSecondaryId"},
     {"Object_SecondaryId", "objectSecondaryId"},
     {"ObjectSecondaryID", "objectSecondaryId"},
     {"Watched_Value1", "watchedValue1"},
     {"Watched_Value2", "watchedValue2"},
     {"Watched_Value3", "watchedValue3"},
     {"Watched_Value4", "watchedValue4"},
     {"DateTimeChanged", "dateTimeChanged"},
     {"DateTimeCreated", "dateTimeCreated"},
     {"SyncHubNodeName", "syncHubNodeName"},
     {"Scan_Date", "scanDate"},
     {"Online_Devices", "onlineDevices"},
     {"Down_Devices", "downDevices"},
     {"All_Devices", "allDevices"},
     {"Archived_Devices", "archivedDevices"},
     {"Offline_Devices", "offlineDevices"}});

std::string_view Renamed(std::string_view word, Renames renames) {
  for (const auto& [old_name, new_name] : renames)
    if (word == old_name) return new_name;
  return word;
}

// Whole words only, as they stand in a template or query.
std::string Today(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::string_view word = WordAt(text);
    if (word.empty()) {
      out += text.front();
      text.remove_prefix(1);
    } else {
      out += Renamed(word, kOldColumns);
      text.remove_prefix(word.size());
    }
  }
  return ReplaceAll(out, "{s-quote}", "'");
}

void BringUpToDate(Json& value) {
  if (value.is_string()) {
    value = Today(value.get_ref<const std::string&>());
  } else if (value.is_structured()) {
    for (Json& item : value) BringUpToDate(item);
  }
}

class ConfReader {
 public:
  ConfReader(std::string_view text, const std::string& file) : text_(text), file_(file), reader_(text_) {}

  AppConf Read() {
    while (!reader_.rest().empty() && out_.findings.size() < kMostErrors) Line();
    if (!reader_.rest().empty())
      out_.findings.push_back({Severity::kError, file_, fmt::format("line {}", LineAt(reader_.position())),
                               fmt::format("{} lines before are wrong: the rest is not read", kMostErrors)});
    return std::move(out_);
  }

 private:
  void Line() {
    const std::size_t begin = reader_.position();
    reader_.SkipBlank();
    if (EndOfLine()) return;
    if (reader_.position() != begin) return Complain(begin, "", "is indented: an assignment begins its line");
    while (!EndOfStatement()) {
      const std::size_t start = reader_.position();
      const std::string key(WordAt(reader_.rest()));
      bool assigned = false;
      const Status status = Assignment(key, LineAt(start), assigned);
      // A word that is no key may be part of a password that is written wrongly.
      if (!status) return Complain(start, assigned ? key : "", status.error().message);
    }
  }

  // Up to what follows the semicolon, or the end of the line, which is passed over.
  bool EndOfStatement() {
    reader_.SkipBlank();
    return EndOfLine();
  }

  bool EndOfLine() {
    const std::string_view rest = reader_.rest();
    if (!rest.empty() && rest[0] != '#' && rest[0] != '\n') return false;
    reader_.Advance(rest.find('\n') == std::string_view::npos ? rest.size() : rest.find('\n') + 1);
    return true;
  }

  // `assigned`: the key is one.
  Status Assignment(const std::string& key, int line, bool& assigned) {
    reader_.Advance(key.size());
    reader_.SkipBlank();
    if (key.empty() || !IsWordStart(key[0]) || !reader_.rest().starts_with('=') || reader_.rest().starts_with("=="))
      return Fail(Errc::kInvalid, "is no assignment, KEY = VALUE");
    reader_.Advance(1);
    assigned = true;
    BACKPLANE_ASSIGN(Json value, reader_.Read());
    reader_.SkipBlank();
    const std::string_view rest = reader_.rest();
    if (rest.starts_with(';'))
      reader_.Advance(1);
    else if (!rest.empty() && rest[0] != '#' && rest[0] != '\n')
      return Fail(Errc::kInvalid, "is more than one literal: nothing is executed");
    if (key.ends_with(kMetadata)) return {};
    BringUpToDate(value);
    out_.values[std::string(Renamed(key, kOldKeys))] = {std::move(value), line};
    return {};
  }

  void Complain(std::size_t begin, const std::string& key, const std::string& what) {
    const int line = LineAt(begin);
    if (!key.ends_with(kMetadata))
      out_.findings.push_back({Severity::kError, file_,
                               key.empty() ? fmt::format("line {}", line) : fmt::format("line {}, {}", line, key),
                               what});
    reader_ = LiteralReader(text_, AfterStatement(begin));
  }

  // Behind a statement that cannot be read: brackets and texts may take it over several lines. If they are
  // never closed, behind its first line.
  std::size_t AfterStatement(std::size_t begin) const {
    int depth = 0;
    for (std::size_t at = begin; at < text_.size(); ++at) {
      const char c = text_[at];
      if (c == '\n' && depth == 0) return at + 1;
      if (c == '#') {
        at = std::min(text_.find('\n', at), text_.size()) - 1;
      } else if (c == '\\') {
        ++at;
      } else if (c == '\'' || c == '"') {
        const auto end = AfterText(at);
        if (end == std::string_view::npos) break;
        at = end - 1;
      } else if (c == '(' || c == '[' || c == '{') {
        ++depth;
      } else if (c == ')' || c == ']' || c == '}') {
        depth = std::max(depth - 1, 0);
      }
    }
    const auto end = text_.find('\n', begin);
    return end == std::string_view::npos ? text_.size() : end + 1;
  }

  std::size_t AfterText(std::size_t begin) const {
    const std::string three(3, text_[begin]);
    const bool triple = text_.substr(begin).starts_with(three);
    const std::string_view quote = std::string_view(three).substr(0, triple ? 3 : 1);
    for (std::size_t at = begin + quote.size(); at < text_.size(); ++at) {
      if (text_[at] == '\\')
        ++at;
      else if (text_.substr(at).starts_with(quote))
        return at + quote.size();
      else if (text_[at] == '\n' && !triple)
        break;
    }
    return std::string_view::npos;
  }

  // Positions only rise.
  int LineAt(std::size_t at) {
    line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(counted_),
                                         text_.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    counted_ = at;
    return line_;
  }

  const std::string_view text_;
  const std::string& file_;
  LiteralReader reader_;
  AppConf out_;
  int line_ = 1;
  std::size_t counted_ = 0;
};

// The folder's app.conf, or where the installation below it has one; nothing if there is none.
fs::path FindConf(const fs::path& folder) {
  std::error_code error;
  for (const char* below : {"app.conf", "config/app.conf", "data/config/app.conf"})
    if (fs::exists(folder / below, error)) return folder / below;
  return {};
}

bool IsInstallation(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path / "server" / "plugins", error) || fs::is_directory(path / "front" / "plugins", error);
}

// Who writes it says what runs: others must not, nor may its owner be anybody whom the site does not trust by naming
// the place. A group may, as in containers, and is warned of.
Result<std::string> ReadTrusted(const fs::path& file, bool named, OwnConfig& out) {
  const Fd fd(open(file.c_str(), O_PATH | O_CLOEXEC));
  struct stat info{};
  if (!fd || fstat(fd.get(), &info) != 0)
    return Fail(errno == ENOENT ? Errc::kNotFound : Errc::kUnavailable, std::strerror(errno));
  if (!named && info.st_uid != geteuid() && info.st_uid != 0)
    return Fail(Errc::kDenied, fmt::format("belongs to user {}, not to user {} or root: who writes it says what runs, "
                                           "so it does not count unless the site names it with `config`",
                                           info.st_uid, geteuid()));
  if ((info.st_mode & S_IWOTH) != 0)
    return Fail(Errc::kDenied,
                "every user of this machine may write it, and so say what runs: it does not count until `chmod o-w`");
  if ((info.st_mode & S_IWGRP) != 0)
    out.findings.push_back(
        {Severity::kWarning, file, "", "its group may write it, and so say what runs: `chmod g-w` ends that"});
  // What was judged, whatever stands there by now.
  const std::string same = fmt::format("/proc/self/fd/{}", fd.get());
  auto text = ReadFile(same, kLargestFile);
  if (!text) return Fail(text.error().code, ReplaceAll(text.error().message, same, file.string()));
  return text;
}

void ReadConf(const fs::path& file, bool named, OwnConfig& out) {
  const auto text = ReadTrusted(file, named, out);
  if (!text) {
    out.findings.push_back({Severity::kError, file, "", text.error().message});
    return;
  }
  AppConf conf = ParseAppConf(*text, file);
  std::move(conf.findings.begin(), conf.findings.end(), std::back_inserter(out.findings));
  // Empty, they ask for a value that is made up; there is one.
  for (const char* made : {"API_TOKEN", "SYNC_node_name"})
    if (const auto at = conf.values.find(made); at != conf.values.end() && at->second.value == "")
      conf.values.erase(at);
  for (auto& [key, value] : conf.values)
    out.base[key] = {std::move(value.value), SettingLayer::kOwn, "app.conf",
                     fmt::format("{}:{}", file.string(), value.line)};
}

// "line 4, column 7", of what the parser says; the rest of it may quote a value, which may be a password.
std::string PlaceIn(const std::string& message) {
  constexpr std::string_view kAt = "parse error at ";
  if (!message.starts_with(kAt)) return {};
  return message.substr(kAt.size(), message.find(':') - kAt.size());
}

// Each value counts as a text, as if it stood in an environment variable.
void ReadOverride(const fs::path& file, bool named, OwnConfig& out) {
  const auto text = ReadTrusted(file, named, out);
  if (!text) {
    if (text.error().code != Errc::kNotFound)
      out.findings.push_back({Severity::kError, file, "", text.error().message});
    return;
  }
  const auto object = ParseJson(*text);
  if (!object || !object->is_object()) {
    out.findings.push_back({Severity::kError, file, object ? "" : PlaceIn(object.error().message),
                            object ? "is not a JSON object" : "is not JSON: nothing of it counts"});
    return;
  }
  // As a text, a reference to a secret would not be known for one and refused.
  for (const auto& [key, value] : object->items())
    out.overrides[key] = {SecretNames({{key, value}}).empty() ? Json(PythonText(value)) : value,
                          SettingLayer::kOverride, "override", file};
}

}  // namespace

AppConf ParseAppConf(std::string_view text, const std::string& file) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const std::string lines = ReplaceAll(ReplaceAll(text, "\r\n", "\n"), "\r", "\n");
  return ConfReader(lines, file).Read();
}

OwnConfig ReadOwnConfig(const fs::path& plugins, const fs::path& config) {
  OwnConfig out;
  if (config.empty() && !IsInstallation(plugins)) return out;
  std::error_code error;
  const fs::path place = config.empty() ? plugins : config;
  const fs::path file = fs::is_directory(place, error) || config.empty() ? FindConf(place) : config;
  if (file.empty()) {
    if (!config.empty()) out.findings.push_back({Severity::kError, config, "", "holds no app.conf"});
    return out;
  }
  ReadConf(file, !config.empty(), out);
  ReadOverride(file.parent_path() / "app_conf_override.json", !config.empty(), out);
  return out;
}

}  // namespace backplane::netalertx
