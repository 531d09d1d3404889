#include "keeper/handles.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "base/time.h"
#include "keeper/proc.h"

namespace backplane::keeper {
namespace {

constexpr int kManyLines = 10'000;
constexpr Millis kGiveUp{25'000};

std::string Line(const Handle& handle) {
  return fmt::format("{} {} {} {}\n", handle.id, handle.pid, handle.start_time, handle.mark);
}

Status AppendLine(const Fd& file, const std::filesystem::path& path, std::string_view line) {
  if (write(file.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size())) return {};
  return Fail(Errc::kUnavailable, fmt::format("{}: {}", path.string(), std::strerror(errno)));
}

// Handles of this boot. A torn last line names a child that never passed its gate.
Result<std::vector<Handle>> ReadHandles(const std::filesystem::path& path) {
  auto text = ReadFile(path, 256 << 20);
  if (!text && text.error().code == Errc::kNotFound) return std::vector<Handle>();
  if (!text) return Fail(text.error());
  std::istringstream lines(*text);
  std::string line, word, boot;
  std::vector<Handle> handles;
  if (!std::getline(lines, line) || !(std::istringstream(line) >> word >> boot) || boot != BootId()) return handles;
  while (std::getline(lines, line) && !lines.eof()) {
    Handle handle;
    if (std::istringstream(line) >> handle.id >> handle.pid >> handle.start_time >> handle.mark)
      handles.push_back(std::move(handle));
  }
  return handles;
}

// Finds, in one look at all processes, those that belong to the handles.
class Leftovers {
 public:
  explicit Leftovers(const std::vector<Handle>& handles) {
    for (const Handle& handle : handles) {
      marks_.insert(handle.mark);
      starts_[handle.pid].insert(handle.start_time);
    }
  }

  std::vector<ProcessStat> Find() {
    processes_.clear();
    known_.clear();
    for (const pid_t pid : AllProcesses())
      if (const auto stat = ReadProcessStat(pid); stat && pid != getpid()) processes_.emplace(pid, *stat);
    std::vector<ProcessStat> found;
    for (const auto& [pid, stat] : processes_)
      if (stat.Alive() && Belongs(pid)) found.push_back(stat);
    return found;
  }

 private:
  bool Belongs(pid_t pid) {
    const auto at = processes_.find(pid);
    if (at == processes_.end()) return false;
    const auto [memo, fresh] = known_.try_emplace(pid, false);  // false also ends a circle
    if (!fresh) return memo->second;
    const ProcessStat& stat = at->second;
    const bool belongs = Named(stat) || Named(stat.group) || Named(stat.session) || marks_.contains(ReadMark(pid)) ||
                         Belongs(stat.parent);
    return known_[pid] = belongs;
  }
  bool Named(const ProcessStat& stat) const {
    const auto found = starts_.find(stat.pid);
    return found != starts_.end() && found->second.contains(stat.start_time);
  }
  bool Named(pid_t leader) const {
    const auto at = processes_.find(leader);
    return at != processes_.end() && Named(at->second);
  }

  std::set<std::string, std::less<>> marks_;
  std::map<pid_t, std::set<std::uint64_t>> starts_;
  std::map<pid_t, ProcessStat> processes_;
  std::map<pid_t, bool> known_;
};

}  // namespace

Status KillLeftovers(const std::filesystem::path& folder) {
  BACKPLANE_ASSIGN(const auto handles, ReadHandles(folder / "handles"));
  if (handles.empty()) return {};
  Leftovers leftovers(handles);
  const SystemClock clock;
  const Millis give_up = clock.Monotonic() + kGiveUp;
  std::set<std::pair<pid_t, std::uint64_t>> sent;
  while (true) {
    const auto found = leftovers.Find();
    if (found.empty()) return {};
    bool fresh = false;
    for (const ProcessStat& stat : found) {
      if (!sent.emplace(stat.pid, stat.start_time).second) continue;
      SignalExactly(stat.pid, stat.start_time, SIGKILL);
      fresh = true;
    }
    if (clock.Monotonic() > give_up)
      return Fail(Errc::kUnavailable, fmt::format("{} processes of an earlier keeper do not die, one is {}",
                                                  found.size(), found.front().pid));
    // Somebody else's children: nothing tells us of their end. Look again at once for new ones.
    if (!fresh) poll(nullptr, 0, 2);
  }
}

Result<HandleFile> HandleFile::Create(const std::filesystem::path& folder) {
  HandleFile file;
  file.path_ = folder / "handles";
  BACKPLANE_TRY(file.Rewrite({}));
  return file;
}

Status HandleFile::Append(const Handle& handle) {
  ++lines_;
  auto appended = AppendLine(file_, path_, Line(handle));
  // Half a line may be there now: have the file rewritten before the next one.
  if (!appended) lines_ = kManyLines;
  return appended;
}

bool HandleFile::Grown() const { return lines_ >= kManyLines; }

Status HandleFile::Rewrite(const std::vector<Handle>& live) {
  std::string text = fmt::format("boot {}\n", BootId());
  for (const Handle& handle : live) text += Line(handle);
  BACKPLANE_TRY(WriteFileAtomic(path_, text, 0600));
  file_ = Fd(open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!file_) return Fail(Errc::kUnavailable, fmt::format("{}: {}", path_.string(), std::strerror(errno)));
  lines_ = 0;
  return {};
}

Result<ExitFile> ExitFile::Create(const std::filesystem::path& folder) {
  ExitFile file;
  file.path_ = folder / "exits";
  BACKPLANE_TRY(file.Open());
  return file;
}

Status ExitFile::Open() {
  file_ = Fd(open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  if (!file_) return Fail(Errc::kUnavailable, fmt::format("{}: {}", path_.string(), std::strerror(errno)));
  lines_ = 0;
  return {};
}

Status ExitFile::Append(std::string_view line) {
  if (lines_ >= kManyLines) {
    auto old = path_;
    old += ".1";
    rename(path_.c_str(), old.c_str());
    BACKPLANE_TRY(Open());
  }
  ++lines_;
  return AppendLine(file_, path_, fmt::format("{}\n", line));
}

}  // namespace backplane::keeper
