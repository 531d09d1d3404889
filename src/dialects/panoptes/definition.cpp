#include "dialects/panoptes/definition.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "dialects/panoptes/python_text.h"

namespace backplane::panoptes {
namespace {

using Severity = Finding::Severity;

constexpr std::size_t kErrors = 20;
constexpr std::size_t kOptions = 2'000;          // with those that sections take from [DEFAULT]
constexpr std::size_t kExpandedBytes = 1 << 20;  // of all values together
constexpr int kReferences = 10'000;
constexpr int kDepth = 10;  // as Python's

std::string Place(std::string_view section, std::string_view option, int line) {
  return fmt::format("[{}]{}{}, line {}", section, option.empty() ? "" : " ", option, line);
}

// Reads lines into sections of raw values.
class LineReader {
 public:
  explicit LineReader(const std::string& file) : file_(file) {}

  void Read(std::string_view text) {
    for (line_ = 1; !text.empty() && findings.size() < kErrors; ++line_) Line(TakeLine(text));
    for (Section& section : sections)
      for (Option& option : section.options) option.value = StripRight(option.value);
    for (Option& option : defaults.options) option.value = StripRight(option.value);
  }

  std::vector<Section> sections;
  Section defaults{.name = "DEFAULT"};
  std::vector<Finding> findings;

 private:
  void Complain(std::string where, std::string message) {
    findings.push_back({Severity::kError, file_, std::move(where), std::move(message)});
  }
  std::string Here() const { return fmt::format("line {}", line_); }

  Section* Current() { return in_defaults_ ? &defaults : sections.empty() ? nullptr : &sections.back(); }

  void Line(std::string_view line) {
    const std::string_view value = Strip(line);
    if (value.starts_with('#') || value.starts_with(';')) return;
    Section* section = Current();
    const bool in_option = section != nullptr && in_option_;
    if (value.empty()) {
      if (in_option) section->options.back().value += '\n';
      return;
    }
    const std::size_t indent = line.size() - StripLeft(line).size();
    if (in_option && indent > indent_) {
      (section->options.back().value += '\n') += value;
      return;
    }
    indent_ = indent;
    if (const auto close = value.rfind(']'); value.starts_with('[') && close != std::string_view::npos && close > 1)
      StartSection(value.substr(1, close - 1));
    else
      AddOption(section, value);
  }

  void StartSection(std::string_view name) {
    in_option_ = false;
    in_defaults_ = name == defaults.name;
    if (in_defaults_) return;
    if (!section_names_.emplace(name).second)
      Complain(fmt::format("[{}], line {}", name, line_), "the section is there twice");
    sections.push_back({.name = std::string(name), .line = line_, .options = {}});
  }

  void AddOption(Section* section, std::string_view text) {
    if (section == nullptr) return Complain(Here(), "stands before the first [section]");
    const auto delimiter = text.find_first_of("=:");
    const std::string name = ToLower(StripRight(text.substr(0, delimiter)));
    if (delimiter == std::string_view::npos || name.empty())
      return Complain(Here(), fmt::format("\"{}\" is neither a [section] nor an option = value", Shorten(text, 60)));
    if (!options_.emplace(section->name, name).second)
      return Complain(Place(section->name, name, line_), "the option is there twice");
    section->options.push_back({name, std::string(Strip(text.substr(delimiter + 1))), line_});
    in_option_ = true;
  }

  const std::string& file_;
  int line_ = 0;
  std::size_t indent_ = 0;
  bool in_option_ = false;  // the last option may go on
  bool in_defaults_ = false;
  std::set<std::string, std::less<>> section_names_;
  std::set<std::pair<std::string, std::string>> options_;
};

// Puts values into values, with limits over the whole file.
class Interpolator {
 public:
  using Values = std::map<std::string_view, std::string_view>;

  enum class Outcome { kDone, kSyntax, kMissing, kTooMuch };

  // `why` is set unless the outcome is kDone.
  Outcome Expand(std::string_view raw, const Values& values, std::string& out, std::string& why) {
    return Expand(raw, values, out, why, 1);
  }

 private:
  Outcome Expand(std::string_view rest, const Values& values, std::string& out, std::string& why, int depth) {
    if (depth > kDepth) {
      why = fmt::format("values refer to values deeper than {} levels", kDepth);
      return Outcome::kTooMuch;
    }
    while (!rest.empty()) {
      const auto at = std::min(rest.find('%'), rest.size());
      bytes_ += at + 2;
      if (bytes_ > kExpandedBytes || references_ > kReferences) {
        why = "values refer to values too often";
        return Outcome::kTooMuch;
      }
      out += rest.substr(0, at);
      rest.remove_prefix(at);
      if (rest.empty()) break;
      if (rest.starts_with("%%")) {
        out += '%';
        rest.remove_prefix(2);
        continue;
      }
      // A parenthesis that closes at once holds no name.
      const auto close = rest.find(')', 2);
      if (!rest.starts_with("%(") || close == std::string_view::npos || close == 2 || rest.substr(close, 2) != ")s") {
        why = fmt::format("`{}`: a % is written %%, or begins %(option)s", Shorten(rest, 40));
        return Outcome::kSyntax;
      }
      const std::string name = ToLower(rest.substr(2, close - 2));
      const auto value = values.find(name);
      if (value == values.end()) {
        why = fmt::format("refers to the option {}, which is neither in this section nor in [DEFAULT]", name);
        return Outcome::kMissing;
      }
      ++references_;
      const Outcome inner = Expand(value->second, values, out, why, depth + 1);
      if (inner != Outcome::kDone) return inner;
      rest.remove_prefix(close + 2);
    }
    return Outcome::kDone;
  }

  std::size_t bytes_ = 0;
  int references_ = 0;
};

// Gives each section the options of [DEFAULT] and interpolates; `sections` hold raw values before.
void Complete(const Section& defaults, const std::string& file, Definition& definition) {
  Interpolator interpolator;
  std::size_t options = 0;
  for (Section& section : definition.sections) {
    std::set<std::string_view> own;
    for (const Option& option : section.options) own.insert(option.name);
    std::vector<Option> raw = section.options;
    for (const Option& option : defaults.options)
      if (!own.contains(option.name)) raw.push_back(option);
    options += raw.size();
    if (options > kOptions) {
      definition.findings.push_back({Severity::kError, file, "", fmt::format("has more than {} options", kOptions)});
      return;
    }
    Interpolator::Values values;
    for (const Option& option : raw) values.emplace(option.name, option.value);
    section.options = raw;
    for (Option& option : section.options) {
      std::string text, why;
      const auto outcome = interpolator.Expand(option.value, values, text, why);
      const std::string where = Place(section.name, option.name, option.line);
      if (outcome == Interpolator::Outcome::kDone)
        option.value = std::move(text);
      else if (outcome == Interpolator::Outcome::kSyntax)
        definition.findings.push_back({Severity::kWarning, file, where, why + "; the value is taken as it stands"});
      else {
        definition.findings.push_back({Severity::kError, file, where, why});
        if (outcome == Interpolator::Outcome::kTooMuch || definition.findings.size() >= kErrors) return;
      }
    }
  }
}

}  // namespace

const std::string* Section::Find(std::string_view option) const {
  for (const Option& one : options)
    if (one.name == option) return &one.value;
  return nullptr;
}

const Section* Definition::Find(std::string_view section) const {
  for (const Section& one : sections)
    if (one.name == section) return &one;
  return nullptr;
}

std::string Definition::Where(std::string_view section, std::string_view option) const {
  const Section* found = Find(section);
  if (found == nullptr) return fmt::format("[{}]{}{}", section, option.empty() ? "" : " ", option);
  for (const Option& one : found->options)
    if (one.name == ToLower(option)) return Place(section, option, one.line);
  return Place(section, option, found->line);
}

Definition ParseDefinition(std::string_view text, const std::string& file) {
  Definition definition;
  if (!IsUtf8(text)) {
    definition.findings.push_back({Severity::kError, file, "", "is not UTF-8 text"});
    return definition;
  }
  LineReader reader(file);
  reader.Read(text);
  definition.sections = std::move(reader.sections);
  definition.findings = std::move(reader.findings);
  if (definition.findings.empty()) Complete(reader.defaults, file, definition);
  return definition;
}

}  // namespace backplane::panoptes
