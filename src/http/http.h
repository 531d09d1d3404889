// Requests, responses, and the server and client that carry them.
//
// The only home of Asio and Beast; neither shows here.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
  std::string method;  ///< upper case
  std::string path;    ///< percent-decoded, without the query; starts with '/'
  std::map<std::string, std::string> query;  ///< percent-decoded; the last of equal names wins
  Headers headers;
  std::string body;
  bool local_socket = false;  ///< came through a unix socket
  /// The value of the header, or an empty text.
  std::string_view Header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  Headers headers;
};

/// Answers one request, once, from any thread. Copies share the request; if all go without
/// Send() the client gets a 500. Safe to use after the server or the connection is gone.
class Responder {
 public:
  class Sink;
  explicit Responder(std::shared_ptr<Sink> sink) : sink_(std::move(sink)) {}
  void Send(Response response) const;
  /// The client hung up: nobody waits for the answer any more.
  bool Abandoned() const;

 private:
  std::shared_ptr<Sink> sink_;
};

/// Runs on a worker of the server's pool; may block for as long as a store read takes, not for
/// a run. To answer later, keep the responder and return.
using Handler = std::function<void(const Request&, Responder)>;

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8700;  ///< 0: a free one
  bool tcp = true;            ///< false: unix socket only
  std::filesystem::path socket;  ///< unix socket, mode 0600; empty: none. A stale one is replaced.
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
  /// Binds and starts to answer. kUnavailable: the address is taken or not ours.
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options, Handler handler);
  /// Stops accepting, waits for handlers in progress, closes connections.
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

/// One request on a new connection; blocks up to `timeout`. kUnavailable: nobody listens there;
/// kTimeout. Bodies are limited to 256 MiB.
Result<Response> Fetch(const Endpoint& endpoint, const Request& request, Millis timeout);

/// Percent-decoding ("+" stays). Malformed escapes are kept as they are.
std::string PercentDecode(std::string_view text);
std::string PercentEncode(std::string_view text);

}  // namespace backplane::http
