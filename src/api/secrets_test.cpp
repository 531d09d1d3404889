// /secrets and /audit: no answer, and no error, holds a value.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/api_fixture.h"

namespace backplane::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Secrets : public ::testing::Test {
 protected:
  http::Response Send(const std::string& method, const std::string& path, const std::string& body = "") {
    http::Request request = f_.NewRequest(method, "/api/v1" + path);
    request.body = body;
    auto response = f_.Send(request);
    EXPECT_THAT(response.body, Not(HasSubstr("hunter2"))) << method << " " << path;
    return response;
  }
  Json Read(const std::string& path, std::map<std::string, std::string> query = {}) {
    return f_.GetJson("/api/v1" + path, std::move(query));
  }

  ApiFixture f_;
};

TEST_F(Secrets, AreSetListedAndRemoved) {
  const auto set = Send("PUT", "/secrets/site/router:snmp", R"({"value":"hunter2"})");
  EXPECT_EQ(set.status, 200) << set.body;
  EXPECT_EQ(Send("PUT", "/secrets/b", R"({"value":"hunter2"})").status, 200);
  EXPECT_EQ(Send("PUT", "/secrets/rotate", R"({"value":"hunter2"})").status, 200);
  Json list = Read("/secrets");
  ASSERT_EQ(list["secrets"].size(), 3U);
  EXPECT_EQ(list["secrets"][0]["name"], "b");
  EXPECT_EQ(list["secrets"][2]["name"], "site/router:snmp");
  EXPECT_EQ(list["secrets"][2].size(), 3U);  // name, set_at, set_by
  EXPECT_TRUE(list["next"].is_null());
  list = Read("/secrets", {{"limit", "2"}});
  EXPECT_EQ(list["next"], "rotate");
  EXPECT_EQ(Read("/secrets", {{"after", "rotate"}})["secrets"].size(), 1U);
  EXPECT_EQ(Send("POST", "/secrets/rotate").body, R"({"secrets":3})");
  EXPECT_EQ(Send("DELETE", "/secrets/site/router:snmp").status, 200);
  EXPECT_EQ(Send("DELETE", "/secrets/site/router:snmp").status, 404);
  EXPECT_EQ(Read("/secrets")["secrets"].size(), 2U);
}

TEST_F(Secrets, AWrongBodyIsRefusedAndNotQuoted) {
  for (const char* body :
       {"", "{}", "hunter2", R"({"value":"hunter2)", R"({"value":"hunter2"}})", R"({"value":["hunter2"]})",
        R"({"value":"hunter2","name":"a"})", R"({"valu":"hunter2"})", "{\"value\":\"hunter2\xff\"}"})
    EXPECT_EQ(Send("PUT", "/secrets/a", body).status, 400) << body;
  EXPECT_EQ(Send("PUT", "/secrets/", R"({"value":"hunter2"})").status, 400);
  EXPECT_EQ(Send("PUT", "/secrets/a%20b", R"({"value":"hunter2"})").status, 400);
  EXPECT_EQ(Send("PUT", "/secrets/a", R"({"value":""})").status, 400);
  EXPECT_EQ(Send("GET", "/secrets/a").status, 405);
  EXPECT_TRUE(Read("/secrets")["secrets"].empty());
}

TEST_F(Secrets, ARotationNamesItsFileByAnAbsolutePath) {
  EXPECT_EQ(Send("POST", "/secrets/rotate").status, 404);
  EXPECT_EQ(Send("PUT", "/secrets/a", R"({"value":"hunter2"})").status, 200);
  for (const char* body : {"[]", R"({"key_file":"relative"})", R"({"key_file":1})", R"({"file":"/x"})",
                           R"({"key_file":"/x","passphrase_file":"/y"})"})
    EXPECT_EQ(Send("POST", "/secrets/rotate", body).status, 400) << body;
  EXPECT_EQ(Send("POST", "/secrets/rotate", R"({"key_file":"/dev/null/x"})").status, 503);
  EXPECT_EQ(Send("POST", "/secrets/rotate", R"({"passphrase_file":"/dev/null"})").status, 503);
}

TEST_F(Secrets, WhatWasDoneIsInTheAuditLog) {
  EXPECT_EQ(Send("PUT", "/secrets/a", R"({"value":"hunter2"})").status, 200);
  EXPECT_EQ(Send("DELETE", "/secrets/a").status, 200);
  Json log = Read("/audit");
  ASSERT_EQ(log["entries"].size(), 2U);
  EXPECT_EQ(log["entries"][0]["action"], "secret.remove");
  EXPECT_EQ(log["entries"][1]["action"], "secret.set");
  EXPECT_EQ(log["entries"][1]["actor"], "local");
  EXPECT_EQ(log["entries"][1]["subject"], "a");
  EXPECT_EQ(log["entries"][1]["detail"], Json::object());
  log = Read("/audit", {{"limit", "1"}});
  ASSERT_EQ(log["entries"].size(), 1U);
  log = Read("/audit", {{"before", log["next"].dump()}});
  EXPECT_EQ(log["entries"][0]["action"], "secret.set");
  EXPECT_TRUE(log["next"].is_null());
  EXPECT_EQ(Read("/audit", {{"action", "secret.r"}})["entries"].size(), 1U);
  EXPECT_EQ(Read("/audit", {{"actor", "user:bob"}})["entries"].size(), 0U);
  EXPECT_EQ(Read("/audit", {{"subject", "a"}})["entries"].size(), 2U);
}

}  // namespace
}  // namespace backplane::api
