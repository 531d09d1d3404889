// The API on a host with the fake runtime, behind a server on a unix socket.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/api.h"
#include "base/text.h"
#include "dispatch/host_fixture.h"

namespace backplane::api {

class ApiFixture {
 public:
  explicit ApiFixture(const std::vector<std::string>& plugins = {"scan how=ok,aa", "slow how=hang", "set runtime="})
      : host_(plugins) {
    sender = dispatch::Sender::Start(*host_.host, *host_.store, host_.bus, host_.clock).value();
    cycles = dispatch::Cycles::Start({.host = *host_.host,
                                      .database = *host_.store,
                                      .folder = *host_.folder,
                                      .sender = *sender,
                                      .clock = host_.clock,
                                      .news = host_.news})
                 .value();
    api = std::make_unique<Api>(ApiParts{.database = *host_.store,
                                         .host = *host_.host,
                                         .sender = *sender,
                                         .cycles = *cycles,
                                         .folder = *host_.folder,
                                         .samples = samples_,
                                         .vault = vault,
                                         .registry = registry,
                                         .bus = host_.bus,
                                         .clock = host_.clock,
                                         .runs = folder_.path() / "runs",
                                         .auth = auth,
                                         .hosts = {"backplane.example.org"},
                                         .rescan = [this] { return ++rescans, Status(); }});
    auto server = http::Server::Start(
        {.tcp = false, .socket = Socket()},
        [this](const http::Request& request, const http::Responder& responder) { api->Handle(request, responder); });
    EXPECT_TRUE(server);
    server_ = *std::move(server);
  }

  dispatch::HostFixture& host() { return host_; }
  void AddSeries(const store::Series& series) {
    metrics_.Write([&](store::Connection& c) { store::SeriesTable(c, kDefaultOrg).Put(series); });
  }

  http::Request NewRequest(const std::string& method, const std::string& path) const {
    http::Request request{.method = method, .path = path};
    request.headers["Host"] = "localhost";
    request.headers["Authorization"] = "Bearer secret";
    return request;
  }
  /// A request that a row answers, about what may not exist. `id` stands for what the path names.
  http::Request RequestFor(const Endpoint& endpoint, const std::string& id = {}) const {
    std::string path = "/api/v1" + endpoint.path;
    path = ReplaceAll(path, "{id}", !id.empty() ? id : endpoint.path.starts_with("/plugins") ? "scan" : "1");
    path = ReplaceAll(path, "{name*}", id.empty() ? "a/b" : id);
    path = ReplaceAll(path, "{dialect}/{key}", "t/" + (id.empty() ? "nothing" : id));
    path = ReplaceAll(path, "{name}", id.empty() ? "nobody" : id);
    http::Request request = NewRequest(endpoint.method, path);
    if (endpoint.method == "PATCH")
      request.body = endpoint.path.starts_with("/users") ? R"({"role":"viewer"})" : R"({"set":{"name":"x"}})";
    if (endpoint.path.ends_with("/merge")) request.body = R"({"from":[99]})";
    if (endpoint.path.ends_with("/split"))
      request.body = R"({"identifiers":[{"scheme":"mac","value":"aa:00:00:00:00:01"}]})";
    if (endpoint.method == "PUT") request.body = R"({"value":"x"})";
    return request;
  }
  http::Response Send(const http::Request& request) const {
    auto response = http::Fetch({.socket = Socket(), .host = "", .port = 0}, request, Millis(60'000));
    EXPECT_TRUE(response) << response.error().message;
    return response ? *response : http::Response{};
  }
  http::Response Get(const std::string& path, std::map<std::string, std::string> query = {}) const {
    http::Request request = NewRequest("GET", path);
    request.query = std::move(query);
    return Send(request);
  }
  Json GetJson(const std::string& path, std::map<std::string, std::string> query = {}) const {
    const auto response = Get(path, std::move(query));
    EXPECT_EQ(response.status, 200) << path << ": " << response.body;
    return ParseJson(response.body).value_or(Json());
  }

 private:
  std::filesystem::path Socket() const { return folder_.path() / "api.sock"; }

  TestFolder folder_;
  dispatch::HostFixture host_;
  store::TestStore metrics_{store::Backends().front(), store::SampleMigrations()};
  ingest::SampleFolder samples_{*host_.store, *metrics_, host_.clock};

 public:
  Auth auth{{.database = *host_.store,
             .clock = host_.clock,
             .local_token = "secret",
             .setup_file = folder_.path() / "setup-token"}};
  store::Vault vault{*host_.store, host_.clock, {.source = {folder_.path() / "secret.key"}}};
  package::Registry registry{{.database = *host_.store, .clock = host_.clock, .folder = folder_.path() / "registry"}};
  std::unique_ptr<dispatch::Sender> sender;
  std::unique_ptr<dispatch::Cycles> cycles;
  std::unique_ptr<Api> api;
  int rescans = 0;

 private:
  std::unique_ptr<http::Server> server_;  // last: it calls the api
};

}  // namespace backplane::api
