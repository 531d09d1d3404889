#include "keeper/child.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "keeper/proc.h"

namespace backplane::keeper {
namespace {

enum class Stage : int { kFolder, kLimits, kPrivileges, kExecute };

// What a child that could not become its program says through the status pipe.
struct Refusal {
  Stage stage;
  int error;
};

// As the shell does: a name without slash is looked up in the PATH that the program will have.
Result<std::string> FindProgram(const SpawnRequest& request) {
  const std::string& name = request.argv.front();
  if (name.empty()) return Fail(Errc::kNotFound, "the name of the program is empty");
  if (name.find('/') != std::string::npos) return name;
  const auto variable = request.environment.find("PATH");
  const std::string path = variable == request.environment.end() ? "/usr/bin:/bin" : variable->second;
  bool denied = false;
  for (const auto folder : Split(path, ':')) {
    const auto candidate = request.working_folder / folder / name;
    struct stat info{};
    if (stat(candidate.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (access(candidate.c_str(), X_OK) == 0) return candidate.string();
    denied = true;
  }
  if (denied) return Fail(Errc::kDenied, fmt::format("{}: not executable", name));
  return Fail(Errc::kNotFound, fmt::format("{}: not found", name));
}

// Everything the child needs, made before fork(): it only makes system calls.
constexpr rlim_t kUsualFiles = 1024;

struct Plan {
  std::string program;
  std::vector<std::string> variables;
  std::vector<char*> argv;
  std::vector<char*> environment;
  const char* folder = nullptr;
  rlim_t memory = RLIM_INFINITY;
  int null = -1, output = -1, gate_reader = -1, gate_writer = -1, status = -1;
};

[[noreturn]] void Refuse(const Plan& plan, Stage stage) {
  const Refusal refusal{stage, errno};
  [[maybe_unused]] const ssize_t sent = write(plan.status, &refusal, sizeof refusal);
  _exit(127);
}

[[noreturn]] void RunChild(const Plan& plan) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setsid();
  // The keeper blocks signals; a SIGTERM that came since fork() is delivered here, not lost.
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(plan.null, STDIN_FILENO);
  dup2(plan.output, STDOUT_FILENO);
  dup2(plan.output, STDERR_FILENO);
  close(plan.gate_writer);
  char open = 0;
  ssize_t got = 0;
  do got = read(plan.gate_reader, &open, 1);
  while (got < 0 && errno == EINTR);
  // End of file: the keeper died, or could not write the handle.
  if (got != 1) _exit(127);
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);

  if (chdir(plan.folder) != 0) Refuse(plan, Stage::kFolder);
  const rlimit no_core{0, 0};
  const rlimit memory{plan.memory, plan.memory};
  if (setrlimit(RLIMIT_CORE, &no_core) != 0) Refuse(plan, Stage::kLimits);
  // The daemon raises its own limit; plugins get the usual one, which programs with select() need.
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur > kUsualFiles) {
    files.rlim_cur = kUsualFiles;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  if (plan.memory != RLIM_INFINITY && setrlimit(RLIMIT_AS, &memory) != 0) Refuse(plan, Stage::kLimits);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) Refuse(plan, Stage::kPrivileges);
  execve(plan.program.c_str(), plan.argv.data(), plan.environment.data());
  Refuse(plan, Stage::kExecute);
}

Result<std::pair<Fd, Fd>> Pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Fail(Errc::kUnavailable, fmt::format("no pipe: {}", std::strerror(errno)));
  return std::pair(Fd(ends[0]), Fd(ends[1]));
}

void DoNotBlock(const Fd& fd) { fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK); }

}  // namespace

Result<Child> ForkChild(const SpawnRequest& request, const std::string& mark) {
  Plan plan;
  BACKPLANE_ASSIGN(plan.program, FindProgram(request));
  // First, so that it is found however large the rest is.
  plan.variables.push_back(fmt::format("{}={}", kMarkVariable, mark));
  for (const auto& [name, value] : request.environment)
    if (name != kMarkVariable) plan.variables.push_back(name + "=" + value);
  for (std::string& variable : plan.variables) plan.environment.push_back(variable.data());
  plan.environment.push_back(nullptr);
  for (const std::string& argument : request.argv) plan.argv.push_back(const_cast<char*>(argument.c_str()));
  plan.argv.push_back(nullptr);
  plan.folder = request.working_folder.c_str();
  if (request.memory_bytes > 0) plan.memory = static_cast<rlim_t>(request.memory_bytes);

  BACKPLANE_ASSIGN(auto output, Pipe());
  BACKPLANE_ASSIGN(auto gate, Pipe());
  BACKPLANE_ASSIGN(auto status, Pipe());
  const Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null) return Fail(Errc::kUnavailable, fmt::format("/dev/null: {}", std::strerror(errno)));
  plan.null = null.get();
  plan.output = output.second.get();
  plan.gate_reader = gate.first.get();
  plan.gate_writer = gate.second.get();
  plan.status = status.second.get();

  Child child;
  child.pid = fork();
  if (child.pid < 0) return Fail(Errc::kUnavailable, fmt::format("no process: {}", std::strerror(errno)));
  if (child.pid == 0) RunChild(plan);
  child.process = OpenProcess(child.pid);
  child.output = std::move(output.first);
  child.gate = std::move(gate.second);
  child.status = std::move(status.first);
  DoNotBlock(child.output);
  DoNotBlock(child.status);
  return child;
}

std::optional<std::string> StartError(const Child& child, const SpawnRequest& request) {
  Refusal refusal{};
  if (read(child.status.get(), &refusal, sizeof refusal) != static_cast<ssize_t>(sizeof refusal)) return std::nullopt;
  const std::string reason = std::strerror(refusal.error);
  const std::string& program = request.argv.front();
  switch (refusal.stage) {
    case Stage::kFolder: return fmt::format("working folder {}: {}", request.working_folder.string(), reason);
    case Stage::kLimits: return fmt::format("memory limit of {} bytes: {}", request.memory_bytes, reason);
    case Stage::kPrivileges: return fmt::format("no_new_privs: {}", reason);
    case Stage::kExecute: break;
  }
  if (refusal.error != ENOENT) return fmt::format("{}: {}", program, reason);
  const auto path = request.working_folder / program;  // an absolute program replaces the folder
  if (access(path.c_str(), F_OK) == 0) return fmt::format("{}: the interpreter that it names is not found", program);
  return fmt::format("{}: not found", program);
}

}  // namespace backplane::keeper
