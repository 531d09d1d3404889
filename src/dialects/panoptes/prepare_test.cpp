#include "dialects/panoptes/prepare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/test_folder.h"
#include "dialects/panoptes/panoptes.h"

namespace backplane::panoptes {
namespace {

using testing::ElementsAre;
using testing::Pair;

class Prepare : public testing::Test {
 protected:
  Prepare() {
    manifest_.name = "Interface Plugin";
    manifest_.runtime = "python";
    manifest_.limits = {.timeout = Millis(75'000), .memory_bytes = std::int64_t{1} << 30};
    manifest_.document = Json::parse(R"({"type": "polling", "config": {"main": {"execute_frequency": "60"}},
        "module": "/plugins/interface.py", "signature_name": "Interface_Plugin",
        "site": {"sites": ["dc1"], "snmp": {"port": 161}, "x509": {}, "skew": 1}})");
    resource_ = {.site = "dc1",
                 .class_name = "network",
                 .subclass = "switch",
                 .type = "arista",
                 .id = "sw1",
                 .endpoint = "sw1.example",
                 .plugin = "P",
                 .metadata = {{"model", "X"}, {"serial no", "5"}, {"os", ""}}};
    context_.work = folder_.path();
    context_.share = "/share";
    context_.python = "/usr/bin/python3";
    context_.now = FromMillis(1'700'000'000'250);
    context_.resource = &resource_;
    context_.enrichments = [this](const std::string& id, const std::string& name_space) {
      asked_.emplace_back(id, name_space);
      std::vector<Enrichment> found;
      if (id != "none") found.push_back({.resource_id = id, .name_space = "ns", .body = "{}"});
      return Result<std::vector<Enrichment>>(std::move(found));
    };
  }

  Json Request() {
    const auto run = PrepareRun(manifest_, settings_, context_);
    EXPECT_TRUE(run);
    return *ParseJson(*ReadFile(folder_.path() / "request.json", 1 << 20));
  }

  TestFolder folder_;
  Manifest manifest_;
  Resource resource_;
  Settings settings_;
  RunContext context_;
  std::vector<std::pair<std::string, std::string>> asked_;
};

TEST_F(Prepare, TheInvocation) {
  const auto run = PrepareRun(manifest_, settings_, context_);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->runtime, "python");
  const std::string work = folder_.path();
  EXPECT_THAT(run->argv,
              ElementsAre("/usr/bin/python3", "/share/python/panoptes/run_plugin.py", work + "/request.json"));
  EXPECT_EQ(run->environment.at("PYTHONPATH"), "/share/python/panoptes");
  EXPECT_EQ(run->environment.at("HOME"), work);
  EXPECT_EQ(run->working_folder, work);
  EXPECT_THAT(run->result_files, ElementsAre(work + "/result.json", work + "/error.json"));
  EXPECT_EQ(run->limits, manifest_.limits);
}

TEST_F(Prepare, TheRequest) {
  const std::string work = folder_.path();
  EXPECT_EQ(Request(), Json::parse(R"({
      "type": "polling", "name": "Interface Plugin", "module": "/plugins/interface.py",
      "config": {"main": {"execute_frequency": "60"}},
      "resource": {"resource_site": "dc1", "resource_class": "network", "resource_subclass": "switch",
                   "resource_type": "arista", "resource_id": "sw1", "resource_endpoint": "sw1.example",
                   "resource_metadata": {"model": "X", "os": "", "serial no": "5"}, "resource_creation_timestamp": 1700000000.25,
                   "resource_plugin": "P"},
      "sites": ["dc1"], "snmp": {"port": 161}, "x509": {}, "enrichments": {}, "level": "INFO", "limit": 67108864})")
                           .patch(Json::parse(R"([{"op": "add", "path": "/result", "value": ")" + work +
                                              R"(/result.json"}, {"op": "add", "path": "/error", "value": ")" + work +
                                              R"(/error.json"}])")));
  EXPECT_TRUE(asked_.empty());
}

TEST_F(Prepare, TheCommunityOfTheSettingsReplacesThatOfTheSite) {
  manifest_.document["site"]["snmp"]["community"] = "public";
  EXPECT_EQ(Request()["snmp"]["community"], "public");
  settings_["snmp_community"] = "hunter2";
  EXPECT_EQ(Request()["snmp"]["community"], "hunter2");
}

TEST(Effective, TheCommunityIsATextOrASecret) {
  const Panoptes codec;
  EXPECT_EQ(codec.Effective({}, {}), Settings());
  for (const Json& fits : {Json("public"), Json{{"secret", "snmp"}}}) {
    const auto settings = codec.Effective({}, {{"snmp_community", fits}, {"sites", "x"}});
    ASSERT_TRUE(settings);
    EXPECT_EQ(*settings, (Settings{{"snmp_community", fits}}));
  }
  for (const Json& wrong : {Json(""), Json(1), Json::object(), Json(nullptr)}) {
    const auto settings = codec.Effective({}, {{"snmp_community", wrong}});
    ASSERT_FALSE(settings) << wrong;
    EXPECT_EQ(settings.error().where, "snmp_community");
  }
}

TEST_F(Prepare, ADiscoveryIsAboutNoResource) {
  context_.resource = nullptr;
  EXPECT_TRUE(Request()["resource"].is_null());
}

TEST_F(Prepare, EnrichmentsOfItsResourceAndThoseThatItNames) {
  manifest_.document["config"]["enrichment"]["preload"] = "self:interface, other:*,fe80::1:x, none:y, broken";
  EXPECT_EQ(Request()["enrichments"],
            Json::parse(R"({"sw1": {"ns": "{}"}, "other": {"ns": "{}"}, "fe80::1": {"ns": "{}"}})"));
  EXPECT_THAT(asked_, ElementsAre(Pair("sw1", ""), Pair("other", ""), Pair("fe80::1", "x"), Pair("none", "y")));
}

TEST_F(Prepare, NothingRunsWithoutItsEnrichments) {
  manifest_.document["config"]["enrichment"]["preload"] = "self:interface";
  context_.enrichments = [](const std::string&, const std::string&) -> Result<std::vector<Enrichment>> {
    return Fail(Errc::kUnavailable, "the store is gone");
  };
  const auto run = PrepareRun(manifest_, settings_, context_);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().message, "the store is gone");
}

}  // namespace
}  // namespace backplane::panoptes
