#include "cli/client.h"

#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "config/site.h"

namespace backplane::cli {

Result<std::filesystem::path> DataFolder(const Args& args) {
  if (args.Has("--data")) return std::filesystem::absolute(args.Get("--data"));
  BACKPLANE_ASSIGN(const config::Site site, config::LoadSite({}));
  return std::filesystem::path(site.options.data);
}

Result<Client> Client::Connect(const Args& args) {
  BACKPLANE_ASSIGN(const auto data, DataFolder(args));
  if (const char* token = std::getenv("BACKPLANE_TOKEN"); token != nullptr && *token != '\0')
    return Client(data, token);
  const Result<std::string> token = ReadFile(data / "token", 4096);
  if (!token && token.error().code == Errc::kNotFound)
    return Fail(
        Errc::kUnavailable,
        fmt::format("no daemon has run on {}: start one with `backplane serve`, or name its folder with --data or "
                    "BACKPLANE_DATA",
                    data.string()));
  if (!token) return Fail(token.error());
  return Client(data, std::string(Trim(*token)));
}

Result<http::Response> Client::Send(http::Request request, Millis timeout) const {
  request.headers["Host"] = "localhost";
  request.headers["Authorization"] = "Bearer " + token_;
  Result<http::Response> response = http::Fetch({.socket = data_ / "api.sock"}, request, timeout);
  if (!response && response.error().code == Errc::kUnavailable)
    return Fail(Errc::kUnavailable,
                fmt::format("no daemon answers on {}: start it with `backplane serve`", (data_ / "api.sock").string()));
  if (!response || response->status < 400) return response;
  const Result<Json> problem = ParseJson(response->body);
  const std::string detail = problem && problem->contains("detail") && (*problem)["detail"].is_string()
                                 ? (*problem)["detail"].get<std::string>()
                                 : fmt::format("the daemon answered {}", response->status);
  return Fail(response->status == 404 ? Errc::kNotFound : Errc::kConflict, detail);
}

Result<Json> Client::Get(const std::string& path, const Query& query, Millis timeout) const {
  http::Request request{.method = "GET", .path = "/api/v1" + path, .query = query};
  BACKPLANE_ASSIGN(const http::Response response, Send(std::move(request), timeout));
  return ParseJson(response.body);
}

Result<std::string> Client::GetText(const std::string& path, const Query& query) const {
  http::Request request{.method = "GET", .path = "/api/v1" + path, .query = query};
  BACKPLANE_ASSIGN(http::Response response, Send(std::move(request), Millis(30'000)));
  return std::move(response.body);
}

Result<Json> Client::Post(const std::string& path, const Query& query) const {
  http::Request request{.method = "POST", .path = "/api/v1" + path, .query = query};
  BACKPLANE_ASSIGN(const http::Response response, Send(std::move(request), Millis(30'000)));
  return ParseJson(response.body);
}

Result<Json> Client::Call(const std::string& method, const std::string& path, const Json& body,
                          const Query& query) const {
  http::Request request{.method = method, .path = "/api/v1" + path, .query = query};
  if (!body.is_null()) {
    request.body = DumpJson(body);
    request.headers["Content-Type"] = "application/json";
  }
  BACKPLANE_ASSIGN(const http::Response response, Send(std::move(request), Millis(30'000)));
  return ParseJson(response.body);
}

}  // namespace backplane::cli
