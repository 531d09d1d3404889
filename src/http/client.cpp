// The blocking client, on plain sockets with poll(2): one request per connection needs no loop.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/files.h"
#include "http/http.h"
#include "http/listen.h"
#include "http/wire.h"

namespace backplane::http {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kMaxBody = 256u << 20;

std::string Name(const Endpoint& endpoint) {
  if (!endpoint.socket.empty()) return endpoint.socket.string();
  const bool bare_v6 = endpoint.host.find(':') != std::string::npos && endpoint.host[0] != '[';
  return fmt::format(fmt::runtime(bare_v6 ? "[{}]:{}" : "{}:{}"), endpoint.host, endpoint.port);
}

/// One exchange: where it goes to and until when it may last.
class Exchange {
 public:
  Exchange(const Endpoint& endpoint, Millis timeout)
      : endpoint_(endpoint), name_(Name(endpoint)), timeout_(timeout), deadline_(steady_clock::now() + timeout) {}
  Status Connect();
  Result<Response> Run(std::string_view bytes, bool head);

 private:
  Status ConnectTo(const sockaddr* address, socklen_t size);
  Status ConnectTcp();
  Status Wait(short events, short& happened);
  Status SendSome(std::string_view& bytes);
  /// True: more may come; false: the peer has closed.
  Result<bool> ReceiveSome(std::string& input);
  Millis Left() const { return std::chrono::ceil<Millis>(deadline_ - steady_clock::now()); }
  tl::unexpected<Error> TimedOut() const {
    return Fail(Errc::kTimeout, fmt::format("{}: no answer within {}", name_, FormatDuration(timeout_)));
  }
  tl::unexpected<Error> Unavailable(std::string_view why) const {
    return Fail(Errc::kUnavailable, fmt::format("{}: {}", name_, why));
  }

  const Endpoint& endpoint_;
  const std::string name_;
  const Millis timeout_;
  const steady_clock::time_point deadline_;
  Fd socket_;
};

// Blocking with a time-out, because a unix socket whose backlog is full cannot be polled for room.
Status Exchange::ConnectTo(const sockaddr* address, socklen_t size) {
  const Millis left = Left();
  if (left.count() <= 0) return TimedOut();
  socket_ = Fd(socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket_) return Unavailable(std::strerror(errno));
  const timeval limit{.tv_sec = left.count() / 1000, .tv_usec = (left.count() % 1000) * 1000};
  setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  while (connect(socket_.get(), address, size) != 0) {
    if (errno == EISCONN) break;
    if (errno == EINTR && Left().count() > 0) continue;
    if (errno == EAGAIN || errno == EINPROGRESS || errno == EINTR) return TimedOut();
    if (errno == ECONNREFUSED || errno == ENOENT) return Unavailable("nobody is listening");
    return Unavailable(std::strerror(errno));
  }
  if (fcntl(socket_.get(), F_SETFL, O_NONBLOCK) != 0) return Unavailable(std::strerror(errno));
  return {};
}

Status Exchange::ConnectTcp() {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  std::string host = endpoint_.host;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), std::to_string(endpoint_.port).c_str(), &hints, &found); error != 0)
    return Unavailable(gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  Status status = Unavailable("no address");
  for (const addrinfo* at = found; at != nullptr && !status; at = at->ai_next)
    status = ConnectTo(at->ai_addr, at->ai_addrlen);
  const int on = 1;
  if (status) setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return status;
}

Status Exchange::Connect() {
  if (endpoint_.socket.empty()) return ConnectTcp();
  BACKPLANE_ASSIGN(const sockaddr_un address, UnixAddress(endpoint_.socket));
  return ConnectTo(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

Status Exchange::Wait(short events, short& happened) {
  while (true) {
    const Millis left = Left();
    if (left.count() <= 0) return TimedOut();
    pollfd entry{.fd = socket_.get(), .events = events, .revents = 0};
    const int ready = poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 3'600'000)));
    if (ready < 0 && errno != EINTR) return Unavailable(std::strerror(errno));
    if (ready <= 0) continue;
    happened = entry.revents;
    return {};
  }
}

Status Exchange::SendSome(std::string_view& bytes) {
  const ssize_t sent = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) {
    bytes.remove_prefix(static_cast<std::size_t>(sent));
    return {};
  }
  if (errno == EAGAIN || errno == EINTR) return {};
  // A server that refuses a body answers and closes before it has read all: its answer counts.
  if (errno == EPIPE || errno == ECONNRESET) {
    bytes = {};
    return {};
  }
  return Unavailable(std::strerror(errno));
}

Result<bool> Exchange::ReceiveSome(std::string& input) {
  char chunk[65536];
  const ssize_t got = recv(socket_.get(), chunk, sizeof chunk, 0);
  if (got > 0) input.append(chunk, static_cast<std::size_t>(got));
  if (got >= 0) return got > 0;
  if (errno == EAGAIN || errno == EINTR) return true;
  return Unavailable(std::strerror(errno));
}

Result<Response> Exchange::Run(std::string_view bytes, bool head) {
  ResponseParser parser(kMaxBody, head);
  std::string input;
  while (true) {
    short happened = 0;
    BACKPLANE_TRY(Wait(bytes.empty() ? POLLIN : POLLIN | POLLOUT, happened));
    if (!bytes.empty() && (happened & (POLLOUT | POLLERR | POLLHUP)) != 0) BACKPLANE_TRY(SendSome(bytes));
    if ((happened & (POLLIN | POLLERR | POLLHUP)) == 0) continue;
    BACKPLANE_ASSIGN(const bool open, ReceiveSome(input));
    ResponseParser::Step step = parser.Feed(input);
    if (step == ResponseParser::Step::kMore && !open) step = parser.End();
    if (step == ResponseParser::Step::kDone) return parser.Take();
    if (step == ResponseParser::Step::kBad) return Unavailable(parser.detail());
  }
}

}  // namespace

Result<Response> Fetch(const Endpoint& endpoint, const Request& request, Millis timeout) {
  BACKPLANE_ASSIGN(const std::string bytes,
                   FormatRequest(request, endpoint.socket.empty() ? Name(endpoint) : std::string("localhost")));
  Exchange exchange(endpoint, timeout);
  BACKPLANE_TRY(exchange.Connect());
  return exchange.Run(bytes, request.method == "HEAD");
}

}  // namespace backplane::http
