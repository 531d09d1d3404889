// /session, /sessions and /setup: getting in, and out.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/auth.h"
#include "api/people.h"
#include "base/crypt.h"
#include "base/text.h"
#include "store/tokens.h"

namespace backplane::api {
namespace {

Json ToJson(const store::Session& session, SessionId own) {
  return {{"id", session.id},
          {"user", session.user_name},
          {"created", FormatIso(session.created)},
          {"expires", FormatIso(session.expires)},
          {"used", FormatIso(session.used)},
          {"address", session.address},
          {"agent", session.agent},
          {"own", session.id == own}};
}

// The request as it can be kept after its handler has returned: without the password in its body.
http::Request Visit(const Call& call) {
  http::Request visit = call.request();
  visit.body.clear();
  return visit;
}

// A session for who has shown the right password.
http::Response Enter(const ApiParts& parts, OrgId org, const store::User& user, const http::Request& visit) {
  const auto begun = parts.auth.BeginSession(org, user, visit);
  if (!begun) return ToResponse(Fail(begun.error()));
  http::Request next = visit;
  next.headers["Cookie"] = fmt::format("{}={}", kSessionCookie, begun->secret);
  http::Response response = ToResponse(Reply{{{"user", user.name},
                                              {"role", RoleName(user.role)},
                                              {"session", begun->session.id},
                                              {"expires", FormatIso(begun->session.expires)},
                                              {"csrf", Auth::ForgeryToken(next)}},
                                             201,
                                             {}});
  response.headers["Set-Cookie"] = parts.auth.Cookie(visit, begun->secret);
  return response;
}

Status SignIn(const ApiParts& parts, const Call& call, const http::Responder& responder) {
  BACKPLANE_ASSIGN(Json body, call.Body());
  BACKPLANE_TRY(RefuseUnknownFields(body, {"org", "user", "password"}));
  BACKPLANE_ASSIGN(const std::string given, TextOf(body, "user"));
  BACKPLANE_ASSIGN(const std::string user, NameOf(given, "user"));
  std::string org = "default";
  if (body.contains("org")) {
    BACKPLANE_ASSIGN(org, TextOf(body, "org"));
    BACKPLANE_ASSIGN(org, NameOf(org, "org"));
  }
  BACKPLANE_ASSIGN(Secret password, PasswordIn(body, "password"));
  parts.auth.WithUser(org, user, std::move(password), call.request(), responder,
                      [&parts, visit = Visit(call)](OrgId of, const store::User* found) {
                        if (found != nullptr) return Enter(parts, of, *found, visit);
                        // One answer for all reasons, so that nobody learns who can sign in here.
                        http::Response response = http::Problem(401, "user or password is wrong");
                        response.headers["WWW-Authenticate"] = "Bearer";
                        return response;
                      });
  return {};
}

Result<Reply> WhoAmI(const ApiParts& parts, const Call& call) {
  const Principal& who = call.principal();
  Json body = {{"actor", who.actor},
               {"user", who.user == 0 ? Json(nullptr) : Json(who.user_name)},
               {"org", nullptr},
               {"permissions", Json::array()},
               {"session", who.session == 0 ? Json(nullptr) : Json(who.session)}};
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    for (const store::Organisation& one : store::Organisations(connection, who.org - 1, 1)) body["org"] = one.name;
    return {};
  }));
  const std::string granted = FormatPermissions(who.granted);
  for (const std::string_view one : Split(granted, ',')) body["permissions"].push_back(one);
  if (who.session != 0) body["csrf"] = Auth::ForgeryToken(call.request());
  return Reply{std::move(body)};
}

Result<store::Session> End(const ApiParts& parts, const Call& call, std::optional<UserId> whose, SessionId id) {
  store::Session session;
  BACKPLANE_TRY(Change(parts, call.org(), {.actor = call.actor(), .action = "session.end"},
                       [&](store::Connection& connection, store::AuditEntry& audit) -> Status {
                         BACKPLANE_ASSIGN(session, store::Tokens(connection, call.org()).RemoveSession(whose, id));
                         audit.subject = session.user_name;
                         audit.detail = DumpJson({{"session", session.id}});
                         return {};
                       }));
  return session;
}

http::Response SignOut(const ApiParts& parts, const Call& call) {
  const Principal& who = call.principal();
  if (who.session == 0) return ToResponse(Fail(Errc::kConflict, "this call was not made with a session"));
  const auto ended = End(parts, call, who.user, who.session);
  if (!ended) return ToResponse(Fail(ended.error()));
  http::Response response = ToResponse(Reply{ToJson(*ended, who.session)});
  response.headers["Set-Cookie"] = parts.auth.Cookie(call.request(), "");
  return response;
}

Result<Reply> ListSessions(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const Page page, PageOf(call));
  const Principal& who = call.principal();
  Json body = {{"sessions", Json::array()}, {"next", nullptr}};
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    store::Tokens tokens(connection, call.org());
    for (const store::Session& session : tokens.ListSessions(Whose(who), page.after, page.limit + 1)) {
      if (static_cast<int>(body["sessions"].size()) == page.limit)
        body["next"] = body["sessions"].back()["id"];
      else
        body["sessions"].push_back(ToJson(session, who.session));
    }
    return {};
  }));
  return Reply{std::move(body)};
}

Status ChangePassword(const ApiParts& parts, const Call& call, const http::Responder& responder) {
  const Principal& who = call.principal();
  if (who.user == 0) return Fail(Errc::kConflict, "the local token is nobody's, and has no password");
  BACKPLANE_ASSIGN(Json body, call.Body());
  BACKPLANE_TRY(RefuseUnknownFields(body, {"password", "new_password"}));
  BACKPLANE_ASSIGN(Secret password, PasswordIn(body, "password"));
  BACKPLANE_ASSIGN(Secret wanted, PasswordIn(body, "new_password"));
  BACKPLANE_TRY(CheckPassword(wanted.Reveal(), who.user_name));
  std::string org;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    for (const store::Organisation& one : store::Organisations(connection, who.org - 1, 1)) org = one.name;
    return {};
  }));
  const auto next = std::make_shared<Secret>(std::move(wanted));
  parts.auth.WithUser(org, who.user_name, std::move(password), call.request(), responder,
                      [&parts, who, next](OrgId of, const store::User* user) -> http::Response {
                        if (user == nullptr)
                          return ToResponse(Fail(Errc::kDenied, "the present password is another one", "password"));
                        const auto hash = HashPassword(*next);
                        if (!hash) return ToResponse(Fail(hash.error()));
                        const Status done =
                            Change(parts, of, {.actor = who.actor, .action = "user.edit", .subject = who.user_name},
                                   [&](store::Connection& connection, store::AuditEntry& audit) -> Status {
                                     store::People(connection, of).Edit(user->id, {.password = *hash});
                                     store::Tokens(connection, of).EndSessions(user->id, who.session);
                                     audit.detail = DumpJson({{"password", "new"}});
                                     return {};
                                   });
                        return done ? ToResponse(Reply{api::ToJson(*user)}) : ToResponse(Fail(done.error()));
                      });
  return {};
}

Status SetUp(const ApiParts& parts, const Call& call, const http::Responder& responder) {
  BACKPLANE_ASSIGN(Json body, call.Body());
  BACKPLANE_TRY(RefuseUnknownFields(body, {"token", "user", "password"}));
  BACKPLANE_ASSIGN(const std::string token, TextOf(body, "token"));
  if (!parts.auth.IsSetupToken(token))
    return Fail(Errc::kDenied, "not the set-up token, or somebody can sign in already", "token");
  BACKPLANE_ASSIGN(const std::string given, TextOf(body, "user"));
  store::User user{.role = Role::kAdmin};
  BACKPLANE_ASSIGN(user.name, NameOf(given, "user"));
  BACKPLANE_ASSIGN(Secret password, PasswordIn(body, "password"));
  BACKPLANE_TRY(CheckPassword(password.Reveal(), user.name));
  parts.auth.WithHash(
      std::move(password), responder, [&parts, user, visit = Visit(call)](const std::string& hash) -> http::Response {
        store::User admin = user;
        admin.password = hash;
        admin.created = parts.clock.Now();
        const Status done = Change(parts, kDefaultOrg, {.actor = "setup", .action = "user.add", .subject = admin.name},
                                   [&](store::Connection& connection, store::AuditEntry& audit) -> Status {
                                     if (store::HasUsers(connection))
                                       return Fail(Errc::kConflict, "somebody can sign in already");
                                     audit.detail = DumpJson({{"role", RoleName(admin.role)}});
                                     BACKPLANE_ASSIGN(admin.id, store::People(connection, kDefaultOrg).Add(admin));
                                     return {};
                                   });
        return done ? Enter(parts, kDefaultOrg, admin, visit) : ToResponse(Fail(done.error()));
      });
  return {};
}

// A row that may refuse at once, or answer later.
Endpoint::LaterHandler Later(const ApiParts& parts,
                             Status (*handle)(const ApiParts&, const Call&, const http::Responder&)) {
  return [&parts, handle](const Call& call, const http::Responder& responder) {
    if (const Status status = handle(parts, call, responder); !status) responder.Send(ToResponse(Fail(status.error())));
  };
}

}  // namespace

std::vector<Endpoint> SessionEndpoints(const ApiParts& parts) {
  return {
      {"POST",
       "/setup",
       Permission::kEnter,
       "Makes the first user, an admin, while there is none: `token` (of DATA/setup-token), `user` and `password`.",
       {},
       Later(parts, &SetUp)},
      {"POST",
       "/session",
       Permission::kEnter,
       "Signs in: `user`, `password` and, unless it is default, `org`. The answer sets a cookie; `csrf` goes into the "
       "header X-Backplane-CSRF of each changing call.",
       {},
       Later(parts, &SignIn)},
      {"GET",
       "/session",
       Permission::kRead,
       "Who calls, and what that one may do.",
       {},
       [&parts](const Call& call) { return WhoAmI(parts, call); }},
      {"DELETE",
       "/session",
       Permission::kSelf,
       "Signs out.",
       {},
       [&parts](const Call& call, const http::Responder& responder) { responder.Send(SignOut(parts, call)); }},
      {"POST",
       "/session/password",
       Permission::kSelf,
       "Changes one's own password: `password` and `new_password`. Ends one's other sessions.",
       {},
       Later(parts, &ChangePassword)},
      {"GET", "/sessions", Permission::kSelf, "Who is signed in: everybody for an admin, oneself for others.",
       PageParameters("Sessions"), [&parts](const Call& call) { return ListSessions(parts, call); }},
      {"DELETE",
       "/sessions/{id}",
       Permission::kSelf,
       "Ends a session: anybody's for an admin, one's own for others.",
       {},
       [&parts](const Call& call) -> Result<Reply> {
         BACKPLANE_ASSIGN(const SessionId id, call.PathId("id"));
         BACKPLANE_ASSIGN(const store::Session ended, End(parts, call, Whose(call.principal()), id));
         return Reply{ToJson(ended, call.principal().session)};
       }},
  };
}

}  // namespace backplane::api
