#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <future>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include "base/files.h"
#include "base/log.h"
#include "http/connection.h"
#include "http/http.h"
#include "http/listen.h"

namespace backplane::http {
namespace {

/// After a failure such as "too many open files", which would otherwise come back at once.
constexpr auto kAcceptPause = std::chrono::milliseconds(200);
constexpr int kAcceptsInARow = 32;
/// What clients have to take their last answers when the server stops.
constexpr auto kDrainTime = std::chrono::seconds(2);

/// Accepts for one listening socket. Runs in the core's thread.
class Acceptor {
 public:
  Acceptor(const std::shared_ptr<Core>& core, bool local)
      : core_(core), local_(local), descriptor_(core->io), pause_(core->io) {}
  /// Works on a copy of `fd`.
  Status Start(int fd);
  void Stop();

 private:
  void Wait();
  void OnReadable();
  void Admit(Fd fd);
  void Pause(int error);

  const std::weak_ptr<Core> core_;
  const bool local_;
  int family_ = AF_UNSPEC;
  asio::posix::stream_descriptor descriptor_;
  asio::steady_timer pause_;
  bool failing_ = false;
};

Status Acceptor::Start(int fd) {
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  boost::system::error_code error(errno, boost::system::system_category());
  if (copy >= 0) descriptor_.assign(copy, error);
  if (copy >= 0 && error) close(copy);
  if (copy < 0 || error) return Fail(Errc::kUnavailable, "cannot watch the listening socket: " + error.message());
  socklen_t size = sizeof family_;
  getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family_, &size);
  Wait();
  return {};
}

void Acceptor::Stop() {
  boost::system::error_code ignored;
  descriptor_.close(ignored);
  pause_.cancel();
}

void Acceptor::Wait() {
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
    if (error == asio::error::operation_aborted || !descriptor_.is_open()) return;
    if (error) return Pause(error.value());
    OnReadable();
  });
}

void Acceptor::OnReadable() {
  for (int i = 0; i < kAcceptsInARow; ++i) {
    Fd fd(accept4(descriptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN) break;
      return Pause(errno);
    }
    failing_ = false;
    Admit(std::move(fd));
  }
  Wait();
}

void Acceptor::Admit(Fd fd) {
  const std::shared_ptr<Core> core = core_.lock();
  if (!core || core->connections.size() >= core->options.max_connections) return;
  Socket socket(core->io);
  boost::system::error_code error;
  socket.assign(asio::generic::stream_protocol(family_, 0), fd.get(), error);
  if (error) return LogWarning("http: a connection cannot be watched: {}", error.message());
  (void)fd.Release();
  socket.non_blocking(true, error);
  const auto connection = std::make_shared<Connection>(core, std::move(socket), local_);
  core->connections.insert(connection);
  connection->Start();
}

void Acceptor::Pause(int error) {
  if (!failing_) LogWarning("http: cannot accept connections: {}", std::strerror(error));
  failing_ = true;
  pause_.expires_after(kAcceptPause);
  pause_.async_wait([this](boost::system::error_code aborted) {
    if (!aborted && descriptor_.is_open()) Wait();
  });
}

}  // namespace

struct Server::Impl {
  Impl(const ServerOptions& options, Handler handler)
      : core(std::make_shared<Core>(options)), workers(options.workers, options.max_waiting, std::move(handler)) {
    core->workers = &workers;
  }
  ~Impl();
  Status Listen();
  void Run();
  /// Runs `work` in the core's thread and waits for its end.
  template <typename Task>
  void InLoop(Task task);

  std::shared_ptr<Core> core;
  Workers workers;
  Fd tcp;
  UnixListener unix;
  std::uint16_t port = 0;
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  /// Keeps the loop running while a connection waits for nothing but its handler.
  asio::executor_work_guard<asio::io_context::executor_type> work{core->io.get_executor()};
  std::thread thread;
};

Status Server::Impl::Listen() {
  const ServerOptions& options = core->options;
  if (!options.tcp && options.socket.empty()) return Fail(Errc::kInvalid, "no address to listen on");
  if (options.tcp) {
    BACKPLANE_ASSIGN(tcp, ListenTcp(options.address, options.port));
    port = BoundPort(tcp);
    acceptors.push_back(std::make_unique<Acceptor>(core, false));
    BACKPLANE_TRY(acceptors.back()->Start(tcp.get()));
  }
  if (!options.socket.empty()) {
    BACKPLANE_ASSIGN(unix, UnixListener::Listen(options.socket));
    acceptors.push_back(std::make_unique<Acceptor>(core, true));
    BACKPLANE_TRY(acceptors.back()->Start(unix.socket().get()));
  }
  return {};
}

void Server::Impl::Run() {
  while (true) {
    try {
      core->io.run();
      return;
    } catch (const std::exception& error) {
      LogError("http: the loop threw: {}", error.what());
    }
  }
}

template <typename Task>
void Server::Impl::InLoop(Task task) {
  std::promise<void> done;
  asio::post(core->io, [&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

Server::Impl::~Impl() {
  if (!thread.joinable()) return;  // never started
  core->stopping = true;
  InLoop([this] {
    for (const auto& acceptor : acceptors) acceptor->Stop();
  });
  unix.Remove();
  tcp.Reset();
  workers.Stop();
  // Answers of the handlers that have just ended were posted before this, and so come first.
  asio::post(core->io, [this] {
    for (const auto& connection : core->Connections()) connection->Drain();
    if (core->connections.empty()) return;
    core->drain_timer.expires_after(kDrainTime);
    core->drain_timer.async_wait([this](boost::system::error_code) {
      for (const auto& connection : core->Connections()) connection->Close();
    });
  });
  work.reset();
  thread.join();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() = default;

std::uint16_t Server::port() const { return impl_->port; }

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, Handler handler) {
  auto impl = std::make_unique<Impl>(options, std::move(handler));
  BACKPLANE_TRY(impl->Listen());
  impl->thread = std::thread([raw = impl.get()] { raw->Run(); });
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

}  // namespace backplane::http
