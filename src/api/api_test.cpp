// Who may call what, driven by the table itself.
#include "api/api.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/api_fixture.h"

namespace backplane::api {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

TEST(ApiAccess, EveryRowRefusesWithoutAValidToken) {
  ApiFixture f;
  ASSERT_GT(f.api->endpoints().size(), 10U);
  for (const Endpoint& endpoint : f.api->endpoints()) {
    if (endpoint.permission == Permission::kEnter) continue;
    const std::string what = endpoint.method + " " + endpoint.path;
    http::Request request = f.RequestFor(endpoint);
    request.headers.erase("Authorization");
    const auto missing = f.Send(request);
    EXPECT_EQ(missing.status, 401) << what;
    EXPECT_EQ(missing.headers.at("WWW-Authenticate"), "Bearer") << what;
    for (const char* value : {"Bearer", "Bearer ", "Bearer secre", "Bearer secret2", "bearer secret", "secret",
                              "Basic secret", "Bearer Secret"}) {
      request.headers["Authorization"] = value;
      const auto wrong = f.Send(request);
      EXPECT_EQ(wrong.status, 401) << what << " " << value;
      EXPECT_EQ(wrong.content_type, "application/problem+json");
      EXPECT_THAT(wrong.body, ::testing::Not(HasSubstr("secret"))) << what;
    }
  }
  EXPECT_TRUE(f.host().Runs().empty());  // nothing was carried out
}

TEST(ApiAccess, EveryRowRefusesAForeignHost) {
  ApiFixture f;
  for (const Endpoint& endpoint : f.api->endpoints())
    for (const char* name :
         {"example.org", "example.org:8700", "127.0.0.1.example.org", "127.example.org", "localhost.example.org",
          "10.0.0.1", "127.0.0.1@example.org", "[::2]", "0.0.0.0", "127.0.0"}) {
      http::Request request = f.RequestFor(endpoint);
      request.headers["Host"] = name;
      EXPECT_EQ(f.Send(request).status, 403) << endpoint.method << " " << endpoint.path << " " << name;
      request.headers.erase("Authorization");
      EXPECT_EQ(f.Send(request).status, 403) << endpoint.method << " " << endpoint.path << " " << name;
    }
  EXPECT_TRUE(f.host().Runs().empty());
}

TEST(ApiAccess, EveryRowRefusesAForeignOrigin) {
  ApiFixture f;
  for (const Endpoint& endpoint : f.api->endpoints())
    for (const char* origin : {"http://example.org", "null", "https://localhost", "http://localhost:81",
                               "http://localhost.example.org", "localhost", "http://127.0.0.1"}) {
      http::Request request = f.RequestFor(endpoint);
      request.headers["Origin"] = origin;
      EXPECT_EQ(f.Send(request).status, 403) << endpoint.method << " " << endpoint.path << " " << origin;
    }
  EXPECT_TRUE(f.host().Runs().empty());
}

TEST(ApiAccess, EveryRowAnswersWhoMay) {
  ApiFixture f;
  for (const char* host : {"localhost", "127.0.0.1:8700", "[::1]:8700", "localhost:1", "[::1]", "127.1.2.3"}) {
    for (const Endpoint& endpoint : f.api->endpoints()) {
      http::Request request = f.RequestFor(endpoint);
      request.headers["Host"] = host;
      request.headers["Origin"] = std::string("http://") + host;
      const auto response = f.Send(request);
      EXPECT_THAT(response.status, AnyOf(200, 201, 202, 400, 404, 409)) << endpoint.method << " " << endpoint.path;
      if (endpoint.method == "GET" && endpoint.path.find('{') == std::string::npos) {
        EXPECT_EQ(response.status, 200) << endpoint.path;
      }
    }
  }
}

TEST(ApiAccess, MetricsWantTheTokenToo) {
  ApiFixture f;
  EXPECT_EQ(f.Get("/metrics").status, 200);
  EXPECT_THAT(f.Get("/metrics").body, HasSubstr("# TYPE backplane_http_requests_total counter"));
  http::Request request{.method = "GET", .path = "/metrics"};
  request.headers["Host"] = "localhost";
  EXPECT_EQ(f.Send(request).status, 401);
}

TEST(ApiAccess, TheFrontPageSaysNothing) {
  ApiFixture f;
  http::Request request{.method = "GET", .path = "/"};
  const auto page = f.Send(request);
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.content_type, HasSubstr("text/plain"));
  EXPECT_THAT(page.body, ::testing::Not(HasSubstr("secret")));
}

TEST(ApiTable, RowsAreUniqueAndDocumented) {
  ApiFixture f;
  std::set<std::string> rows;
  for (const Endpoint& endpoint : f.api->endpoints()) {
    EXPECT_TRUE(rows.insert(endpoint.method + " " + endpoint.path).second) << endpoint.path;
    EXPECT_TRUE(endpoint.sentence.ends_with(".")) << endpoint.path;
    for (const Parameter& parameter : endpoint.parameters) EXPECT_FALSE(parameter.sentence.empty()) << endpoint.path;
    // Whoever may only look changes nothing.
    if (endpoint.permission == Permission::kRead) {
      EXPECT_EQ(endpoint.method, "GET") << endpoint.path;
    }
  }
  const Json list = f.GetJson("/api/v1");
  EXPECT_EQ(list.at("endpoints").size(), rows.size());
}

TEST(ApiTable, OtherMethodsAreNotAllowed) {
  ApiFixture f;
  for (const Endpoint& endpoint : f.api->endpoints()) {
    http::Request request = f.RequestFor(endpoint);
    request.method = "TRACE";
    const auto response = f.Send(request);
    EXPECT_EQ(response.status, 405) << endpoint.path;
    EXPECT_THAT(response.headers.at("Allow"), HasSubstr(endpoint.method)) << endpoint.path;
  }
  http::Request metrics = f.NewRequest("POST", "/metrics");
  EXPECT_EQ(f.Send(metrics).status, 405);
}

TEST(ApiTable, UnknownPathsAreNotFound) {
  ApiFixture f;
  for (const char* path : {"/api", "/api/v2/devices", "/api/v1/device", "/api/v1/devices/1/more", "/api/v1/devices/",
                           "/api/v1//devices", "/api/v1devices", "/devices", "/metrics/", "//"}) {
    const auto response = f.Get(path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(response.content_type, "application/problem+json") << path;
  }
}

TEST(ApiTable, HeadIsAGetWithoutABody) {
  ApiFixture f;
  for (const char* path : {"/api/v1/status", "/metrics", "/"}) {
    const auto response = f.Send(f.NewRequest("HEAD", path));
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_EQ(response.body, "") << path;
  }
  EXPECT_EQ(f.Send(f.NewRequest("HEAD", "/api/v1/nothing")).status, 404);
  EXPECT_EQ(f.Send(f.NewRequest("HEAD", "/api/v1/plugins/scan/run")).status, 405);
  EXPECT_TRUE(f.host().Runs().empty());
}

}  // namespace
}  // namespace backplane::api
