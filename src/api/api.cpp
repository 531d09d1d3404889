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
  const bool open_end = expected.back().ends_with("*}");
  if (open_end ? given.size() < expected.size() : given.size() != expected.size()) return std::nullopt;
  std::map<std::string, std::string> names;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (open_end && i + 1 == expected.size()) {
      const std::string_view name = expected[i].substr(1, expected[i].size() - 3);
      names[std::string(name)] = path.substr(static_cast<std::size_t>(given[i].data() - path.data()));
      continue;
    }
    if (expected[i].starts_with('{'))
      names[std::string(expected[i].substr(1, expected[i].size() - 2))] = given[i];
    else if (expected[i] != given[i])
      return std::nullopt;
  }
  return names;
}

std::string_view WithoutPort(std::string_view host) {
  const auto colon = host.rfind(':');
  return colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos ? host
                                                                                            : host.substr(0, colon);
}

// "127.0.0.1:8700" → true; a name that DNS could point at us → false.
bool IsLoopbackHost(std::string_view host) {
  host = WithoutPort(host);
  if (host == "localhost" || host == "[::1]") return true;
  const auto parts = Split(host, '.');
  if (parts.size() != 4 || parts[0] != "127") return false;
  for (const std::string_view part : parts)
    if (part.empty() || part.size() > 3 || part.find_first_not_of("0123456789") != std::string_view::npos) return false;
  return true;
}

std::vector<Endpoint> Table(const ApiParts& parts) {
  std::vector<Endpoint> table;
  for (auto* rows : {&StatusEndpoints, &DeviceListEndpoints, &DeviceEndpoints, &ResourceEndpoints, &ObjectEndpoints,
                     &PluginEndpoints, &ApprovalEndpoints, &RunEndpoints, &CycleEndpoints, &NotificationEndpoints,
                     &EventEndpoints, &MetricEndpoints, &SettingEndpoints, &SecretEndpoints, &AuditEndpoints,
                     &PeopleEndpoints, &SessionEndpoints, &TokenEndpoints}) {
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

// 401, or what broke when we looked.
http::Response Unknown(const Error& error) {
  if (error.code != Errc::kDenied) return ToResponse(Fail(error));
  http::Response response = http::Problem(401, error.message);
  response.headers["WWW-Authenticate"] = "Bearer";
  return response;
}

Error Missing(const Principal& who, Permission permission) {
  return {Errc::kDenied,
          fmt::format("this takes the permission {}; {} has {}", PermissionName(permission), who.actor,
                      who.granted == Permissions() ? "none" : FormatPermissions(who.granted)),
          {}};
}

http::Response NotAllowed(const http::Request& request, const std::string& allowed) {
  http::Response response =
      http::Problem(405, fmt::format("{} takes {}, not {}", request.path, allowed, request.method));
  response.headers["Allow"] = allowed;
  return response;
}

// What the whole process counts, so nothing for other organisations than the first.
http::Response Metrics(const http::Request& request, const Principal& who) {
  if (request.method != "GET") return NotAllowed(request, "GET");
  if (!who.granted.Has(Permission::kRead)) return ToResponse(Fail(Missing(who, Permission::kRead)));
  if (who.org != kDefaultOrg)
    return ToResponse(Fail(Errc::kDenied, "the metrics of the installation are for the default organisation"));
  return {200, RenderMetrics(), "text/plain; version=0.0.4; charset=utf-8", {}};
}

}  // namespace

std::shared_ptr<const Catalog> CatalogOf(const ApiParts& parts, OrgId org) {
  static const auto none = std::make_shared<const Catalog>();
  return org == kDefaultOrg ? parts.host.catalog() : none;
}

Api::Api(ApiParts parts) : parts_(std::move(parts)), endpoints_(Table(parts_)) {
  endpoints_.emplace_back("GET", "", Permission::kRead, "This list.", std::vector<Parameter>{},
                          [this](const Call&) -> Result<Reply> { return Reply{DescribeTable(endpoints_)}; });
}

bool Api::IsOurName(std::string_view host) const {
  if (IsLoopbackHost(host)) return true;
  const std::string name = ToLower(WithoutPort(host));
  return std::find(parts_.hosts.begin(), parts_.hosts.end(), name) != parts_.hosts.end();
}

Status Api::CheckPlace(const http::Request& request) const {
  const std::string_view host = request.Header("Host");
  if (!IsOurName(host))
    return Fail(
        Errc::kDenied,
        fmt::format("the Host header names \"{}\", neither this machine's loopback address nor one of `hosts`", host));
  const std::string_view origin = request.Header("Origin");
  // A proxy in front of us may speak TLS with the browser; no page can make a browser send the header.
  const bool tls = request.Header("X-Forwarded-Proto") == "https";
  if (!origin.empty() && origin != fmt::format("{}://{}", tls ? "https" : "http", host))
    return Fail(Errc::kDenied, fmt::format("a page of {} may not call this API", origin));
  return {};
}

Api::Route Api::Find(const http::Request& request) const {
  Route route;
  const std::string_view path = request.path;
  if (!path.starts_with(kPrefix)) return route;
  for (const Endpoint& endpoint : endpoints_) {
    auto names = Match(endpoint.path, path.substr(kPrefix.size()));
    if (!names) continue;
    if (endpoint.method == request.method) return {&endpoint, *std::move(names), {}};
    route.allowed += (route.allowed.empty() ? "" : ", ") + endpoint.method;
  }
  return route;
}

void Api::Handle(const http::Request& request, const http::Responder& responder) const {
  static Metric& requests = Counter("backplane_http_requests_total", "Requests to the API");
  requests.Add();
  if (const Status place = CheckPlace(request); !place) return responder.Send(ToResponse(Fail(place.error())));
  const std::string_view path = request.path;
  if (path == "/" && request.method == "GET")
    return responder.Send({200,
                           "Backplane is running. Its API is below /api/v1 and wants the token in DATA/token;\n"
                           "`backplane --help` lists the commands that use it.\n",
                           "text/plain; charset=utf-8",
                           {}});
  const Route route = Find(request);
  Principal who;
  if (route.endpoint == nullptr || route.endpoint->permission != Permission::kEnter) {
    auto known = parts_.auth.Identify(request);
    if (!known) return responder.Send(Unknown(known.error()));
    who = *std::move(known);
    if (const Status ours = Auth::RefuseForgery(request); !ours) return responder.Send(ToResponse(Fail(ours.error())));
  }
  if (path == "/metrics") return responder.Send(Metrics(request, who));
  if (route.endpoint == nullptr) {
    if (route.allowed.empty())
      return responder.Send(ToResponse(Fail(Errc::kNotFound, fmt::format("no such resource: {}", path))));
    return responder.Send(NotAllowed(request, route.allowed));
  }
  const Endpoint& endpoint = *route.endpoint;
  if (endpoint.permission != Permission::kEnter && !who.granted.Has(endpoint.permission))
    return responder.Send(ToResponse(Fail(Missing(who, endpoint.permission))));
  if (const Status known = RefuseUnknownParameters(endpoint, request); !known)
    return responder.Send(ToResponse(Fail(known.error())));
  endpoint.handler(Call(request, std::move(who), route.names), responder);
}

}  // namespace backplane::api
