// Plugins of each kind, from manifest to records, through a real interpreter.
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_folder.h"
#include "dialects/panoptes/decode.h"
#include "dialects/panoptes/prepare.h"
#include "runtime/process/process_runtime.h"
#include "runtime/python/python_runtime.h"

namespace backplane::panoptes {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kImports = R"(
import os
from yahoo_panoptes.discovery.panoptes_discovery_plugin import PanoptesDiscoveryPlugin
from yahoo_panoptes.enrichment.enrichment_plugin import PanoptesEnrichmentPlugin
from yahoo_panoptes.enrichment.schema.heartbeat import PanoptesHeartbeatEnrichmentGroup
from yahoo_panoptes.framework.enrichment import PanoptesEnrichmentGroupSet, PanoptesEnrichmentSet
from yahoo_panoptes.framework.metrics import *
from yahoo_panoptes.framework.resources import *
from yahoo_panoptes.polling.polling_plugin import PanoptesPollingPlugin
)";

struct Ran {
  Output output;
  Batch batch;
};

class Run : public testing::Test {
 protected:
  void SetUp() override {
    auto client =
        keeper::KeeperClient::Start(fs::path(BACKPLANE_BINARY_DIR) / "backplane-keeper", folder_.path() / "keeper");
    ASSERT_TRUE(client) << client.error().message;
    client_ = std::move(*client);
    process_ = std::make_unique<runtime::ProcessRuntime>(*client_);
    resource_ = {
        .site = "dc1", .class_name = "c", .subclass = "b", .type = "t", .id = "sw1", .endpoint = "e", .plugin = "P"};
    manifest_.name = "Plugin";
    manifest_.limits.timeout = Millis(60'000);
    manifest_.document = Json::parse(R"({"site": {"sites": ["dc1"], "snmp": {}, "x509": {}}, "config": {
        "main": {"execute_frequency": "60"}, "enrichment": {"preload": "self:heartbeat_ns"}}})");
    manifest_.document["module"] = folder_.path() / "plugin.py";
  }

  // Runs a class of the category whose run() has this body.
  Ran Plugin(const std::string& type, const std::string& category, const std::string& body) {
    manifest_.document["type"] = type;
    std::ofstream(folder_.path() / "plugin.py")
        << kImports << fmt::format("class Plugin({}):\n    def run(self, context):\n{}", category, body);
    RunContext context{.work = folder_.path() / fmt::format("work{}", ++runs_), .share = BACKPLANE_SOURCE_DIR};
    context.python = "/usr/bin/python3";
    context.now = *ParseTime("2026-08-22T10:00:00Z");
    context.resource = type == "discovery" ? nullptr : &resource_;
    context.enrichments = [this](const std::string&, const std::string&) -> Result<std::vector<Enrichment>> {
      return known_;
    };
    runtime::RunRequest request{.run = runs_, .log_folder = folder_.path() / fmt::format("log{}", runs_)};
    fs::create_directory(context.work);
    fs::create_directory(request.log_folder);
    request.results = request.log_folder / "results";
    auto invocation = PrepareRun(manifest_, {}, context);
    EXPECT_TRUE(invocation);
    request.invocation = *std::move(invocation);
    Ran ran{.output = runtime::PythonRuntime(*process_).Run(request, {})};
    ran.batch = DecodeOutput(manifest_, ran.output, context.now);
    return ran;
  }
  Ran Polling(const std::string& body) { return Plugin("polling", "PanoptesPollingPlugin", body); }

  TestFolder folder_;
  std::unique_ptr<keeper::KeeperClient> client_;
  std::unique_ptr<runtime::ProcessRuntime> process_;
  Resource resource_;
  Manifest manifest_;
  std::vector<Enrichment> known_;
  int runs_ = 0;
};

TEST_F(Run, Discovery) {
  manifest_.document["config"].erase("enrichment");
  const Ran ran = Plugin("discovery", "PanoptesDiscoveryPlugin", R"(
        found = PanoptesResourceSet()
        found.add(PanoptesResource('dc1', 'c', 'b', 't', 'sw2', 'e', resource_plugin='P', resource_ttl=900))
        return found
)");
  EXPECT_EQ(ran.output.status, RunStatus::kOk) << ran.output.log;
  EXPECT_TRUE(ran.batch.complete);
  ASSERT_EQ(ran.batch.records.size(), 1U) << ran.batch.failure;
  EXPECT_EQ(std::get<ResourceRecord>(ran.batch.records[0]).resource.id, "sw2");
}

TEST_F(Run, WhatAnEnrichmentSaysAPollingPluginReads) {
  const Ran said = Plugin("enrichment", "PanoptesEnrichmentPlugin", R"(
        group = PanoptesHeartbeatEnrichmentGroup(enrichment_ttl=300, execute_frequency=60)
        group.add_enrichment_set(PanoptesEnrichmentSet('heartbeat', {'timestamp': 12.5}))
        groups = PanoptesEnrichmentGroupSet(context.data)
        groups.add_enrichment_group(group)
        return groups
)");
  ASSERT_EQ(said.batch.records.size(), 1U) << said.batch.failure << said.output.log;
  const auto& enrichment = std::get<EnrichmentRecord>(said.batch.records[0]);
  EXPECT_EQ(enrichment.ttl, Millis(300'000));
  known_ = {{.resource_id = enrichment.resource_id, .name_space = enrichment.name_space, .body = enrichment.body}};

  const Ran read = Polling(R"(
        value = context.enrichment.get_enrichment_value('self', 'heartbeat_ns', 'heartbeat')['timestamp']
        group = PanoptesMetricsGroup(context.data, 'heartbeat', int(context.config['main']['execute_frequency']))
        group.add_metric(PanoptesMetric('seen', value, PanoptesMetricType.GAUGE))
        groups = PanoptesMetricsGroupSet()
        groups.add(group)
        return groups
)");
  ASSERT_EQ(read.batch.records.size(), 1U) << read.batch.failure << read.output.log;
  const auto& metrics = std::get<MetricsRecord>(read.batch.records[0]);
  EXPECT_EQ(metrics.resource, "dc1|c|b|t|sw1");
  ASSERT_EQ(metrics.measurements.size(), 1U);
  EXPECT_EQ(std::get<double>(metrics.measurements[0].value), 12.5);
}

TEST_F(Run, AnExceptionIsTheRunsMessageAndItsTracebackIsInTheLog) {
  const Ran ran = Polling("        raise ValueError('wrong thing')\n");
  EXPECT_EQ(ran.output.status, RunStatus::kFailed);
  EXPECT_EQ(ran.output.message, "ValueError: wrong thing (plugin.py line 12)");
  EXPECT_THAT(ran.output.log, HasSubstr("Traceback (most recent call last)"));
  EXPECT_TRUE(ran.batch.records.empty());
}

TEST_F(Run, AnEndWithoutAResultIsAFailure) {
  Ran ran = Polling("        os._exit(0)\n");
  EXPECT_EQ(ran.output.status, RunStatus::kOk);
  EXPECT_THAT(ran.batch.failure, HasSubstr("before it gave a result"));
  ran = Polling("        os._exit(7)\n");
  EXPECT_EQ(ran.output.message, "exit code 7");
  ran = Polling("        os.kill(os.getpid(), 11)\n");
  EXPECT_EQ(ran.output.status, RunStatus::kKilled);
}

TEST_F(Run, MemoryIsLimited) {
  manifest_.limits.memory_bytes = 200 << 20;
  const Ran ran = Polling("        return b'x' * (300 << 20)\n");
  EXPECT_EQ(ran.output.status, RunStatus::kFailed);
  EXPECT_THAT(ran.output.message, StartsWith("MemoryError"));
}

}  // namespace
}  // namespace backplane::panoptes
