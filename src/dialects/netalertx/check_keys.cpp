// The check for keys that stand twice in one object, which the parsed document does not show any more.
#include <set>

#include "base/text.h"
#include "dialects/netalertx/check.h"
#include "dialects/netalertx/checker.h"

namespace backplane::netalertx {
namespace {

class KeyChecker final : public nlohmann::json_sax<Json> {
 public:
  explicit KeyChecker(Checker& checker) : checker_(checker) {}

  bool null() override { return Value(); }
  bool boolean(bool) override { return Value(); }
  bool number_integer(number_integer_t) override { return Value(); }
  bool number_unsigned(number_unsigned_t) override { return Value(); }
  bool number_float(number_float_t, const string_t&) override { return Value(); }
  bool string(string_t&) override { return Value(); }
  bool binary(binary_t&) override { return Value(); }
  bool start_object(std::size_t) override { return Open(false); }
  bool key(string_t& key) override {
    open_.back().key = key;
    if (!open_.back().keys.insert(key).second) checker_.Warn(Place(), "is there twice in one object: the last counts");
    return true;
  }
  bool end_object() override { return open_.pop_back(), true; }
  bool start_array(std::size_t) override { return Open(true); }
  bool end_array() override { return open_.pop_back(), true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  // An object or list that is not at its end.
  struct Level {
    bool list = false;
    std::size_t items = 0;  // of a list
    std::string key;        // of an object, the last
    std::set<std::string> keys;
  };

  bool Value() {
    if (!open_.empty()) ++open_.back().items;
    return true;
  }

  bool Open(bool list) {
    Value();
    open_.push_back({.list = list, .items = 0, .key = {}, .keys = {}});
    return true;
  }

  std::string Place() const {
    std::string place;
    for (const Level& level : open_)
      place = level.list ? fmt::format("{}[{}]", place, level.items - 1) : Checker::Path(place, Shorten(level.key, 60));
    return place;
  }

  Checker& checker_;
  std::vector<Level> open_;
};

// Members of objects in a text that is JSON: each has the one colon outside of texts.
std::size_t MembersIn(std::string_view text) {
  std::size_t members = 0;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"')
      inside = !inside;
    else if (text[i] == '\\')
      ++i;
    else if (text[i] == ':' && !inside)
      ++members;
  }
  return members;
}

std::size_t MembersIn(const Json& value) {
  std::size_t members = value.is_object() ? value.size() : 0;
  if (value.is_structured())
    for (const Json& item : value) members += MembersIn(item);
  return members;
}

}  // namespace

std::vector<Finding> CheckKeys(std::string_view text, const Json& document, const std::string& file) {
  if (MembersIn(text) == MembersIn(document)) return {};  // the usual case, for a tenth of the time
  Checker checker(file);
  KeyChecker keys(checker);
  Json::sax_parse(text.begin(), text.end(), &keys);
  return checker.Take();
}

}  // namespace backplane::netalertx
