// /tokens: what programs call with.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/auth.h"
#include "api/people.h"
#include "base/rng.h"
#include "base/text.h"
#include "store/tokens.h"

namespace backplane::api {
namespace {

Json ToJson(const store::ApiToken& token) {
  Json json = {{"id", token.id}, {"user", token.user_name}, {"name", token.name}, {"scopes", Json::array()}};
  const std::string scopes = FormatPermissions(token.scopes);
  for (const std::string_view scope : Split(scopes, ',')) json["scopes"].push_back(scope);
  json["created"] = FormatIso(token.created);
  json["expires"] = token.expires ? Json(FormatIso(*token.expires)) : Json(nullptr);
  json["used"] = token.used ? Json(FormatIso(*token.used)) : Json(nullptr);
  return json;
}

Result<Reply> List(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const Page page, PageOf(call));
  Json body = {{"tokens", Json::array()}, {"next", nullptr}};
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    store::Tokens tokens(connection, call.org());
    for (const store::ApiToken& token : tokens.List(Whose(call.principal()), page.after, page.limit + 1)) {
      if (static_cast<int>(body["tokens"].size()) == page.limit)
        body["next"] = body["tokens"].back()["id"];
      else
        body["tokens"].push_back(ToJson(token));
    }
    return {};
  }));
  return Reply{std::move(body)};
}

Result<Permissions> ScopesIn(const Json& body) {
  const auto found = body.find("scopes");
  if (found == body.end() || !found->is_array() || found->empty())
    return Fail(Errc::kInvalid, "scopes: is no list of some of read, operate, edit and admin", "scopes");
  Permissions scopes;
  for (const Json& one : *found) {
    BACKPLANE_ASSIGN(const Permissions scope, ParseScopes(one.is_string() ? one.get<std::string>() : DumpJson(one)));
    scopes = scopes | scope;
  }
  return scopes;
}

Result<Reply> Add(const ApiParts& parts, const Call& call) {
  const Principal& who = call.principal();
  BACKPLANE_ASSIGN(const Json body, call.Body());
  BACKPLANE_TRY(RefuseUnknownFields(body, {"name", "scopes", "expires", "user"}));
  BACKPLANE_ASSIGN(const std::string given, TextOf(body, "name"));
  store::ApiToken token{.user_name = who.user_name, .created = parts.clock.Now()};
  BACKPLANE_ASSIGN(token.name, NameOf(given, "name"));
  BACKPLANE_ASSIGN(token.scopes, ScopesIn(body));
  if (body.contains("expires")) {
    BACKPLANE_ASSIGN(const std::string expires, TextOf(body, "expires"));
    const auto duration = ParseDuration(expires);
    if (!duration || duration->count() <= 0 || *duration > std::chrono::hours(24 * 3650))
      return Fail(Errc::kInvalid, fmt::format("expires: \"{}\" is not a duration such as 12h or 30d", expires),
                  "expires");
    token.expires = token.created + *duration;
  }
  if (body.contains("user")) {
    BACKPLANE_ASSIGN(const std::string user, TextOf(body, "user"));
    BACKPLANE_ASSIGN(token.user_name, NameOf(user, "user"));
  }
  if (token.user_name.empty())
    return Fail(Errc::kInvalid, "user: is missing; the local token is nobody's, so say whose the new one is", "user");
  if (token.user_name != who.user_name && !who.granted.Has(Permission::kAdmin))
    return Fail(Errc::kDenied, "only an admin can make tokens for others", "user");

  const std::string secret = SecretHex(32);
  BACKPLANE_TRY(
      Change(parts, call.org(), {.actor = call.actor(), .action = "token.add"},
             [&](store::Connection& connection, store::AuditEntry& audit) -> Status {
               BACKPLANE_ASSIGN(const store::User user, store::People(connection, call.org()).Find(token.user_name));
               if (!PermissionsOf(user.role).HasAll(token.scopes))
                 return Fail(Errc::kInvalid,
                             fmt::format("scopes: {} is {}, which does not have all of {}", user.name,
                                         RoleName(user.role), FormatPermissions(token.scopes)),
                             "scopes");
               token.user = user.id;
               BACKPLANE_ASSIGN(token.id, store::Tokens(connection, call.org()).Add(token, Sha256Hex(secret)));
               audit.subject = fmt::format("{}/{}", user.name, token.name);
               audit.detail = DumpJson({{"scopes", FormatPermissions(token.scopes)},
                                        {"expires", token.expires ? Json(FormatIso(*token.expires)) : Json(nullptr)}});
               return {};
             }));
  Json json = ToJson(token);
  json["token"] = fmt::format("bp_{}_{}", token.id, secret);
  return Reply{std::move(json), 201, {}};
}

Result<Reply> Remove(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const TokenId id, call.PathId("id"));
  store::ApiToken token;
  BACKPLANE_TRY(Change(parts, call.org(), {.actor = call.actor(), .action = "token.remove"},
                       [&](store::Connection& connection, store::AuditEntry& audit) -> Status {
                         BACKPLANE_ASSIGN(token,
                                          store::Tokens(connection, call.org()).Remove(Whose(call.principal()), id));
                         audit.subject = fmt::format("{}/{}", token.user_name, token.name);
                         return {};
                       }));
  return Reply{ToJson(token)};
}

}  // namespace

std::vector<Endpoint> TokenEndpoints(const ApiParts& parts) {
  return {
      {"GET", "/tokens", Permission::kSelf, "API tokens: everybody's for an admin, one's own for others.",
       PageParameters("Tokens"), [&parts](const Call& call) { return List(parts, call); }},
      {"POST",
       "/tokens",
       Permission::kSelf,
       "Makes an API token: `name`, `scopes` (some of read, operate, edit and admin), `expires` after a time such as "
       "30d, and for an admin `user`. The answer is the only one that shows it. A token cannot make tokens unless its "
       "scopes have admin.",
       {},
       [&parts](const Call& call) { return Add(parts, call); }},
      {"DELETE",
       "/tokens/{id}",
       Permission::kSelf,
       "Ends a token: anybody's for an admin, one's own for others.",
       {},
       [&parts](const Call& call) { return Remove(parts, call); }},
  };
}

}  // namespace backplane::api
