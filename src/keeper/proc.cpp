#include "keeper/proc.h"

#include <charconv>
#include <cstring>
#include <filesystem>
#include <string_view>

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "keeper/protocol.h"

namespace backplane::keeper {
namespace {

template <typename T>
bool ParseNumber(std::string_view text, T& value) {
  const auto end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stopped == end;
}

// Names of sub-folders that are numbers.
std::vector<pid_t> NumberedFolders(const std::string& folder) {
  std::vector<pid_t> numbers;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    pid_t number = 0;
    if (ParseNumber(entry->path().filename().native(), number)) numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

std::optional<ProcessStat> ReadProcessStat(pid_t pid) {
  const auto text = ReadFile(fmt::format("/proc/{}/stat", pid), 4096);
  if (!text) return std::nullopt;
  // "pid (name) state ppid pgrp session ...": the name may hold anything, so start at the last ')'.
  const auto name_end = text->rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= text->size()) return std::nullopt;
  const auto fields = Split(Trim(std::string_view(*text).substr(name_end + 2)), ' ');
  ProcessStat stat;
  stat.pid = pid;
  // fields[0] is the third field of the file.
  if (fields.size() < 20 || fields[0].size() != 1 || !ParseNumber(fields[1], stat.parent) ||
      !ParseNumber(fields[2], stat.group) || !ParseNumber(fields[3], stat.session) ||
      !ParseNumber(fields[19], stat.start_time))
    return std::nullopt;
  stat.state = fields[0][0];
  return stat;
}

std::vector<pid_t> AllProcesses() { return NumberedFolders("/proc"); }

std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  bool readable = false;
  for (const pid_t thread : NumberedFolders(fmt::format("/proc/{}/task", parent))) {
    const auto text = ReadFile(fmt::format("/proc/{}/task/{}/children", parent, thread), 64 << 20);
    if (!text) continue;
    readable = true;
    for (const auto word : Split(Trim(*text), ' ')) {
      pid_t child = 0;
      if (ParseNumber(word, child)) children.push_back(child);
    }
  }
  if (readable) return children;
  // A kernel built without CONFIG_PROC_CHILDREN: the long way round.
  for (const pid_t pid : AllProcesses()) {
    const auto stat = ReadProcessStat(pid);
    if (stat && stat->parent == parent) children.push_back(pid);
  }
  return children;
}

std::string ReadMark(pid_t pid) {
  const auto environment = ReadFile(fmt::format("/proc/{}/environ", pid), 64 << 20);
  if (!environment) return {};
  for (const auto entry : Split(*environment, '\0')) {
    if (entry.size() > kMarkVariable.size() && entry.starts_with(kMarkVariable) && entry[kMarkVariable.size()] == '=')
      return std::string(entry.substr(kMarkVariable.size() + 1));
  }
  return {};
}

std::string BootId() {
  const auto text = ReadFile("/proc/sys/kernel/random/boot_id", 256);
  return text ? std::string(Trim(*text)) : std::string();
}

// By number: <sys/pidfd.h> of glibc 2.36 cannot be linked from C++.
Fd OpenProcess(pid_t pid) { return Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

bool SignalExactly(pid_t pid, std::uint64_t start_time, int signal) {
  const Fd process = OpenProcess(pid);
  if (!process) return false;
  // The descriptor holds one process; it is the right one if the number still has that start time.
  const auto stat = ReadProcessStat(pid);
  return stat && stat->start_time == start_time &&
         syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) == 0;
}

std::string SignalText(int signal) {
  const char* name = sigabbrev_np(signal);
  if (name == nullptr) return fmt::format("killed by signal {}", signal);
  return fmt::format("killed by signal {} (SIG{})", signal, name);
}

}  // namespace backplane::keeper
