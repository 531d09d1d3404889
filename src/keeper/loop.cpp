#include "keeper/loop.h"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <fmt/format.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "base/rng.h"
#include "keeper/proc.h"

namespace backplane::keeper {
namespace {

/// Output of one run taken in a row.
constexpr std::size_t kSlice = 256 << 10;

enum class Source : std::uint64_t { kSocket, kSignal, kOutput, kProcess };

std::uint64_t Tag(Source source, std::int64_t id = 0) {
  return static_cast<std::uint64_t>(id) << 2 | static_cast<std::uint64_t>(source);
}

}  // namespace

bool Loop::Watch(int fd, std::uint64_t tag, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Loop::Serve() {
  Watch(socket_.get(), Tag(Source::kSocket));
  Watch(signals_.get(), Tag(Source::kSignal));
  Send(Event{});
  while (!closing_ || !runs_.empty() || sweep_at_ != kNever) {
    const Millis next = NextDeadline();
    const auto wait = next == kNever ? -1 : std::clamp<std::int64_t>((next - clock_.Monotonic()).count(), 0, 3'600'000);
    epoll_event events[64];
    const int count = epoll_wait(epoll_.get(), events, 64, static_cast<int>(wait));
    for (int i = 0; i < count; ++i) {
      const auto source = static_cast<Source>(events[i].data.u64 & 3);
      const auto run = runs_.find(static_cast<std::int64_t>(events[i].data.u64 >> 2));
      if (source == Source::kSocket) {
        OnSocket(events[i].events);
      } else if (source == Source::kSignal) {
        signalfd_siginfo info;
        while (read(signals_.get(), &info, sizeof info) > 0) sweep_at_ = clock_.Monotonic();
      } else if (run != runs_.end()) {
        source == Source::kOutput ? OnOutput(run->second) : OnMainEnd(run->second);
      }
    }
    Tick();
  }
}

void Loop::OnSocket(std::uint32_t events) {
  if (events & EPOLLOUT) Flush();
  if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
  char bytes[65536];
  const ssize_t got = recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return OnDaemonGone();
  reader_.Feed({bytes, static_cast<std::size_t>(got)});
  while (const auto message = reader_.Next()) {
    if (*message)
      OnMessage(**message);
    else
      Refuse(message->error().message);
  }
}

void Loop::OnDaemonGone() {
  closing_ = true;
  Unwatch(socket_.get());
  for (auto& [id, run] : runs_) {
    if (!run.main_ended) run.report.cancelled = true;
    Kill(run);
  }
  sweep_at_ = clock_.Monotonic();
}

void Loop::OnMessage(const std::string& message) {
  auto command = DecodeCommand(message);
  if (!command) return Refuse(command.error().message);
  if (auto* spawn = std::get_if<SpawnRequest>(&*command)) return Spawn(std::move(*spawn));
  const auto& kill = std::get<KillRequest>(*command);
  // A run that has ended meanwhile is no mistake: its report is on the way.
  const auto run = runs_.find(kill.id);
  if (run == runs_.end() || run->second.main_ended) return;
  run->second.report.cancelled = true;
  Terminate(run->second, kill.grace);
}

void Loop::Refuse(std::string reason) {
  Event event;
  event.kind = Event::Kind::kError;
  event.error = std::move(reason);
  Send(event);
}

void Loop::Send(const Event& event) {
  unsent_ += Frame(EncodeEvent(event));
  Flush();
}

void Loop::Flush() {
  while (!unsent_.empty()) {
    const ssize_t sent = send(socket_.get(), unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) break;
    unsent_.erase(0, static_cast<std::size_t>(sent));
  }
  if (closing_) return;
  epoll_event event{};
  event.events = unsent_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT;
  event.data.u64 = Tag(Source::kSocket);
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, socket_.get(), &event);
}

void Loop::Spawn(SpawnRequest request) {
  const std::int64_t id = request.id;
  if (runs_.contains(id)) return Refuse(fmt::format("run {} exists", id));
  Run& run = runs_[id];
  run.request = std::move(request);
  if (const auto launched = Launch(run); !launched) {
    Event event;
    event.kind = Event::Kind::kEnded;
    event.id = id;
    event.report.ending = ExitReport::Ending::kNotStarted;
    event.report.error = launched.error().message;
    if (run.child.pid > 0) {
      kill(run.child.pid, SIGKILL);
      waitpid(run.child.pid, nullptr, 0);
    }
    runs_.erase(id);
    Send(event);
  }
}

Status Loop::Launch(Run& run) {
  const SpawnRequest& request = run.request;
  BACKPLANE_ASSIGN(run.log, SegmentLog::Open(request.log_folder, request.segment_bytes, request.segments));
  if (handles_.Grown()) BACKPLANE_TRY(handles_.Rewrite(LiveHandles()));
  run.handle.mark = SecretHex(16);
  BACKPLANE_ASSIGN(run.child, ForkChild(request, run.handle.mark));
  const auto stat = ReadProcessStat(run.child.pid);
  if (!stat || !run.child.process || !Watch(run.child.process.get(), Tag(Source::kProcess, request.id)) ||
      !Watch(run.child.output.get(), Tag(Source::kOutput, request.id)))
    return Fail(Errc::kUnavailable, fmt::format("process {} cannot be watched", run.child.pid));
  run.handle.id = request.id;
  run.handle.pid = run.child.pid;
  run.handle.start_time = stat->start_time;
  CrashPoint("keeper.spawn.before_handle");
  BACKPLANE_TRY(handles_.Append(run.handle));
  CrashPoint("keeper.gate");
  if (write(run.child.gate.get(), "", 1) != 1) return Fail(Errc::kUnavailable, "the child died before it started");
  run.child.gate.Reset();
  if (request.timeout > Millis(0)) run.timeout_at = clock_.Monotonic() + request.timeout;
  Event event;
  event.kind = Event::Kind::kStarted;
  event.id = request.id;
  event.pid = run.handle.pid;
  event.start_time = run.handle.start_time;
  Send(event);
  return {};
}

void Loop::Terminate(Run& run, Millis grace) {
  if (grace <= Millis(0)) return Kill(run);
  // Before setsid() in the child there is no such group yet; the signal waits for it then.
  if (kill(-run.child.pid, SIGTERM) != 0) kill(run.child.pid, SIGTERM);
  run.kill_at = std::min(run.kill_at, clock_.Monotonic() + grace);
}

void Loop::Kill(Run& run) {
  run.timeout_at = run.kill_at = kNever;
  if (run.give_up_at == kNever) run.give_up_at = clock_.Monotonic() + kGiveUp;
  kill(-run.child.pid, SIGKILL);
  kill(run.child.pid, SIGKILL);
}

void Loop::OnOutput(Run& run) {
  char bytes[65536];
  for (std::size_t taken = 0; taken < kSlice;) {
    const ssize_t got = read(run.child.output.get(), bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      // Closed at its end, which it may do long before it ends itself.
      Unwatch(run.child.output.get());
      run.child.output.Reset();
      return;
    }
    run.log.Write({bytes, static_cast<std::size_t>(got)});
    taken += static_cast<std::size_t>(got);
  }
}

void Loop::OnMainEnd(Run& run) {
  siginfo_t info{};
  // Not waited for yet: as a zombie it keeps its number, and with it that of its group.
  if (waitid(P_PIDFD, static_cast<id_t>(run.child.process.get()), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid == 0)
    return;
  Unwatch(run.child.process.get());
  run.main_ended = true;
  run.report.ending = info.si_code == CLD_EXITED ? ExitReport::Ending::kExited : ExitReport::Ending::kSignalled;
  run.report.value = info.si_status;
  run.timeout_at = run.kill_at = kNever;
  if (run.give_up_at == kNever) run.give_up_at = clock_.Monotonic() + kGiveUp;
  sweep_at_ = clock_.Monotonic();
}

}  // namespace backplane::keeper
