// HTTP/1.1 messages from and to bytes, without sockets.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "http/http.h"

namespace backplane::http {

/// Reads one request from the bytes of a connection. Not thread-safe.
class RequestParser {
 public:
  enum class Step {
    kMore,      ///< feed more
    kContinue,  ///< the client waits for "100 Continue" before it sends the body; told once
    kDone,      ///< Take() the request
    kBad,       ///< answer `status()` and close; the rest of the bytes cannot be trusted
  };
  RequestParser(std::size_t header_bytes, std::size_t body_bytes);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  /// Removes from the front of `input` what belongs to this request.
  Step Feed(std::string& input);
  /// 400, 413 or 431, and why.
  int status() const { return status_; }
  const std::string& detail() const { return detail_; }

  bool keep_alive() const { return keep_alive_; }
  bool http_1_0() const { return http_1_0_; }
  bool head() const { return head_; }
  Request Take();

 private:
  struct Impl;
  Step FeedHeader(std::string& input);
  Step FeedBody(std::string& input);
  Step CheckHeader();
  Step Bad(int status, std::string detail);

  std::unique_ptr<Impl> impl_;
  Request request_;
  std::size_t header_bytes_;
  int status_ = 0;
  std::string detail_;
  bool keep_alive_ = false;
  bool http_1_0_ = false;
  bool head_ = false;
  bool told_to_continue_ = false;
};

/// Reads one response, skipping interim (1xx) ones. Not thread-safe.
class ResponseParser {
 public:
  enum class Step { kMore, kDone, kBad };
  /// `to_head`: the response to a HEAD request, without a body whatever its header says.
  ResponseParser(std::size_t body_bytes, bool to_head);
  ~ResponseParser();
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  Step Feed(std::string& input);
  /// The peer closed; bodies without a length end so.
  Step End();
  const std::string& detail() const { return detail_; }
  Response Take();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::size_t body_bytes_;
  bool to_head_;
  std::string detail_;
};

/// How a response's head depends on the request.
struct HeadOptions {
  bool keep_alive = true;
  bool http_1_0 = false;
};

/// Status line and header lines up to the empty line.
std::string FormatHead(const Response& response, const HeadOptions& options);
/// 1xx, 204 and 304 have none.
bool MayHaveBody(int status);
/// The bytes of a request, for a server called `host`. kInvalid: method or a header cannot be sent.
Result<std::string> FormatRequest(const Request& request, std::string_view host);

}  // namespace backplane::http
