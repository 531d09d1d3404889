#include "dispatch/drops.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/rng.h"
#include "dispatch/run_folder.h"

namespace backplane::dispatch {
namespace {

namespace fs = std::filesystem;

// How often the folders are looked through if nothing is heard of: plugins come into force, the host
// could not take something in, somebody has replaced the folder.
constexpr int kRound = 5'000;
constexpr int kRoundWhileWriting = 100;
constexpr std::size_t kMostSaid = 100;
// As old a file of root's must be.
constexpr Millis kRest{3'000};

// "<milliseconds>-<random>.<name>": in the order in which they came.
std::string NameInTaken(TimePoint now, const std::string& name) {
  return fmt::format("{:013}-{}.{}", ToMillis(now), SecretHex(8), name);
}

fs::path TakenFolder(const Installation& installation) { return installation.folder() / "taken"; }

std::vector<fs::path> Files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    files.push_back(entry->path());
  std::sort(files.begin(), files.end());
  return files;
}

// Empties what is read without blocking.
void Drain(int fd) {
  alignas(inotify_event) char buffer[4096];
  while (read(fd, buffer, sizeof buffer) > 0) {
  }
}

}  // namespace

struct Drops::News {
  Fd bell;
  std::mutex mutex;  // guards told
  std::vector<std::pair<LaneKey, Result<RunId>>> told;

  void Ring() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto rung = write(bell.get(), &one, sizeof one);  // a full counter rings too
  }
};

Result<std::unique_ptr<Drops>> Drops::Start(Host& host, std::vector<Installation*> installations, const Clock& clock,
                                            fs::path runs) {
  Fd watch(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  std::unique_ptr<Drops> drops(new Drops(host, std::move(installations), clock, std::move(runs), std::move(watch)));
  drops->news_->bell = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!drops->watch_ || !drops->news_->bell)
    return Fail(Errc::kUnavailable, fmt::format("folders cannot be watched: {}", std::strerror(errno)));
  for (const Installation* installation : drops->installations_)
    BACKPLANE_TRY(MakePrivateFolder(TakenFolder(*installation)));
  drops->thread_ = std::jthread([it = drops.get()](const std::stop_token& stop) { it->Loop(stop); });
  return drops;
}

Drops::Drops(Host& host, std::vector<Installation*> installations, const Clock& clock, fs::path runs, Fd watch)
    : host_(host),
      installations_(std::move(installations)),
      clock_(clock),
      runs_(std::move(runs)),
      watch_(std::move(watch)),
      news_(std::make_shared<News>()) {}

Drops::~Drops() {
  thread_.request_stop();
  news_->Ring();
}

void Drops::Loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    for (const auto& [lane, run] : [this] {
           const std::lock_guard lock(news_->mutex);
           return std::exchange(news_->told, {});
         }())
      Settle(lane, run);
    writing_ = false;
    for (const Installation* installation : installations_) Look(*installation);
    said_ = std::exchange(saying_, {});
    pollfd heard[] = {{watch_.get(), POLLIN, 0}, {news_->bell.get(), POLLIN, 0}};
    poll(heard, std::size(heard), writing_ ? kRoundWhileWriting : kRound);
    Drain(watch_.get());
    Drain(news_->bell.get());
  }
}

void Drops::Look(const Installation& installation) {
  // Again each time: the folder may be another one by now.
  if (inotify_add_watch(watch_.get(), installation.results().c_str(), IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0)
    Say(installation.results(), fmt::format("cannot be watched: {}", std::strerror(errno)));
  for (const fs::path& file : Files(installation.results())) {
    const auto plugin = installation.PluginOf(file.filename().string());
    if (!plugin)
      Say(file, plugin.error().message);
    else if (!plugin->empty())
      Take(installation, file, *plugin);
  }
  for (const fs::path& file : Files(TakenFolder(installation))) Give(installation, file);
}

void Drops::Take(const Installation& installation, const fs::path& file, const std::string& plugin) {
  const auto catalog = host_.catalog();
  const Plugin* known = catalog->FindById(plugin);
  struct stat info{};
  if (known == nullptr || lstat(file.c_str(), &info) != 0) return;
  const std::int64_t limit = known->manifest.limits.result_bytes;
  if (!S_ISREG(info.st_mode)) return Say(file, "is not a regular file");
  if (info.st_nlink != 1) return Say(file, fmt::format("has {} hard links", info.st_nlink));
  if (info.st_uid != geteuid() && info.st_uid != 0)
    return Say(file, fmt::format("belongs to user {}, not to user {} or root", info.st_uid, geteuid()));
  if (OpenForWriting(file)) return;  // closing it wakes us
  // Of another user's file nobody tells us whether it is still being written: it has to rest first.
  if (info.st_uid != geteuid() && clock_.Now() < FromMillis(info.st_mtim.tv_sec * 1'000) + kRest) {
    writing_ = true;
    return;
  }
  if (info.st_size > limit) return Say(file, fmt::format("is larger than the limit of {} bytes", limit));
  CrashPoint("drop.before");
  const fs::path taken = TakenFolder(installation) / NameInTaken(clock_.Now(), file.filename());
  if (rename(file.c_str(), taken.c_str()) != 0)
    return Say(file, fmt::format("cannot be moved to {}: {}", taken.parent_path().string(), std::strerror(errno)));
  CrashPoint("drop.taken");
}

void Drops::Give(const Installation& installation, const fs::path& file) {
  const std::string whole = file.filename();
  const auto dot = whole.find('.');
  const std::string name = dot == std::string::npos ? std::string() : whole.substr(dot + 1);
  const auto plugin = installation.PluginOf(name);
  if (!plugin) return Say(file, plugin.error().message);
  if (plugin->empty()) return Say(file, "is not the result of a plugin");
  Host::Left left{
      .lane = {kDefaultOrg, *plugin, ""}, .key = "file/" + whole.substr(0, dot), .file = file, .name = name};
  if (given_.contains(left.lane)) return;
  if (const auto failed = failed_.find(left.lane); failed != failed_.end()) {
    if (clock_.Monotonic() < failed->second.first) return Say(file, failed->second.second);
    failed_.erase(failed);
  }
  // Who had opened it when we took it may still write.
  if (OpenForWriting(file)) {
    writing_ = true;
    return;
  }
  std::error_code error;
  if (fs::file_size(file, error) == 0 && !error) {
    fs::remove(file, error);
    return;
  }
  given_[left.lane] = {file, name};
  const LaneKey lane = left.lane;
  host_.TakeIn(std::move(left), [news = news_, lane](Result<RunId> run) {
    {
      const std::lock_guard lock(news->mutex);
      news->told.emplace_back(lane, std::move(run));
    }
    news->Ring();
  });
}

void Drops::Settle(const LaneKey& lane, const Result<RunId>& run) {
  const Given given = given_.extract(lane).mapped();
  if (!run) {
    failed_[lane] = {clock_.Monotonic() + Millis(kRound), "could not be taken in: " + run.error().message};
    return;
  }
  CrashPoint("drop.accepted");
  const fs::path folder = ResultsOf(runs_, *run);
  Status made = MakePrivateFolder(folder);
  if (made && rename(given.file.c_str(), (folder / given.name).c_str()) != 0)
    made = Fail(Errc::kUnavailable, std::strerror(errno));
  CrashPoint("drop.kept");
  if (made) return host_.KeepResultsOf(lane, *run);
  // Not kept, but it may not stay either.
  LogWarning("{}: cannot be kept with run {}: {}", given.file.string(), *run, made.error().message);
  std::error_code ignored;
  fs::remove(given.file, ignored);
}

void Drops::Say(const fs::path& file, const std::string& message) {
  if (saying_.size() >= kMostSaid) return;
  const std::string text = fmt::format("{}: {}", file.string(), message);
  if (saying_.insert(text).second && !said_.contains(text)) LogWarning("{}; it stays where it is", text);
}

}  // namespace backplane::dispatch
