// What the rows answer: a run from the call to the device it found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/api_fixture.h"

namespace backplane::api {
namespace {

using ::testing::HasSubstr;

Json Parse(const http::Response& response) { return ParseJson(response.body).value_or(Json()); }

class ResourcesTest : public ::testing::Test {
 protected:
  http::Response Post(const std::string& path, const std::string& key = {}) {
    http::Request request = f_.NewRequest("POST", "/api/v1" + path);
    if (!key.empty()) request.headers["Idempotency-Key"] = key;
    return f_.Send(request);
  }
  http::Response Patch(const std::string& path, const std::string& body) {
    http::Request request = f_.NewRequest("PATCH", "/api/v1" + path);
    request.body = body;
    return f_.Send(request);
  }
  Json Get(const std::string& path, std::map<std::string, std::string> query = {}) {
    return f_.GetJson("/api/v1" + path, std::move(query));
  }
  // Runs `scan`, which finds the device "aa", and waits until it is in the inventory.
  void Scan() {
    ASSERT_EQ(f_.host().RunToEnd("scan", "call/own").status, RunStatus::kOk);
    ASSERT_TRUE(f_.host().folder->WaitUntilFolded(Millis(60'000)));
  }

  ApiFixture f_;
};

TEST_F(ResourcesTest, ARunIsFoundAgainByItsIdempotencyKey) {
  const auto first = Post("/plugins/scan/run", "k1");
  ASSERT_EQ(first.status, 202);
  const Json job = Parse(first);
  EXPECT_EQ(job.at("job"), "call/k1");
  f_.host().WaitForEnds(1);
  const auto again = Post("/plugins/t:scan/run", "k1");
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(Parse(again).at("run"), job.at("run"));
  EXPECT_EQ(f_.host().Runs().size(), 1U);
  const Json run = Get("/runs/" + std::to_string(job.at("run").get<RunId>()));
  EXPECT_EQ(run.at("status"), "ok");
  EXPECT_EQ(run.at("plugin"), "t:scan");
  EXPECT_EQ(run.at("command"), "ok aa");
  EXPECT_EQ(run.at("taken"), 1);
  EXPECT_EQ(run.at("refusals"), Json::array());
}

TEST_F(ResourcesTest, CallsThatCannotRunSayWhy) {
  EXPECT_EQ(Post("/plugins/none/run").status, 404);
  const auto settings_only = Post("/plugins/set/run");
  EXPECT_EQ(settings_only.status, 409);
  EXPECT_THAT(settings_only.body, HasSubstr("settings only"));
  EXPECT_EQ(Post("/plugins/scan/run", std::string(201, 'x')).status, 400);
}

TEST_F(ResourcesTest, ARunIsCancelledOnce) {
  const Json job = Parse(Post("/plugins/slow/run"));
  const std::string path = "/runs/" + std::to_string(job.at("run").get<RunId>());
  EXPECT_EQ(Get("/plugins/slow").at("running"), job.at("run"));
  EXPECT_EQ(Get(path).at("status"), "running");
  EXPECT_EQ(Post(path + "/cancel").status, 202);
  f_.host().WaitForEnds(1);
  EXPECT_EQ(Get(path).at("status"), "cancelled");
  while (!Get("/plugins/slow").at("running").is_null()) continue;  // released a moment after its end
  EXPECT_EQ(Post(path + "/cancel").status, 409);
  EXPECT_EQ(Post("/runs/99/cancel").status, 404);
  EXPECT_EQ(Post("/runs/x/cancel").status, 404);
}

TEST_F(ResourcesTest, ADeviceIsShownFilteredAndEdited) {
  Scan();
  const Json device = Get("/devices/1");
  EXPECT_EQ(device.at("identifiers"), Json::array({{{"scheme", "mac"}, {"value", "aa"}}}));
  EXPECT_EQ(device.at("seen_by").size(), 1U);
  const auto edited = Patch("/devices/1", R"({"set":{"name":"mine"},"lock":["name"]})");
  EXPECT_EQ(edited.status, 200);
  EXPECT_EQ(Parse(edited).at("name"), "mine");
  EXPECT_EQ(Get("/devices/1").at("locked"), Json::array({"name"}));
  EXPECT_EQ(Get("/devices", {{"name", "mine"}}).at("devices").size(), 1U);
  EXPECT_EQ(Get("/devices", {{"name", "other"}}).at("devices").size(), 0U);
  EXPECT_EQ(Get("/devices", {{"search", "MIN"}}).at("devices").size(), 1U);
}

TEST_F(ResourcesTest, WrongEditsNameTheField) {
  Scan();
  const std::pair<const char*, const char*> cases[] = {{R"({"set":{"nmae":"x"}})", "set.nmae"},
                                                       {R"({"device":2,"set":{"name":"x"}})", "device"},
                                                       {R"({"lock":"name"})", "lock"}};
  for (const auto& [body, field] : cases) {
    const auto response = Patch("/devices/1", body);
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_EQ(Parse(response).at("field"), field) << body;
    EXPECT_EQ(Parse(response).at("code"), "invalid") << body;
  }
  for (const char* body : {"", "{}", "[]", "x", R"({"set":{}})"})
    EXPECT_EQ(Patch("/devices/1", body).status, 400) << body;
  EXPECT_EQ(Patch("/devices/7", R"({"set":{"name":"x"}})").status, 404);
  EXPECT_EQ(Patch("/devices/x", R"({"set":{"name":"x"}})").status, 404);
  EXPECT_EQ(Get("/devices/1").at("revision"), 1);
}

TEST_F(ResourcesTest, EventsGoOnFromANumber) {
  Scan();
  const Json all = Get("/events");
  ASSERT_EQ(all.at("events").size(), 2U);
  EXPECT_EQ(all.at("events")[0].at("topic"), "device.new");
  EXPECT_EQ(all.at("events")[0].at("device"), 1);
  EXPECT_EQ(all.at("events")[1].at("topic"), "device.connected");
  EXPECT_EQ(all.at("next"), 2);
  EXPECT_EQ(all.at("reset"), false);
  EXPECT_EQ(Get("/events", {{"after", "1"}}).at("events").size(), 1U);
  EXPECT_EQ(Get("/events", {{"after", "9"}}).at("reset"), true);
  EXPECT_EQ(Get("/events", {{"after", "-1"}}).at("next"), 2);
  EXPECT_EQ(Get("/events", {{"topic", "run."}}).at("events").size(), 0U);
}

TEST_F(ResourcesTest, QueryParametersAreChecked) {
  Scan();
  const std::pair<const char*, std::map<std::string, std::string>> cases[] = {
      {"/runs", {{"limit", "0"}}},     {"/runs", {{"limit", "1001"}}},    {"/runs", {{"limit", "x"}}},
      {"/runs", {{"before", "-1"}}},   {"/runs", {{"status", "done"}}},   {"/devices", {{"after", "1x"}}},
      {"/objects", {{"status", "x"}}}, {"/events", {{"wait", "61"}}},     {"/events", {{"after", "-2"}}},
      {"/runs/1", {{"wait", "3601"}}}, {"/runs/1/log", {{"bytes", "0"}}}, {"/devices", {{"color", "red"}}},
      {"/status", {{"x", ""}}},
  };
  for (const auto& [path, query] : cases) {
    const auto response = f_.Get(std::string("/api/v1") + path, query);
    EXPECT_EQ(response.status, 400) << path << " " << query.begin()->first;
    EXPECT_EQ(Parse(response).at("field"), query.begin()->first) << path;
  }
  EXPECT_EQ(f_.Get("/api/v1/runs", {{"plugin", "none"}}).status, 404);
}

TEST_F(ResourcesTest, PagesFollowTheirCursor) {
  for (int i = 0; i < 5; ++i) f_.host().RunToEnd("scan", "call/" + std::to_string(i));
  const Json first = Get("/runs", {{"limit", "2"}});
  ASSERT_EQ(first.at("runs").size(), 2U);
  EXPECT_EQ(first.at("next"), 4);
  const Json last = Get("/runs", {{"limit", "3"}, {"before", "4"}});
  EXPECT_EQ(last.at("runs").size(), 3U);
  EXPECT_EQ(last.at("next"), nullptr);
}

}  // namespace
}  // namespace backplane::api
