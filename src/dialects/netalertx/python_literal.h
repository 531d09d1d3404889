// Python source of literals: what ast.literal_eval() takes, of the kinds that JSON can hold.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace backplane::netalertx {

/// Whether a name can begin so: a letter of ASCII or an underscore.
bool IsWordStart(char c);
/// The letters, digits and underscores that the text begins with.
std::string_view WordAt(std::string_view text);

/// Reads literals out of Python source whose lines end with \n. Nothing is ever executed: names, calls
/// and arithmetic are refused, and so are bytes, formatted texts, sets, complex numbers, whole numbers
/// beyond 64 bits and keys of dicts that are no texts. Tuples become lists. Linear; nested 64 deep at most.
class LiteralReader {
 public:
  explicit LiteralReader(std::string_view source, std::size_t at = 0) : source_(source), at_(at) {}

  /// The literal at the position; several with commas between are a tuple. kInvalid says what is wrong, and quotes
  /// nothing of it: it may be a password.
  Result<Json> Read();

  /// Passes over blanks and continued lines.
  void SkipBlank();
  /// What has not been read yet.
  std::string_view rest() const { return source_.substr(at_); }
  std::size_t position() const { return at_; }
  void Advance(std::size_t bytes) { at_ += bytes; }

 private:
  bool Take(char c);
  bool AtEnd() const;
  Result<Json> Value();
  Result<Json> Items(char closing, bool& comma);
  Result<Json> Parenthesis();
  Result<Json> Dict();
  Result<Json> Word();
  Result<Json> Number(bool negative);
  Result<Json> Texts();
  Status Text(bool raw, std::string& out);
  Status Escape(std::string& out);

  std::string_view source_;
  std::size_t at_;
  int depth_ = 0;  // of brackets
};

/// The whole text as one literal.
Result<Json> ParseLiteral(std::string_view text);

}  // namespace backplane::netalertx
