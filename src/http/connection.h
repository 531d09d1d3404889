// One client's connection, and what all connections of a server share.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/http.h"
#include "http/wire.h"
#include "http/workers.h"

namespace backplane::http {

namespace asio = boost::asio;
using Socket = asio::generic::stream_protocol::socket;

class Connection;

/// Everything but `io` and `stopping` belongs to the one thread that runs `io`. Responders hold it
/// weakly, so that an answer that comes after the server finds nothing to touch.
struct Core {
  explicit Core(const ServerOptions& server_options) : options(server_options) {}
  /// A copy, for loops in which connections close.
  std::vector<std::shared_ptr<Connection>> Connections() const { return {connections.begin(), connections.end()}; }

  const ServerOptions options;
  asio::io_context io{1};
  std::atomic<bool> stopping{false};
  Workers* workers = nullptr;
  std::unordered_set<std::shared_ptr<Connection>> connections;
  /// Runs while connections are left after the server has stopped.
  asio::steady_timer drain_timer{io};
  /// What any connection reads into: one thread, so one is enough.
  std::array<char, 65536> scratch;
};

/// One request's answer on its way from any thread to the connection.
class Responder::Sink {
 public:
  Sink(std::weak_ptr<Core> core, std::weak_ptr<Connection> connection, std::uint64_t serial)
      : core_(std::move(core)), connection_(std::move(connection)), serial_(serial) {}
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  void Send(Response response);
  void Abandon() { abandoned_ = true; }
  bool abandoned() const { return abandoned_; }

 private:
  const std::weak_ptr<Core> core_;
  const std::weak_ptr<Connection> connection_;
  const std::uint64_t serial_;
  std::atomic<bool> answered_{false};
  std::atomic<bool> abandoned_{false};
};

/// Reads requests one after another, and answers each before it reads the next. Runs in the
/// core's thread only. Lives as long as an operation on its socket is pending or the core lists it.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Core> core, Socket socket, bool local);
  void Start();
  /// The answer to request number `serial`; too late or doubled ones are ignored.
  void Answer(std::uint64_t serial, Response response);
  /// The server stops: ends what waits and finishes what is being written.
  void Drain();
  void Close();

 private:
  enum class State {
    kReading,     ///< for a request, or in one
    kContinuing,  ///< writing "100 Continue"
    kWaiting,     ///< for the handler
    kWriting,
    kLingering,  ///< answered for the last time; discards what the client still sends
    kClosed,
  };

  void Watch();
  void OnReadable();
  void OnEnd();
  void Advance();
  void SendContinue();
  void Dispatch();
  void Write(Response response);
  void OnWritten();
  void SetDeadline(std::chrono::steady_clock::duration from_now);
  void ClearDeadline();
  void ArmTimer();

  const std::weak_ptr<Core> weak_core_;
  Core& core_;  ///< outlives every connection: its io_context holds them
  Socket socket_;
  asio::steady_timer timer_;
  const bool local_;
  const std::string peer_;  ///< address of a TCP client
  State state_ = State::kReading;
  bool watching_ = false;
  bool peer_closed_ = false;
  std::string input_;
  std::optional<RequestParser> parser_;  ///< from a request's first byte to its answer's last
  std::uint64_t serial_ = 0;
  std::weak_ptr<Responder::Sink> sink_;
  bool keep_alive_ = true;
  std::string head_;
  std::string body_;
  std::size_t discarded_ = 0;
  /// The timer may be armed for an earlier time than the deadline; it then arms itself again.
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  std::chrono::steady_clock::time_point armed_ = std::chrono::steady_clock::time_point::max();
};

}  // namespace backplane::http
