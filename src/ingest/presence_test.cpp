#include "ingest/presence.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/test_journal.h"
#include "store/device_events.h"

namespace backplane::ingest {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr int kMinute = 60'000;
constexpr Millis kOften{5 * kMinute}, kSeldom{60 * kMinute};

class PresenceTest : public ::testing::Test {
 protected:
  // What a scan that ended at `minute` and took a minute saw.
  struct Scan {
    int minute = 0;
    std::vector<std::string> macs;
    std::string plugin = "d:scan";
    std::optional<Millis> every = kOften;
    bool complete = true;
    std::vector<Claim> claims = {};
    std::optional<int> began = {};  // the minute
  };
  static store::Entry EntryOf(const Scan& scan) {
    std::vector<Record> records;
    for (const std::string& mac : scan.macs)
      records.push_back(Seen(mac, scan.claims, scan.minute * kMinute, scan.plugin));
    store::Entry entry = Entry(records, scan.minute * kMinute, scan.plugin);
    entry.complete = scan.complete;
    entry.every = scan.every;
    entry.began = kNoon + Millis(scan.began.value_or(scan.minute - 1) * kMinute);
    return entry;
  }
  void Report(const Scan& scan) { journal_.AppendAndFold(EntryOf(scan)); }
  void Append(const std::vector<Record>& records, int minute) {
    journal_.AppendAndFold(Entry(records, minute * kMinute, "names"));
  }
  void Edit(EntityId device, const std::string& field, const std::optional<std::string>& value, int minute = 0) {
    ASSERT_TRUE(journal_.Edit({.device = device, .set = {{field, value}}, .lock = {}, .unlock = {}}, minute * kMinute));
  }
  bool Present(EntityId id) { return journal_.Device(id).present; }

  template <typename Function>
  auto Events(Function function) {
    return journal_.store().Write([&](store::Connection& c) {
      store::DeviceEvents events(c, kDefaultOrg);
      return function(events);
    });
  }
  // "minute kind!" with a mark at what is pending, oldest first.
  std::vector<std::string> Happened(EntityId entity) {
    std::vector<std::string> texts;
    for (const store::DeviceEvent& event :
         Events([&](store::DeviceEvents& events) { return events.List({.entity = entity}); }))
      texts.insert(texts.begin(), fmt::format("{} {}{}", (event.at - kNoon) / Millis(kMinute),
                                              store::DeviceEventKindName(event.kind), event.pending ? "!" : ""));
    return texts;
  }
  // "from by - to by" in minutes, oldest first.
  std::vector<std::string> Sessions(EntityId entity) {
    const auto half = [](const auto& time, const auto& by) {
      return time ? fmt::format("{} {}", (*time - kNoon) / Millis(kMinute), store::DeviceEventKindName(*by))
                  : std::string("?");
    };
    std::vector<std::string> texts;
    for (const store::DeviceSession& session :
         Events([&](store::DeviceEvents& events) { return events.Sessions(entity, 0, 100); }))
      texts.insert(texts.begin(),
                   half(session.began, session.began_by) + " - " + half(session.ended, session.ended_by));
    return texts;
  }
  void Settle(int minute) {
    SettledRecord settled;
    for (const auto& event : Events([](store::DeviceEvents& events) { return events.Pending(); }))
      settled.events.push_back(event.id);
    Append({settled}, minute);
  }

  TestJournal journal_;
};

TEST_F(PresenceTest, ANewDeviceIsNewAndConnected) {
  Report({.minute = 1, .macs = {"a"}, .claims = {{"mac", "a"}, {"ip", "10.0.0.1"}, {"vendor", "acme"}}});
  EXPECT_THAT(Happened(1), ElementsAre("1 new!", "1 connected!"));
  EXPECT_THAT(Sessions(1), ElementsAre("1 new - ?"));
  const auto events = Events([](store::DeviceEvents& all) { return all.List({.entity = 1}); });
  EXPECT_EQ(events[1].info, "acme");
  EXPECT_EQ(events[1].ip, "10.0.0.1");
  EXPECT_EQ(events[1].mac, "a");
  const store::Entity device = journal_.Device(1);
  EXPECT_TRUE(device.present);
  EXPECT_EQ(device.since, kNoon + Millis(kMinute));
  EXPECT_THAT(journal_.NewEvents(), ElementsAre(StartsWith("device.new"),
                                                R"(device.connected {"event":2,"name":"","mac":"a","ip":"10.0.0.1"})"));
}

TEST_F(PresenceTest, WhomACompleteScanDoesNotSeeIsGone) {
  Report({.minute = 1, .macs = {"a", "b"}});
  journal_.NewEvents();
  Report({.minute = 5, .macs = {"b"}});
  EXPECT_FALSE(Present(1));
  EXPECT_TRUE(Present(2));
  EXPECT_THAT(Happened(1), ElementsAre("1 new!", "1 connected!", "5 disconnected!"));
  EXPECT_EQ(journal_.Device(1).since, kNoon + Millis(5 * kMinute));
  EXPECT_THAT(journal_.NewEvents(), ElementsAre(StartsWith("device.disconnected")));
  Report({.minute = 10, .macs = {"b"}});  // gone already
  EXPECT_EQ(Happened(1).size(), 3U);
  Report({.minute = 15, .macs = {"a", "b"}});
  EXPECT_TRUE(Present(1));
  EXPECT_THAT(Happened(1), ElementsAre("1 new!", "1 connected!", "5 disconnected!", "15 connected!"));
  EXPECT_THAT(Sessions(1), ElementsAre("1 new - 5 disconnected", "15 connected - ?"));
  EXPECT_THAT(journal_.NewEvents(), ElementsAre(StartsWith("device.connected")));
}

TEST_F(PresenceTest, AFailedIncompleteOrEmptyScanMakesNobodyAbsent) {
  Report({.minute = 1, .macs = {"a", "b"}});
  store::Entry failed = EntryOf({.minute = 5, .macs = {"b"}, .every = {}});
  failed.status = RunStatus::kTimeout;
  journal_.AppendAndFold(failed);
  Report({.minute = 10, .macs = {"b"}, .complete = false});
  Report({.minute = 15, .macs = {}});
  EXPECT_TRUE(Present(1));
}

TEST_F(PresenceTest, TheMostFrequentLivingScannerThatSeesADeviceDecides) {
  Report({.minute = 1, .macs = {"a", "b", "c"}, .plugin = "d:fast"});
  Report({.minute = 2, .macs = {"a", "b", "c"}, .plugin = "d:slow", .every = kSeldom});
  Report({.minute = 6, .macs = {"a"}, .plugin = "d:slow", .every = kSeldom});
  EXPECT_TRUE(Present(2));  // the fast one has not said so
  Report({.minute = 10, .macs = {"a", "b"}, .plugin = "d:fast"});
  EXPECT_TRUE(Present(2));
  EXPECT_FALSE(Present(3));
  // Only the slow one sees the device: then it decides.
  Report({.minute = 11, .macs = {"a", "d"}, .plugin = "d:slow", .every = kSeldom});
  Report({.minute = 13, .macs = {"a"}, .plugin = "d:slow", .every = kSeldom});
  EXPECT_FALSE(Present(4));
  EXPECT_TRUE(Present(2));
}

TEST_F(PresenceTest, AScannerThatIsSilentForLongDecidesNothing) {
  Report({.minute = 1, .macs = {"a"}, .plugin = "d:fast"});
  Report({.minute = 2, .macs = {"a"}, .plugin = "d:slow", .every = kSeldom});
  Report({.minute = 16, .macs = {"b"}, .plugin = "d:slow", .every = kSeldom});
  EXPECT_TRUE(Present(1));  // three intervals are not over
  Report({.minute = 17, .macs = {"b"}, .plugin = "d:slow", .every = kSeldom});
  EXPECT_FALSE(Present(1));
}

TEST_F(PresenceTest, AScannerThatRunsEveryMinuteLivesForTenMinutes) {
  Report({.minute = 1, .macs = {"a"}, .plugin = "d:fast", .every = Millis(kMinute)});
  Report({.minute = 2, .macs = {"a"}, .plugin = "d:slow", .every = kSeldom});
  Report({.minute = 11, .macs = {"b"}, .plugin = "d:slow", .every = kSeldom});
  EXPECT_TRUE(Present(1));
}

TEST_F(PresenceTest, AScannerSlowerThanItsIntervalLives) {
  // Every five minutes it is to run, and it takes twenty.
  Report({.minute = 20, .macs = {"a"}, .plugin = "d:fast", .began = 0});
  Report({.minute = 21, .macs = {"a"}, .plugin = "d:slow", .every = kSeldom});
  Report({.minute = 79, .macs = {"b"}, .plugin = "d:slow", .every = kSeldom});
  EXPECT_TRUE(Present(1));
  Report({.minute = 80, .macs = {"a"}, .plugin = "d:fast", .began = 60});
  EXPECT_TRUE(Present(1));
  Report({.minute = 100, .macs = {"b"}, .plugin = "d:fast", .began = 81});
  EXPECT_FALSE(Present(1));
}

TEST_F(PresenceTest, OfTwoThatRunAsOftenTheFirstDecidesAndWhoseIntervalIsUnknownComesLast) {
  Report({.minute = 1, .macs = {"a", "b"}, .plugin = "d:one"});
  Report({.minute = 1, .macs = {"a", "b"}, .plugin = "d:two"});
  Report({.minute = 1, .macs = {"a", "b"}, .plugin = "d:any", .every = Millis(0)});
  Report({.minute = 3, .macs = {"b"}, .plugin = "d:two"});
  Report({.minute = 4, .macs = {"b"}, .plugin = "d:any", .every = Millis(0)});
  EXPECT_TRUE(Present(1));
  Report({.minute = 5, .macs = {"b"}, .plugin = "d:one"});
  EXPECT_FALSE(Present(1));
}

TEST_F(PresenceTest, WhatAnotherScannerSawMeanwhileStays) {
  Report({.minute = 1, .macs = {"a", "b"}, .plugin = "d:fast"});
  Report({.minute = 8, .macs = {"a"}, .plugin = "d:slow", .every = kSeldom, .began = 2});
  Report(
      {.minute = 9, .macs = {"b"}, .plugin = "d:fast", .began = 7});  // overlaps: the other saw it later than it began
  EXPECT_TRUE(Present(1));
  Report({.minute = 12, .macs = {"b"}, .plugin = "d:fast", .began = 9});
  EXPECT_FALSE(Present(1));
}

TEST_F(PresenceTest, WhoNeverSawADeviceSaysNothingOfIt) {
  Report({.minute = 1, .macs = {"a"}, .plugin = "d:seen", .every = {}});
  Report({.minute = 5, .macs = {"b"}});
  EXPECT_TRUE(Present(1));
  Report({.minute = 10, .macs = {"a", "b"}});
  Report({.minute = 15, .macs = {"b"}});
  EXPECT_FALSE(Present(1));
  Report({.minute = 20, .macs = {"a"}, .plugin = "d:seen", .every = {}});
  Report({.minute = 25, .macs = {"b"}});  // it has not seen it since it is back
  EXPECT_TRUE(Present(1));
}

TEST_F(PresenceTest, ARunAboutItsResourceHearsADevice) {
  ResourceRecord resource = Known("sw1");
  resource.resource.endpoint = "10.0.0.1";
  Report({.minute = 1, .macs = {"a"}, .claims = {{"ip", "10.0.0.1"}}});
  Append({resource}, 2);
  const auto poll = [&](int minute, RunStatus status, const std::vector<Record>& records) {
    store::Entry entry = Entry(records, minute * kMinute, "d:poll");
    entry.target = ResourceKey(resource.resource);
    entry.status = status;
    journal_.AppendAndFold(entry);
  };
  const std::vector<Record> samples = {MetricsRecord{.resource = "r", .group = "g", .at = kNoon, .measurements = {}}};
  poll(9, RunStatus::kOk, samples);
  EXPECT_EQ(journal_.Device(1).last_seen, kNoon + Millis(9 * kMinute));
  Report({.minute = 10, .macs = {"b"}, .began = 9});
  EXPECT_TRUE(Present(1));
  Report({.minute = 15, .macs = {"b"}, .began = 14});
  EXPECT_FALSE(Present(1));
  poll(16, RunStatus::kFailed, samples);
  poll(16, RunStatus::kOk, {});
  EXPECT_FALSE(Present(1));
  poll(17, RunStatus::kOk, samples);
  EXPECT_TRUE(Present(1));
  EXPECT_THAT(Sessions(1), ElementsAre("1 new - 15 disconnected", "17 connected - ?"));
}

TEST_F(PresenceTest, DownIsWhatSomebodyCaresFor) {
  Report({.minute = 1, .macs = {"a", "b"}, .claims = {{"alert_down", "1"}}});
  Report({.minute = 5, .macs = {"b"}});
  EXPECT_THAT(Happened(1), Contains("5 down!"));
  EXPECT_TRUE(journal_.Device(1).down);
  EXPECT_THAT(journal_.NewEvents(), Contains(StartsWith("device.down")));
  Settle(6);
  Report({.minute = 10, .macs = {"a", "b"}});
  EXPECT_THAT(Happened(1), Contains("10 reconnected!"));
  EXPECT_FALSE(journal_.Device(1).down);
  EXPECT_THAT(Sessions(1), ElementsAre("1 new - 5 down", "10 reconnected - ?"));
  EXPECT_THAT(journal_.NewEvents(), Contains(StartsWith("device.reconnected")));
}

TEST_F(PresenceTest, BackBeforeAnybodyWasToldIsConnected) {
  Report({.minute = 1, .macs = {"a", "b"}, .claims = {{"alert_down", "1"}}});
  Report({.minute = 5, .macs = {"b"}});
  Report({.minute = 10, .macs = {"a", "b"}});
  EXPECT_THAT(Happened(1), ElementsAre("1 new!", "1 connected!", "5 down!", "10 connected!"));
}

TEST_F(PresenceTest, ASleeperIsDownWhenItHasBeenGoneForLonger) {
  Report({.minute = 1, .macs = {"a", "b"}, .claims = {{"alert_down", "1"}, {"can_sleep", "1"}}});
  Report({.minute = 5, .macs = {"b"}});
  EXPECT_THAT(Happened(1), ElementsAre("1 new!", "1 connected!", "5 disconnected"));
  EXPECT_FALSE(journal_.Device(1).down);
  const TimePoint since = journal_.Device(1).since;
  Append({DeviceDownRecord{1, since - Millis(1)}, DeviceDownRecord{2, since}, DeviceDownRecord{9, since}}, 30);
  EXPECT_FALSE(journal_.Device(1).down);
  Append({DeviceDownRecord{1, since}, DeviceDownRecord{1, since}}, 35);
  EXPECT_TRUE(journal_.Device(1).down);
  EXPECT_EQ(journal_.Device(1).since, since);
  EXPECT_THAT(Happened(1), ElementsAre("1 new!", "1 connected!", "5 disconnected", "35 down!"));
  EXPECT_THAT(Sessions(1), ElementsAre("1 new - 5 disconnected"));
  Settle(36);
  Report({.minute = 40, .macs = {"a", "b"}});
  EXPECT_THAT(Happened(1), Contains("40 reconnected!"));
  Append({DeviceDownRecord{1, since}}, 50);  // it is back
  EXPECT_FALSE(journal_.Device(1).down);
}

TEST_F(PresenceTest, WhoWantsToBeToldOfWhat) {
  Report({.minute = 1, .macs = {"a", "b"}, .claims = {{"alert_events", "0"}, {"ip", "10.0.0.1"}}});
  Report({.minute = 3, .macs = {"a"}, .claims = {{"ip", "10.0.0.2", ClaimPolicy::kAlways}}});
  EXPECT_THAT(Happened(2), ElementsAre("1 new!", "1 connected!", "3 disconnected"));
  EXPECT_THAT(Happened(1), ElementsAre("1 new!", "1 connected!", "3 ip_changed"));
}

TEST_F(PresenceTest, NobodyIsToldOfWhatIsArchived) {
  Report({.minute = 1, .macs = {"a", "b"}, .claims = {{"archived", "1"}, {"alert_down", "1"}}});
  Report({.minute = 5, .macs = {"b"}});
  Report({.minute = 10, .macs = {"a", "b"}});
  EXPECT_THAT(Happened(1), ElementsAre("1 new", "1 connected", "5 down", "10 reconnected"));
}

TEST_F(PresenceTest, AddressesThatChangeAndThoseThatOnlyAlternate) {
  const auto at = [&](int minute, const std::string& ip) {
    Report({.minute = minute, .macs = {"a"}, .claims = {{"ip", ip, ClaimPolicy::kAlways}}});
  };
  at(1, "");
  at(2, "10.0.0.1");  // known for the first time
  at(3, "2001:db8::1");
  at(4, "10.0.0.1");  // both are its addresses
  at(5, "2001:db8::1");
  at(6, "10.0.0.2");
  at(7, "10.0.0.1");
  EXPECT_THAT(Happened(1), ElementsAre("1 new!", "1 connected!", "3 ip_changed!", "6 ip_changed!", "7 ip_changed!"));
  const auto events = Events([](store::DeviceEvents& all) { return all.List({.entity = 1}); });
  EXPECT_EQ(events[0].info, "Previous IP: 10.0.0.2");
  EXPECT_EQ(events[0].ip, "10.0.0.1");
  EXPECT_THAT(journal_.NewEvents(), Contains(HasSubstr(R"("info":"Previous IP: 10.0.0.2")")));
  EXPECT_EQ(journal_.Device(1).ip6, "2001:db8::1");
}

TEST_F(PresenceTest, WhatComesAndWhatGoesAreAPair) {
  Report({.minute = 1, .macs = {"a", "b"}});
  Report({.minute = 2, .macs = {"a", "b"}, .claims = {{"ip", "10.0.0.1"}}});
  for (const int minute : {5, 15}) {
    Report({.minute = minute, .macs = {"b"}});
    Report({.minute = minute + 5, .macs = {"a", "b"}});
  }
  const auto events = Events([](store::DeviceEvents& all) { return all.List({.entity = 1}); });
  std::vector<std::string> pairs;
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    const auto other =
        event->pair ? Events([&](store::DeviceEvents& all) { return all.Get(*event->pair); }) : std::nullopt;
    pairs.push_back(fmt::format("{} - {}", store::DeviceEventKindName(event->kind),
                                other ? (other->at - kNoon) / Millis(kMinute) : 0));
  }
  EXPECT_THAT(pairs, ElementsAre("new - 5", "connected - 5", "disconnected - 1", "connected - 15", "disconnected - 10",
                                 "connected - 0"));
}

TEST_F(PresenceTest, CardsMakeTheirDevicePresent) {
  Report({.minute = 1, .macs = {"host", "n1", "n2", "x"}});
  for (const EntityId card : {2, 3}) {
    Edit(card, "parent", "HOST");
    Edit(card, "parent_relation", "nic");
  }
  Report({.minute = 5, .macs = {"n1", "n2", "x"}});
  EXPECT_TRUE(Present(1));
  Report({.minute = 10, .macs = {"n2", "x"}});
  EXPECT_TRUE(Present(1));
  Edit(1, "require_nics", "1", 11);
  EXPECT_FALSE(Present(1));
  Edit(1, "require_nics", "0", 12);
  EXPECT_TRUE(Present(1));
  Report({.minute = 15, .macs = {"x"}});
  EXPECT_FALSE(Present(1));
  Report({.minute = 20, .macs = {"n1", "x"}});
  EXPECT_TRUE(Present(1));
  EXPECT_THAT(Happened(1), ElementsAre("1 new!", "1 connected!", "11 disconnected", "12 connected", "15 disconnected!",
                                       "20 connected!"));
  Edit(2, "parent_relation", std::nullopt, 21);
  EXPECT_FALSE(Present(1));
  Edit(2, "parent_relation", "nic", 22);
  EXPECT_TRUE(Present(1));
  Edit(2, "parent", "x", 23);
  EXPECT_FALSE(Present(1));
}

TEST_F(PresenceTest, CardsOfEachOtherDoNotKeepEachOtherPresent) {
  Report({.minute = 1, .macs = {"p", "q", "x"}});
  for (const auto& [card, parent] : {std::pair(1, "q"), std::pair(2, "p")}) {
    Edit(card, "parent", parent);
    Edit(card, "parent_relation", "nic");
  }
  Edit(3, "parent", "x");
  Edit(3, "parent_relation", "nic");  // of itself
  Report({.minute = 5, .macs = {"y"}});
  for (const EntityId id : {1, 2, 3}) EXPECT_FALSE(Present(id)) << id;
}

TEST_F(PresenceTest, WhatAPersonForcesHoldsAtOnceAndUntilItIsTakenBack) {
  Report({.minute = 1, .macs = {"a", "b", "c"}, .claims = {{"alert_down", "1"}}});
  Edit(1, "force_status", "online", 2);
  Edit(2, "force_status", "offline", 2);
  EXPECT_FALSE(Present(2));
  EXPECT_FALSE(journal_.Device(2).down);
  Report({.minute = 5, .macs = {"b", "c"}});
  EXPECT_TRUE(Present(1));
  EXPECT_FALSE(Present(2));
  EXPECT_THAT(Happened(1), ElementsAre("1 new!", "1 connected!"));
  EXPECT_THAT(Happened(2), ElementsAre("1 new!", "1 connected!", "2 disconnected"));
  Edit(1, "force_status", std::nullopt, 6);
  Edit(2, "force_status", "", 6);
  EXPECT_FALSE(Present(1));  // nobody sees it
  EXPECT_TRUE(Present(2));
  EXPECT_THAT(Happened(1), Contains("6 down"));
  EXPECT_THAT(Happened(2), Contains("6 connected"));
  Report({.minute = 10, .macs = {"c"}});
  EXPECT_FALSE(Present(2));
}

TEST_F(PresenceTest, TheClockMayBeSetBack) {
  Report({.minute = 1'000, .macs = {"a", "b"}});
  Report({.minute = 1, .macs = {"b"}, .began = 995});  // while it ran: who knows what was when
  EXPECT_TRUE(Present(1));
  Report({.minute = 5, .macs = {"b"}});
  EXPECT_FALSE(Present(1));
  EXPECT_EQ(journal_.Device(2).last_seen, kNoon + Millis(5 * kMinute));
}

TEST_F(PresenceTest, SettledEventsAreNotPendingAndTheirDevicesWereNotified) {
  Report({.minute = 1, .macs = {"a", "b"}});
  Append({SettledRecord{.events = {1, 2, 99}}}, 5);
  EXPECT_THAT(Happened(1), ElementsAre("1 new", "1 connected"));
  EXPECT_THAT(Happened(2), ElementsAre("1 new!", "1 connected!"));
  EXPECT_EQ(journal_.Device(1).notified, kNoon + Millis(5 * kMinute));
  EXPECT_EQ(journal_.Device(2).notified, std::nullopt);
  Append({SettledRecord{.events = {1, 3}, .told = false}}, 6);
  EXPECT_EQ(journal_.Device(1).notified, kNoon + Millis(5 * kMinute));  // they were settled before
  EXPECT_EQ(journal_.Device(2).notified, std::nullopt);
  EXPECT_THAT(Happened(2), ElementsAre("1 new", "1 connected!"));
}

TEST_F(PresenceTest, SettledReportsAreTaken) {
  store::Entry entry = Entry({Thing("k"), Thing("l")});
  entry.reported = {ObjectStatus::kNew};
  journal_.AppendAndFold(entry);
  const auto reports = [&] {
    return journal_.store().Write([](store::Connection& c) {
      return store::ObjectLog(c, kDefaultOrg, store::ObjectLogKind::kReports).After(0, 10).size();
    });
  };
  EXPECT_EQ(reports(), 2U);
  Append({SettledRecord{.reports_upto = 1}}, 1);
  EXPECT_EQ(reports(), 1U);
  Append({SettledRecord{}}, 1);
  EXPECT_EQ(reports(), 1U);
}

TEST_F(PresenceTest, AClosedCycleCountsDevices) {
  Report({.minute = 1, .macs = {"a", "b", "c"}});
  Edit(1, "alert_down", "1");
  Edit(3, "archived", "1");
  Report({.minute = 5, .macs = {"b", "c"}});
  journal_.NewEvents();
  journal_.AppendAndFold({.kind = store::EntryKind::kCycle, .at = kNoon, .body = R"({"cycle":7})"});
  EXPECT_THAT(journal_.NewEvents(),
              ElementsAre(R"(cycle.closed {"cycle":7,"all":3,"online":2,"down":1,"archived":1,"offline":0})"));
}

class PassTest : public PresenceTest {
 protected:
  void Pass(EntryId seen_after, int minute) {
    journal_.AppendAndFold({.kind = store::EntryKind::kCycle,
                            .at = kNoon + Millis(minute * kMinute),
                            .body = fmt::format(R"({{"cycle":1,"seen_after":{}}})", seen_after)});
  }
};

TEST_F(PassTest, WhoIsInNoScanOfThePassIsAbsent) {
  Report({.minute = 1, .macs = {"a", "b", "c"}, .plugin = "d:one", .every = {}});
  Pass(0, 2);
  Report({.minute = 5, .macs = {"b"}, .plugin = "d:one", .every = {}});
  Report({.minute = 5, .macs = {"c"}, .plugin = "d:two", .every = {}});
  EXPECT_TRUE(Present(1));
  Pass(2, 6);
  EXPECT_FALSE(Present(1));
  EXPECT_TRUE(Present(2));
  EXPECT_TRUE(Present(3));
  EXPECT_THAT(Happened(1), Contains("6 disconnected!"));
  Pass(5, 7);  // without any scan
  EXPECT_TRUE(Present(2));
}

TEST_F(PassTest, IsCutIntoSlicesOfAnySize) {
  for (const std::int64_t steps : {1, 7, 199, 200, 201, 1'000}) {
    TestJournal journal;
    std::vector<Record> all, some;
    for (int i = 0; i < 405; ++i) {
      all.push_back(Seen(std::to_string(i)));
      if (i % 3 == 0) some.push_back(all.back());
    }
    journal.AppendAndFold(Entry(all));
    journal.AppendAndFold(Entry(some, 5));
    journal.Append({.kind = store::EntryKind::kCycle, .at = kNoon, .body = R"({"cycle":1,"seen_after":1})"});
    journal.NewEvents();
    journal.Fold([&] { return steps; });
    const auto counts =
        journal.store().Write([](store::Connection& c) { return store::Inventory(c, kDefaultOrg).Counts(); });
    EXPECT_EQ(counts.present, 135) << steps;
    EXPECT_EQ(journal.NewEvents().size(), 271U) << steps;
  }
}

TEST_F(PresenceTest, LooksAreCutIntoSlicesOfAnySize) {
  for (const std::int64_t steps : {1, 7, 199, 200, 201, 1'000}) {
    TestJournal journal;
    std::vector<std::string> all, some;
    for (int i = 0; i < 405; ++i) {
      all.push_back(std::to_string(i));
      if (i % 3 == 0) some.push_back(all.back());
    }
    journal.AppendAndFold(EntryOf({.minute = 1, .macs = all}));
    journal.Append(EntryOf({.minute = 5, .macs = some}));
    journal.NewEvents();
    journal.Fold([&] { return steps; });
    EXPECT_EQ(journal.NewEvents().size(), 270U) << steps;
    const auto scanners =
        journal.store().Write([](store::Connection& c) { return store::Inventory(c, kDefaultOrg).Scanners(); });
    ASSERT_EQ(scanners.size(), 1U);
    EXPECT_EQ(scanners[0].entry, 2);
  }
}

}  // namespace
}  // namespace backplane::ingest
