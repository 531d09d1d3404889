// Sockets for listening and connecting, by plain system calls, so that every failure can be named.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <sys/un.h>

#include "base/files.h"
#include "base/result.h"

namespace backplane::http {

/// Binds and listens; not blocking, close-on-exec. `port` 0: a free one. kUnavailable: taken or not
/// ours; kInvalid: no such address.
Result<Fd> ListenTcp(const std::string& address, std::uint16_t port);
/// The port a TCP socket is bound to.
std::uint16_t BoundPort(const Fd& socket);

/// A unix socket that listens, and its file. Removes the file when destroyed, unless another one
/// has taken its place.
class UnixListener {
 public:
  /// Mode 0600. A socket at `path` on which nobody answers is replaced. kUnavailable: one on which
  /// somebody answers, or a file that is no socket.
  static Result<UnixListener> Listen(const std::filesystem::path& path);
  UnixListener() = default;
  UnixListener(UnixListener&& other) noexcept = default;
  UnixListener& operator=(UnixListener&& other) noexcept = default;
  ~UnixListener() { Remove(); }

  const Fd& socket() const { return socket_; }
  /// Removes the file and closes.
  void Remove();

 private:
  Fd socket_;
  std::filesystem::path path_;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

/// kInvalid: the path does not fit into a socket address (107 bytes).
Result<sockaddr_un> UnixAddress(const std::filesystem::path& path);

}  // namespace backplane::http
