// Which rows of a report people want: the settings NTFPRCS_new_dev_condition and NTFPRCS_event_condition.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace backplane::netalertx {

/// The value of a row in one of the columns that a condition may name.
using ColumnValue = std::function<std::string(std::string_view column)>;

class Condition {
 public:
  /// Clauses `column operator 'value'` with AND and OR between them, of which AND binds closer. The operators are
  /// = != <> < > <= >=, [NOT] LIKE, [NOT] IN ('a', 'b') and IS [NOT] NULL; {s-quote} is a quote. A leading AND means
  /// nothing; a leading OR lets every row pass, as what stands before it is true of all of them.
  /// kInvalid says what is wrong. An empty text lets every row pass.
  static Result<Condition> Parse(std::string_view text);

  bool Holds(const ColumnValue& value) const;

 private:
  friend class ConditionParser;
  enum class Operator { kEqual, kLess, kGreater, kLike, kIn, kNull };
  struct Clause {
    std::string column;
    Operator op = Operator::kEqual;
    bool negated = false;
    std::vector<std::string> values;
    bool Holds(const std::string& value) const;
  };
  std::vector<std::vector<Clause>> any_;  // of which all clauses hold; none: everything passes
};

}  // namespace backplane::netalertx
