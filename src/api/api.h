// The daemon's HTTP face: REST v1, metrics, and the checks before both.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/auth.h"
#include "api/endpoint.h"
#include "dispatch/cycles.h"
#include "dispatch/host.h"
#include "dispatch/sender.h"
#include "events/bus.h"
#include "http/http.h"
#include "ingest/folder.h"
#include "ingest/sample_folder.h"
#include "package/registry.h"
#include "store/database.h"
#include "store/vault.h"

namespace backplane::api {

/// What the API answers from. Everything referred to outlives it.
struct ApiParts {
  store::Database& database;
  dispatch::Host& host;
  dispatch::Sender& sender;
  dispatch::Cycles& cycles;
  ingest::Folder& folder;
  ingest::SampleFolder& samples;
  store::Vault& vault;
  package::Registry& registry;
  events::Bus& bus;
  const Clock& clock;
  std::filesystem::path runs;  ///< folder of the runs' logs
  Auth& auth;
  std::vector<std::string> hosts;  ///< names besides loopback under which people reach us
  std::function<Status()> rescan;  ///< reads the plugin folders again
};

/// The id of the plugin that a filter names by id or short name; an id that no plugin of today
/// has is taken as it is, since what it left behind is still there.
Result<std::string> PluginId(const ApiParts& parts, OrgId org, const std::string& name);

/// The plugins that an organisation has: those of the site belong to the default one.
std::shared_ptr<const Catalog> CatalogOf(const ApiParts& parts, OrgId org);

/// Rows of each resource; one file each.
std::vector<Endpoint> DeviceEndpoints(const ApiParts& parts);
std::vector<Endpoint> DeviceListEndpoints(const ApiParts& parts);
std::vector<Endpoint> ObjectEndpoints(const ApiParts& parts);
std::vector<Endpoint> ResourceEndpoints(const ApiParts& parts);
std::vector<Endpoint> RunEndpoints(const ApiParts& parts);
std::vector<Endpoint> CycleEndpoints(const ApiParts& parts);
std::vector<Endpoint> NotificationEndpoints(const ApiParts& parts);
std::vector<Endpoint> PluginEndpoints(const ApiParts& parts);
std::vector<Endpoint> ApprovalEndpoints(const ApiParts& parts);
std::vector<Endpoint> EventEndpoints(const ApiParts& parts);
std::vector<Endpoint> MetricEndpoints(const ApiParts& parts);
std::vector<Endpoint> SettingEndpoints(const ApiParts& parts);
std::vector<Endpoint> SecretEndpoints(const ApiParts& parts);
std::vector<Endpoint> AuditEndpoints(const ApiParts& parts);
std::vector<Endpoint> PeopleEndpoints(const ApiParts& parts);
std::vector<Endpoint> SessionEndpoints(const ApiParts& parts);
std::vector<Endpoint> TokenEndpoints(const ApiParts& parts);
std::vector<Endpoint> StatusEndpoints(const ApiParts& parts);

/// Thread-safe.
class Api {
 public:
  explicit Api(ApiParts parts);
  ~Api() { parts_.auth.Stop(); }
  Api(const Api&) = delete;  // the rows refer to parts_
  Api& operator=(const Api&) = delete;

  /// Answers a request. Every row but those that let somebody in wants to know who calls, and that one
  /// to have its permission: this is the one place where that is looked at. Host must name this machine's
  /// loopback or one of the configured names, and Origin, if there is one, the same place, so that no
  /// other web page can post to us.
  void Handle(const http::Request& request, const http::Responder& responder) const;

  const std::vector<Endpoint>& endpoints() const { return endpoints_; }

 private:
  struct Route {
    const Endpoint* endpoint = nullptr;
    std::map<std::string, std::string> names;  ///< parts of the path
    std::string allowed;                       ///< methods that the path takes
  };
  Route Find(const http::Request& request) const;
  bool IsOurName(std::string_view host) const;
  Status CheckPlace(const http::Request& request) const;

  const ApiParts parts_;
  std::vector<Endpoint> endpoints_;
};

}  // namespace backplane::api
