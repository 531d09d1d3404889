// The one way to report failure: Result<T>, a value or an Error.
//
// Exceptions are for broken invariants and third-party code, caught at the edge of a thread
// or request.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace backplane {

/// The closed list of failure kinds. Each maps to one HTTP status and one exit code.
enum class Errc {
  kInvalid,      ///< the caller's input is wrong; the message names file, line or field
  kNotFound,     ///< the thing named does not exist
  kConflict,     ///< the state changed, or does not allow it
  kDenied,       ///< not permitted
  kTimeout,      ///< a deadline passed
  kUnavailable,  ///< something needed is missing or down; trying again may help
  kInternal,     ///< a bug or a broken store
};

/// "invalid", "not_found", ... : stable, used in JSON.
std::string_view ErrcName(Errc code);

/// 400, 404, 409, 403, 504, 503, 500.
int HttpStatus(Errc code);

/// A failure. `message` is lower case, without full stop, and names thing and value.
struct Error {
  Errc code = Errc::kInternal;
  std::string message;
  /// The field, key or file position that is wrong ("settings[2].type"); empty if none is.
  std::string where;
};

/// tl::expected that may not be ignored.
template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

using Status = Result<void>;

/// Fail(Errc::kInvalid, "no such zone: x") returns from a function of any Result<T>.
inline tl::unexpected<Error> Fail(Errc code, std::string message, std::string where = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(where)});
}
inline tl::unexpected<Error> Fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace backplane

#define BACKPLANE_CONCAT_(a, b) a##b
#define BACKPLANE_CONCAT(a, b) BACKPLANE_CONCAT_(a, b)

/// BACKPLANE_TRY(Compute()); returns the error, if there is one, from the enclosing function.
#define BACKPLANE_TRY(expression) BACKPLANE_TRY_(expression, BACKPLANE_CONCAT(backplane_status_, __LINE__))
#define BACKPLANE_TRY_(expression, name)                          \
  do {                                                            \
    auto name = (expression);                                     \
    if (!name) return ::backplane::Fail(std::move(name).error()); \
  } while (false)

/// BACKPLANE_ASSIGN(auto value, Compute()); assigns the value or returns the error.
#define BACKPLANE_ASSIGN(declaration, expression) \
  BACKPLANE_ASSIGN_(declaration, expression, BACKPLANE_CONCAT(backplane_result_, __LINE__))
#define BACKPLANE_ASSIGN_(declaration, expression, name)        \
  auto name = (expression);                                     \
  if (!name) return ::backplane::Fail(std::move(name).error()); \
  declaration = *std::move(name)
