#include "base/json.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace backplane {
namespace {

// ordered_json looks through an object's keys one by one, so that building one is quadratic.
constexpr int kMaxKeys = 10'000;

// Builds the document with nlohmann's own DOM builder, but refuses deep nesting (destroying a
// very deep document would exhaust the stack) and objects with very many keys.
class BoundedBuilder final : public nlohmann::json_sax<Json> {
 public:
  BoundedBuilder(Json& root, int max_depth) : inner_(root, false), max_depth_(max_depth) {}

  bool null() override { return inner_.null(); }
  bool boolean(bool value) override { return inner_.boolean(value); }
  bool number_integer(number_integer_t value) override { return inner_.number_integer(value); }
  bool number_unsigned(number_unsigned_t value) override { return inner_.number_unsigned(value); }
  bool number_float(number_float_t value, const string_t& text) override { return inner_.number_float(value, text); }
  bool string(string_t& value) override { return inner_.string(value); }
  bool binary(binary_t& value) override { return inner_.binary(value); }
  bool start_object(std::size_t size) override {
    keys_.push_back(0);
    return Enter() && inner_.start_object(size);
  }
  bool key(string_t& value) override {
    if (++keys_.back() <= kMaxKeys) return inner_.key(value);
    reason_ = fmt::format("more than {} keys in one object", kMaxKeys);
    return false;
  }
  bool end_object() override {
    keys_.pop_back();
    return --depth_, inner_.end_object();
  }
  bool start_array(std::size_t size) override { return Enter() && inner_.start_array(size); }
  bool end_array() override { return --depth_, inner_.end_array(); }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::detail::exception& error) override {
    position_ = at;
    reason_ = error.what();
    return false;
  }

  std::size_t position() const { return position_; }
  const std::string& reason() const { return reason_; }

 private:
  bool Enter() {
    if (++depth_ <= max_depth_) return true;
    reason_ = fmt::format("nested deeper than {} levels", max_depth_);
    return false;
  }

  nlohmann::detail::json_sax_dom_parser<Json> inner_;
  int max_depth_;
  int depth_ = 0;
  std::vector<int> keys_;  // of each object that is open
  std::size_t position_ = 0;
  std::string reason_;
};

// nlohmann's text is "[json.exception.parse_error.101] parse error at line 1, column 2: ...".
// `read` is what was read until then.
std::string Plain(std::string reason, std::string_view read) {
  if (const auto end = reason.find("] "); reason.starts_with("[json.exception") && end != std::string::npos)
    reason.erase(0, end + 2);
  reason = ToUtf8(reason);
  const auto says = [&](std::string_view words) { return reason.find(words) != std::string::npos; };
  if (says("unexpected end of input"))
    reason += "; is a brace, bracket or quote not closed?";
  else if (says("unexpected '}'") || says("unexpected ']'") || says("unexpected ','"))
    reason += Trim(read.substr(0, read.size() - 1)).ends_with(',') ? "; a comma too many?" : "";
  else if (says("literal; expected '}'") || says("literal; expected ']'"))
    reason += "; is a comma missing before it?";
  return reason;
}

}  // namespace

Result<Json> ParseJson(std::string_view text, int max_depth) {
  Json root;
  BoundedBuilder builder(root, max_depth);
  if (Json::sax_parse(text.begin(), text.end(), &builder)) return root;
  return Fail(Errc::kInvalid, Plain(builder.reason(), text.substr(0, builder.position())));
}

std::string DumpJson(const Json& value) {
  return value.dump(-1, ' ', false, nlohmann::detail::error_handler_t::replace);
}

}  // namespace backplane
