#include "dialects/panoptes/filter.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace backplane::panoptes {
namespace {

constexpr std::size_t kConditions = 256;

using Field = std::string Resource::*;
constexpr std::array<std::pair<std::string_view, Field>, 6> kFields = {{{"resource_site", &Resource::site},
                                                                        {"resource_class", &Resource::class_name},
                                                                        {"resource_subclass", &Resource::subclass},
                                                                        {"resource_type", &Resource::type},
                                                                        {"resource_id", &Resource::id},
                                                                        {"resource_endpoint", &Resource::endpoint}}};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The place after the UTF-8 character at `at`.
std::size_t NextCharacter(std::string_view text, std::size_t at) {
  do ++at;
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

// SQLite's LIKE: % is any text, _ one character, ASCII letters in either case. `pattern` is in lower case.
bool Like(std::string_view text, std::string_view pattern) {
  std::size_t at = 0, in_pattern = 0;
  std::size_t after_star = std::string_view::npos, star_at = 0;  // where to go on if the last % takes one more
  while (at < text.size() || in_pattern < pattern.size()) {
    if (in_pattern < pattern.size()) {
      const char c = pattern[in_pattern];
      if (c == '%') {
        after_star = ++in_pattern;
        star_at = at;
        continue;
      }
      if (at < text.size() && (c == '_' || c == Lower(text[at]))) {
        at = c == '_' ? NextCharacter(text, at) : at + 1;
        ++in_pattern;
        continue;
      }
    }
    if (after_star == std::string_view::npos || star_at == text.size()) return false;
    at = star_at = NextCharacter(text, star_at);
    in_pattern = after_star;
  }
  return true;
}

struct Condition {
  enum class Test { kOneOf, kLike };

  Field field = nullptr;  // null: metadata
  std::string key;        // of metadata
  Test test = Test::kOneOf;
  bool negated = false;
  std::vector<std::string> values;  // kOneOf: sorted; kLike: one, in lower case
  bool after_or = false;            // the word before it

  bool Holds(const Resource& resource) const {
    const std::string* value = nullptr;
    if (field != nullptr) {
      value = &(resource.*field);
    } else {
      const auto found = resource.metadata.find(key);
      if (found == resource.metadata.end()) return false;  // also if negated
      value = &found->second;
    }
    const bool fits = test == Test::kLike  ? Like(*value, values[0])
                      : values.size() == 1 ? *value == values[0]
                                           : std::binary_search(values.begin(), values.end(), *value);
    return fits != negated;
  }
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::vector<Condition>> Parse() {
    std::vector<Condition> conditions;
    bool after_or = false;
    do {
      if (conditions.size() == kConditions)
        return Fail(Errc::kInvalid, fmt::format("has more than {} conditions", kConditions));
      BACKPLANE_ASSIGN(Condition condition, ParseCondition());
      condition.after_or = after_or;
      conditions.push_back(std::move(condition));
      after_or = false;
    } while (TakeWord("and") || (after_or = TakeWord("or")));
    SkipBlank();
    if (at_ < text_.size()) return Expected("AND, OR or the end");
    return conditions;
  }

 private:
  tl::unexpected<Error> Expected(std::string_view what) {
    SkipBlank();
    const auto column = 1 + std::count_if(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                          [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    const std::string_view rest = text_.substr(at_);
    return Fail(Errc::kInvalid, fmt::format("column {}: expected {}, not {}", column, what,
                                            rest.empty() ? "the end" : "`" + Shorten(rest, 20) + "`"));
  }

  void SkipBlank() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  static bool InWord(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }

  // Takes `token`, which is in lower case, in either case.
  bool Take(std::string_view token) {
    SkipBlank();
    if (ToLower(text_.substr(at_, token.size())) != token) return false;
    at_ += token.size();
    return true;
  }

  // Takes it if it stands alone.
  bool TakeWord(std::string_view word) {
    SkipBlank();
    const std::size_t start = at_;
    if (start > 0 && InWord(text_[start - 1])) return false;
    if (!Take(word)) return false;
    if (at_ == text_.size() || !InWord(text_[at_])) return true;
    at_ = start;
    return false;
  }

  Result<Condition> ParseCondition() {
    Condition condition;
    BACKPLANE_TRY(ParseField(condition));
    if (Take("!=") || Take("ne")) condition.negated = true;
    if (condition.negated || Take("=") || Take("eq")) {
      BACKPLANE_ASSIGN(std::string value, ParseString());
      condition.values.push_back(std::move(value));
      return condition;
    }
    condition.negated = TakeWord("not");
    if (TakeWord("like")) {
      BACKPLANE_ASSIGN(const std::string value, ParseString());
      condition.test = Condition::Test::kLike;
      condition.values.push_back(ToLower(value));
      return condition;
    }
    if (!TakeWord("in")) return Expected(condition.negated ? "LIKE or IN" : "=, !=, eq, ne, LIKE, IN or NOT");
    if (!Take("(")) return Expected("(");
    do {
      BACKPLANE_ASSIGN(std::string value, ParseString());
      condition.values.push_back(std::move(value));
    } while (Take(","));
    if (!Take(")")) return Expected(", or )");
    std::sort(condition.values.begin(), condition.values.end());
    return condition;
  }

  Status ParseField(Condition& condition) {
    for (const auto& [name, field] : kFields) {
      if (!Take(name)) continue;
      condition.field = field;
      return {};
    }
    if (!Take("resource_metadata")) return Expected("a field (resource_site, resource_metadata.NAME, ...)");
    if (!Take(".")) return Expected("a dot");
    SkipBlank();
    const std::size_t start = at_;
    while (at_ < text_.size() && InWord(text_[at_])) ++at_;
    if (at_ == start) return Expected("a name of metadata (letters, digits and _)");
    condition.key = ToLower(text_.substr(start, at_ - start));
    return {};
  }

  Result<std::string> ParseString() {
    if (!Take("\"")) return Expected("a value in double quotes");
    const std::size_t start = at_ - 1;
    std::string value;
    for (; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (c == '\n' || c == '\r') break;
      if (c == '"') {
        ++at_;
        return value;
      }
      if (c == '\\') {
        if (++at_ == text_.size() || text_[at_] == '\n') break;
        constexpr std::string_view kLetters = "tnfr", kMeanings = "\t\n\f\r";
        c = text_[at_];
        if (const auto letter = kLetters.find(c); letter != std::string_view::npos) c = kMeanings[letter];
      }
      value += c;
    }
    at_ = start;
    return Expected("a value that ends with a double quote on the same line");
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

// OR of ANDs of conditions, by their places.
using Terms = std::vector<std::vector<std::size_t>>;

Terms LogicalTerms(const std::vector<Condition>& conditions) {
  Terms terms;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    if (i == 0 || conditions[i].after_or) terms.emplace_back();
    terms.back().push_back(i);
  }
  return terms;
}

// See OrRule::kOriginal. The first condition is on a field.
Terms OriginalTerms(const std::vector<Condition>& conditions) {
  Terms terms;
  std::optional<std::size_t> first;
  std::vector<std::size_t> united, intersected;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    if (conditions[i].field == nullptr) {
      if (!first)
        first = i;
      else
        (conditions[i].after_or ? united : intersected).push_back(i);
      continue;
    }
    if (i == 0 || conditions[i].after_or) terms.emplace_back();
    terms.back().push_back(i);
  }
  if (first)
    for (auto& term : terms) term.push_back(*first);
  for (const std::size_t one : united) terms.push_back({one});
  for (auto& term : terms) term.insert(term.end(), intersected.begin(), intersected.end());
  return terms;
}

// Whether the two readings may differ: they do not if every OR is followed by metadata, after
// another condition on metadata, and by no AND.
bool ReadingsDiffer(const std::vector<Condition>& conditions) {
  const auto on_metadata = [](const Condition& condition) { return condition.field == nullptr; };
  if (std::none_of(conditions.begin(), conditions.end(), on_metadata)) return false;
  bool metadata_before = false, or_before = false;
  for (const Condition& condition : conditions) {
    if (condition.after_or ? !on_metadata(condition) || !metadata_before : or_before) return true;
    metadata_before |= on_metadata(condition);
    or_before |= condition.after_or;
  }
  return false;
}

}  // namespace

Result<Filter> ParseFilter(std::string_view text, OrRule rule) {
  BACKPLANE_ASSIGN(std::vector<Condition> conditions, Parser(text).Parse());
  const bool original = rule == OrRule::kOriginal && conditions[0].field != nullptr;
  Filter filter;
  if (original && ReadingsDiffer(conditions))
    filter.warning =
        "a condition on metadata narrows those on fields even where the filter says OR, as in the original: "
        "the setting filter_or = \"logical\" reads the filter as written";
  auto terms = original ? OriginalTerms(conditions) : LogicalTerms(conditions);
  auto matches = [conditions = std::move(conditions), terms = std::move(terms)](const Resource& resource) {
    return std::any_of(terms.begin(), terms.end(), [&](const auto& term) {
      return std::all_of(term.begin(), term.end(), [&](std::size_t one) { return conditions[one].Holds(resource); });
    });
  };
  filter.targets = std::make_shared<const TargetFilter>(TargetFilter{std::string(text), std::move(matches)});
  return filter;
}

}  // namespace backplane::panoptes
