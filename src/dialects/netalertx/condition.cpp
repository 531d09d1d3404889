#include "dialects/netalertx/condition.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "dialects/netalertx/like.h"

namespace backplane::netalertx {
namespace {

constexpr auto kColumns = std::to_array<std::string_view>(
    {"eveMac",          "eveDateTime",        "eveIp",           "eveEventType",   "devName",
     "devComments",     "devLastIP",          "devVendor",       "devAlertEvents", "devAlertDown",
     "devIsArchived",   "devPresentLastScan", "devFavorite",     "devIsNew",       "plugin",
     "objectPrimaryId", "objectSecondaryId",  "dateTimeChanged", "watchedValue1",  "watchedValue2",
     "watchedValue3",   "watchedValue4",      "status"});
constexpr std::size_t kLongest = 4'096;

std::optional<double> Number(const std::string& text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// Numbers by size, other texts as SQL does; addresses whatever their case.
int Compare(std::string_view column, const std::string& one, const std::string& other) {
  const auto a = Number(one), b = Number(other);
  if (a && b) return *a < *b ? -1 : *a > *b ? 1 : 0;
  if (column == "eveMac") return ToLower(one).compare(ToLower(other));
  return one.compare(other);
}

bool IsWordPart(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

}  // namespace

class ConditionParser {
 public:
  explicit ConditionParser(std::string_view text) : text_(text) {}

  Result<Condition> Parse() {
    Condition condition;
    SkipBlank();
    if (text_.empty()) return condition;
    condition.any_.emplace_back();
    if (!TakeWord("AND") && TakeWord("OR")) condition.any_.emplace_back();
    while (true) {
      BACKPLANE_ASSIGN(Condition::Clause clause, ParseClause());
      condition.any_.back().push_back(std::move(clause));
      if (text_.empty()) return condition;
      if (TakeWord("AND")) continue;
      if (!TakeWord("OR")) return Wrong("AND or OR");
      condition.any_.emplace_back();
    }
  }

 private:
  using Operator = Condition::Operator;

  Result<Condition::Clause> ParseClause() {
    Condition::Clause clause;
    const std::string_view column = Word();
    if (std::find(kColumns.begin(), kColumns.end(), column) == kColumns.end())
      return Wrong("a column of reports, such as devName");
    clause.column = column;
    Take(column.size());
    if (TakeWord("IS")) {
      clause.negated = TakeWord("NOT");
      clause.op = Operator::kNull;
      if (!TakeWord("NULL")) return Wrong("NULL or NOT NULL");
      return clause;
    }
    BACKPLANE_TRY(ParseOperator(clause));
    if (clause.op != Operator::kIn) {
      BACKPLANE_TRY(ParseValue(clause));
      return clause;
    }
    if (!TakeSign("(")) return Wrong("a list in parentheses");
    do BACKPLANE_TRY(ParseValue(clause));
    while (TakeSign(","));
    if (!TakeSign(")")) return Wrong("\")\"");
    return clause;
  }

  Status ParseOperator(Condition::Clause& clause) {
    struct Sign {
      const char* text;
      Operator op;
      bool negated;
    };
    constexpr auto kSigns = std::to_array<Sign>({{"<=", Operator::kGreater, true},
                                                 {">=", Operator::kLess, true},
                                                 {"<>", Operator::kEqual, true},
                                                 {"!=", Operator::kEqual, true},
                                                 {"=", Operator::kEqual, false},
                                                 {"<", Operator::kLess, false},
                                                 {">", Operator::kGreater, false}});
    for (const Sign& sign : kSigns) {
      if (!TakeSign(sign.text)) continue;
      clause.op = sign.op;
      clause.negated = sign.negated;
      return {};
    }
    clause.negated = TakeWord("NOT");
    clause.op = TakeWord("LIKE") ? Operator::kLike : Operator::kIn;
    if (clause.op == Operator::kIn && !TakeWord("IN")) return Wrong("an operator");
    return {};
  }

  // 'it''s', or a number.
  Status ParseValue(Condition::Clause& clause) {
    std::string value;
    if (!text_.starts_with('\'')) {
      value = Word();
      if (value.empty() || !Number(value)) return Wrong("a value in single quotes");
      Take(value.size());
      clause.values.push_back(std::move(value));
      return {};
    }
    std::size_t at = 1;
    for (; at < text_.size(); ++at) {
      if (text_[at] == '\'' && (at + 1 == text_.size() || text_[at + 1] != '\'')) break;
      if (text_[at] == '\'') ++at;
      value += text_[at];
    }
    if (at == text_.size()) return Wrong("a closing quote");
    Take(at + 1);
    clause.values.push_back(std::move(value));
    return {};
  }

  std::string_view Word() const {
    return text_.substr(
        0, static_cast<std::size_t>(std::find_if_not(text_.begin(), text_.end(), IsWordPart) - text_.begin()));
  }
  bool TakeWord(std::string_view word) {
    if (ToLower(Word()) != ToLower(word)) return false;
    Take(word.size());
    return true;
  }
  bool TakeSign(std::string_view sign) {
    if (!text_.starts_with(sign)) return false;
    Take(sign.size());
    return true;
  }
  void Take(std::size_t bytes) {
    text_.remove_prefix(bytes);
    SkipBlank();
  }
  void SkipBlank() { text_ = Trim(text_); }

  tl::unexpected<Error> Wrong(std::string_view expected) const {
    return Fail(Errc::kInvalid, fmt::format("expected {} at \"{}\"", expected, Shorten(text_, 40)));
  }

  std::string_view text_;
};

Result<Condition> Condition::Parse(std::string_view text) {
  if (text.size() > kLongest) return Fail(Errc::kInvalid, fmt::format("longer than {} bytes", kLongest));
  const std::string plain = ReplaceAll(text, "{s-quote}", "'");
  return ConditionParser(plain).Parse();
}

bool Condition::Clause::Holds(const std::string& value) const {
  const auto is = [&](const std::string& other) { return Compare(column, value, other) == 0; };
  switch (op) {
    case Operator::kEqual: return is(values[0]) != negated;
    case Operator::kLess: return (Compare(column, value, values[0]) < 0) != negated;
    case Operator::kGreater: return (Compare(column, value, values[0]) > 0) != negated;
    case Operator::kLike: return IsLike(value, values[0]) != negated;
    case Operator::kIn: return std::any_of(values.begin(), values.end(), is) != negated;
    case Operator::kNull: return value.empty() != negated;
  }
  return false;
}

bool Condition::Holds(const ColumnValue& value) const {
  if (any_.empty()) return true;
  return std::any_of(any_.begin(), any_.end(), [&](const std::vector<Clause>& all) {
    return std::all_of(all.begin(), all.end(),
                       [&](const Clause& clause) { return clause.Holds(value(clause.column)); });
  });
}

}  // namespace backplane::netalertx
