#include "api/api.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"

namespace backplane::api {
namespace {

constexpr std::string_view kPrefix = "/api/v1";

// The parts of `path` that stand for {names} in `pattern`; nothing if it does not match.
std::optional<std::map<std::string, std::string>> Match(std::string_view pattern, std::string_view path) {
  const auto expected = Split(pattern, '/');
  const auto given = Split(path, '/');
  if (expected.size() != given.size()) return std::nullopt;
  std::map<std::string, std::string> names;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i].starts_with('{'))
      names[std::string(expected[i].substr(1, expected[i].size() - 2))] = given[i];
    else if (expected[i] != given[i])
      return std::nullopt;
  }
  return names;
}

// "127.0.0.1:8700" → true; a name that DNS could point at us → false.
bool IsLoopbackHost(std::string_view host) {
  if (const auto colon = host.rfind(':');
      colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos)
    host = host.substr(0, colon);
  if (host == "localhost" || host == "[::1]") return true;
  const auto parts = Split(host, '.');
  if (parts.size() != 4 || parts[0] != "127") return false;
  for (const std::string_view part : parts)
    if (part.empty() || part.size() > 3 || part.find_first_not_of("0123456789") != std::string_view::npos) return false;
  return true;
}

std::vector<Endpoint> Table(const ApiParts& parts) {
  std::vector<Endpoint> table;
  for (auto* rows : {&StatusEndpoints, &DeviceEndpoints, &ResourceEndpoints, &ObjectEndpoints, &PluginEndpoints,
                     &RunEndpoints, &EventEndpoints, &MetricEndpoints}) {
    auto some = rows(parts);
    std::move(some.begin(), some.end(), std::back_inserter(table));
  }
  return table;
}

// A misspelt filter that is passed over would list everything.
Status RefuseUnknownParameters(const Endpoint& endpoint, const http::Request& request) {
  for (const auto& [name, value] : request.query) {
    const bool known = std::any_of(endpoint.parameters.begin(), endpoint.parameters.end(),
                                   [&](const Parameter& parameter) { return parameter.name == name; });
    if (known) continue;
    std::vector<std::string> names;
    for (const Parameter& parameter : endpoint.parameters) names.push_back(parameter.name);
    return Fail(Errc::kInvalid,
                names.empty() ? fmt::format("no such parameter: {}; this call has none", name)
                              : fmt::format("no such parameter: {}; there are {}", name, fmt::join(names, ", ")),
                name);
  }
  return {};
}

Json DescribeTable(const std::vector<Endpoint>& endpoints) {
  Json rows = Json::array();
  for (const Endpoint& endpoint : endpoints) {
    Json parameters = Json::object();
    for (const Parameter& parameter : endpoint.parameters) parameters[parameter.name] = parameter.sentence;
    rows.push_back({{"method", endpoint.method},
                    {"path", fmt::format("{}{}", kPrefix, endpoint.path)},
                    {"permission", PermissionName(endpoint.permission)},
                    {"sentence", endpoint.sentence},
                    {"parameters", parameters}});
  }
  return {{"endpoints", rows}};
}

}  // namespace

Api::Api(ApiParts parts) : parts_(std::move(parts)), endpoints_(Table(parts_)) {
  endpoints_.emplace_back("GET", "", Permission::kRead, "This list.", std::vector<Parameter>{},
                          [this](const Call&) -> Result<Reply> { return Reply{DescribeTable(endpoints_)}; });
}

Status Api::Admit(const http::Request& request) const {
  const std::string_view host = request.Header("Host");
  if (!IsLoopbackHost(host))
    return Fail(Errc::kDenied, fmt::format("the Host header names \"{}\", not this machine's loopback address", host));
  const std::string_view origin = request.Header("Origin");
  if (!origin.empty() && origin != fmt::format("http://{}", host))
    return Fail(Errc::kDenied, fmt::format("a page of {} may not call this API", origin));
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view authorization = request.Header("Authorization");
  if (!authorization.starts_with(kBearer) || !EqualSecret(authorization.substr(kBearer.size()), parts_.token))
    return Fail(Errc::kDenied, "no valid token: send \"Authorization: Bearer <content of DATA/token>\"");
  return {};
}

void Api::Handle(const http::Request& request, const http::Responder& responder) const {
  static Metric& requests = Counter("backplane_http_requests_total", "Requests to the API");
  requests.Add();
  if (request.path == "/" && request.method == "GET" && IsLoopbackHost(request.Header("Host")))
    return responder.Send({200,
                           "Backplane is running. Its API is below /api/v1 and wants the token in DATA/token;\n"
                           "`backplane --help` lists the commands that use it.\n",
                           "text/plain; charset=utf-8",
                           {}});
  if (const Status admitted = Admit(request); !admitted) {
    if (!request.Header("Authorization").empty() || !IsLoopbackHost(request.Header("Host")))
      return responder.Send(ToResponse(Fail(admitted.error())));
    http::Response response = http::Problem(401, admitted.error().message);
    response.headers["WWW-Authenticate"] = "Bearer";
    return responder.Send(std::move(response));
  }
  const std::string_view path = request.path;
  std::string allowed;
  if (path == "/metrics") {
    if (request.method == "GET" || request.method == "HEAD")
      return responder.Send({200, RenderMetrics(), "text/plain; version=0.0.4; charset=utf-8", {}});
    allowed = "GET";
  }
  if (path.starts_with(kPrefix)) {
    for (const Endpoint& endpoint : endpoints_) {
      auto names = Match(endpoint.path, path.substr(kPrefix.size()));
      if (!names) continue;
      if (endpoint.method != request.method) {
        allowed += (allowed.empty() ? "" : ", ") + endpoint.method;
        continue;
      }
      if (const Status known = RefuseUnknownParameters(endpoint, request); !known)
        return responder.Send(ToResponse(Fail(known.error())));
      return endpoint.handler(
          Call(request, {.actor = "local", .granted = PermissionsOf(Role::kAdmin)}, *std::move(names)), responder);
    }
  }
  if (allowed.empty())
    return responder.Send(ToResponse(Fail(Errc::kNotFound, fmt::format("no such resource: {}", path))));
  http::Response response = http::Problem(405, fmt::format("{} takes {}, not {}", path, allowed, request.method));
  response.headers["Allow"] = allowed;
  responder.Send(std::move(response));
}

}  // namespace backplane::api
