#include "dialects/panoptes/configobj.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "dialects/panoptes/python_text.h"

namespace backplane::panoptes {
namespace {

constexpr std::size_t kErrors = 20;
constexpr std::size_t kExpandedBytes = 64 << 10;  // of one value
constexpr int kReferences = 1'000;                // of one value
constexpr std::size_t kHeaderBytes = 1'000;
constexpr std::size_t kDepth = 20;  // of sections, and of values that refer to values

bool IsQuote(char c) { return c == '"' || c == '\''; }

// Nothing, or a comment, is left of the line.
bool IsEnd(std::string_view rest) {
  rest = StripLeft(rest);
  return rest.empty() || rest[0] == '#';
}

// The end of the quoted text that `text` begins with: the first closing quote that `accepts` what
// follows it. Quotes inside are part of the text.
template <typename Accepts>
std::optional<std::size_t> QuotedEnd(std::string_view text, Accepts accepts) {
  for (auto at = text.find(text[0], 1); at != std::string_view::npos; at = text.find(text[0], at + 1))
    if (accepts(text.substr(at + 1))) return at + 1;
  return std::nullopt;
}

std::string Unquoted(std::string_view text) {
  if (text.size() > 1 && IsQuote(text[0]) && text.back() == text[0]) text = text.substr(1, text.size() - 2);
  return std::string(text);
}

// The value behind the equals sign; nothing if it is malformed.
std::optional<ConfigValue> ParseValue(std::string_view text) {
  ConfigValue value;
  text = StripLeft(text);
  if (text.starts_with(',') && IsEnd(text.substr(1))) {
    value.list = true;
    return value;
  }
  while (!IsEnd(text)) {
    std::size_t end = std::min(text.find_first_of(",#"), text.size());
    if (IsQuote(text[0])) {
      const auto after =
          QuotedEnd(text, [](std::string_view rest) { return IsEnd(rest) || StripLeft(rest).starts_with(','); });
      if (!after) return std::nullopt;
      end = *after;
    }
    if (end == 0) return std::nullopt;
    value.items.push_back(Unquoted(StripRight(text.substr(0, end))));
    text = StripLeft(text.substr(end));
    if (!text.starts_with(',')) break;
    value.list = true;
    text = StripLeft(text.substr(1));
  }
  if (value.items.empty()) value.items.emplace_back();
  return value;
}

class FileParser {
 public:
  FileParser(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  ConfigFile Parse() {
    path_ = {&out_.root};
    while (!text_.empty() && out_.findings.size() < kErrors) {
      const std::string_view line = StripLeft(NextLine());
      if (line.empty() || line[0] == '#') continue;
      if (const auto header = ParseHeader(line))
        StartSection(header->first, header->second);
      else
        AddValue(line);
    }
    return std::move(out_);
  }

 private:
  std::string_view NextLine() {
    ++line_;
    return TakeLine(text_);
  }

  void Complain(std::string message) {
    out_.findings.push_back({Finding::Severity::kError, file_, fmt::format("line {}", line_), std::move(message)});
  }

  // Name and depth of "[[name]]"; depth 0 if the brackets do not match. Nothing if it is no header.
  static std::optional<std::pair<std::string, std::size_t>> ParseHeader(std::string_view line) {
    if (line.size() > kHeaderBytes) return std::nullopt;
    std::size_t opened = 0;
    for (; line.starts_with('['); line = StripLeft(line.substr(1))) ++opened;
    if (opened == 0 || line.empty()) return std::nullopt;
    std::size_t closed = 0;
    const auto closes = [&](std::string_view rest) {
      closed = 0;
      for (rest = StripLeft(rest); rest.starts_with(']'); rest = StripLeft(rest.substr(1))) ++closed;
      return closed > 0 && IsEnd(rest);
    };
    std::optional<std::size_t> end;
    if (IsQuote(line[0])) {
      end = QuotedEnd(line, closes);
    } else {
      for (auto at = line.find(']'); at != std::string_view::npos && !end; at = line.find(']', at + 1))
        if (at > 0 && closes(line.substr(at))) end = at;
    }
    if (!end) return std::nullopt;
    return std::pair(Unquoted(StripRight(line.substr(0, *end))), opened == closed ? opened : 0);
  }

  void StartSection(const std::string& name, std::size_t depth) {
    if (depth == 0) return Complain("the brackets of the section do not match");
    if (depth > path_.size() || depth > kDepth) return Complain(fmt::format("[{}] is nested too deep", name));
    ConfigSection& parent = *path_[depth - 1];
    if (parent.values.contains(name) || parent.sections.contains(name))
      return Complain(fmt::format("[{}] is there twice", name));
    path_.resize(depth);
    path_.push_back(&parent.sections[name]);
  }

  void AddValue(std::string_view line) {
    const auto is_assigned = [](std::string_view rest) { return StripLeft(rest).starts_with('='); };
    std::optional<std::size_t> end;
    if (IsQuote(line[0]))
      end = QuotedEnd(line, is_assigned);
    else if (const auto at = line.find('='); at != std::string_view::npos && at > 0)
      end = at;
    if (!end) return Complain(fmt::format("\"{}\" is neither a [section] nor key = value", Shorten(line, 60)));
    const std::string key = Unquoted(StripRight(line.substr(0, *end)));
    std::string_view text = StripLeft(StripLeft(line.substr(*end)).substr(1));
    const int at_line = line_;
    std::optional<ConfigValue> value =
        text.starts_with("\"\"\"") || text.starts_with("'''") ? TripleQuoted(text) : ParseValue(text);
    if (!value) return Complain(fmt::format("the value of {} is malformed: check its quotes and commas", key));
    value->line = at_line;
    ConfigSection& section = *path_.back();
    if (section.sections.contains(key) || !section.values.emplace(key, *std::move(value)).second)
      Complain(fmt::format("{} is there twice", key));
  }

  // `text` begins with three quotes; takes further lines up to the next three.
  std::optional<ConfigValue> TripleQuoted(std::string_view text) {
    const std::string_view quotes = text.substr(0, 3);
    text.remove_prefix(3);
    std::string value;
    while (true) {
      auto end = text.find(quotes);
      const bool ends = end != std::string_view::npos;
      while (end != std::string_view::npos && !IsEnd(text.substr(end + 3))) end = text.find(quotes, end + 1);
      value += text.substr(0, end);
      if (end != std::string_view::npos) return ConfigValue{.items = {std::move(value)}};
      if (ends || text_.empty()) return std::nullopt;
      value += '\n';
      text = NextLine();
    }
  }

  std::string_view text_;
  const std::string& file_;
  int line_ = 0;
  ConfigFile out_;
  std::vector<ConfigSection*> path_;  // from the root to the current one
};

class Interpolator {
 public:
  explicit Interpolator(std::vector<const ConfigSection*> places) : places_(std::move(places)) {}

  // Appends `text` with what it refers to.
  Status Expand(std::string_view text, std::string& out) {
    while (true) {
      const auto at = text.find('$');
      out += text.substr(0, at);
      if (at == std::string_view::npos) return {};
      text.remove_prefix(at + 1);
      if (out.size() > kExpandedBytes || references_ > kReferences)
        return Fail(Errc::kInvalid, "refers to too many or too long values");
      if (text.starts_with('$')) {
        out += '$';
        text.remove_prefix(1);
        continue;
      }
      ++references_;
      if (const auto name = TakeName(text))
        BACKPLANE_TRY(ExpandName(*name, out));
      else
        out += '$';
    }
  }

 private:
  // Takes "name" or "{name}"; nothing if it begins with neither.
  static std::optional<std::string_view> TakeName(std::string_view& text) {
    std::size_t end = 0;
    if (text.starts_with('{')) {
      end = text.find('}');
      if (end == std::string_view::npos) return std::nullopt;
      const std::string_view name = text.substr(1, end - 1);
      text.remove_prefix(end + 1);
      return name;
    }
    const auto in_name = [&](char c) {
      return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (end > 0 && c >= '0' && c <= '9');
    };
    while (end < text.size() && in_name(text[end])) ++end;
    if (end == 0) return std::nullopt;
    const std::string_view name = text.substr(0, end);
    text.remove_prefix(end);
    return name;
  }

  Status ExpandName(std::string_view name, std::string& out) {
    const ConfigValue* value = nullptr;
    for (const ConfigSection* place : places_) {
      if (value == nullptr) value = place->FindValue(name);
      const ConfigSection* defaults = place->Find("DEFAULT");
      if (value == nullptr && defaults != nullptr) value = defaults->FindValue(name);
    }
    if (value == nullptr) return Fail(Errc::kInvalid, fmt::format("refers to ${{{}}}, which is not there", name));
    if (value->list) return Fail(Errc::kInvalid, fmt::format("refers to ${{{}}}, which is a list", name));
    if (open_.size() == kDepth || !open_.insert(value).second)
      return Fail(Errc::kInvalid, fmt::format("refers to ${{{}}}, which refers to itself", name));
    BACKPLANE_TRY(Expand(value->items[0], out));
    open_.erase(value);
    return {};
  }

  const std::vector<const ConfigSection*> places_;
  std::set<const ConfigValue*> open_;  // being put in
  int references_ = 0;
};

}  // namespace

const ConfigSection* ConfigSection::Find(std::string_view section) const {
  const auto found = sections.find(section);
  return found == sections.end() ? nullptr : &found->second;
}

const ConfigValue* ConfigSection::FindValue(std::string_view key) const {
  const auto found = values.find(key);
  return found == values.end() ? nullptr : &found->second;
}

ConfigFile ParseConfigFile(std::string_view text, const std::string& file) {
  if (!IsUtf8(text)) return {.findings = {{Finding::Severity::kError, file, "", "is not UTF-8 text"}}};
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return FileParser(text, file).Parse();
}

Result<ConfigValue> Interpolated(const ConfigSection& root, const ConfigSection& section, std::string_view key) {
  const ConfigValue* found = section.FindValue(key);
  if (found == nullptr) return Fail(Errc::kNotFound, fmt::format("no key {}", key));
  ConfigValue value = *found;
  Interpolator interpolator({&section, &root});
  for (std::string& item : value.items) {
    std::string expanded;
    BACKPLANE_TRY(interpolator.Expand(item, expanded));
    item = std::move(expanded);
  }
  return value;
}

}  // namespace backplane::panoptes
