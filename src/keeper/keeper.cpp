#include "keeper/keeper.h"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "keeper/handles.h"
#include "keeper/loop.h"
#include "keeper/protocol.h"

namespace backplane::keeper {
namespace {

constexpr Millis kLockWait{30'000};

Result<Fd> Lock(const std::filesystem::path& folder) {
  const auto path = folder / "lock";
  Fd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return Fail(Errc::kUnavailable, fmt::format("{}: {}", path.string(), std::strerror(errno)));
  const SystemClock clock;
  const Millis give_up = clock.Monotonic() + kLockWait;
  // An earlier keeper may still be killing; a blocking flock() could not be given up.
  while (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (clock.Monotonic() > give_up)
      return Fail(Errc::kConflict, fmt::format("{}: another keeper holds it", path.string()));
    poll(nullptr, 0, 10);
  }
  return file;
}

Status Serve(Fd& socket, const std::filesystem::path& folder) {
  setsid();
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return Fail(Errc::kUnavailable, "no subreaper");
  // Blocked rather than ignored: Ctrl-C and SIGTERM are the daemon's to judge, and the children
  // get them unblocked with default handling. Faults of our own stay deadly.
  sigset_t blocked, child;
  sigfillset(&blocked);
  for (const int fault : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&blocked, fault);
  sigprocmask(SIG_SETMASK, &blocked, nullptr);
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  Fd signals(signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
  Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!signals || !epoll) return Fail(Errc::kUnavailable, fmt::format("no event loop: {}", std::strerror(errno)));
  fcntl(socket.get(), F_SETFD, FD_CLOEXEC);

  BACKPLANE_TRY(MakePrivateFolder(folder));
  BACKPLANE_ASSIGN(const Fd lock, Lock(folder));
  BACKPLANE_TRY(KillLeftovers(folder));
  BACKPLANE_ASSIGN(HandleFile handles, HandleFile::Create(folder));
  BACKPLANE_ASSIGN(ExitFile exits, ExitFile::Create(folder));
  Loop(std::move(socket), std::move(epoll), std::move(signals), std::move(handles), std::move(exits)).Serve();
  return {};
}

}  // namespace

Status ServeKeeper(Fd socket, const std::filesystem::path& folder) {
  auto served = Serve(socket, folder);
  if (!served && socket) {
    Event event;
    event.kind = Event::Kind::kError;
    event.error = served.error().message;
    const std::string message = Frame(EncodeEvent(event));
    send(socket.get(), message.data(), message.size(), MSG_NOSIGNAL);
  }
  return served;
}

}  // namespace backplane::keeper
