#include "dispatch/drops.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dispatch/host_fixture.h"

namespace backplane::dispatch {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using RunRow = Run;  // a test has a Run() of its own

// "result.<name>" is the result of the plugin t:<name>.
class TestInstallation final : public Installation {
 public:
  TestInstallation(fs::path folder, std::set<std::string> plugins)
      : folder_(std::move(folder)), plugins_(std::move(plugins)) {
    fs::create_directories(results());
  }
  std::string_view dialect() const override { return "t"; }
  const fs::path& folder() const override { return folder_; }
  void SetCatalog(std::shared_ptr<const Catalog>) override {}
  Status CatchUp(Millis) override { return {}; }
  fs::path results() const override { return folder_ / "results"; }
  Result<std::string> PluginOf(std::string_view file) const override {
    constexpr std::string_view kStart = "result.";
    if (!file.starts_with(kStart)) return std::string();
    const std::string name(file.substr(kStart.size()));
    if (!plugins_.contains(name)) return Fail(Errc::kNotFound, "no plugin in force is called " + name);
    return "t:" + name;
  }

 private:
  const fs::path folder_;
  const std::set<std::string> plugins_;
};

class DropsTest : public testing::Test {
 protected:
  void SetUp() override { Start(); }
  void Start() {
    auto drops = Drops::Start(*f_.host, {&installation_}, f_.clock, f_.folder_path() / "runs");
    ASSERT_TRUE(drops) << drops.error().message;
    drops_ = *std::move(drops);
  }
  fs::path Place(const std::string& name) { return installation_.results() / name; }
  fs::path Taken() { return installation_.folder() / "taken"; }
  // In one step, as it is complete.
  void Drop(const std::string& name, const std::string& content) {
    const fs::path part = installation_.folder() / "part";
    std::ofstream(part) << content;
    fs::rename(part, Place(name));
  }
  template <typename Condition>
  static bool Becomes(Condition condition) {
    for (int i = 0; i < 12'000 && !condition(); ++i) poll(nullptr, 0, 5);
    return condition();
  }
  std::string Artefact(RunId run, const std::string& name) {
    return ReadFile(f_.folder_path() / "runs" / std::to_string(run) / "results" / name, 1 << 20).value_or("none");
  }
  // Once the drops have looked at everything that was there before.
  void Seen() {
    Drop("result.other", "");
    ASSERT_TRUE(Becomes([&] { return !fs::exists(Place("result.other")) && fs::is_empty(Taken()); }));
  }

  HostFixture f_{{"scan", "other", "slow how=hang"}};
  TestInstallation installation_{f_.folder_path() / "installation", {"scan", "other", "slow"}};
  std::unique_ptr<Drops> drops_;
};

TEST_F(DropsTest, AResultThatAppearsBecomesARunAndIsKeptWithIt) {
  Drop("result.scan", "aa bb");
  f_.WaitForEnds(1);
  const RunRow run = f_.Runs().front();
  EXPECT_EQ(run.status, RunStatus::kOk);
  EXPECT_EQ(run.trigger, TriggerKind::kFile);
  EXPECT_EQ(run.lane, HostFixture::Lane("scan"));
  EXPECT_EQ(run.taken, 2);
  EXPECT_FALSE(run.exit_code);
  EXPECT_THAT(f_.Topics(), ElementsAre("device.new", "device.connected", "device.new", "device.connected"));
  EXPECT_TRUE(Becomes([&] { return fs::is_empty(Taken()); }));
  EXPECT_EQ(Artefact(run.id, "result.scan"), "aa bb");
  EXPECT_FALSE(fs::exists(Place("result.scan")));
}

TEST_F(DropsTest, OnlyTheLastResultOfALaneIsKept) {
  for (int i = 1; i <= 3; ++i) {
    Drop("result.scan", "run" + std::to_string(i));
    f_.WaitForEnds(i);
    ASSERT_TRUE(Becomes([&] { return fs::is_empty(Taken()); }));
  }
  const auto runs = f_.Runs();
  ASSERT_TRUE(Becomes([&] { return Artefact(runs[1].id, "result.scan") == "none"; }));
  EXPECT_EQ(Artefact(runs[0].id, "result.scan"), "run3");
  EXPECT_EQ(Artefact(runs[2].id, "result.scan"), "none");
}

TEST_F(DropsTest, WhatWasThereBeforeIsTakenToo) {
  drops_.reset();
  Drop("result.scan", "aa");
  Start();
  f_.WaitForEnds(1);
  EXPECT_EQ(f_.Runs().front().taken, 1);
}

TEST_F(DropsTest, AnEmptyFileGoesAndSaysNothing) {
  Drop("result.scan", "");
  EXPECT_TRUE(Becomes([&] { return !fs::exists(Place("result.scan")) && fs::is_empty(Taken()); }));
  EXPECT_THAT(f_.Runs(), IsEmpty());
}

TEST_F(DropsTest, AFileIsTakenWhenItsWriterHasClosedIt) {
  const int fd = open(Place("result.scan").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(write(fd, "aa ", 3), 3);
  Seen();
  EXPECT_TRUE(fs::exists(Place("result.scan")));
  ASSERT_EQ(write(fd, "bb", 2), 2);
  close(fd);
  f_.WaitForEnds(1);
  EXPECT_EQ(f_.Runs().front().taken, 2);
}

TEST_F(DropsTest, ItWaitsForItsLane) {
  const CallAnswer busy = f_.Call("slow", "call/1");
  Drop("result.slow", "aa");
  ASSERT_TRUE(Becomes([&] { return !fs::is_empty(Taken()); }));
  Drop("result.scan", "bb");
  f_.WaitForEnds(1);  // others go on
  EXPECT_EQ(f_.Runs().front().lane, HostFixture::Lane("scan"));
  ASSERT_TRUE(f_.host->Cancel(busy.run));
  f_.WaitForEnds(3);
  EXPECT_EQ(f_.Runs().front().taken, 1);
  EXPECT_EQ(f_.Runs().front().trigger, TriggerKind::kFile);
}

TEST_F(DropsTest, WhatIsNoResultOfAPluginInForceStays) {
  Drop("result.unknown", "aa");
  Drop("result.scan.part", "aa");
  Drop("notes", "aa");
  fs::create_symlink("/etc/passwd", Place("result.scan"));
  ASSERT_EQ(mkfifo(Place("result.slow").c_str(), 0600), 0);
  Seen();
  for (const char* name : {"result.unknown", "result.scan.part", "notes"}) EXPECT_TRUE(fs::exists(Place(name))) << name;
  EXPECT_TRUE(fs::is_symlink(Place("result.scan")));
  EXPECT_TRUE(fs::is_fifo(Place("result.slow")));
  EXPECT_THAT(f_.Runs(), IsEmpty());
}

TEST_F(DropsTest, WhatHasAnotherNameOrOwnerStays) {
  Drop("result.scan", "aa");
  f_.WaitForEnds(1);
  std::ofstream(installation_.folder() / "elsewhere") << "bb";
  fs::create_hard_link(installation_.folder() / "elsewhere", Place("result.scan"));
  if (geteuid() == 0) {
    std::ofstream(installation_.folder() / "foreign") << "cc";
    ASSERT_EQ(chown((installation_.folder() / "foreign").c_str(), 12345, 12345), 0);
    fs::rename(installation_.folder() / "foreign", Place("result.slow"));
  }
  Seen();
  EXPECT_TRUE(fs::exists(Place("result.scan")));
  EXPECT_EQ(fs::exists(Place("result.slow")), geteuid() == 0);
  EXPECT_EQ(f_.Runs().size(), 1u);
}

// As a kill leaves it: taken away, and with a run that took it in or that was cut short.
TEST_F(DropsTest, WhatWasTakenAwayIsTakenInOnce) {
  drops_.reset();
  const std::string key = "1764000000000-0123456789abcdef";
  std::ofstream(Taken() / (key + ".result.scan")) << "aa";
  Start();
  f_.WaitForEnds(1);
  ASSERT_TRUE(Becomes([&] { return fs::is_empty(Taken()); }));
  const RunRow run = f_.Runs().front();
  EXPECT_EQ(run.key, "file/" + key);

  drops_.reset();
  fs::rename(f_.folder_path() / "runs" / std::to_string(run.id) / "results" / "result.scan",
             Taken() / (key + ".result.scan"));
  Start();
  ASSERT_TRUE(Becomes([&] { return fs::is_empty(Taken()); }));
  EXPECT_EQ(f_.Runs().size(), 1u);
  EXPECT_EQ(Artefact(run.id, "result.scan"), "aa");

  drops_.reset();
  std::ofstream(Taken() / "1764000000001-0123456789abcdef.result.scan") << "bb";
  RunRow cut = run;
  cut.key = "file/1764000000001-0123456789abcdef";
  cut.token = {f_.host->epoch(), 1'000'000};
  f_.store.Write([&](store::Connection& connection) {
    store::Runs runs(connection, kDefaultOrg);
    cut.id = runs.Begin(cut);
    cut.status = RunStatus::kInterrupted;
    runs.Close(cut);
  });
  Start();
  ASSERT_TRUE(Becomes([&] { return fs::is_empty(Taken()); }));
  EXPECT_EQ(f_.Runs().size(), 3u);
  EXPECT_EQ(f_.Runs().front().status, RunStatus::kOk);
}

TEST_F(DropsTest, AStoreThatFailsDelaysIt) {
  f_.database.FailNext(1);
  Drop("result.scan", "aa");
  f_.WaitForEnds(1);
  EXPECT_EQ(f_.Runs().front().taken, 1);
  EXPECT_TRUE(Becomes([&] { return fs::is_empty(Taken()); }));
}

}  // namespace
}  // namespace backplane::dispatch
