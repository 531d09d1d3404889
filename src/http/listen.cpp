#include "http/listen.h"

#include <cerrno>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace backplane::http {
namespace {

constexpr int kBacklog = 512;

std::string ErrnoText() { return std::strerror(errno); }

tl::unexpected<Error> Unavailable(std::string_view what, std::string_view why) {
  return Fail(Errc::kUnavailable, fmt::format("{}: {}", what, why));
}

const sockaddr* Generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

/// Makes room at `path` if a socket is there that nobody listens on.
Status RemoveStale(const std::filesystem::path& path, const sockaddr_un& address) {
  struct stat info{};
  if (lstat(path.c_str(), &info) != 0)
    return errno == ENOENT ? Status() : Status(Unavailable(path.string(), ErrnoText()));
  if (!S_ISSOCK(info.st_mode)) return Unavailable(path.string(), "a file that is no socket is in the way");
  const Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return Unavailable(path.string(), ErrnoText());
  if (connect(probe.get(), Generic(address), sizeof address) == 0 || errno == EAGAIN)
    return Unavailable(path.string(), "another server is listening");
  if (errno == ENOENT) return {};
  if (errno != ECONNREFUSED) return Unavailable(path.string(), ErrnoText());
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return Unavailable(path.string(), ErrnoText());
  return {};
}

}  // namespace

Result<sockaddr_un> UnixAddress(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string& text = path.native();
  if (text.empty() || text.size() >= sizeof address.sun_path || text.find('\0') != std::string::npos)
    return Fail(Errc::kInvalid,
                fmt::format("socket path must have 1 to {} bytes: {}", sizeof address.sun_path - 1, text));
  std::memcpy(address.sun_path, text.data(), text.size());
  return address;
}

Result<Fd> ListenTcp(const std::string& address, std::uint16_t port) {
  const std::string what = fmt::format("{}:{}", address, port);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0)
    return Fail(Errc::kInvalid, fmt::format("no address to listen on: {}: {}", address, gai_strerror(error)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  Fd listener(socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener) return Unavailable(what, ErrnoText());
  const int on = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Accepted sockets inherit it.
  setsockopt(listener.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(listener.get(), found->ai_addr, found->ai_addrlen) != 0 || listen(listener.get(), kBacklog) != 0)
    return Unavailable(what, errno == EADDRINUSE ? "another server is listening" : ErrnoText());
  return listener;
}

std::uint16_t BoundPort(const Fd& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return 0;
}

Result<UnixListener> UnixListener::Listen(const std::filesystem::path& path) {
  BACKPLANE_ASSIGN(const sockaddr_un address, UnixAddress(path));
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  // One server at a time looks, removes and binds: otherwise two that start together could each
  // take the other's new socket for a stale one. The lock goes with the descriptor.
  const Fd lock(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock) return Unavailable(folder.string(), ErrnoText());
  while (flock(lock.get(), LOCK_EX) != 0)
    if (errno != EINTR) return Unavailable(folder.string(), ErrnoText());
  BACKPLANE_TRY(RemoveStale(path, address));

  UnixListener listener;
  listener.socket_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int fd = listener.socket_.get();
  // Linux gives the file the socket's own mode, so it is never open to others, not even for a moment.
  if (fd < 0 || fchmod(fd, 0600) != 0 || bind(fd, Generic(address), sizeof address) != 0)
    return Unavailable(path.string(), ErrnoText());
  listener.path_ = std::filesystem::absolute(path);
  struct stat info{};
  if (lstat(listener.path_.c_str(), &info) != 0 || (info.st_mode & 0777) != 0600 || listen(fd, kBacklog) != 0) {
    unlink(path.c_str());
    return Unavailable(path.string(), "cannot be made private");
  }
  listener.device_ = info.st_dev;
  listener.inode_ = info.st_ino;
  return listener;
}

void UnixListener::Remove() {
  if (!socket_) return;
  struct stat info{};
  if (lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_) unlink(path_.c_str());
  socket_.Reset();
}

}  // namespace backplane::http
