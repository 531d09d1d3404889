#include "dialects/netalertx/app_db_events.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "dialects/netalertx/installation_fixture.h"
#include "store/notifications.h"

namespace backplane::netalertx {
namespace {

using ingest::Seen;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kOther = "aa:00:00:00:00:02";
constexpr int kMinute = 60'000;

class AppDbEventsTest : public InstallationTest {
 protected:
  /// A complete scan in that minute that sees these.
  void Scan(int minute, const std::vector<std::string>& macs, const std::string& ip = "10.0.0.1") {
    std::vector<Record> records;
    for (const std::string& mac : macs)
      records.push_back(Seen(mac, {{"mac", mac}, {"ip", ip, ClaimPolicy::kAlways}}, minute * kMinute));
    Report(records, true, "netalertx:CASE", minute * kMinute);
  }
  std::vector<std::string> Events() {
    return Query("SELECT eveMac || ' ' || eveEventType || ' ' || evePendingAlertEmail FROM Events ORDER BY rowid");
  }
  std::int64_t Raise(const NotificationRecord& record) {
    Append({record}, false, "other:plugin");
    EXPECT_TRUE(fold_.WaitUntilFolded(kLong));
    return store_.Read([](store::Connection& c) { return store::Notifications(c, kDefaultOrg).Last(); });
  }
  std::int64_t BeginRound() {
    return store_.Write([](store::Connection& c) { return store::Notifications(c, kDefaultOrg).BeginRound(); });
  }
  void EndRound(std::int64_t round) {
    store_.Write([&](store::Connection& c) { store::Notifications(c, kDefaultOrg).EndRound(round, ingest::kNoon); });
  }
  std::vector<std::string> Told() {
    return Query("SELECT \"status\" || ' ' || \"text\" FROM Notifications ORDER BY \"index\"");
  }
};

TEST_F(AppDbEventsTest, WhatBecameOfDevicesHasTheOriginalsWords) {
  Scan(0, {kMac, kOther});
  Scan(1, {kOther});
  Scan(2, {kMac, kOther});
  Scan(3, {kMac, kOther}, "10.0.0.9");
  EXPECT_EQ(Value(fmt::format("SELECT group_concat(eveEventType, '/') FROM (SELECT * FROM Events WHERE eveMac = '{}' "
                              "ORDER BY rowid)",
                              kMac)),
            "New Device/Connected/Disconnected/Connected/IP Changed");
  EXPECT_EQ(
      Value("SELECT eveAdditionalInfo FROM Events WHERE eveEventType = 'IP Changed' AND eveMac = 'aa:00:00:00:00:01'"),
      "Previous IP: 10.0.0.1");
  // What came points to what went, and back.
  EXPECT_EQ(Value("SELECT came.eveEventType || ' ' || went.eveEventType FROM Events AS went JOIN Events AS came ON "
                  "came.rowid = went.evePairEventRowid WHERE went.eveEventType = 'Disconnected'"),
            "Connected Disconnected");
  EXPECT_THAT(
      Query(fmt::format("SELECT sesEventTypeConnection || ' ' || COALESCE(sesEventTypeDisconnection, '-') || ' ' || "
                        "sesStillConnected FROM Sessions WHERE sesMac = '{}' ORDER BY sesDateTimeConnection",
                        kMac)),
      ElementsAre("New Device Disconnected 0", "Connected - 1"));
}

TEST_F(AppDbEventsTest, PendingIsWhatPeopleAreStillToBeToldOf) {
  Scan(0, {kMac});
  EXPECT_THAT(Events(), ElementsAre("aa:00:00:00:00:01 New Device 1", "aa:00:00:00:00:01 Connected 1"));
  Report({SettledRecord{{1}, 0, true}}, false, "netalertx", kMinute);
  EXPECT_THAT(Events(), ElementsAre("aa:00:00:00:00:01 New Device 0", "aa:00:00:00:00:01 Connected 1"));
  EXPECT_EQ(Device("devLastNotification IS NULL"), "0");
}

TEST_F(AppDbEventsTest, WhatAScriptDeletedDoesNotComeBack) {
  Scan(0, {kMac});
  WriteAsAnother("DELETE FROM Events; DELETE FROM Sessions");
  Report({SettledRecord{{1, 2}, 0, true}}, false, "netalertx", kMinute);
  Scan(2, {kMac, kOther});
  EXPECT_THAT(Events(), ElementsAre("aa:00:00:00:00:02 New Device 1", "aa:00:00:00:00:02 Connected 1"));
  EXPECT_THAT(Query("SELECT sesMac FROM Sessions"), ElementsAre(kOther));
  // A file that is made anew has all that there is.
  fs::remove(app_db_);
  CatchUp();
  EXPECT_EQ(Events().size(), 4U);
}

TEST_F(AppDbEventsTest, WhatAScriptPutsInStays) {
  Scan(0, {kMac});
  WriteAsAnother(
      "INSERT INTO Events (eveMac, eveIp, eveDateTime, eveEventType) VALUES ('x', '', '2020-01-01', 'VOIDED')");
  Scan(1, {kMac, kOther});
  EXPECT_THAT(Query("SELECT eveEventType FROM Events ORDER BY rowid"),
              ElementsAre("New Device", "Connected", "New Device", "Connected", "VOIDED"));
  EXPECT_EQ(Value("SELECT MAX(rowid) FROM Events WHERE eveMac <> 'x'"), "4");
}

TEST_F(AppDbEventsTest, APassIsALineOfTheHistory) {
  Scan(0, {kMac});
  store_.Write([](store::Connection& c) {
    store::AppendEntry(
        c, {.kind = store::EntryKind::kCycle, .at = ingest::kNoon + Millis(kMinute), .body = R"({"cycle":7})"});
  });
  CatchUp();
  EXPECT_EQ(Value("SELECT \"index\" || ' ' || scanDate || ' ' || onlineDevices || ' ' || allDevices || ' ' || "
                  "offlineDevices || ' ' || downDevices || ' ' || archivedDevices FROM Online_History"),
            fmt::format("7 {} 1 1 0 0 0", FormatSeconds(ingest::kNoon + Millis(kMinute))));
  WriteAsAnother("DELETE FROM Online_History");
  Scan(2, {kMac, kOther});
  EXPECT_THAT(Query("SELECT * FROM Online_History"), IsEmpty());
}

TEST_F(AppDbEventsTest, ANotificationIsNewWhileItsRoundIsSent) {
  Raise({.source = "probe", .title = "disk", .text = "<full>", .html = "", .data = "", .at = ingest::kNoon});
  CatchUp();
  EXPECT_THAT(Told(), IsEmpty());
  const std::int64_t round = BeginRound();
  Raise({.source = "probe",
         .title = "next",
         .text = "next",
         .html = "<b>n</b>",
         .data = "{\"n\":1}",
         .at = ingest::kNoon});
  CatchUp();
  EXPECT_THAT(Told(), ElementsAre("new disk\n\n<full>"));
  EXPECT_EQ(Value("SELECT html FROM Notifications"), "<pre>disk\n\n&lt;full&gt;</pre>");
  const auto json = ParseJson(Value("SELECT \"json\" FROM Notifications"));
  ASSERT_TRUE(json);
  EXPECT_EQ((*json)["new_devices"], Json::array());
  EXPECT_EQ((*json)["text"], "disk\n\n<full>");
  EndRound(round);
  CatchUp();
  EXPECT_THAT(Told(), ElementsAre("processed disk\n\n<full>"));
  EndRound(BeginRound());  // between two looks
  CatchUp();
  EXPECT_THAT(Told(), ElementsAre("processed disk\n\n<full>", "processed next"));
  EXPECT_EQ(Value("SELECT html || \"json\" FROM Notifications WHERE \"index\" = 2"), "<b>n</b>{\"n\":1}");
}

TEST_F(AppDbEventsTest, WhatIsSentAgainIsNewAgain) {
  const std::int64_t id =
      Raise({.source = "probe", .title = "t", .text = "", .html = "", .data = "", .at = ingest::kNoon});
  EndRound(BeginRound());
  CatchUp();
  const std::string guid = Value("SELECT guid FROM Notifications");
  store_.Write([&](store::Connection& c) { store::Notifications(c, kDefaultOrg).SendAgain(id); });
  CatchUp();
  EXPECT_THAT(Told(), ElementsAre("processed t"));
  BeginRound();
  CatchUp();
  EXPECT_THAT(Told(), ElementsAre("new t"));
  EXPECT_EQ(Value("SELECT guid FROM Notifications"), guid);
  // What is to be sent is there, even if somebody has deleted it; what was sent stays away.
  WriteAsAnother("DELETE FROM Notifications");
  CatchUp();
  EXPECT_THAT(Told(), ElementsAre("new t"));
  EndRound(1);
  EndRound(2);
  WriteAsAnother("DELETE FROM Notifications");
  CatchUp();
  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(AppDbEventsTest, TheLastReportLiesInFilesAndIsAMessage) {
  Raise({.source = "netalertx", .title = "t", .text = "report", .html = "<p>", .data = "{}", .at = ingest::kNoon});
  CatchUp();
  std::ofstream(File("user_notifications.json")) << R"([{"guid": "mine", "content": "kept"}])";
  BeginRound();
  CatchUp();
  const std::string guid = Value("SELECT guid FROM Notifications");
  EXPECT_EQ(ReadFile(File("notification_text.txt"), 99).value_or(""), "report");
  EXPECT_EQ(ReadFile(File("notification_text.html"), 99).value_or(""), "<p>");
  EXPECT_EQ(ReadFile(File("notification_json_final.json"), 99).value_or(""), "{}");
  EXPECT_EQ(ReadFile(AppFolders(home_).log / "report_output.txt", 99).value_or(""), "report");
  const Json messages = Snapshot("user_notifications.json");
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0]["content"], "kept");
  EXPECT_EQ(messages[1]["content"], "Report:" + guid);
  EXPECT_EQ(messages[1]["level"], "alert");
  EXPECT_EQ(messages[1]["read"], 0);
}

}  // namespace
}  // namespace backplane::netalertx
