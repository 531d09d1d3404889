// The keeper's loop over its daemon's socket, the output of the runs and their ends.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include <sys/epoll.h>
#include <sys/types.h>

#include "base/files.h"
#include "base/time.h"
#include "keeper/child.h"
#include "keeper/handles.h"
#include "keeper/protocol.h"
#include "keeper/segments.h"

namespace backplane::keeper {

inline constexpr Millis kNever = Millis::max();
/// A process that is still there so long after SIGKILL hangs in the kernel: go on without it.
inline constexpr Millis kGiveUp{10'000};

struct Run {
  SpawnRequest request;
  Handle handle;
  Child child;
  SegmentLog log;
  ExitReport report;
  Millis timeout_at = kNever;
  Millis kill_at = kNever;
  Millis give_up_at = kNever;  ///< set when SIGKILL was sent
  bool main_ended = false;
  std::set<pid_t> killed;  ///< after the main process had ended by itself
  /// Otherwise the whole tree was told to go, and to be still there is no fault.
  bool EndedByItself() const { return main_ended && !report.timed_out && !report.cancelled; }
};

/// Single-threaded. Its process is the reaper of its descendants and blocks its signals.
class Loop {
 public:
  Loop(Fd socket, Fd epoll, Fd signals, HandleFile handles, ExitFile exits)
      : socket_(std::move(socket)),
        epoll_(std::move(epoll)),
        signals_(std::move(signals)),
        handles_(std::move(handles)),
        exits_(std::move(exits)) {}

  /// Says that it is ready; returns when the daemon has gone and all runs are over.
  void Serve();

 private:
  // The daemon.
  void OnSocket(std::uint32_t events);
  void OnDaemonGone();
  void OnMessage(const std::string& message);
  void Send(const Event& event);
  void Refuse(std::string reason);
  void Flush();

  // Runs.
  void Spawn(SpawnRequest request);
  Status Launch(Run& run);
  void Terminate(Run& run, Millis grace);
  void Kill(Run& run);
  void OnOutput(Run& run);
  void OnMainEnd(Run& run);
  void Finish(Run& run);

  void Tick();
  void Sweep();
  Millis NextDeadline() const;
  std::vector<Handle> LiveHandles() const;
  bool Watch(int fd, std::uint64_t tag, std::uint32_t events = EPOLLIN);
  void Unwatch(int fd) { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

  Fd socket_, epoll_, signals_;
  HandleFile handles_;
  ExitFile exits_;
  FrameReader reader_;
  std::string unsent_;
  std::map<std::int64_t, Run> runs_;
  std::map<pid_t, Millis> strays_;  ///< when they were first seen
  Millis sweep_at_ = kNever;
  bool closing_ = false;
  SystemClock clock_;
};

}  // namespace backplane::keeper
