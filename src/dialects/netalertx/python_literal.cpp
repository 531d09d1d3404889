#include "dialects/netalertx/python_literal.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace backplane::netalertx {
namespace {

constexpr int kMostDeep = 64;
constexpr std::size_t kMostKeys = 10'000;  // looked through one by one for each that is added

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWord(char c) { return IsWordStart(c) || IsDigit(c); }
bool IsQuote(char c) { return c == '\'' || c == '"'; }

tl::unexpected<Error> Wrong(std::string message) { return Fail(Errc::kInvalid, std::move(message)); }

void AppendUtf8(std::string& out, std::uint32_t code) {
  const auto add = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) return add(code);
  if (code < 0x800) {
    add(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    add(0xE0 | code >> 12);
    add(0x80 | (code >> 6 & 0x3F));
  } else {
    add(0xF0 | code >> 18);
    add(0x80 | (code >> 12 & 0x3F));
    add(0x80 | (code >> 6 & 0x3F));
  }
  add(0x80 | (code & 0x3F));
}

// Digits with single underscores between them; false if they are not so.
bool TakeDigits(std::string_view& text, std::string& digits, std::string_view allowed = "0123456789") {
  bool underscore = true;  // there is none at the beginning
  while (!text.empty()) {
    const char c = text.front();
    if (c == '_' && !underscore) {
      underscore = true;
    } else if (allowed.find(c) != std::string_view::npos) {
      digits += c;
      underscore = false;
    } else {
      break;
    }
    text.remove_prefix(1);
  }
  return !underscore;
}

Result<Json> Whole(const std::string& digits, int base, bool negative) {
  const std::string text = (negative ? "-" : "") + digits;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return Wrong("the number is too large");
  return Json(number);
}

}  // namespace

bool IsWordStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

std::string_view WordAt(std::string_view text) {
  return text.substr(0, static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), IsWord) - text.begin()));
}

void LiteralReader::SkipBlank() {
  while (at_ < source_.size()) {
    const char c = source_[at_];
    if (c == ' ' || c == '\t' || c == '\f' || (c == '\n' && depth_ > 0)) {
      ++at_;
    } else if (rest().starts_with("\\\n")) {
      at_ += 2;
    } else if (c == '#' && depth_ > 0) {
      at_ = std::min(source_.find('\n', at_), source_.size());
    } else {
      return;
    }
  }
}

bool LiteralReader::Take(char c) {
  SkipBlank();
  if (at_ >= source_.size() || source_[at_] != c) return false;
  ++at_;
  return true;
}

bool LiteralReader::AtEnd() const {
  return at_ >= source_.size() || source_[at_] == '\n' || source_[at_] == '#' || source_[at_] == ';';
}

Result<Json> LiteralReader::Read() {
  BACKPLANE_ASSIGN(Json first, Value());
  if (!Take(',')) return first;
  Json list = Json::array();
  list.push_back(std::move(first));
  for (SkipBlank(); !AtEnd(); SkipBlank()) {
    BACKPLANE_ASSIGN(Json next, Value());
    list.push_back(std::move(next));
    if (!Take(',')) break;
  }
  return list;
}

Result<Json> LiteralReader::Value() {
  SkipBlank();
  if (at_ >= source_.size() || (depth_ == 0 && AtEnd())) return Wrong("a value is missing");
  const char c = source_[at_];
  if (IsQuote(c)) return Texts();
  if (IsDigit(c) || c == '.') return Number(false);
  if (IsWordStart(c)) {
    const std::size_t word = WordAt(rest()).size();
    const bool prefix = at_ + word < source_.size() && IsQuote(source_[at_ + word]);
    return prefix ? Texts() : Word();
  }
  if (c == '+' || c == '-') {
    ++at_;
    SkipBlank();
    if (at_ >= source_.size() || (!IsDigit(source_[at_]) && source_[at_] != '.'))
      return Wrong(fmt::format("a number is expected after {}", c));
    return Number(c == '-');
  }
  if (c != '(' && c != '[' && c != '{') return Wrong("a value begins with a quote, a digit or a bracket");
  if (++depth_ > kMostDeep) return Wrong(fmt::format("brackets are nested deeper than {}", kMostDeep));
  ++at_;
  bool comma = false;
  Result<Json> value = c == '(' ? Parenthesis() : c == '[' ? Items(']', comma) : Dict();
  --depth_;
  return value;
}

// Up to the closing bracket; `comma`: there was one.
Result<Json> LiteralReader::Items(char closing, bool& comma) {
  Json list = Json::array();
  while (!Take(closing)) {
    BACKPLANE_ASSIGN(Json value, Value());
    list.push_back(std::move(value));
    if (Take(',')) {
      comma = true;
      continue;
    }
    if (Take(closing)) break;
    return Wrong(fmt::format("a comma or {} is expected: only literals can stand here", closing));
  }
  return list;
}

Result<Json> LiteralReader::Parenthesis() {
  bool comma = false;
  BACKPLANE_ASSIGN(Json list, Items(')', comma));
  if (comma || list.empty()) return list;
  return std::move(list.front());
}

Result<Json> LiteralReader::Dict() {
  Json object = Json::object();
  while (!Take('}')) {
    BACKPLANE_ASSIGN(const Json key, Value());
    if (!Take(':')) return Wrong("a colon is expected after the key of a dict; sets cannot be kept");
    if (!key.is_string()) return Wrong("a key of a dict is no text");
    BACKPLANE_ASSIGN(object[key.get_ref<const std::string&>()], Value());
    if (object.size() > kMostKeys) return Wrong(fmt::format("a dict has more than {} keys", kMostKeys));
    if (Take(',')) continue;
    if (Take('}')) break;
    return Wrong("a comma or } is expected: only literals can stand here");
  }
  return object;
}

Result<Json> LiteralReader::Word() {
  const std::string_view word = WordAt(rest());
  at_ += word.size();
  if (word == "True") return Json(true);
  if (word == "False") return Json(false);
  if (word == "None") return Json(nullptr);
  return Wrong("a word is no literal: a text stands in quotes, and nothing is executed");
}

Result<Json> LiteralReader::Number(bool negative) {
  std::string_view text = rest();
  const auto end = [&](const char* what) -> Status {
    // Python lets some words follow without a blank; nobody writes that.
    if (!text.empty() && (IsWord(text.front()) || text.front() == '.')) return Wrong(what);
    at_ = source_.size() - text.size();
    return {};
  };
  constexpr const char* kNone = "a number is expected";
  if (text.size() > 1 && text[0] == '0' && IsWordStart(text[1]) && text[1] != 'e' && text[1] != 'E' && text[1] != '_') {
    const char kind = static_cast<char>(text[1] | 0x20);
    const int base = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 0;
    text.remove_prefix(2);
    if (text.starts_with('_')) text.remove_prefix(1);
    std::string digits;
    if (base == 0 || !TakeDigits(text, digits, base == 16 ? "0123456789abcdefABCDEF" : base == 8 ? "01234567" : "01"))
      return Wrong(kNone);
    BACKPLANE_TRY(end(kNone));
    return Whole(digits, base, negative);
  }
  std::string digits;
  bool real = false;
  if (!text.starts_with('.') && !TakeDigits(text, digits)) return Wrong(kNone);
  if (text.starts_with('.')) {
    real = true;
    text.remove_prefix(1);
    const bool whole = !digits.empty();
    digits += '.';
    if ((!text.empty() && IsDigit(text.front())) || !whole) {
      if (!TakeDigits(text, digits)) return Wrong(kNone);
    }
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    real = true;
    digits += 'e';
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) {
      if (text.front() == '-') digits += '-';
      text.remove_prefix(1);
    }
    if (!TakeDigits(text, digits)) return Wrong(kNone);
  }
  BACKPLANE_TRY(end(kNone));
  if (!real) {
    if (digits.size() > 1 && digits[0] == '0' && digits.find_first_not_of('0') != std::string::npos)
      return Wrong("a whole number does not begin with 0");
    return Whole(digits, 10, negative);
  }
  double number = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc::result_out_of_range) {
    number = std::strtod(digits.c_str(), nullptr);  // too small is 0
  } else if (error != std::errc() || stop != digits.data() + digits.size()) {
    return Wrong(kNone);
  }
  if (!std::isfinite(number)) return Wrong("the number is too large");
  return Json(negative ? -number : number);
}

// One text, or several side by side, which are one.
Result<Json> LiteralReader::Texts() {
  std::string out;
  while (true) {
    const std::string prefix = ToLower(WordAt(rest()));
    if (!prefix.empty() && prefix != "r" && prefix != "u") return Wrong("a text can have the prefixes r and u only");
    at_ += prefix.size();
    BACKPLANE_TRY(Text(prefix == "r", out));
    SkipBlank();
    const std::size_t word = WordAt(rest()).size();
    if (at_ + word >= source_.size() || !IsQuote(source_[at_ + word])) break;
  }
  if (!IsUtf8(out)) return Wrong("the text is not UTF-8");
  return Json(std::move(out));
}

Status LiteralReader::Text(bool raw, std::string& out) {
  const char quote = source_[at_];
  const std::string three(3, quote);
  const bool triple = rest().starts_with(three);
  at_ += triple ? 3 : 1;
  while (at_ < source_.size()) {
    const char c = source_[at_];
    if (c == quote && (!triple || rest().starts_with(three))) {
      at_ += triple ? 3 : 1;
      return {};
    }
    if (c == '\0') return Wrong("the text holds a zero byte");
    if (c == '\n' && !triple) break;
    ++at_;
    if (c != '\\') {
      out += c;
    } else if (raw) {
      out += c;
      if (at_ < source_.size()) out += source_[at_++];
    } else {
      BACKPLANE_TRY(Escape(out));
    }
  }
  return Wrong("the text has no closing quote");
}

Status LiteralReader::Escape(std::string& out) {
  if (at_ >= source_.size()) return {};  // the closing quote is missing, which is said there
  const char c = source_[at_++];
  constexpr std::string_view kNames = "\n\\'\"abfnrtv", kMeanings = " \\'\"\a\b\f\n\r\t\v";
  if (const auto simple = kNames.find(c); simple != std::string_view::npos) {
    if (c != '\n') out += kMeanings[simple];
    return {};
  }
  const bool octal = c >= '0' && c <= '7';
  const std::size_t most = octal ? 3 : c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  if (c == 'N') return Wrong("characters cannot be named: write \\u and the number");
  if (most == 0) {  // Python keeps what it does not know
    (out += '\\') += c;
    return {};
  }
  if (octal) --at_;
  const char* const begin = source_.data() + at_;
  std::uint32_t code = 0;
  const auto end = std::from_chars(begin, begin + std::min(most, source_.size() - at_), code, octal ? 8 : 16).ptr;
  const auto digits = static_cast<std::size_t>(end - begin);
  if (!octal && digits != most) return Wrong(fmt::format("\\{} wants {} hexadecimal digits", c, most));
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return Wrong("the text has a character that is none");
  at_ += digits;
  AppendUtf8(out, code);
  return {};
}

Result<Json> ParseLiteral(std::string_view text) {
  const std::string lines = ReplaceAll(ReplaceAll(text, "\r\n", "\n"), "\r", "\n");
  LiteralReader reader(lines, std::min(lines.find_first_not_of(" \t"), lines.size()));
  BACKPLANE_ASSIGN(Json value, reader.Read());
  reader.SkipBlank();
  if (!Trim(reader.rest()).empty() && !reader.rest().starts_with('#'))
    return Wrong("something follows that is no literal");
  return value;
}

}  // namespace backplane::netalertx
