// /devices, on what a folder has made of entries in the journal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/people_fixture.h"
#include "ingest/batch_body.h"
#include "store/audit.h"
#include "store/journal.h"

namespace backplane::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class DevicesApiTest : public ::testing::Test {
 protected:
  DevicesApiTest() {
    std::vector<Record> records;
    for (int i = 1; i <= 4; ++i) {
      const std::string mac = "02:00:00:00:00:0" + std::to_string(i);
      records.push_back(Observation{.source = "SCAN",
                                    .identifiers = {{"mac", mac}},
                                    .claims = {{"mac", mac},
                                               {"name", "host" + std::to_string(5 - i)},
                                               {"ip", "10.0.0." + std::to_string(i * 5)},
                                               {"vendor", i % 2 == 0 ? "Acme" : "Bolt"}},
                                    .at = FromMillis(1'000)});
    }
    const Status status = f_.host().database.Write([&](store::Connection& c) -> Status {
      store::AppendEntry(c, {.at = FromMillis(2'000), .plugin = "t:scan", .body = ingest::EncodeRecords(records)});
      return {};
    });
    EXPECT_TRUE(status);
    EXPECT_TRUE(f_.host().folder->WaitUntilFolded(Millis(60'000)));
  }
  Json Send(int status, const std::string& method, const std::string& path, const Json& body = nullptr) {
    const auto response = f_.Call(method, path, body);
    EXPECT_EQ(response.status, status) << method << " " << path << ": " << response.body;
    return ParseJson(response.body).value_or(Json::object());
  }
  std::vector<int> Ids(const std::map<std::string, std::string>& query) {
    std::vector<int> ids;
    const Json body = f_.GetJson("/api/v1/devices", query);
    for (const Json& device : body.at("devices")) ids.push_back(device.at("id").get<int>());
    return ids;
  }
  std::string WrongField(const std::map<std::string, std::string>& query) {
    const auto response = f_.Get("/api/v1/devices", query);
    EXPECT_EQ(response.status, 400) << response.body;
    return ParseJson(response.body).value_or(Json::object()).value("field", std::string());
  }
  std::vector<std::string> Audited(const std::string& subject) {
    std::vector<std::string> lines;
    for (const store::AuditEntry& entry : f_.host().store.Read(
             [&](store::Connection& c) { return store::Audit(c, kDefaultOrg).List({.subject = subject}); }))
      lines.push_back(entry.actor + " " + entry.action);
    return lines;
  }

  PeopleFixture f_{{"scan how=ok,aa"}};
};

TEST_F(DevicesApiTest, AListIsFilteredSortedAndPaged) {
  EXPECT_THAT(Ids({{"vendor", "Acme"}}), ElementsAre(2, 4));
  EXPECT_THAT(Ids({{"search", "HOST1"}}), ElementsAre(4));
  EXPECT_THAT(Ids({{"sort", "name"}}), ElementsAre(4, 3, 2, 1));
  EXPECT_THAT(Ids({{"sort", "ip"}, {"desc", "true"}}), ElementsAre(4, 3, 2, 1));
  EXPECT_THAT(Ids({{"present", "false"}}), IsEmpty());
  EXPECT_THAT(Ids({{"favorite", "true"}}), IsEmpty());
  EXPECT_THAT(Ids({{"is_new", "true"}, {"status", "new"}}), SizeIs(4));
  const Json first =
      f_.GetJson("/api/v1/devices", {{"sort", "name"}, {"limit", "3"}, {"count", "true"}, {"fields", "name,present"}});
  EXPECT_EQ(first["count"], 4);
  EXPECT_EQ(first["devices"][0], Json({{"id", 4}, {"name", "host1"}, {"present", true}}));
  const std::string next = first["next"].get<std::string>();
  EXPECT_THAT(Ids({{"sort", "name"}, {"after", next}}), ElementsAre(1));
  EXPECT_TRUE(f_.GetJson("/api/v1/devices", {{"sort", "name"}, {"after", next}})["next"].is_null());
  EXPECT_EQ(WrongField({{"sort", "ip"}, {"after", next}}), "after");
}

TEST_F(DevicesApiTest, WhatIsWrongWithAListIsNamed) {
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"sort", "nothing"},
                                                                                    {"desc", "yes"},
                                                                                    {"status", "gone"},
                                                                                    {"present", "maybe"},
                                                                                    {"favorite", "2"},
                                                                                    {"skip_repeated", "x"},
                                                                                    {"fields", "name,nothing"},
                                                                                    {"count", "1"},
                                                                                    {"after", "12"},
                                                                                    {"limit", "0"},
                                                                                    {"nothing", "x"}})
    EXPECT_EQ(WrongField({{name, value}}), name);
}

TEST_F(DevicesApiTest, ADeviceSaysWhetherItIsThere) {
  const Json device = f_.GetJson("/api/v1/devices/1");
  EXPECT_EQ(device["present"], true);
  EXPECT_EQ(device["status"], "online");
  EXPECT_EQ(device["down"], false);
  EXPECT_EQ(device["is_new"], true);
  EXPECT_EQ(device["favorite"], false);
  EXPECT_EQ(device["skip_repeated"], 0);
  EXPECT_EQ(device["since"], "1970-01-01T00:00:02.000Z");
  EXPECT_TRUE(device["notified"].is_null());
  EXPECT_EQ(device["seen_by"][0]["plugin"], "t:scan");
}

TEST_F(DevicesApiTest, AnArchivedDeviceIsSeenOnlyByWhoeverAsks) {
  EXPECT_EQ(Send(200, "PATCH", "/devices/2", {{"set", {{"archived", true}}}})["status"], "archived");
  EXPECT_THAT(Ids({}), ElementsAre(1, 3, 4));
  EXPECT_THAT(Ids({{"status", "archived"}}), ElementsAre(2));
  EXPECT_THAT(Ids({{"archived", "true"}}), ElementsAre(2));
  EXPECT_THAT(Ids({{"status", "all"}}), SizeIs(4));
  EXPECT_THAT(Audited("device 2"), ElementsAre("local device.edit"));
}

TEST_F(DevicesApiTest, ManyAreEditedAtOnce) {
  const Json change = {{"set", {{"owner", "me"}}}, {"lock", {"owner"}}};
  Json trial = change;
  trial["where"] = {{"vendor", "Acme"}};
  trial["dry_run"] = true;
  Json answer = Send(200, "PATCH", "/devices", trial);
  EXPECT_EQ(answer["matched"], 2);
  EXPECT_EQ(answer["changed"], 2);
  EXPECT_EQ(f_.GetJson("/api/v1/devices/2")["owner"], "");
  EXPECT_THAT(Audited("device 2"), IsEmpty());
  trial.erase("dry_run");
  EXPECT_EQ(Send(200, "PATCH", "/devices", trial)["devices"],
            Json({{{"id", 2}, {"revision", 2}, {"changed", true}}, {{"id", 4}, {"revision", 2}, {"changed", true}}}));
  EXPECT_EQ(Send(200, "PATCH", "/devices", trial)["changed"], 0);
  EXPECT_EQ(f_.GetJson("/api/v1/devices/4")["owner"], "me");

  // All or nothing.
  Json some = change;
  some["devices"] = {1, 9};
  EXPECT_THAT(Send(404, "PATCH", "/devices", some)["detail"].get<std::string>(), HasSubstr("no device 9"));
  EXPECT_EQ(f_.GetJson("/api/v1/devices/1")["owner"], "");
}

TEST_F(DevicesApiTest, WhatIsWrongWithAnEditOfManyIsNamed) {
  const Json set = {{"owner", "me"}};
  const auto field = [&](const Json& body) { return Send(400, "PATCH", "/devices", body).value("field", ""); };
  EXPECT_EQ(field({{"set", set}}), "devices");
  EXPECT_EQ(field({{"set", set}, {"devices", Json::array()}}), "devices");
  EXPECT_EQ(field({{"set", set}, {"devices", {"1"}}}), "devices");
  EXPECT_EQ(field({{"set", set}, {"devices", {1}}, {"where", {{"vendor", "Acme"}}}}), "devices");
  EXPECT_EQ(field({{"set", set}, {"where", Json::object()}}), "where");
  EXPECT_EQ(field({{"set", set}, {"where", {{"vendr", "Acme"}}}}), "where.vendr");
  EXPECT_EQ(field({{"set", set}, {"where", {{"present", "x"}}}}), "where.present");
  EXPECT_EQ(field({{"set", set}, {"where", {{"vendor", nullptr}}}}), "where.vendor");
  EXPECT_EQ(field({{"set", set}, {"devices", {1}}, {"dry_run", 1}}), "dry_run");
  EXPECT_EQ(field({{"set", {{"nothing", "x"}}}, {"devices", {1}}}), "set.nothing");
  EXPECT_EQ(field({{"devices", {1}}}), "");
}

TEST_F(DevicesApiTest, MergedSplitAndDeleted) {
  const Json merged = Send(200, "POST", "/devices/1/merge", {{"from", {2, 3}}});
  EXPECT_THAT(merged["identifiers"], SizeIs(3));
  EXPECT_EQ(f_.Get("/api/v1/devices/2").status, 404);
  EXPECT_THAT(Audited("device 1"), ElementsAre("local device.merge", "local device.merge"));
  EXPECT_EQ(Send(404, "POST", "/devices/1/merge", {{"from", {4, 9}}})["detail"], "no device 9");
  EXPECT_EQ(f_.Get("/api/v1/devices/4").status, 200);
  EXPECT_EQ(Send(400, "POST", "/devices/1/merge", {{"from", 1}})["field"], "from");
  EXPECT_EQ(Send(400, "POST", "/devices/1/merge", {{"from", "x"}})["field"], "from");
  EXPECT_EQ(Send(400, "POST", "/devices/1/merge", Json::object())["field"], "from");
  EXPECT_EQ(Send(400, "POST", "/devices/1/merge", {{"into", 1}})["field"], "into");

  const Json split = Send(201, "POST", "/devices/1/split", {{"identifiers", Json::array({merged["identifiers"][1]})}});
  EXPECT_EQ(split["mac"], merged["identifiers"][1]["value"]);
  EXPECT_THAT(f_.GetJson("/api/v1/devices/1")["identifiers"], SizeIs(2));
  EXPECT_EQ(Send(400, "POST", "/devices/1/split", {{"identifiers", {"x"}}})["field"], "identifiers");
  EXPECT_EQ(Send(400, "POST", "/devices/1/split", Json::object())["field"], "identifiers");

  EXPECT_EQ(Send(200, "DELETE", "/devices/4")["removed"], 4);
  Send(404, "DELETE", "/devices/4");
  Send(404, "GET", "/devices/4");
  // What became of it can still be read.
  EXPECT_THAT(Send(200, "GET", "/devices/4/events")["events"], SizeIs(2));
  const Json sessions = Send(200, "GET", "/devices/4/sessions")["sessions"];
  ASSERT_THAT(sessions, SizeIs(1));
  EXPECT_FALSE(sessions[0]["ended"].is_null());
}

TEST_F(DevicesApiTest, WhatBecameOfDevicesIsListed) {
  const Json page = f_.GetJson("/api/v1/device-events", {{"limit", "3"}});
  ASSERT_THAT(page["events"], SizeIs(3));
  EXPECT_THAT(f_.GetJson("/api/v1/device-events", {{"before", DumpJson(page["next"])}})["events"], SizeIs(5));
  EXPECT_THAT(f_.GetJson("/api/v1/device-events", {{"device", "2"}, {"kind", "new"}})["events"], SizeIs(1));
  EXPECT_THAT(f_.GetJson("/api/v1/device-events", {{"from", "1970-01-01T00:00:03Z"}})["events"], IsEmpty());
  EXPECT_THAT(f_.GetJson("/api/v1/device-events", {{"to", "1970-01-01T00:00:03Z"}})["events"], SizeIs(8));
  for (const char* name : {"kind", "from", "to", "pending", "before", "limit", "device"}) {
    const auto response = f_.Get("/api/v1/device-events", {{name, "x"}});
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ((*ParseJson(response.body))["field"], name);
  }
}

// Who may only look changes nothing, and other organisations have devices of their own.
TEST_F(DevicesApiTest, OthersDevicesAreNotThere) {
  const OrgId second = f_.AddOrganisation("second");
  const std::string theirs =
      f_.AddToken(f_.AddUser("eve", Role::kAdmin, second), {Permission::kRead, Permission::kEdit}, second);
  EXPECT_EQ(f_.Call("DELETE", "/devices/1", nullptr, theirs).status, 404);
  EXPECT_EQ(f_.Call("POST", "/devices/1/merge", {{"from", 2}}, theirs).status, 404);
  EXPECT_EQ((*ParseJson(f_.Call("PATCH", "/devices", {{"set", {{"name", "x"}}}, {"where", {{"status", "all"}}}}, theirs)
                            .body))["matched"],
            0);
  EXPECT_THAT((*ParseJson(f_.Call("GET", "/device-events", nullptr, theirs).body))["events"], IsEmpty());
  EXPECT_THAT(Ids({}), SizeIs(4));
}

}  // namespace
}  // namespace backplane::api
