// What the rows say of resources, and of plugins that run about them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/api_fixture.h"
#include "ingest/batch_body.h"
#include "store/journal.h"

namespace backplane::api {
namespace {

using ::testing::HasSubstr;

class TargetsApi : public ::testing::Test {
 protected:
  using Host = dispatch::HostFixture;

  void SetUp() override {
    Report("t:find", {Known("sw1"), Known("sw2"), Known("host1", "dc2")});
    ASSERT_TRUE(f_.host().host->SetResources({Host::Switch("sw1"), Host::Switch("sw2"), Host::Switch("host1")}, {}));
  }
  ResourceRecord Known(const std::string& id, const std::string& site = "dc1") {
    ResourceRecord record{.resource = Host::Switch(id), .at = f_.host().clock.Now(), .ttl = std::chrono::hours(1)};
    record.resource.site = site;
    record.resource.metadata["model"] = "X";
    return record;
  }
  void Report(const std::string& source, const std::vector<Record>& records) {
    ASSERT_TRUE(f_.host().database.Write([&](store::Connection& connection) -> Status {
      store::AppendEntry(connection,
                         {.at = f_.host().clock.Now(), .plugin = source, .body = ingest::EncodeRecords(records)});
      return {};
    }));
    ASSERT_TRUE(f_.host().folder->WaitUntilFolded(Millis(60'000)));
  }
  Json Get(const std::string& path, std::map<std::string, std::string> query = {}) {
    return f_.GetJson("/api/v1" + path, std::move(query));
  }
  http::Response Run(const std::string& plugin, const std::string& target) {
    http::Request request = f_.NewRequest("POST", "/api/v1/plugins/" + plugin + "/run");
    if (!target.empty()) request.query["target"] = target;
    return f_.Send(request);
  }

  ApiFixture f_{{"poll on=sw how=ok,resource interval", "scan"}};
};

TEST_F(TargetsApi, ResourcesAreListedFilteredAndPaged) {
  EXPECT_EQ(Get("/resources").at("resources").size(), 3U);
  const Json some = Get("/resources", {{"site", "dc1"}, {"limit", "1"}});
  ASSERT_EQ(some.at("resources").size(), 1U);
  const Json& first = some.at("resources")[0];
  EXPECT_EQ(first.at("resource_id"), "sw1");
  EXPECT_EQ(first.at("source"), "t:find");
  EXPECT_EQ(first.at("metadata").at("model"), "X");
  EXPECT_NE(first.at("expires"), nullptr);
  const Json rest = Get("/resources", {{"site", "dc1"}, {"after", DumpJson(some.at("next"))}});
  ASSERT_EQ(rest.at("resources").size(), 1U);
  EXPECT_EQ(rest.at("next"), nullptr);
  for (const auto& [name, value, count] :
       std::vector<std::tuple<std::string, std::string, std::size_t>>{{"search", "SW", 2},
                                                                      {"search", "sw1.example", 1},
                                                                      {"search", "s_1", 0},
                                                                      {"class", "network", 3},
                                                                      {"subclass", "router", 0},
                                                                      {"type", "acme", 3},
                                                                      {"resource_id", "sw2", 1},
                                                                      {"source", "t:other", 0},
                                                                      {"device", DumpJson(first.at("device")), 1}})
    EXPECT_EQ(Get("/resources", {{name, value}}).at("resources").size(), count) << name << " " << value;
}

TEST_F(TargetsApi, AResourceIsShownWithWhatIsKnownOfIt) {
  Report("t:enrich", {EnrichmentRecord{.resource_id = "sw1",
                                       .name_space = "interface",
                                       .body = R"({"data":{"1":"up"}})",
                                       .watch_key = "",
                                       .at = f_.host().clock.Now(),
                                       .ttl = std::chrono::hours(1)},
                      EnrichmentRecord{.resource_id = "sw1",
                                       .name_space = "over",
                                       .body = "{}",
                                       .watch_key = "",
                                       .at = f_.host().clock.Now() - std::chrono::hours(2),
                                       .ttl = std::chrono::hours(1)}});
  const Json shown = Get("/resources/1");
  ASSERT_EQ(shown.at("enrichments").size(), 1U);
  EXPECT_EQ(shown.at("enrichments")[0].at("namespace"), "interface");
  EXPECT_EQ(shown.at("enrichments")[0].at("body").at("data").at("1"), "up");
  EXPECT_EQ(shown.at("plugins"), Json::array({"t:poll"}));
  EXPECT_EQ(Get("/resources/3").at("plugins"), Json::array());
  EXPECT_EQ(f_.Get("/api/v1/resources/99").status, 404);
}

TEST_F(TargetsApi, APluginSaysWhatItRunsAbout) {
  const Json plugin = Get("/plugins/poll");
  EXPECT_EQ(plugin.at("targets").at("filter"), "sw");
  EXPECT_EQ(plugin.at("targets").at("count"), 2);
  EXPECT_NE(plugin.at("next_run"), nullptr);
  EXPECT_EQ(Get("/plugins/scan").at("targets"), nullptr);
  const Json page = Get("/plugins/poll/lanes", {{"limit", "1"}});
  ASSERT_EQ(page.at("lanes").size(), 1U);
  EXPECT_EQ(page.at("lanes")[0].at("resource"), "sw1");
  EXPECT_NE(page.at("lanes")[0].at("next_run"), nullptr);
  const Json rest = Get("/plugins/poll/lanes", {{"after", page.at("next").get<std::string>()}});
  ASSERT_EQ(rest.at("lanes").size(), 1U);
  EXPECT_EQ(rest.at("lanes")[0].at("resource"), "sw2");
  EXPECT_EQ(rest.at("next"), nullptr);
}

TEST_F(TargetsApi, ACallNamesItsResource) {
  const auto run = Run("poll", "sw2");
  ASSERT_EQ(run.status, 202) << run.body;
  f_.host().WaitForEnds(1);
  const Json listed = Get("/runs").at("runs")[0];
  EXPECT_EQ(listed.at("resource"), "sw2");
  EXPECT_EQ(listed.at("target"), ResourceKey(Host::Switch("sw2")));
  EXPECT_EQ(Run("poll", ResourceKey(Host::Switch("sw1"))).status, 202);
  const auto without = Run("poll", "");
  EXPECT_EQ(without.status, 400);
  EXPECT_THAT(without.body, HasSubstr("2 of them now"));
  EXPECT_EQ(Run("poll", "host1").status, 404);
  EXPECT_EQ(Run("scan", "sw1").status, 400);
}

TEST_F(TargetsApi, AnIdOfTwoResourcesIsNotEnough) {
  Resource other = Host::Switch("sw1");
  other.endpoint = "10.0.0.1";
  ASSERT_TRUE(f_.host().host->SetResources({other}, {}));
  const auto answer = Run("poll", "sw1");
  EXPECT_EQ(answer.status, 409);
  EXPECT_THAT(answer.body, HasSubstr("2 resources"));
}

TEST_F(TargetsApi, FoldersAreReadAgainOnDemand) {
  const auto answer = f_.Send(f_.NewRequest("POST", "/api/v1/plugins/rescan"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(f_.rescans, 1);
}

}  // namespace
}  // namespace backplane::api
