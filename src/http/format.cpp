#include <ctime>

#include <fmt/format.h>

#include "base/text.h"
#include "http/wire.h"

namespace backplane::http {
namespace {

/// tchar of RFC 9110.
bool IsToken(std::string_view text) {
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && std::string_view("!#$%&'*+-.^_`|~").find(c) == std::string_view::npos) return false;
  }
  return !text.empty();
}

bool HasLineBreak(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

std::string OneLine(std::string_view text) {
  std::string line(text);
  for (char& c : line)
    if (c == '\r' || c == '\n' || c == '\0') c = ' ';
  return line;
}

bool SetByUs(std::string_view name) {
  static const std::map<std::string_view, int, HeaderLess> kOurs = {
      {"Connection", 0}, {"Content-Length", 0}, {"Transfer-Encoding", 0}, {"Date", 0}};
  return kOurs.contains(name);
}

std::string HttpDate() {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[utc.tm_wday], utc.tm_mday, kMonths[utc.tm_mon],
                     utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

/// What a path may hold as it is, besides what PercentEncode leaves.
std::string EncodePath(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (std::string_view("/:@!$&'()*,;=").find(c) != std::string_view::npos)
      out.push_back(c);
    else
      out += PercentEncode(std::string_view(&c, 1));
  }
  return out;
}

}  // namespace

bool MayHaveBody(int status) { return status >= 200 && status != 204 && status != 304; }

std::string FormatHead(const Response& response, const HeadOptions& options) {
  std::string head;
  head.reserve(256);
  auto out = std::back_inserter(head);
  fmt::format_to(out, "HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status, ReasonPhrase(response.status), HttpDate());
  const bool has_body = MayHaveBody(response.status);
  if (has_body && !response.content_type.empty() && !response.headers.contains(std::string_view("Content-Type")))
    fmt::format_to(out, "Content-Type: {}\r\n", OneLine(response.content_type));
  for (const auto& [name, value] : response.headers)
    if (!SetByUs(name) && IsToken(name)) fmt::format_to(out, "{}: {}\r\n", name, OneLine(value));
  if (has_body) fmt::format_to(out, "Content-Length: {}\r\n", response.body.size());
  if (!options.keep_alive)
    head += "Connection: close\r\n";
  else if (options.http_1_0)
    head += "Connection: keep-alive\r\n";
  head += "\r\n";
  return head;
}

Result<std::string> FormatRequest(const Request& request, std::string_view host) {
  if (!IsToken(request.method)) return Fail(Errc::kInvalid, fmt::format("no HTTP method: {}", request.method));
  if (request.path.empty() || request.path[0] != '/')
    return Fail(Errc::kInvalid, fmt::format("path does not start with /: {}", request.path));
  std::string text = fmt::format("{} {}", request.method, EncodePath(request.path));
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    text += fmt::format("{}{}={}", separator, PercentEncode(name), PercentEncode(value));
    separator = '&';
  }
  text += " HTTP/1.1\r\n";
  if (request.Header("Host").empty()) text += fmt::format("Host: {}\r\n", OneLine(host));
  for (const auto& [name, value] : request.headers) {
    if (!IsToken(name) || HasLineBreak(value))
      return Fail(Errc::kInvalid, fmt::format("header cannot be sent: {}", name));
    if (!SetByUs(name)) text += fmt::format("{}: {}\r\n", name, value);
  }
  const bool may_carry = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (may_carry || !request.body.empty()) text += fmt::format("Content-Length: {}\r\n", request.body.size());
  text += "Connection: close\r\n\r\n";
  text += request.body;
  return text;
}

}  // namespace backplane::http
