#include "http/connection.h"

#include <netdb.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

namespace backplane::http {
namespace {

using std::chrono::steady_clock;

/// How far a client may send ahead while its request is being answered.
constexpr std::size_t kAhead = 64 << 10;
/// What a client that was refused may still send before the connection is cut.
constexpr std::size_t kDiscard = 4 << 20;
constexpr auto kLinger = std::chrono::seconds(2);
/// A client that takes its answer more slowly than this is cut off.
constexpr std::size_t kBytesPerSecond = 64 << 10;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// "192.0.2.7"; empty if the client has gone already.
std::string PeerOf(Socket& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  char text[NI_MAXHOST] = {};
  if (getpeername(socket.native_handle(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  if (getnameinfo(reinterpret_cast<sockaddr*>(&address), size, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0)
    return {};
  return text;
}

}  // namespace

Responder::Sink::~Sink() {
  if (answered_) return;
  const std::shared_ptr<Core> core = core_.lock();
  if (!core) return;
  Send(core->stopping ? Problem(503, "the server stops") : Problem(500, "the request was dropped without an answer"));
}

void Responder::Sink::Send(Response response) {
  if (answered_.exchange(true)) return;
  const std::shared_ptr<Core> core = core_.lock();
  if (!core) return;
  asio::post(core->io, [connection = connection_, serial = serial_, answer = std::move(response)]() mutable {
    if (const auto open = connection.lock()) open->Answer(serial, std::move(answer));
  });
}

void Responder::Send(Response response) const { sink_->Send(std::move(response)); }

bool Responder::Abandoned() const { return sink_->abandoned(); }

Connection::Connection(std::shared_ptr<Core> core, Socket socket, bool local)
    : weak_core_(core),
      core_(*core),
      socket_(std::move(socket)),
      timer_(core->io),
      local_(local),
      peer_(local ? std::string() : PeerOf(socket_)) {}

void Connection::Start() {
  SetDeadline(core_.options.idle_timeout);
  Watch();
}

// Waits for the socket to become readable, also while a request is being answered: that is how a
// hang-up is noticed.
void Connection::Watch() {
  if (watching_ || peer_closed_ || state_ == State::kClosed) return;
  const bool ahead = state_ != State::kReading && state_ != State::kLingering;
  if (ahead && input_.size() >= kAhead) return;
  watching_ = true;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](boost::system::error_code error) {
    self->watching_ = false;
    if (self->state_ == State::kClosed) return;
    if (error) return self->Close();
    self->OnReadable();
  });
}

void Connection::OnReadable() {
  boost::system::error_code error;
  const std::size_t got = socket_.read_some(asio::buffer(core_.scratch), error);
  if (error == asio::error::would_block || error == asio::error::try_again) return Watch();
  if (error == asio::error::eof) return OnEnd();
  if (error) return Close();
  if (state_ == State::kLingering) {
    discarded_ += got;
    return discarded_ > kDiscard ? Close() : Watch();
  }
  input_.append(core_.scratch.data(), got);
  if (state_ == State::kReading) Advance();
  Watch();
}

// A client may shut down its sending side and still read, so an answer that comes is sent anyway.
void Connection::OnEnd() {
  peer_closed_ = true;
  if (state_ == State::kReading || state_ == State::kContinuing || state_ == State::kLingering) return Close();
  if (const auto sink = sink_.lock()) sink->Abandon();
}

void Connection::Advance() {
  if (input_.empty()) return;
  if (!parser_) {
    parser_.emplace(core_.options.header_bytes, core_.options.body_bytes);
    SetDeadline(core_.options.read_timeout);
  }
  switch (parser_->Feed(input_)) {
    case RequestParser::Step::kMore: return;
    case RequestParser::Step::kContinue: return SendContinue();
    case RequestParser::Step::kDone: return Dispatch();
    case RequestParser::Step::kBad: keep_alive_ = false; return Write(Problem(parser_->status(), parser_->detail()));
  }
}

void Connection::SendContinue() {
  state_ = State::kContinuing;
  asio::async_write(socket_, asio::buffer(kContinue.data(), kContinue.size()),
                    [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                      if (self->state_ == State::kClosed) return;
                      if (error) return self->Close();
                      self->state_ = State::kReading;
                      self->Advance();
                      self->Watch();
                    });
}

void Connection::Dispatch() {
  state_ = State::kWaiting;
  ClearDeadline();
  keep_alive_ = parser_->keep_alive();
  Request request = parser_->Take();
  request.local_socket = local_;
  request.peer = peer_;
  const auto sink = std::make_shared<Responder::Sink>(weak_core_, weak_from_this(), ++serial_);
  sink_ = sink;
  const Responder responder(sink);
  if (core_.workers->Submit(std::move(request), responder)) return;
  Response busy = Problem(503, core_.stopping ? "the server stops" : "too many requests wait");
  busy.headers["Retry-After"] = "1";
  responder.Send(std::move(busy));
}

void Connection::Answer(std::uint64_t serial, Response response) {
  if (state_ == State::kWaiting && serial == serial_) Write(std::move(response));
}

void Connection::Write(Response response) {
  state_ = State::kWriting;
  if (response.status < 200 || response.status > 999) response = Problem(500, "the handler gave no valid status");
  if (const auto connection = response.headers.find(std::string_view("Connection"));
      connection != response.headers.end() && !HeaderLess()(connection->second, "close") &&
      !HeaderLess()("close", connection->second))
    keep_alive_ = false;
  if (core_.stopping || (peer_closed_ && input_.empty())) keep_alive_ = false;
  head_ = FormatHead(response, {.keep_alive = keep_alive_, .http_1_0 = parser_->http_1_0()});
  const bool send_body = MayHaveBody(response.status) && !parser_->head();
  body_ = send_body ? std::move(response.body) : std::string();
  SetDeadline(core_.options.read_timeout + std::chrono::seconds(body_.size() / kBytesPerSecond));
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(head_), asio::buffer(body_)};
  asio::async_write(socket_, buffers, [self = shared_from_this()](boost::system::error_code error, std::size_t) {
    if (self->state_ == State::kClosed) return;
    if (error) return self->Close();
    self->OnWritten();
  });
}

void Connection::OnWritten() {
  body_ = {};
  parser_.reset();
  if (keep_alive_ && !core_.stopping) {
    state_ = State::kReading;
    SetDeadline(core_.options.idle_timeout);
    if (input_.empty() && input_.capacity() > kAhead) input_ = {};
    Advance();
    // The client ended its sending meanwhile: what it sent before is answered, and no more comes.
    if (peer_closed_ && state_ == State::kReading) return Close();
    return Watch();
  }
  if (peer_closed_ || core_.stopping) return Close();
  // Closing with unread bytes resets the connection, which can take the answer away from the
  // client before it has read it. So say that we are done, and wait for the client to agree.
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  state_ = State::kLingering;
  input_ = {};
  SetDeadline(kLinger);
  Watch();
}

void Connection::Drain() {
  switch (state_) {
    case State::kWaiting: return Write(Problem(503, "the server stops"));
    case State::kWriting: return;  // closes when written
    default: return Close();
  }
}

void Connection::Close() {
  if (state_ == State::kClosed) return;
  const auto self = shared_from_this();
  state_ = State::kClosed;
  if (const auto sink = sink_.lock()) sink->Abandon();
  deadline_ = steady_clock::time_point::max();
  timer_.cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
  core_.connections.erase(self);
  if (core_.stopping && core_.connections.empty()) core_.drain_timer.cancel();
}

void Connection::SetDeadline(steady_clock::duration from_now) {
  deadline_ = steady_clock::now() + from_now;
  if (deadline_ < armed_) ArmTimer();
}

void Connection::ClearDeadline() { deadline_ = steady_clock::time_point::max(); }

void Connection::ArmTimer() {
  armed_ = deadline_;
  timer_.expires_at(armed_);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (error || self->state_ == State::kClosed) return;  // armed anew, or closed
    self->armed_ = steady_clock::time_point::max();
    if (steady_clock::now() >= self->deadline_) return self->Close();
    if (self->deadline_ != steady_clock::time_point::max()) self->ArmTimer();
  });
}

}  // namespace backplane::http
