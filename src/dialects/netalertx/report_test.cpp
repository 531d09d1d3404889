#include "dialects/netalertx/report.h"

#include <nlohmann/json.hpp>

#include "dialects/netalertx/local_time.h"
#include "dialects/netalertx/report_text.h"
#include "dialects/netalertx/test_follow_up.h"

namespace backplane::netalertx {
namespace {

using store::DeviceEventKind;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

constexpr const char* kMac = "a4:00:00:00:00:01";

void Down(store::Entity& device) {
  device.present = false;
  device.down = true;
}

class ReportTest : public FollowUpTest {
 protected:
  ReportTest() {
    Set("NTFPRCS_INCLUDED_SECTIONS",
        Json::array({"new_devices", "down_devices", "down_reconnected", "events", "plugins"}));
  }
  /// "section: type name" of each row.
  std::vector<std::string> Rows(TimePoint now = kNow) {
    ReportDecision decision = Decide(now);
    std::vector<std::string> texts;
    for (const ReportSection& section : decision.report)
      for (const auto& row : section.rows) texts.push_back(fmt::format("{}: {} {}", section.name, row[5], row[0]));
    told_ = decision.told;
    dropped_ = decision.dropped;
    return texts;
  }
  ReportDecision Decide(TimePoint now = kNow) {
    const Catalog catalog = Load();
    const Settings& settings = catalog.DialectSettings("netalertx");
    return store_.Read([&](store::Connection& c) { return DecideReport(c, settings, now); });
  }
  std::vector<std::int64_t> told_, dropped_;
};

TEST_F(ReportTest, NothingThatWaitsIsNoRecord) {
  Device({{"mac", kMac}});
  EXPECT_THAT(Report(), IsEmpty());
}

TEST_F(ReportTest, EachKindHasItsSection) {
  const EntityId device = Device({{"mac", kMac}, {"name", "tv"}, {"alert_down", "1"}});
  Event(device, DeviceEventKind::kNew);
  Event(device, DeviceEventKind::kConnected);
  Event(device, DeviceEventKind::kReconnected);
  Event(device, DeviceEventKind::kDisconnected);
  Event(device, DeviceEventKind::kIpChanged);
  const EntityId down = Device({{"mac", "a4:00:00:00:00:02"}, {"name", "nas"}, {"alert_down", "1"}}, Down);
  Event(down, DeviceEventKind::kDown, Minutes(-6));
  EXPECT_THAT(Rows(), ElementsAre("new_devices: New Device tv", "down_devices: Device Down nas",
                                  "down_reconnected: Down Reconnected tv", "events: Connected tv",
                                  "events: Disconnected tv", "events: IP Changed tv"));
  EXPECT_EQ(told_.size(), 6U);
  EXPECT_THAT(dropped_, IsEmpty());
}

TEST_F(ReportTest, WithoutItsSectionAReturnIsAnEvent) {
  Set("NTFPRCS_INCLUDED_SECTIONS", Json::array({"events"}));
  const EntityId device = Device({{"mac", kMac}, {"name", "tv"}, {"alert_down", "1"}});
  Event(device, DeviceEventKind::kReconnected);
  Event(device, DeviceEventKind::kNew);
  EXPECT_THAT(Rows(), ElementsAre("events: Down Reconnected tv"));
  EXPECT_EQ(dropped_.size(), 1U);
}

TEST_F(ReportTest, TheSectionsAreThoseOfTheOriginalUnlessSet) {
  site_.settings.clear();
  const EntityId device = Device({{"mac", kMac}, {"name", "tv"}, {"alert_down", "1"}});
  for (const DeviceEventKind kind : {DeviceEventKind::kNew, DeviceEventKind::kReconnected}) Event(device, kind);
  Object("CASE", "p", "s", "");
  EXPECT_THAT(Rows(), ElementsAre("new_devices: New Device tv", "events: Down Reconnected tv"));
}

TEST_F(ReportTest, WhatADeviceDoesNotAlertOfIsDropped) {
  const EntityId quiet = Device({{"mac", kMac}, {"alert_events", "0"}, {"alert_down", "0"}}, Down);
  for (const DeviceEventKind kind :
       {DeviceEventKind::kConnected, DeviceEventKind::kDisconnected, DeviceEventKind::kIpChanged,
        DeviceEventKind::kReconnected, DeviceEventKind::kDown})
    Event(quiet, kind, Minutes(-10));
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_EQ(dropped_.size(), 5U);
  EXPECT_THAT(told_, IsEmpty());
  const std::int64_t fresh = Event(quiet, DeviceEventKind::kNew);
  Rows();
  EXPECT_THAT(told_, ElementsAre(fresh));
}

TEST_F(ReportTest, ADeviceIsDownForSomeMinutesBeforePeopleAreTold) {
  const EntityId device = Device({{"mac", kMac}, {"name", "nas"}, {"alert_down", "1"}}, Down);
  const std::int64_t event = Event(device, DeviceEventKind::kDown, kNow);
  EXPECT_THAT(Rows(Minutes(4)), IsEmpty());
  EXPECT_THAT(dropped_, IsEmpty());
  EXPECT_THAT(Report(Minutes(4)), IsEmpty());
  EXPECT_THAT(Rows(Minutes(5)), ElementsAre("down_devices: Device Down nas"));
  EXPECT_THAT(told_, ElementsAre(event));
  Set("NTFPRCS_alert_down_time", 30);
  EXPECT_THAT(Rows(Minutes(29)), IsEmpty());
  Set("NTFPRCS_alert_down_time", 0);
  EXPECT_EQ(Rows(kNow).size(), 1U);
}

TEST_F(ReportTest, TheWindowIsTheSameInEveryZone) {
  const EntityId device = Device({{"mac", kMac}, {"name", "nas"}, {"alert_down", "1"}}, Down);
  Event(device, DeviceEventKind::kDown, kNow);
  for (const char* zone : {"Asia/Tokyo", "America/Los_Angeles", "UTC"}) {
    Set("TIMEZONE", zone);
    EXPECT_THAT(Rows(Minutes(4)), IsEmpty()) << zone;
    EXPECT_THAT(dropped_, IsEmpty()) << zone;
    EXPECT_EQ(Rows(Minutes(6)).size(), 1U) << zone;
  }
}

TEST_F(ReportTest, WhoCameBackInTimeWasNeverDown) {
  const EntityId device = Device({{"mac", kMac}, {"name", "nas"}, {"alert_down", "1"}});
  const std::int64_t down = Event(device, DeviceEventKind::kDown, Minutes(-6));
  Event(device, DeviceEventKind::kConnected, Minutes(-5));
  EXPECT_THAT(Rows(), ElementsAre("events: Connected nas"));
  EXPECT_THAT(dropped_, ElementsAre(down));
}

TEST_F(ReportTest, OfTwoTimesDownTheLastCounts) {
  const EntityId device = Device({{"mac", kMac}, {"name", "nas"}, {"alert_down", "1"}}, Down);
  const std::int64_t first = Event(device, DeviceEventKind::kDown, Minutes(-20));
  const std::int64_t second = Event(device, DeviceEventKind::kDown, Minutes(-10));
  EXPECT_EQ(Rows().size(), 1U);
  EXPECT_THAT(told_, ElementsAre(second));
  EXPECT_THAT(dropped_, ElementsAre(first));
}

TEST_F(ReportTest, OfSeveralReturnsTheNewestIsTold) {
  const EntityId device = Device({{"mac", kMac}, {"name", "nas"}, {"alert_down", "1"}});
  const std::int64_t first = Event(device, DeviceEventKind::kReconnected, Minutes(-9));
  Event(device, DeviceEventKind::kReconnected, Minutes(-1));
  EXPECT_THAT(Rows(), ElementsAre("down_reconnected: Down Reconnected nas"));
  EXPECT_THAT(dropped_, ElementsAre(first));
}

TEST_F(ReportTest, PeopleAreNotToldAgainForSomeHours) {
  const EntityId device = Device({{"mac", kMac}, {"name", "tv"}, {"skip_repeated", "2"}},
                                 [](store::Entity& entity) { entity.notified = Minutes(-119); });
  Event(device, DeviceEventKind::kConnected);
  const auto records = Report();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_FALSE(std::get<SettledRecord>(records[0]).told);
  EXPECT_EQ(std::get<SettledRecord>(records[0]).events.size(), 1U);
  EXPECT_EQ(Rows(Minutes(1)).size(), 1U);
  Change(device, [](store::Entity& entity) { entity.notified.reset(); });
  EXPECT_EQ(Rows().size(), 1U);
}

TEST_F(ReportTest, OfDevicesOutOfTheWayNobodyIsTold) {
  const EntityId device = Device({{"mac", kMac}, {"name", "old"}, {"archived", "1"}, {"alert_down", "1"}}, Down);
  Event(device, DeviceEventKind::kConnected);
  Event(device, DeviceEventKind::kDown, Minutes(-10));
  Event(device, DeviceEventKind::kNew);
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_EQ(dropped_.size(), 3U);
}

TEST_F(ReportTest, OfADeviceThatIsGoneForGoodNobodyIsTold) {
  const std::int64_t event = Event(4711, DeviceEventKind::kConnected);
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_THAT(dropped_, ElementsAre(event));
}

TEST_F(ReportTest, ConditionsChooseAmongNewDevicesAndEvents) {
  const EntityId tv = Device({{"mac", kMac}, {"name", "tv"}, {"vendor", "Acme"}});
  const EntityId nas = Device({{"mac", "a4:00:00:00:00:02"}, {"name", "nas"}, {"favorite", "1"}});
  for (const EntityId device : {tv, nas}) {
    Event(device, DeviceEventKind::kNew);
    Event(device, DeviceEventKind::kConnected);
  }
  Set("NTFPRCS_new_dev_condition", "AND devVendor = 'Acme'");
  Set("NTFPRCS_event_condition", "devFavorite = '1' AND eveEventType = 'Connected'");
  EXPECT_THAT(Rows(), ElementsAre("new_devices: New Device tv", "events: Connected nas"));
  EXPECT_EQ(dropped_.size(), 2U);
  Set("NTFPRCS_new_dev_condition", "whatever");
  EXPECT_EQ(Rows().size(), 3U);
}

TEST_F(ReportTest, ReportsOfPluginsAreASection) {
  const std::int64_t object = Object("CASE", "disk", "full", "99 %");
  store_.Write([&](store::Connection& c) {
    store::ObjectLog(c, kDefaultOrg, store::ObjectLogKind::kReports).Append(object, 1, kNow);
  });
  const ReportDecision decision = Decide();
  EXPECT_THAT(
      decision.report[kPlugins].rows,
      ElementsAre(ElementsAre("CASE", "disk", "full", "2026-08-22T10:00:00+00:00", "w1", "99 %", "", "", "new")));
  EXPECT_GT(decision.reports_upto, 0);

  const auto told = Report();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(std::get<NotificationRecord>(told[0]).title, "1 report of plugins");
  EXPECT_EQ(std::get<SettledRecord>(told[1]).reports_upto, decision.reports_upto);

  Set("NTFPRCS_INCLUDED_SECTIONS", Json::array());
  const auto dropped = Report();
  ASSERT_EQ(dropped.size(), 1U);
  EXPECT_EQ(std::get<SettledRecord>(dropped[0]).reports_upto, decision.reports_upto);
}

TEST_F(ReportTest, ANotificationSaysItInThreeForms) {
  Set("TIMEZONE", "Europe/Berlin");
  Set("REPORT_DASHBOARD_URL", "http://10.0.0.2:8700/");
  const EntityId device = Device({{"mac", kMac}, {"name", "<b>tv</b> & co"}, {"vendor", "Acme"}, {"ip", "10.0.0.7"}});
  Event(device, DeviceEventKind::kNew);
  const auto records = Report();
  ASSERT_EQ(records.size(), 2U);
  const auto& told = std::get<NotificationRecord>(records[0]);
  EXPECT_EQ(told.source, "NetAlertX");
  EXPECT_EQ(told.level, NotificationLevel::kAlert);
  EXPECT_EQ(told.title, "1 new device");
  EXPECT_THAT(told.text, StartsWith("🆕 New devices\n---------\n"
                                    "devName: \t<b>tv</b> & co\n"
                                    "eveMac: \ta4:00:00:00:00:01\n"
                                    "devVendor: \tAcme\n"
                                    "eveIp: \t10.0.0.7\n"
                                    "eveDateTime: \t2026-08-22T12:00:00+02:00\n"
                                    "eveEventType: \tNew Device\n"));
  EXPECT_THAT(told.text, AllOf(HasSubstr("http://10.0.0.2:8700\n"), Not(HasSubstr("\n\n\n"))));
  EXPECT_THAT(told.html, AllOf(HasSubstr("<td>&lt;b&gt;tv&lt;/b&gt; &amp; co</td>"), Not(HasSubstr("<b>tv")),
                               HasSubstr("<a href=\"http://10.0.0.2:8700/deviceDetails.php?mac=a4:00:00:00:00:01\">")));
  const Json data = Json::parse(told.data);
  std::vector<std::string> keys;
  for (const auto& [key, value] : data.items()) keys.push_back(key);
  EXPECT_THAT(keys,
              ElementsAre("new_devices", "new_devices_meta", "down_devices", "down_devices_meta", "down_reconnected",
                          "down_reconnected_meta", "events", "events_meta", "plugins", "plugins_meta"));
  EXPECT_EQ(data["new_devices"].dump(),
            R"([{"devName":"<b>tv</b> & co","eveMac":"a4:00:00:00:00:01","devVendor":"Acme","eveIp":"10.0.0.7",)"
            R"("eveDateTime":"2026-08-22T12:00:00+02:00","eveEventType":"New Device","devComments":"","devVlan":"",)"
            R"("devSite":"","devSSID":""}])");
  EXPECT_EQ(data["new_devices_meta"]["title"], "🆕 New devices");
  EXPECT_EQ(data["new_devices_meta"]["columnNames"].size(), 10U);
  EXPECT_EQ(data["events_meta"].dump(), R"({"title":"⚡ Events","columnNames":[]})");
  EXPECT_TRUE(std::get<SettledRecord>(records[1]).told);
}

TEST_F(ReportTest, ADownDeviceIsShownWhereItWas) {
  const EntityId device = Device({{"mac", kMac}, {"ip", "10.0.0.7"}, {"alert_down", "1"}}, Down);
  Event(device, DeviceEventKind::kDown, Minutes(-10));
  Event(device, DeviceEventKind::kDisconnected, Minutes(-10));
  const ReportDecision decision = Decide();
  EXPECT_EQ(decision.report[kDownDevices].rows[0][3], "10.9.9.9");
  EXPECT_EQ(decision.report[kEvents].rows[0][3], "10.0.0.7");
  EXPECT_EQ(decision.report[kEvents].rows[0][0], "(unknown)");
}

TEST_F(ReportTest, TemplatesMakeALineOfEachRow) {
  Set("NTFPRCS_TEXT_TEMPLATE_events", "{devName} ({eveMac}) {nobody} {eveEventType}");
  Set("NTFPRCS_TEXT_SECTION_HEADERS", false);
  Event(Device({{"mac", kMac}, {"name", "{eveMac}"}}), DeviceEventKind::kConnected);
  const auto records = Report();
  EXPECT_THAT(std::get<NotificationRecord>(records[0]).text,
              StartsWith("\n\n{eveMac} (a4:00:00:00:00:01) {nobody} Connected\n\n"));
}

TEST_F(ReportTest, AReportTemplateOfTheInstallationCounts) {
  const auto folder = folder_.path() / "site" / "front" / "report_templates";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "report_template.txt") << "Hello\nEVENTS_TABLE\nBUILD_VERSIONx";
  std::ofstream(folder / "report_template.html") << "<p>PREHEADER</p>EVENTS_TABLE";
  Event(Device({{"mac", kMac}, {"name", "PREHEADER"}}), DeviceEventKind::kConnected);
  const auto records = Report();
  const auto& told = std::get<NotificationRecord>(records[0]);
  EXPECT_THAT(told.text, AllOf(StartsWith("Hello\n⚡ Events\n"), HasSubstr("devName: \tPREHEADER\n"),
                               HasSubstr(BACKPLANE_VERSION "x")));
  EXPECT_THAT(told.html, AllOf(StartsWith("<p>1 event</p>"), HasSubstr("<td>PREHEADER</td>")));
}

TEST_F(ReportTest, OfVeryManyRowsTheTextsShowTheFirst) {
  netalertx::Report report = EmptyReport();
  for (int i = 0; i < 1'003; ++i)
    report[kEvents].rows.emplace_back(report[kEvents].columns.size(), "v" + std::to_string(i));
  EXPECT_THAT(ReportText(report, {}, {}),
              AllOf(HasSubstr("v999\n"), Not(HasSubstr("v1000\n")), HasSubstr("and 3 more")));
  EXPECT_THAT(ReportHtml(report, {}), AllOf(Not(HasSubstr("v1000<")), HasSubstr("and 3 more")));
  EXPECT_EQ(Json::parse(ReportJson(report))["events"].size(), 1'003U);
}

TEST_F(ReportTest, WhoSleepsTooLongIsDown) {
  const std::map<std::string, std::string> sleeper = {{"mac", kMac}, {"alert_down", "1"}, {"can_sleep", "1"}};
  const EntityId device = Device(sleeper, [](store::Entity& entity) {
    entity.present = false;
    entity.since = entity.last_seen = Minutes(-31);
  });
  Set("NTFPRCS_sleep_time", 32);
  EXPECT_THAT(Report(), IsEmpty());
  Set("NTFPRCS_sleep_time", 30);
  const auto records = Report();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(std::get<DeviceDownRecord>(records[0]).entity, device);
  EXPECT_EQ(std::get<DeviceDownRecord>(records[0]).since, Minutes(-31));
  for (const auto& change : std::vector<std::function<void(store::Entity&)>>{
           [](store::Entity& entity) { entity.down = true; }, [](store::Entity& entity) { entity.present = true; }}) {
    Change(device, change);
    EXPECT_THAT(Report(), IsEmpty());
  }
}

TEST(LocalTime, EachZoneHasItsOffset) {
  const std::map<const char*, const char*> expected = {{"UTC", "2026-08-22T10:00:00+00:00"},
                                                       {"", "2026-08-22T10:00:00+00:00"},
                                                       {"Mars/Phobos", "2026-08-22T10:00:00+00:00"},
                                                       {"Europe/Berlin", "2026-08-22T12:00:00+02:00"},
                                                       {"Europe/London", "2026-08-22T11:00:00+01:00"},
                                                       {"Europe/Moscow", "2026-08-22T13:00:00+03:00"},
                                                       {"America/New_York", "2026-08-22T06:00:00-04:00"},
                                                       {"America/Chicago", "2026-08-22T05:00:00-05:00"},
                                                       {"America/Denver", "2026-08-22T04:00:00-06:00"},
                                                       {"America/Phoenix", "2026-08-22T03:00:00-07:00"},
                                                       {"America/Los_Angeles", "2026-08-22T03:00:00-07:00"},
                                                       {"America/Anchorage", "2026-08-22T02:00:00-08:00"},
                                                       {"Pacific/Honolulu", "2026-08-22T00:00:00-10:00"},
                                                       {"America/St_Johns", "2026-08-22T07:30:00-02:30"},
                                                       {"America/Sao_Paulo", "2026-08-22T07:00:00-03:00"},
                                                       {"Africa/Nairobi", "2026-08-22T13:00:00+03:00"},
                                                       {"Asia/Tehran", "2026-08-22T13:30:00+03:30"},
                                                       {"Asia/Kolkata", "2026-08-22T15:30:00+05:30"},
                                                       {"Asia/Kathmandu", "2026-08-22T15:45:00+05:45"},
                                                       {"Asia/Tokyo", "2026-08-22T19:00:00+09:00"},
                                                       {"Australia/Adelaide", "2026-08-22T19:30:00+09:30"},
                                                       {"Pacific/Auckland", "2026-08-22T22:00:00+12:00"},
                                                       {"Pacific/Chatham", "2026-08-22T22:45:00+12:45"},
                                                       {"Pacific/Kiritimati", "2026-08-23T00:00:00+14:00"}};
  for (const auto& [zone, text] : expected) EXPECT_EQ(LocalIso(kNow, zone), text) << zone;
}

TEST(LocalTime, TheNightsInWhichClocksChange) {
  const auto berlin = [](const char* utc) { return LocalIso(*ParseTime(utc), "Europe/Berlin"); };
  EXPECT_EQ(berlin("2026-03-29T00:59:59Z"), "2026-03-29T01:59:59+01:00");
  EXPECT_EQ(berlin("2026-03-29T01:00:00Z"), "2026-03-29T03:00:00+02:00");
  EXPECT_EQ(berlin("2026-10-25T00:30:00Z"), "2026-10-25T02:30:00+02:00");
  EXPECT_EQ(berlin("2026-10-25T01:30:00Z"), "2026-10-25T02:30:00+01:00");
}

}  // namespace
}  // namespace backplane::netalertx
