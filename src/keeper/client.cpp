#include "keeper/client.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "base/log.h"
#include "keeper/proc.h"

namespace backplane::keeper {
namespace {

/// The keeper itself waits up to 30 s for its lock and 25 s for what an earlier one left.
constexpr Millis kReadyWait{60'000};
constexpr Millis kSpawnWait{30'000};
constexpr Millis kLongestRetry{10'000};
/// A keeper that lived so long did not die of its start.
constexpr Millis kSettled{10'000};
constexpr int kKeeperFd = 3;

std::string DeathText(int status) {
  if (WIFSIGNALED(status)) return SignalText(WTERMSIG(status));
  return fmt::format("exit code {}", WEXITSTATUS(status));
}

// Forks and executes without running our code in between: safe with any number of threads.
Result<pid_t> StartKeeper(const std::filesystem::path& binary, const std::filesystem::path& folder, int socket) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, socket, kKeeperFd);  // clears close-on-exec
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string words[] = {binary.string(), "--folder", folder.string(), "--fd", std::to_string(kKeeperFd)};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), words[4].data(), nullptr};
  pid_t pid = 0;
  const int error = posix_spawn(&pid, binary.c_str(), &actions, &attributes, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return Fail(Errc::kUnavailable, fmt::format("{}: {}", binary.string(), std::strerror(error)));
  return pid;
}

void Lose(std::map<std::int64_t, std::promise<ExitReport>>& lost, const std::string& death) {
  for (auto& [id, promise] : lost) {
    ExitReport report;
    report.ending = ExitReport::Ending::kKeeperDied;
    report.error = fmt::format("the keeper died: {}", death);
    promise.set_value(std::move(report));
  }
  lost.clear();
}

}  // namespace

struct KeeperClient::Connection {
  Fd socket;
  pid_t pid = 0;
  Millis started{0};
  FrameReader reader;  // of the supervisor
  std::mutex writing;

  // Fills the reader. Nothing if no bytes came in `wait`; false at the end.
  std::optional<bool> Receive(Millis wait) {
    pollfd polled{socket.get(), POLLIN, 0};
    const int ready = poll(&polled, 1, static_cast<int>(wait.count()));
    if (ready <= 0) return std::nullopt;
    char bytes[65536];
    const ssize_t got = recv(socket.get(), bytes, sizeof bytes, 0);
    if (got < 0 && errno == EINTR) return std::nullopt;
    if (got <= 0) return false;
    reader.Feed({bytes, static_cast<std::size_t>(got)});
    return true;
  }

  // A dead keeper is the supervisor's to notice.
  void Send(std::string_view message) {
    const std::string framed = Frame(message);
    std::string_view rest = framed;
    const std::lock_guard lock(writing);
    while (!rest.empty()) {
      const ssize_t sent = send(socket.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) return;
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // Waits for the keeper's end. How it ended.
  std::string Reap() {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return DeathText(status);
  }
};

KeeperClient::KeeperClient(std::filesystem::path binary, std::filesystem::path folder)
    : binary_(std::move(binary)), folder_(std::move(folder)) {}

Result<std::unique_ptr<KeeperClient>> KeeperClient::Start(std::filesystem::path binary, std::filesystem::path folder) {
  std::unique_ptr<KeeperClient> client(new KeeperClient(std::move(binary), std::move(folder)));
  BACKPLANE_ASSIGN(auto connection, client->Connect());
  client->connection_ = connection;
  client->supervisor_ = std::thread(&KeeperClient::Supervise, client.get(), std::move(connection));
  return client;
}

KeeperClient::~KeeperClient() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    // The keeper kills all and still reports; the supervisor ends when the keeper has.
    if (connection_) shutdown(connection_->socket.get(), SHUT_WR);
  }
  changed_.notify_all();
  if (supervisor_.joinable()) supervisor_.join();
}

bool KeeperClient::Stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

Result<std::shared_ptr<KeeperClient::Connection>> KeeperClient::Connect() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return Fail(Errc::kUnavailable, fmt::format("no socket for the keeper: {}", std::strerror(errno)));
  auto connection = std::make_shared<Connection>();
  connection->socket = Fd(ends[0]);
  Fd theirs(ends[1]);
  const SystemClock clock;
  connection->started = clock.Monotonic();
  BACKPLANE_ASSIGN(connection->pid, StartKeeper(binary_, folder_, theirs.get()));
  theirs.Reset();

  std::string reason = fmt::format("not ready within {}", FormatDuration(kReadyWait));
  for (bool waiting = true; waiting && clock.Monotonic() < connection->started + kReadyWait && !Stopping();) {
    const auto received = connection->Receive(Millis(100));
    if (received.has_value() && !*received) {
      reason = connection->Reap();
      return Fail(Errc::kUnavailable, fmt::format("the keeper did not start: {}", reason));
    }
    const auto message = connection->reader.Next();
    if (!message) continue;
    const auto event = *message ? DecodeEvent(**message) : Result<Event>(Fail(message->error()));
    if (event && event->kind == Event::Kind::kReady) return connection;
    reason = event ? event->error : event.error().message;
    waiting = false;
  }
  // It has started nothing yet.
  kill(connection->pid, SIGKILL);
  connection->Reap();
  return Fail(Errc::kUnavailable, fmt::format("the keeper did not start: {}", reason));
}

void KeeperClient::Supervise(std::shared_ptr<Connection> connection) {
  const SystemClock clock;
  int failures = 0;
  while (true) {
    Read(*connection);
    const std::string death = connection->Reap();
    if (clock.Monotonic() - connection->started >= kSettled) failures = 0;
    std::map<std::int64_t, std::promise<ExitReport>> lost;
    {
      const std::lock_guard lock(mutex_);
      connection_.reset();
      lost.swap(pending_);
    }
    connection.reset();
    if (!Stopping()) LogWarning("the keeper died ({}) under {} runs; starting another", death, lost.size());
    // The first restart is immediate: it kills what is left of the lost runs before they are reported.
    while (!connection && WaitToRetry(failures++)) {
      auto next = Connect();
      if (next)
        connection = std::move(*next);
      else if (!Stopping())
        LogError("{}", next.error().message);
      Lose(lost, death);
    }
    Lose(lost, death);
    const std::lock_guard lock(mutex_);
    connection_ = connection;
    // Asked to stop while the next one was starting: have it end too.
    if (connection && stopping_) shutdown(connection->socket.get(), SHUT_WR);
    changed_.notify_all();
    if (!connection) return;
  }
}

// Waits 0, 100 ms, 200 ms, ... Whether to go on.
bool KeeperClient::WaitToRetry(int failures) {
  const Millis delay =
      failures == 0 ? Millis(0) : std::min(Millis(100) * (1 << std::min(failures - 1, 10)), kLongestRetry);
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, delay, [this] { return stopping_; });
}

void KeeperClient::Read(Connection& connection) {
  while (true) {
    while (const auto message = connection.reader.Next()) {
      auto event = *message ? DecodeEvent(**message) : Result<Event>(Fail(message->error()));
      if (event)
        OnEvent(std::move(*event));
      else
        LogError("from the keeper: {}", event.error().message);
    }
    const auto received = connection.Receive(Millis(-1));
    if (received.has_value() && !*received) return;
  }
}

void KeeperClient::OnEvent(Event event) {
  if (event.kind == Event::Kind::kError) LogError("the keeper refused a message: {}", event.error);
  if (event.kind != Event::Kind::kEnded) return;
  std::promise<ExitReport> promise;
  {
    const std::lock_guard lock(mutex_);
    const auto found = pending_.find(event.id);
    if (found == pending_.end()) return;
    promise = std::move(found->second);
    pending_.erase(found);
  }
  promise.set_value(std::move(event.report));
}

Result<KeeperClient::Spawned> KeeperClient::Spawn(SpawnRequest request) {
  std::unique_lock lock(mutex_);
  request.id = next_id_++;
  lock.unlock();
  BACKPLANE_ASSIGN(const std::string message, EncodeCommand(request));
  Spawned spawned;
  spawned.id = request.id;
  lock.lock();
  changed_.wait_for(lock, kSpawnWait, [this] { return connection_ || stopping_; });
  if (!connection_ || stopping_)
    return Fail(Errc::kUnavailable, stopping_ ? "the keeper is being stopped" : "the keeper does not run");
  const auto connection = connection_;
  spawned.report = pending_[request.id].get_future();
  lock.unlock();
  connection->Send(message);
  return spawned;
}

void KeeperClient::Kill(std::int64_t id, Millis grace) {
  const auto message = EncodeCommand(KillRequest{id, grace});
  std::unique_lock lock(mutex_);
  const auto connection = connection_;
  if (!connection || !pending_.contains(id)) return;
  lock.unlock();
  if (message) connection->Send(*message);
}

pid_t KeeperClient::keeper_pid() {
  const std::lock_guard lock(mutex_);
  return connection_ ? connection_->pid : 0;
}

}  // namespace backplane::keeper
