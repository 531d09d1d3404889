#include "base/result.h"

namespace backplane {

std::string_view ErrcName(Errc code) {
  switch (code) {
    case Errc::kInvalid: return "invalid";
    case Errc::kNotFound: return "not_found";
    case Errc::kConflict: return "conflict";
    case Errc::kDenied: return "denied";
    case Errc::kTimeout: return "timeout";
    case Errc::kUnavailable: return "unavailable";
    case Errc::kInternal: return "internal";
  }
  return "internal";
}

int HttpStatus(Errc code) {
  switch (code) {
    case Errc::kInvalid: return 400;
    case Errc::kNotFound: return 404;
    case Errc::kConflict: return 409;
    case Errc::kDenied: return 403;
    case Errc::kTimeout: return 504;
    case Errc::kUnavailable: return 503;
    case Errc::kInternal: return 500;
  }
  return 500;
}

}  // namespace backplane
