// The daemon's HTTP face: REST v1, metrics, and the checks before both.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/endpoint.h"
#include "dispatch/host.h"
#include "events/bus.h"
#include "http/http.h"
#include "ingest/folder.h"
#include "ingest/sample_folder.h"
#include "store/database.h"

namespace backplane::api {

/// What the API answers from. Everything referred to outlives it.
struct ApiParts {
  store::Database& database;
  dispatch::Host& host;
  ingest::Folder& folder;
  ingest::SampleFolder& samples;
  events::Bus& bus;
  const Clock& clock;
  std::filesystem::path runs;      ///< folder of the runs' logs
  std::string token;               ///< what "Authorization: Bearer" must carry
  std::function<Status()> rescan;  ///< reads the plugin folders again
};

/// The id of the plugin that a filter names by id or short name; an id that no plugin of today
/// has is taken as it is, since what it left behind is still there.
Result<std::string> PluginId(const ApiParts& parts, const std::string& name);

/// Rows of each resource; one file each.
std::vector<Endpoint> DeviceEndpoints(const ApiParts& parts);
std::vector<Endpoint> ObjectEndpoints(const ApiParts& parts);
std::vector<Endpoint> ResourceEndpoints(const ApiParts& parts);
std::vector<Endpoint> RunEndpoints(const ApiParts& parts);
std::vector<Endpoint> PluginEndpoints(const ApiParts& parts);
std::vector<Endpoint> EventEndpoints(const ApiParts& parts);
std::vector<Endpoint> MetricEndpoints(const ApiParts& parts);
std::vector<Endpoint> StatusEndpoints(const ApiParts& parts);

/// Thread-safe.
class Api {
 public:
  explicit Api(ApiParts parts);
  Api(const Api&) = delete;  // the rows refer to parts_
  Api& operator=(const Api&) = delete;

  /// Answers a request. Every request to the API and to /metrics must carry the token; Host must
  /// name this machine's loopback and Origin, if there is one, the same place, so that no web page
  /// can post to us.
  void Handle(const http::Request& request, const http::Responder& responder) const;

  const std::vector<Endpoint>& endpoints() const { return endpoints_; }

 private:
  Status Admit(const http::Request& request) const;

  const ApiParts parts_;
  std::vector<Endpoint> endpoints_;
};

}  // namespace backplane::api
