// Requests, responses, and the server and client that carry them.
//
// The only home of Asio and Beast; neither shows here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/time.h"

namespace backplane::http {

/// Header names compare without regard to case.
struct HeaderLess {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const;
};
using Headers = std::map<std::string, std::string, HeaderLess>;

struct Request {
  /// Upper case. A server's handler never sees HEAD: it gets GET, and the body stays unsent.
  std::string method;
  std::string path;                          ///< percent-decoded, without the query; starts with '/'
  std::map<std::string, std::string> query;  ///< percent-decoded; the last of equal names wins
  Headers headers;                           ///< repeated ones are joined by ", "
  std::string body;
  bool local_socket = false;  ///< came through a unix socket
  std::string peer;           ///< the address that a server's request came from; empty for a unix socket
  /// The value of the header, or an empty text.
  std::string_view Header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  /// Line breaks in values become spaces. The server sets Content-Length, Transfer-Encoding and
  /// Date itself; "Connection: close" is obeyed.
  Headers headers;
};

/// An `application/problem+json` answer; its title is the status' reason phrase.
Response Problem(int status, std::string_view detail);
/// "Not Found" for 404; "Unknown" for a status that has no name.
std::string_view ReasonPhrase(int status);

/// Answers one request, once, from any thread; later answers are ignored. Copies share the
/// request; if all go without Send() the client gets a 500. Safe to use after the server or the
/// connection is gone.
class Responder {
 public:
  class Sink;
  explicit Responder(std::shared_ptr<Sink> sink) : sink_(std::move(sink)) {}
  void Send(Response response) const;
  /// The client hung up, or the server is gone: nobody waits for the answer any more. A client
  /// that pipelines more than 64 KiB of further requests is not noticed.
  bool Abandoned() const;

 private:
  std::shared_ptr<Sink> sink_;
};

/// Runs on a worker of the server's pool; may block for as long as a store read takes, not for
/// a run. To answer later, keep the responder and return. What it throws is logged, and answered
/// by a 500.
using Handler = std::function<void(const Request&, Responder)>;

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8700;  ///< 0: a free one
  bool tcp = true;            ///< false: unix socket only
  /// Unix socket, mode 0600; empty: none. A stale one is replaced, and ours is removed at the end.
  std::filesystem::path socket;
  std::size_t header_bytes = 16 << 10;  ///< more: 431
  std::size_t body_bytes = 8 << 20;     ///< more: 413
  Millis idle_timeout{60'000};          ///< a connection without a request in progress is closed
  Millis read_timeout{30'000};          ///< from a request's first byte to its last
  std::size_t max_connections = 1024;   ///< further ones are closed at once
  std::size_t workers = 4;
  std::size_t max_waiting = 256;  ///< requests waiting for a worker; beyond that: 503
};

class Server {
 public:
  /// Binds and starts to answer. kUnavailable: the address is taken or not ours; kInvalid: it is
  /// no address, or there is none.
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options, Handler handler);
  /// Stops accepting, waits for handlers in progress, answers 503 to requests that still wait,
  /// and closes connections; clients that do not take their answers are cut off after 2 s. Not to
  /// be called from a handler.
  ~Server();
  /// The bound TCP port; 0 without TCP.
  std::uint16_t port() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Where a client connects: a unix socket, or host and port.
struct Endpoint {
  std::filesystem::path socket;
  std::string host;
  std::uint16_t port = 0;
};

/// One request on a new connection; blocks up to `timeout` (and for as long as the system resolves
/// a host name). Any status is an answer, not an error. kUnavailable: nobody listens there, or the
/// answer is broken; kTimeout; kInvalid: the request cannot be sent. Bodies are limited to 256 MiB.
Result<Response> Fetch(const Endpoint& endpoint, const Request& request, Millis timeout);

/// Percent-decoding ("+" stays). Malformed escapes are kept as they are.
std::string PercentDecode(std::string_view text);
/// Everything but letters, digits and "-._~" becomes %XX.
std::string PercentEncode(std::string_view text);
/// Reads "a=1&b=x+y"; "+" is a space here.
std::map<std::string, std::string> ParseQuery(std::string_view text);

}  // namespace backplane::http
