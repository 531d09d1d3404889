// REST v1 as one table: each row says who may call what, and does it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "http/http.h"
#include "model/access.h"
#include "model/ids.h"

namespace backplane::api {

/// Who calls, and what that one may do.
struct Principal {
  OrgId org = kDefaultOrg;
  std::string actor;      ///< for the audit log: "local", "user:alice", "token:alice/ci"
  Permissions granted;    ///< without kEnter
  std::string user_name;  ///< empty: the local token, which is nobody's
  UserId user = 0;        ///< 0: the same
  SessionId session = 0;  ///< 0: no session
};

/// A request that has passed authentication.
class Call {
 public:
  Call(const http::Request& request, Principal principal, std::map<std::string, std::string> path)
      : request_(request), principal_(std::move(principal)), path_(std::move(path)) {}

  OrgId org() const { return principal_.org; }
  const Principal& principal() const { return principal_; }
  /// Who calls, as the audit log names it.
  const std::string& actor() const { return principal_.actor; }
  const http::Request& request() const { return request_; }
  /// The part of the path that stands for {name}.
  const std::string& Path(const std::string& name) const { return path_.at(name); }
  /// The same as a number. kNotFound: it is none, so nothing has that id.
  Result<std::int64_t> PathId(const std::string& name) const;
  /// A query parameter, or `otherwise`.
  std::string Query(const std::string& name, std::string otherwise = {}) const;
  /// kInvalid names the parameter.
  Result<std::int64_t> QueryInt(const std::string& name, std::int64_t otherwise, std::int64_t least,
                                std::int64_t most) const;
  /// A time, or one before `now`: "-1h" is an hour earlier, "now" is now. kInvalid names the parameter.
  Result<TimePoint> QueryTime(const std::string& name, const std::string& otherwise, TimePoint now) const;
  /// The body as a JSON object. kInvalid.
  Result<Json> Body() const;

 private:
  const http::Request& request_;
  const Principal principal_;
  std::map<std::string, std::string> path_;
};

/// A handler's answer: status 200 and a document, unless it says otherwise.
struct Reply {
  Json body;
  int status = 200;
  std::string text;  ///< instead of `body`, as text/plain
};

struct Parameter {
  std::string name;
  std::string sentence;
};

struct Endpoint {
  /// A row that answers at once.
  using Handler = std::function<Result<Reply>(const Call&)>;
  /// A row that answers later; it may keep the responder.
  using LaterHandler = std::function<void(const Call&, http::Responder)>;

  Endpoint(std::string_view method_, std::string_view path_, Permission permission_, std::string_view sentence_,
           std::vector<Parameter> parameters_, Handler handler_);
  Endpoint(std::string_view method_, std::string_view path_, Permission permission_, std::string_view sentence_,
           std::vector<Parameter> parameters_, LaterHandler handler_);

  std::string method;
  std::string path;  ///< below /api/v1: "/devices/{id}"; "{name*}" at the end is all that follows
  Permission permission;
  std::string sentence;
  std::vector<Parameter> parameters;  ///< of the query
  LaterHandler handler;
};

/// Documents as responses: Reply, and application/problem+json (RFC 9457) for an error, with
/// `code` and, where a field is to blame, `field`.
http::Response ToResponse(const Result<Reply>& reply);

}  // namespace backplane::api
