// A text that nobody else may see: wiped when it goes, and never printed by accident.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace backplane {

/// Overwrites the text's memory, then empties it.
void Wipe(std::string& text);

/// Move only, so that there is one copy; moving leaves none behind. There is no way to format it:
/// whoever needs the text says Reveal(), which is easy to find in a review.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : bytes_(text.begin(), text.end()) {}
  /// Takes the text over, and wipes where it came from.
  static Secret Take(std::string& text);
  Secret(Secret&&) noexcept = default;
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  std::string_view Reveal() const { return {bytes_.data(), bytes_.size()}; }
  Secret Copy() const { return Secret(Reveal()); }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }

 private:
  void WipeBytes();

  std::vector<char> bytes_;  // never grows: a reallocation would leave a copy
};

std::ostream& operator<<(std::ostream&, const Secret&) = delete;

}  // namespace backplane
