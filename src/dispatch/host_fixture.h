// A host with everything it works with, on a store of its own and the fake runtime.
#pragma once

#include <atomic>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/test_folder.h"
#include "dispatch/cycles.h"
#include "dispatch/host.h"
#include "events/bus.h"
#include "ingest/core_fold.h"
#include "plugin/test_codec.h"
#include "runtime/fake/fake_runtime.h"
#include "store/events.h"
#include "store/runs.h"
#include "store/test_store.h"

namespace backplane::dispatch {

/// A store that fails when told to.
class FlakyDatabase final : public store::Database {
 public:
  explicit FlakyDatabase(store::Database& inner) : inner_(inner) {}

  /// The next `count` writes fail.
  void FailNext(int count, Errc code = Errc::kUnavailable) {
    code_ = code;
    left_ = count;
  }
  /// The next read fails.
  void FailNextRead() { read_fails_ = true; }
  /// Does something in the next write, before it.
  void BeforeNextWrite(std::function<void()> before) { before_ = std::move(before); }
  /// Waits until a write has failed and who asked for it knows.
  void WaitForFailure() { failed_.get_future().wait(); }

  void Submit(store::Priority priority, Work work, Done done) override {
    if (before_) {
      work = [before = std::exchange(before_, nullptr), work = std::move(work)](store::Connection& connection) {
        before();
        return work(connection);
      };
    }
    if (left_ > 0) {
      --left_;
      work = [code = code_](store::Connection&) -> Status { return Fail(code, "disk full"); };
      done = [this, done = std::move(done)](Status status) {
        done(std::move(status));
        if (!told_.exchange(true)) failed_.set_value();
      };
    }
    inner_.Submit(priority, std::move(work), std::move(done));
  }
  Status Read(const std::function<Status(store::Connection&)>& work) override {
    if (read_fails_.exchange(false)) return Fail(Errc::kUnavailable, "disk full");
    return inner_.Read(work);
  }

 private:
  store::Database& inner_;
  std::atomic<int> left_{0};
  std::atomic<bool> read_fails_{false};
  std::function<void()> before_;
  Errc code_ = Errc::kUnavailable;
  std::atomic<bool> told_{false};
  std::promise<void> failed_;
};

class HostFixture {
 public:
  /// Lines of the test dialect "t"; see plugin/test_codec.h.
  explicit HostFixture(const std::vector<std::string>& plugins) {
    runtimes_.push_back(std::make_unique<runtime::FakeRuntime>());
    dialects_.push_back(std::make_unique<TestCodec>("t"));
    TestCodec::WriteFolder(folder_.path() / "plugins", "t", plugins);
    Read();
    EXPECT_TRUE(catalog_->findings().empty());
    Start();
  }
  ~HostFixture() {
    Stop();
    store.Close();  // ends the callbacks that refer to `database`
  }

  Status TryStart() {
    folder = std::make_unique<ingest::Folder>(*store, fold_, clock, [this] { bus.Notify(); });
    auto opened = Host::Open({.database = database,
                              .catalog = catalog_,
                              .runtimes = runtimes_,
                              .folder = *folder,
                              .clock = clock,
                              .runs = folder_.path() / "runs",
                              .share = folder_.path(),
                              .python = "",
                              .workers = 4,
                              .ended = [this] { CountEnd(); },
                              .scan_began = [news = news](RunId run) { news->Began(run); },
                              .scan_ended = [news = news](RunId run) { news->Ended(run); }});
    if (!opened) return Fail(opened.error());
    host = *std::move(opened);
    host->StartScheduling();
    return {};
  }
  void Start() { ASSERT_TRUE(TryStart()); }
  /// Other plugins from now on.
  void SetPlugins(const std::vector<std::string>& plugins) {
    TestCodec::WriteFolder(folder_.path() / "plugins", "t", plugins);
    Read();
    EXPECT_TRUE(host->SetCatalog(catalog_));
  }
  static Resource Switch(const std::string& id) {
    return {"dc1", "network", "switch", "acme", id, id + ".example", "inventory", {}};
  }
  void Stop() {
    host.reset();
    folder.reset();
  }

  std::filesystem::path folder_path() const { return folder_.path(); }
  static LaneKey Lane(const std::string& name, const std::string& target = "") {
    return {kDefaultOrg, "t:" + name, target};
  }

  std::future<CallAnswer> CallLater(const std::string& name, const std::string& key, const std::string& target = "") {
    auto told = std::make_shared<std::promise<CallAnswer>>();
    host->Call(Lane(name, target), key, [told](CallAnswer answer) { told->set_value(std::move(answer)); });
    return told->get_future();
  }
  CallAnswer Call(const std::string& name, const std::string& key, const std::string& target = "") {
    return CallLater(name, key, target).get();
  }

  /// Waits until `count` runs in all have ended since this was made.
  void WaitForEnds(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ends_ >= count; });
  }
  /// Calls, and returns the run as it ended.
  Run RunToEnd(const std::string& name, const std::string& key) {
    int before = 0;
    {
      const std::lock_guard lock(mutex_);
      before = ends_;
    }
    Call(name, key);
    WaitForEnds(before + 1);
    return Runs().front();
  }
  /// Every run, the newest first.
  std::vector<Run> Runs() {
    return store.Read([](store::Connection& c) { return store::Runs(c, kDefaultOrg).List({.limit = 1000}); });
  }
  /// Waits for what no one tells.
  void WaitUntil(const std::function<bool()>& condition) {
    const Millis end = clock.Monotonic() + Millis(60'000);
    while (!condition()) {
      ASSERT_LT(clock.Monotonic(), end);
      std::this_thread::yield();
    }
  }
  std::vector<std::string> Topics() {
    EXPECT_TRUE(folder->WaitUntilFolded(Millis(60'000)));
    std::vector<std::string> topics;
    for (const store::Event& event :
         store.Read([](store::Connection& c) { return store::Events(c, kDefaultOrg).After(0, 1000, ""); }))
      topics.push_back(event.topic);
    return topics;
  }

  const SystemClock clock;
  store::TestStore store;
  FlakyDatabase database{*store};
  events::Bus bus{clock};
  std::shared_ptr<CycleNews> news = std::make_shared<CycleNews>();  ///< what the host tells of scans
  std::unique_ptr<ingest::Folder> folder;
  std::unique_ptr<Host> host;

 private:
  void Read() {
    config::Site site;
    site.folders.push_back({.path = folder_.path() / "plugins", .dialect = ""});
    catalog_ = std::make_shared<const Catalog>(Catalog::Load(site, dialects_, catalog_.get()));
  }
  void CountEnd() {
    const std::lock_guard lock(mutex_);
    ++ends_;
    changed_.notify_all();
  }

  TestFolder folder_;
  ingest::CoreFold fold_;
  runtime::RuntimeList runtimes_;
  DialectList dialects_;
  std::shared_ptr<const Catalog> catalog_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int ends_ = 0;
};

}  // namespace backplane::dispatch
