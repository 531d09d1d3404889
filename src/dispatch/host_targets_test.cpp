// A host whose plugins run about resources.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatch/host_fixture.h"
#include "dispatch/rescan.h"
#include "dispatch/resource_watch.h"
#include "ingest/batch_body.h"
#include "store/journal.h"
#include "store/resources.h"

namespace backplane::dispatch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

using RunRow = Run;  // a test has a Run() of its own

std::string KeyOf(const std::string& id) { return ResourceKey(HostFixture::Switch(id)); }

std::vector<std::string> Ids(std::vector<std::string> targets) {
  for (std::string& target : targets) target = std::string(ResourceIdOf(target));
  return targets;
}

TEST(HostTargets, ARunIsAboutItsResource) {
  HostFixture f({"poll on=sw how=ok,resource"});
  ASSERT_TRUE(f.host->SetResources({HostFixture::Switch("sw1"), HostFixture::Switch("sw2")}, {}));
  EXPECT_THAT(Ids(f.host->TargetsOf("t:poll", "", 9)), UnorderedElementsAre("sw1", "sw2"));
  EXPECT_EQ(f.Call("poll", "call/1", KeyOf("sw1")).state, CallAnswer::State::kStarted);
  f.WaitForEnds(1);
  const RunRow run = f.Runs().front();
  EXPECT_EQ(run.lane.target, KeyOf("sw1"));
  EXPECT_EQ(run.status, RunStatus::kOk);
  EXPECT_EQ(run.taken, 1);  // the observation that names it
}

TEST(HostTargets, WithoutAResourceThereIsNoLane) {
  HostFixture f({"poll on=sw"});
  const CallAnswer nothing = f.Call("poll", "call/1");
  EXPECT_EQ(nothing.state, CallAnswer::State::kDropped);
  const CallAnswer unknown = f.Call("poll", "call/2", KeyOf("sw1"));
  EXPECT_EQ(unknown.state, CallAnswer::State::kDropped);
  EXPECT_EQ(unknown.reason, "plugin or resource gone");
}

TEST(HostTargets, AResourceThatNeverAnswersHoldsUpNobodyElse) {
  HostFixture f({"slow on=sw1 how=hang", "poll on=sw"});
  ASSERT_TRUE(f.host->SetResources({HostFixture::Switch("sw1"), HostFixture::Switch("sw2")}, {}));
  EXPECT_EQ(f.Call("slow", "call/1", KeyOf("sw1")).state, CallAnswer::State::kStarted);
  EXPECT_EQ(f.Call("poll", "call/2", KeyOf("sw2")).state, CallAnswer::State::kStarted);
  f.WaitForEnds(1);
  EXPECT_EQ(f.Runs().front().lane.target, KeyOf("sw2"));
  // Its own lane is taken.
  EXPECT_EQ(f.Call("slow", "call/3", KeyOf("sw1")).state, CallAnswer::State::kWaiting);
}

TEST(HostTargets, ARunAboutWhatIsGoneIsStopped) {
  HostFixture f({"slow on=sw how=hang"});
  ASSERT_TRUE(f.host->SetResources({HostFixture::Switch("sw1")}, {}));
  f.Call("slow", "call/1", KeyOf("sw1"));
  ASSERT_TRUE(f.host->SetResources({}, {KeyOf("sw1")}));
  f.WaitForEnds(1);
  EXPECT_EQ(f.Runs().front().status, RunStatus::kCancelled);
  EXPECT_THAT(f.host->TargetsOf("t:slow", "", 9), IsEmpty());
}

TEST(HostTargets, ARunAboutWhatGoesBeforeItHasBegunIsStopped) {
  HostFixture f({"slow on=sw how=hang"});
  ASSERT_TRUE(f.host->SetResources({HostFixture::Switch("sw1")}, {}));
  f.database.BeforeNextWrite([&] {
    ASSERT_TRUE(f.host->SetResources({}, {KeyOf("sw1")}));
    const CallAnswer gone = f.Call("slow", "call/2", KeyOf("sw1"));  // the host has followed
    EXPECT_EQ(gone.reason, "plugin or resource gone");
    EXPECT_EQ(f.host->Cancel(0).error().code, Errc::kNotFound);
    EXPECT_EQ(f.host->View(HostFixture::Lane("slow", KeyOf("sw1"))).running, std::nullopt);
  });
  EXPECT_EQ(f.Call("slow", "call/1", KeyOf("sw1")).state, CallAnswer::State::kStarted);
  f.WaitForEnds(1);
  EXPECT_EQ(f.Runs().front().status, RunStatus::kCancelled);
}

TEST(HostTargets, LanesFollowWhenTheStoreCanBeReadAgain) {
  HostFixture f({"poll on=sw", "scan"});
  f.database.FailNextRead();
  EXPECT_FALSE(f.host->SetResources({HostFixture::Switch("sw1")}, {}));
  ASSERT_TRUE(f.host->SetResources({HostFixture::Switch("sw1")}, {}));
  EXPECT_EQ(f.Call("poll", "call/1", KeyOf("sw1")).state, CallAnswer::State::kStarted);
  f.database.FailNextRead();
  EXPECT_FALSE(f.host->SetResources({}, {KeyOf("sw1")}));
  ASSERT_TRUE(f.host->SetCatalog(f.host->catalog()));
  EXPECT_EQ(f.Call("poll", "call/2", KeyOf("sw1")).reason, "plugin or resource gone");
}

TEST(HostTargets, ALaneThatComesBackRemembersItsLastStart) {
  HostFixture f({"poll on=sw min=3600000"});
  ASSERT_TRUE(f.host->SetResources({HostFixture::Switch("sw1")}, {}));
  f.Call("poll", "call/1", KeyOf("sw1"));
  f.WaitForEnds(1);
  ASSERT_TRUE(f.host->SetResources({}, {KeyOf("sw1")}));
  ASSERT_TRUE(f.host->SetResources({HostFixture::Switch("sw1")}, {}));
  EXPECT_EQ(f.Call("poll", "call/2", KeyOf("sw1")).state, CallAnswer::State::kWaiting);
  // The first run may hold the lane for a moment longer than its end was told.
  const Millis end = f.clock.Monotonic() + std::chrono::seconds(60);
  std::optional<Decision> decision;
  do {
    decision = f.host->View(HostFixture::Lane("poll", KeyOf("sw1"))).decision;
  } while ((!decision || decision->what != Decision::What::kWaitsForInterval) && f.clock.Monotonic() < end);
  ASSERT_TRUE(decision);
  EXPECT_EQ(DecisionText(*decision), "waiting: too soon");
}

TEST(HostTargets, OutputThatCannotBeReadIsAFailedRunWithoutRecords) {
  HostFixture f({"poll how=ok,unreadable"});
  const RunRow run = f.RunToEnd("poll", "call/1");
  EXPECT_EQ(run.status, RunStatus::kFailed);
  EXPECT_EQ(run.message, "this output is unreadable");
  EXPECT_EQ(run.taken, 0);
}

TEST(HostTargets, AnotherCatalogTakesOver) {
  HostFixture f({"old how=hang", "kept", "changed"});
  f.Call("old", "call/1");
  f.SetPlugins({"kept", "changed how=ok,aa", "fresh"});
  f.WaitForEnds(1);  // what is gone was stopped
  EXPECT_EQ(f.Runs().front().status, RunStatus::kCancelled);
  EXPECT_EQ(f.RunToEnd("fresh", "call/2").status, RunStatus::kOk);
  EXPECT_EQ(f.RunToEnd("changed", "call/3").taken, 1);
  EXPECT_EQ(f.Call("old", "call/4").state, CallAnswer::State::kDropped);
}

class ResourceWatch : public ::testing::Test {
 protected:
  void Report(const std::vector<Record>& records) {
    ASSERT_TRUE(f_.database.Write([&](store::Connection& connection) -> Status {
      store::AppendEntry(connection,
                         {.at = f_.clock.Now(), .plugin = "t:find", .body = ingest::EncodeRecords(records)});
      return {};
    }));
    ASSERT_TRUE(f_.folder->WaitUntilFolded(Millis(60'000)));
  }
  ResourceRecord Known(const std::string& id) { return {.resource = HostFixture::Switch(id), .at = f_.clock.Now()}; }
  std::vector<std::string> Targets() { return Ids(f_.host->TargetsOf("t:poll", "", 9)); }

  HostFixture f_{{"poll on=sw"}};
  events::Bus bus_{f_.clock};
};

TEST_F(ResourceWatch, LanesFollowTheResourcesOfTheStore) {
  Report({Known("sw1"), Known("host1")});
  auto follower = WatchResources(*f_.host, f_.database, bus_);
  ASSERT_TRUE(follower);
  EXPECT_THAT(Targets(), ElementsAre("sw1"));
  Report({Known("sw2")});
  follower->reset();  // its thread ends, and a new one reads everything
  follower = WatchResources(*f_.host, f_.database, bus_);
  EXPECT_THAT(Targets(), UnorderedElementsAre("sw1", "sw2"));
  Report({ResourceGone{KeyOf("sw1")}});
  bus_.Notify();
  const Millis end = f_.clock.Monotonic() + std::chrono::seconds(60);
  while (Targets().size() != 1 && f_.clock.Monotonic() < end) std::this_thread::yield();
  EXPECT_THAT(Targets(), ElementsAre("sw2"));
}

TEST_F(ResourceWatch, WhatWasForgottenMeanwhileIsReadAnew) {
  Report({Known("sw1"), Known("sw2")});
  auto follower = WatchResources(*f_.host, f_.database, bus_);
  ASSERT_TRUE(follower);
  Report({ResourceGone{KeyOf("sw1")}, Known("sw3"), Known("sw4")});
  ASSERT_TRUE(f_.database.Write([](store::Connection& connection) -> Status {
    store::Events(connection, kDefaultOrg).Forget(TimePoint::max(), 1000);
    return {};
  }));
  bus_.Notify();
  const Millis end = f_.clock.Monotonic() + std::chrono::seconds(60);
  while (Targets().size() != 3 && f_.clock.Monotonic() < end) std::this_thread::yield();
  EXPECT_THAT(Targets(), UnorderedElementsAre("sw2", "sw3", "sw4"));
}

TEST(Rescan, FindsNewFilesAndKeepsWhatAnUnfinishedEditBroke) {
  TestFolder folder;
  HostFixture f({});
  DialectList dialects;
  dialects.push_back(std::make_unique<TestCodec>("t"));
  config::Site site;
  site.folders = {{.path = folder.path() / "a", .dialect = ""}, {.path = folder.path() / "b", .dialect = ""}};
  TestCodec::WriteFolder(folder.path() / "a", "t", {"one"});
  TestCodec::WriteFolder(folder.path() / "b", "t", {"two"});
  Rescan rescan(
      *f.host,
      [&](const Catalog& before) -> Result<std::shared_ptr<const Catalog>> {
        return std::make_shared<const Catalog>(Catalog::Load(site, dialects, &before));
      },
      std::chrono::hours(1));
  const auto ids = [&] {
    std::vector<std::string> names;
    for (const Plugin& plugin : f.host->catalog()->plugins()) names.push_back(plugin.manifest.name);
    return names;
  };
  ASSERT_TRUE(rescan.Now());
  EXPECT_THAT(ids(), ElementsAre("one", "two"));
  f.database.FailNextRead();
  TestCodec::WriteFolder(folder.path() / "b", "t", {"two", "four"});
  EXPECT_FALSE(rescan.Now());
  ASSERT_TRUE(rescan.Now());  // nothing is new, but its lane
  EXPECT_EQ(f.Call("four", "call/1").state, CallAnswer::State::kStarted);
  const auto same = f.host->catalog();
  ASSERT_TRUE(rescan.Now());
  EXPECT_EQ(f.host->catalog(), same);
  TestCodec::WriteFolder(folder.path() / "a", "t", {"broken"});
  TestCodec::WriteFolder(folder.path() / "b", "t", {"three"});
  ASSERT_TRUE(rescan.Now());
  EXPECT_THAT(ids(), ElementsAre("three", "one"));
  EXPECT_THAT(f.host->catalog()->findings().at(0).message, HasSubstr("t:one stays as it was"));
  TestCodec::WriteFolder(folder.path() / "a", "t", {});
  ASSERT_TRUE(rescan.Now());
  EXPECT_THAT(ids(), ElementsAre("three"));
}

}  // namespace
}  // namespace backplane::dispatch
