// /cycles and /notifications, and what runs and status say of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/api_fixture.h"
#include "store/cycles.h"

namespace backplane::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CyclesApiTest : public ::testing::Test {
 protected:
  http::Response Post(const std::string& path, const Json& body = nullptr) {
    http::Request request = f_.NewRequest("POST", "/api/v1" + path);
    if (!body.is_null()) request.body = body.dump();
    return f_.Send(request);
  }
  Json Get(const std::string& path, std::map<std::string, std::string> query = {}) {
    return f_.GetJson("/api/v1" + path, std::move(query));
  }
  std::string WrongField(const Json& body) {
    const auto response = Post("/notifications", body);
    EXPECT_EQ(response.status, 400) << response.body;
    return ParseJson(response.body).value_or(Json::object()).value("field", std::string());
  }
  std::optional<RunId> Running(const std::string& plugin) {
    return f_.host().host->View(dispatch::HostFixture::Lane(plugin)).running;
  }

  ApiFixture f_{{"scan scans how=ok,aa", "hang phase=before_names how=hang", "mail phase=notification"}};
};

TEST_F(CyclesApiTest, APassIsShownAsItGoesOn) {
  EXPECT_EQ(Get("/status")["cycle"], nullptr);
  EXPECT_EQ(Get("/cycles")["cycles"], Json::array());
  f_.host().Call("scan", "call/1");
  f_.host().WaitUntil([&] { return Running("hang").has_value(); });
  EXPECT_EQ(Get("/status")["cycle"], 1);
  Json cycle = Get("/cycles/1");
  EXPECT_EQ(cycle["status"], "running");
  EXPECT_EQ(cycle["stage"], "before_names");
  EXPECT_EQ(cycle["closed"], nullptr);
  ASSERT_EQ(cycle["runs"].size(), 2);
  EXPECT_EQ(cycle["runs"][0]["plugin"], "t:scan");
  EXPECT_EQ(cycle["runs"][0]["phase"], "scan");
  EXPECT_EQ(cycle["runs"][1]["phase"], "before_names");
  EXPECT_EQ(cycle["runs"][1]["status"], "running");
  EXPECT_EQ(Post("/cycles/1/cancel").status, 202);
  f_.host().WaitUntil([&] { return Get("/cycles/1")["closed"] != nullptr; });
  cycle = Get("/cycles/1");
  EXPECT_EQ(cycle["status"], "cancelled");
  EXPECT_NE(cycle["closed"], nullptr);
  EXPECT_GE(cycle["duration_ms"], 0);
  EXPECT_EQ(Post("/cycles/1/cancel").status, 409);
  EXPECT_EQ(Post("/cycles/2/cancel").status, 404);
  EXPECT_EQ(f_.Get("/api/v1/cycles/2").status, 404);
  std::vector<std::string> plugins;
  const Json page = Get("/runs", {{"cycle", "1"}});
  for (const Json& run : page["runs"]) {
    plugins.push_back(run["plugin"].get<std::string>());
    EXPECT_EQ(run["cycle"], 1);
  }
  EXPECT_THAT(plugins, ElementsAre("t:hang", "t:scan"));
  EXPECT_EQ(f_.Get("/api/v1/runs", {{"cycle", "x"}}).status, 400);
}

TEST_F(CyclesApiTest, PassesComeInPages) {
  EXPECT_TRUE(f_.host().database.Write([](store::Connection& c) -> Status {
    for (int i = 0; i < 3; ++i) store::Cycles(c, kDefaultOrg).Open(FromMillis(i), "scan");
    return {};
  }));
  const Json page = Get("/cycles", {{"limit", "2"}});
  EXPECT_EQ(page["cycles"][0]["id"], 3);
  EXPECT_EQ(page["next"], 2);
  const Json rest = Get("/cycles", {{"limit", "2"}, {"before", "2"}});
  EXPECT_EQ(rest["cycles"].size(), 1);
  EXPECT_EQ(rest["next"], nullptr);
}

TEST_F(CyclesApiTest, APersonRaisesANotificationAndHasItSentAgain) {
  const auto answer = Post("/notifications", {{"title", "maintenance"}, {"text", "at noon"}, {"level", "warning"}});
  EXPECT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(ParseJson(answer.body).value()["id"], 1);
  const auto state = [&] { return Get("/notifications/1")["state"]; };
  f_.host().WaitUntil([&] { return state() == "done"; });
  const Json one = Get("/notifications/1");
  EXPECT_EQ(one["title"], "maintenance");
  EXPECT_EQ(one["text"], "at noon");
  EXPECT_EQ(one["level"], "warning");
  EXPECT_EQ(one["source"], "local");
  ASSERT_EQ(one["deliveries"].size(), 1);
  EXPECT_EQ(one["deliveries"][0]["plugin"], "t:mail");
  EXPECT_EQ(one["deliveries"][0]["state"], "sent");
  EXPECT_EQ(Post("/notifications/1/resend").status, 202);
  f_.host().WaitUntil([&] { return f_.host().Runs().size() == 2 && state() == "done"; });
  EXPECT_NE(Get("/notifications/1")["deliveries"][0]["run"], one["deliveries"][0]["run"]);
  EXPECT_EQ(Post("/notifications/2/resend").status, 404);
  EXPECT_EQ(f_.Get("/api/v1/notifications/2").status, 404);
  EXPECT_EQ(Get("/notifications", {{"state", "done"}})["notifications"].size(), 1);
  EXPECT_EQ(Get("/notifications", {{"state", "waiting"}})["notifications"].size(), 0);
  EXPECT_EQ(f_.Get("/api/v1/notifications", {{"state", "sent"}}).status, 400);
}

TEST_F(CyclesApiTest, WhatIsBeingSentIsNotSentAgain) {
  f_.host().SetPlugins({"mail phase=notification how=hang"});
  Post("/notifications", {{"title", "x"}});
  f_.host().WaitUntil([&] { return Running("mail").has_value(); });
  const auto again = Post("/notifications/1/resend");
  EXPECT_EQ(again.status, 409);
  EXPECT_THAT(again.body, HasSubstr("is being sent already"));
  EXPECT_TRUE(f_.host().host->Cancel(*Running("mail")));
  f_.host().WaitUntil([&] { return Get("/notifications/1")["state"] == "done"; });
  EXPECT_EQ(Get("/notifications/1")["deliveries"][0]["state"], "uncertain");
}

TEST_F(CyclesApiTest, AWrongNotificationIsNamed) {
  EXPECT_EQ(WrongField(Json::object()), "title");
  EXPECT_EQ(WrongField({{"title", "  "}}), "title");
  EXPECT_EQ(WrongField({{"title", "two\nlines"}}), "title");
  EXPECT_EQ(WrongField({{"title", 5}}), "title");
  EXPECT_EQ(WrongField({{"title", std::string(501, 'x')}}), "title");
  EXPECT_EQ(WrongField({{"title", "x"}, {"level", "loud"}}), "level");
  EXPECT_EQ(WrongField({{"title", "x"}, {"html", "<b>"}}), "html");
  EXPECT_EQ(Get("/notifications")["notifications"], Json::array());
}

}  // namespace
}  // namespace backplane::api
