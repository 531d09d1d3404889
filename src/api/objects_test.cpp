// /objects, on rows written by hand.
#include "store/objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/api_fixture.h"

namespace backplane::api {
namespace {

using ::testing::ElementsAre;

class ObjectsApiTest : public ::testing::Test {
 protected:
  ObjectsApiTest() {
    const Status status = f_.host().database.Write([](store::Connection& c) -> Status {
      store::Objects objects(c, kDefaultOrg);
      for (int i = 1; i <= 3; ++i) {
        const std::string key = std::to_string(i);
        const auto id = objects.Insert("t:scan", {.key = key, .primary = "p" + key, .at = FromMillis(i * 1'000)}, 1);
        store::ObjectLog(c, kDefaultOrg, store::ObjectLogKind::kHistory).Append(id, i, FromMillis(i));
        store::ObjectLog(c, kDefaultOrg, store::ObjectLogKind::kHistory).Append(id, i + 10, FromMillis(i));
        store::ObjectLog(c, kDefaultOrg, store::ObjectLogKind::kReports).Append(id, i, FromMillis(i));
      }
      return {};
    });
    EXPECT_TRUE(status);
  }
  std::vector<int> Ids(std::map<std::string, std::string> query) {
    std::vector<int> ids;
    const Json body = f_.GetJson("/api/v1/objects", std::move(query));
    for (const Json& object : body.at("objects")) ids.push_back(object.at("id").get<int>());
    return ids;
  }
  std::string WrongField(const std::string& path, std::map<std::string, std::string> query) {
    const auto response = f_.Get(path, std::move(query));
    EXPECT_EQ(response.status, 400) << response.body;
    return ParseJson(response.body).value_or(Json::object()).value("field", std::string());
  }

  ApiFixture f_;
};

TEST_F(ObjectsApiTest, AreFilteredByWhatTheCallerNames) {
  EXPECT_THAT(Ids({}), ElementsAre(1, 2, 3));
  EXPECT_THAT(Ids({{"primary", "p2"}}), ElementsAre(2));
  EXPECT_THAT(Ids({{"search", "P3"}}), ElementsAre(3));
  EXPECT_THAT(Ids({{"since", "1970-01-01T00:00:02Z"}, {"plugin", "t:scan"}, {"status", "new"}}), ElementsAre(2, 3));
  EXPECT_THAT(Ids({{"after", "1"}, {"limit", "1"}}), ElementsAre(2));
}

TEST_F(ObjectsApiTest, AWrongFilterIsNamed) {
  EXPECT_EQ(WrongField("/api/v1/objects", {{"status", "watched-changed"}}), "status");
  EXPECT_EQ(WrongField("/api/v1/objects", {{"since", "yesterday"}}), "since");
  EXPECT_EQ(WrongField("/api/v1/objects", {{"limit", "1001"}}), "limit");
  EXPECT_EQ(WrongField("/api/v1/objects/1", {{"before", "0"}}), "before");
}

TEST_F(ObjectsApiTest, OneHasItsHistoryAndReports) {
  const Json one = f_.GetJson("/api/v1/objects/2", {{"limit", "1"}});
  EXPECT_EQ(one.at("primary"), "p2");
  ASSERT_EQ(one.at("history").size(), 1U);
  EXPECT_EQ(one.at("history")[0].at("run"), 12);
  EXPECT_EQ(one.at("history")[0].at("object"), 2);
  EXPECT_EQ(one.at("reports").size(), 1U);
  const Json rest = f_.GetJson("/api/v1/objects/2", {{"before", DumpJson(one.at("next"))}});
  ASSERT_EQ(rest.at("history").size(), 1U);
  EXPECT_EQ(rest.at("history")[0].at("run"), 2);
  EXPECT_TRUE(rest.at("next").is_null());
  EXPECT_EQ(f_.Get("/api/v1/objects/9").status, 404);
}

TEST_F(ObjectsApiTest, APluginHasTheHistoryAndReportsOfItsObjects) {
  EXPECT_EQ(f_.GetJson("/api/v1/plugins/scan/history").at("history").size(), 6U);
  EXPECT_EQ(f_.GetJson("/api/v1/plugins/scan/reports").at("reports")[0].at("primary"), "p3");
  EXPECT_TRUE(f_.GetJson("/api/v1/plugins/slow/history").at("history").empty());
  EXPECT_EQ(f_.Get("/api/v1/plugins/nobody/history").status, 404);
}

}  // namespace
}  // namespace backplane::api
