#include "dispatch/sender.h"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatch/host_fixture.h"
#include "ingest/batch_body.h"
#include "store/journal.h"

namespace backplane::dispatch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

using store::NotificationState;

class SenderFixture {
 public:
  explicit SenderFixture(const std::vector<std::string>& plugins) : f(plugins) {}

  void Start() {
    auto started = Sender::Start(*f.host, f.database, f.bus, f.clock);
    ASSERT_TRUE(started);
    sender = *std::move(started);
  }
  void Raise(const std::string& title) {
    f.store.Write([&](store::Connection& c) {
      return store::AppendEntry(c, {.at = f.clock.Now(),
                                    .plugin = "t:scan",
                                    .body = ingest::EncodeRecords({NotificationRecord{.title = title}})});
    });
    EXPECT_TRUE(f.folder->WaitUntilFolded(Millis(60'000)));
  }
  // Until nothing waits and nothing is being sent.
  void WaitUntilIdle() {
    std::promise<void> idle;
    sender->Send([&] { idle.set_value(); });
    idle.get_future().wait();
  }
  store::Notification Get(std::int64_t id) {
    return f.store.Read([&](store::Connection& c) {
      return store::Notifications(c, kDefaultOrg).Get(id).value_or(store::Notification{});
    });
  }
  // "plugin state" of each delivery.
  std::vector<std::string> Deliveries(std::int64_t id) {
    std::vector<std::string> texts;
    for (const store::Delivery& delivery : Get(id).deliveries)
      texts.push_back(delivery.plugin + " " + store::DeliveryStateName(delivery.state));
    return texts;
  }
  std::int64_t BeginRound() {
    return f.store.Write([](store::Connection& c) { return store::Notifications(c, kDefaultOrg).BeginRound(); });
  }
  // A run of an earlier daemon.
  void Ran(const std::string& plugin, const std::string& key, RunStatus status) {
    f.store.Write([&](store::Connection& c) {
      store::Runs runs(c, kDefaultOrg);
      Run run{.lane = HostFixture::Lane(plugin), .trigger = TriggerKind::kPhase, .key = key, .token = {1, ++counter_}};
      run.id = runs.Begin(run);
      run.status = status;
      run.message = "by an earlier daemon";
      run.finished = f.clock.Now();
      EXPECT_TRUE(runs.Close(run));
    });
  }

  HostFixture f;
  std::unique_ptr<Sender> sender;

 private:
  std::int64_t counter_ = 0;
};

TEST(Sender, GivesWhatWaitsToEachPublisherOnceInOneRound) {
  SenderFixture s({"mail phase=notification", "chat phase=notification how=fail", "scan"});
  s.Raise("one"), s.Raise("two");
  s.Start();
  s.WaitUntilIdle();
  for (const std::int64_t id : {1, 2}) {
    EXPECT_EQ(s.Get(id).state, NotificationState::kDone);
    EXPECT_EQ(s.Get(id).round, 1);
    EXPECT_TRUE(s.Get(id).finished);
    EXPECT_THAT(s.Deliveries(id), ElementsAre("t:chat failed", "t:mail sent"));
  }
  EXPECT_EQ(s.Get(1).deliveries[0].message, "exit code 1");
  EXPECT_EQ(s.f.Runs().size(), 2);
  for (const auto& run : s.f.Runs()) {
    EXPECT_EQ(run.key, "round/1");
    EXPECT_EQ(run.trigger, TriggerKind::kPhase);
    EXPECT_EQ(run.cycle, 0);
  }
}

TEST(Sender, WhatARunRaisesIsSentAtOnce) {
  SenderFixture s({"scan how=ok,!fire", "mail phase=notification"});
  s.Start();
  s.WaitUntilIdle();
  s.sender->SetCycle(7);
  s.f.Call("scan", "call/1");
  s.f.WaitForEnds(2);  // it, and that of the publisher
  s.WaitUntilIdle();
  EXPECT_EQ(s.Get(1).record.title, "fire");
  EXPECT_EQ(s.Get(1).record.source, "scan");
  EXPECT_THAT(s.Deliveries(1), ElementsAre("t:mail sent"));
  EXPECT_EQ(s.f.Runs().front().cycle, 7);
}

TEST(Sender, WhatIsRaisedInARoundWaitsForTheNext) {
  SenderFixture s({"mail phase=notification how=hang", "scan"});
  s.Start();
  s.Raise("one");
  s.f.WaitUntil([&] { return s.f.host->View(HostFixture::Lane("mail")).running.has_value(); });
  s.Raise("two");
  EXPECT_EQ(s.Get(1).state, NotificationState::kSending);
  EXPECT_EQ(s.Get(2).state, NotificationState::kWaiting);
  for (const std::int64_t round : {1, 2}) {
    std::optional<RunId> run;
    s.f.WaitUntil([&] {
      run = s.f.host->View(HostFixture::Lane("mail")).running;
      return s.Get(round).state == NotificationState::kSending && run;
    });
    EXPECT_TRUE(s.f.host->Cancel(*run));
    s.f.WaitUntil([&] { return s.Get(round).state == NotificationState::kDone; });
  }
  // It was cut short: nobody knows how far it came.
  EXPECT_THAT(s.Deliveries(1), ElementsAre("t:mail uncertain"));
  EXPECT_EQ(s.Get(2).round, 2);
}

TEST(Sender, WithoutPublishersARoundIsOverAtOnce) {
  SenderFixture s({"scan"});
  s.Start();
  s.Raise("one");
  s.WaitUntilIdle();
  EXPECT_EQ(s.Get(1).state, NotificationState::kDone);
  EXPECT_THAT(s.Deliveries(1), IsEmpty());
}

TEST(Sender, SendsAgainInARoundOfItsOwn) {
  SenderFixture s({"mail phase=notification", "scan"});
  s.Start();
  s.Raise("one"), s.Raise("two");
  s.WaitUntilIdle();
  EXPECT_TRUE(s.f.store.Write([](store::Connection& c) { return store::Notifications(c, kDefaultOrg).SendAgain(1); }));
  const std::int64_t rounds = s.Get(2).round;
  s.WaitUntilIdle();
  EXPECT_EQ(s.Get(1).state, NotificationState::kDone);
  EXPECT_EQ(s.Get(1).round, rounds + 1);
  EXPECT_EQ(s.Get(2).round, rounds);
  EXPECT_EQ(s.Get(1).deliveries[0].run, s.f.Runs().front().id);
}

TEST(Sender, APublisherThatCannotRunHasFailed) {
  SenderFixture s({"mail phase=notification how=unprepared", "scan"});
  s.Start();
  s.Raise("one");
  s.WaitUntilIdle();
  EXPECT_THAT(s.Deliveries(1), ElementsAre("t:mail failed"));
  EXPECT_EQ(s.Get(1).deliveries[0].message, "this plugin cannot be prepared");
}

TEST(Sender, APublisherThatGoesBeforeItsTurnHasFailed) {
  SenderFixture s({"mail phase=notification how=hang", "scan"});
  s.f.Call("mail", "call/1");  // holds the lane
  s.Start();
  s.Raise("one");
  s.f.WaitUntil([&] { return s.f.host->View(HostFixture::Lane("mail")).decision->key == "round/1"; });
  s.f.SetPlugins({"scan"});
  s.WaitUntilIdle();
  EXPECT_THAT(s.Deliveries(1), ElementsAre("t:mail failed"));
  EXPECT_THAT(s.Get(1).deliveries[0].message, HasSubstr("did not run: plugin or resource gone"));
}

TEST(Sender, ARoundThatWasCutShortGoesOnWithThoseWhoHadNotBegun) {
  SenderFixture s({"mail phase=notification", "chat phase=notification", "push phase=notification",
                   "page phase=notification", "scan"});
  s.Raise("one");
  EXPECT_EQ(s.BeginRound(), 1);
  s.Ran("mail", "round/1", RunStatus::kInterrupted);
  s.Ran("chat", "round/1", RunStatus::kOk);
  s.Ran("push", "round/1", RunStatus::kFailed);
  s.Ran("gone", "round/1", RunStatus::kInterrupted);  // it is no publisher any more
  s.Raise("two");
  s.f.Stop();
  s.f.Start();
  s.Start();
  s.f.WaitUntil([&] { return s.Get(1).state == NotificationState::kDone; });
  EXPECT_THAT(s.Deliveries(1),
              ElementsAre("t:chat sent", "t:gone uncertain", "t:mail uncertain", "t:page sent", "t:push failed"));
  s.WaitUntilIdle();
  EXPECT_EQ(s.Get(2).round, 2);
  EXPECT_THAT(s.Deliveries(2), UnorderedElementsAre("t:chat sent", "t:mail sent", "t:page sent", "t:push sent"));
  int first = 0;
  for (const auto& run : s.f.Runs()) first += run.key == "round/1" ? 1 : 0;
  EXPECT_EQ(first, 5);  // four before, and that of `page`
}

TEST(Sender, AStoreThatFailsForAMomentLosesNothing) {
  for (const int fails : {1, 3}) {
    SenderFixture s({"mail phase=notification how=hang", "scan"});
    s.Start();
    s.Raise("one");
    std::optional<RunId> run;
    s.f.WaitUntil([&] { return (run = s.f.host->View(HostFixture::Lane("mail")).running).has_value(); });
    // After the write that accepts its end.
    s.f.database.BeforeNextWrite([&] { s.f.database.FailNext(fails); });
    EXPECT_TRUE(s.f.host->Cancel(*run));
    s.WaitUntilIdle();
    EXPECT_THAT(s.Deliveries(1), ElementsAre("t:mail uncertain"));
    EXPECT_EQ(s.f.Runs().size(), 1);
  }
}

}  // namespace
}  // namespace backplane::dispatch
