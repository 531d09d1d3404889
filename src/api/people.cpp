// /users and /orgs: who can sign in, and to what.
#include "api/people.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "api/auth.h"
#include "base/text.h"
#include "store/tokens.h"

namespace backplane::api {
namespace {

constexpr std::size_t kLeastPassword = 10;
constexpr std::size_t kMostPassword = 1000;

const Parameter kOrg = {"org", "Of this organisation; for admins of the default one."};

// The organisation that a call is about: the caller's own, or the one that an admin of the default
// organisation names. Another one is not there for others.
Result<OrgId> OrgOf(const ApiParts& parts, const Call& call) {
  const std::string name = call.Query("org");
  if (name.empty()) return call.org();
  OrgId org = 0;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    BACKPLANE_ASSIGN(org, store::FindOrganisation(connection, name));
    if (org != call.org() && call.org() != kDefaultOrg)
      return Fail(Errc::kNotFound, fmt::format("no organisation {}", name));
    return {};
  }));
  return org;
}

store::AuditEntry Entry(const Call& call, OrgId org, std::string action, std::string subject) {
  return {.actor = org == call.org() ? call.actor() : fmt::format("default/{}", call.actor()),
          .action = std::move(action),
          .subject = std::move(subject)};
}

Result<Reply> ListUsers(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const OrgId org, OrgOf(parts, call));
  BACKPLANE_ASSIGN(const Page page, PageOf(call));
  Json body = {{"users", Json::array()}, {"next", nullptr}};
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    for (const store::User& user : store::People(connection, org).List(page.after, page.limit + 1)) {
      if (static_cast<int>(body["users"].size()) == page.limit)
        body["next"] = body["users"].back()["id"];
      else
        body["users"].push_back(ToJson(user));
    }
    return {};
  }));
  return Reply{std::move(body)};
}

struct AddUser {
  OrgId org = 0;
  store::User user;
  Secret password;
};

Result<AddUser> ReadAddUser(const ApiParts& parts, const Call& call) {
  AddUser add;
  BACKPLANE_ASSIGN(add.org, OrgOf(parts, call));
  BACKPLANE_ASSIGN(Json body, call.Body());
  BACKPLANE_TRY(RefuseUnknownFields(body, {"user", "password", "role"}));
  BACKPLANE_ASSIGN(const std::string name, TextOf(body, "user"));
  BACKPLANE_ASSIGN(add.user.name, NameOf(name, "user"));
  BACKPLANE_ASSIGN(const std::string role, TextOf(body, "role"));
  BACKPLANE_ASSIGN(add.user.role, ParseRole(role));
  BACKPLANE_ASSIGN(add.password, PasswordIn(body, "password"));
  BACKPLANE_TRY(CheckPassword(add.password.Reveal(), add.user.name));
  return add;
}

void PostUser(const ApiParts& parts, const Call& call, const http::Responder& responder) {
  auto add = ReadAddUser(parts, call);
  if (!add) return responder.Send(ToResponse(Fail(add.error())));
  const store::AuditEntry entry = Entry(call, add->org, "user.add", add->user.name);
  parts.auth.WithHash(
      std::move(add->password), responder, [&parts, org = add->org, user = add->user, entry](const std::string& hash) {
        store::User added = user;
        added.password = hash;
        added.created = parts.clock.Now();
        const Status done =
            Change(parts, org, entry, [&](store::Connection& connection, store::AuditEntry& audit) -> Status {
              audit.detail = DumpJson({{"role", RoleName(added.role)}});
              BACKPLANE_ASSIGN(added.id, store::People(connection, org).Add(added));
              return {};
            });
        return done ? ToResponse(Reply{ToJson(added), 201, {}}) : ToResponse(Fail(done.error()));
      });
}

// Somebody of the organisation has to be able to look after its people.
Status RefuseLastAdmin(store::People& people, const store::User& before) {
  if (before.role != Role::kAdmin || before.disabled || people.HasAdmin()) return {};
  return Fail(Errc::kConflict,
              fmt::format("{} is the only admin of the organisation: make another one first", before.name));
}

http::Response EditUser(const ApiParts& parts, OrgId org, const store::AuditEntry& entry, const store::UserEdit& edit) {
  store::User user;
  const Status done = Change(parts, org, entry, [&](store::Connection& connection, store::AuditEntry& audit) -> Status {
    store::People people(connection, org);
    BACKPLANE_ASSIGN(const store::User before, people.Find(entry.subject));
    people.Edit(before.id, edit);
    BACKPLANE_TRY(RefuseLastAdmin(people, before));
    if (edit.password || edit.disabled.value_or(false)) store::Tokens(connection, org).EndSessions(before.id);
    BACKPLANE_ASSIGN(user, people.Find(entry.subject));
    Json detail = Json::object();
    if (edit.role) detail["role"] = RoleName(*edit.role);
    if (edit.disabled) detail["disabled"] = *edit.disabled;
    if (edit.password) detail["password"] = "new";
    audit.detail = DumpJson(detail);
    return {};
  });
  return done ? ToResponse(Reply{ToJson(user)}) : ToResponse(Fail(done.error()));
}

Status PatchUser(const ApiParts& parts, const Call& call, const http::Responder& responder) {
  BACKPLANE_ASSIGN(const OrgId org, OrgOf(parts, call));
  const std::string name = ToLower(call.Path("name"));
  BACKPLANE_ASSIGN(Json body, call.Body());
  BACKPLANE_TRY(RefuseUnknownFields(body, {"role", "disabled", "password"}));
  if (body.empty()) return Fail(Errc::kInvalid, "nothing to change: give role, disabled or password");
  store::UserEdit edit;
  if (body.contains("role")) {
    BACKPLANE_ASSIGN(const std::string role, TextOf(body, "role"));
    BACKPLANE_ASSIGN(edit.role, ParseRole(role));
  }
  if (body.contains("disabled")) {
    if (!body["disabled"].is_boolean()) return Fail(Errc::kInvalid, "disabled: is neither true nor false", "disabled");
    edit.disabled = body["disabled"].get<bool>();
  }
  const store::AuditEntry entry = Entry(call, org, "user.edit", name);
  if (!body.contains("password")) return responder.Send(EditUser(parts, org, entry, edit)), Status();
  BACKPLANE_ASSIGN(Secret password, PasswordIn(body, "password"));
  BACKPLANE_TRY(CheckPassword(password.Reveal(), name));
  parts.auth.WithHash(std::move(password), responder, [&parts, org, entry, edit](const std::string& hash) {
    store::UserEdit with = edit;
    with.password = hash;
    return EditUser(parts, org, entry, with);
  });
  return {};
}

Result<Reply> DeleteUser(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const OrgId org, OrgOf(parts, call));
  const std::string name = ToLower(call.Path("name"));
  store::User user;
  BACKPLANE_TRY(Change(parts, org, Entry(call, org, "user.remove", name),
                       [&](store::Connection& connection, store::AuditEntry&) -> Status {
                         store::People people(connection, org);
                         BACKPLANE_ASSIGN(user, people.Find(name));
                         people.Remove(user.id);
                         return RefuseLastAdmin(people, user);
                       }));
  return Reply{ToJson(user)};
}

Result<Reply> ListOrganisations(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const Page page, PageOf(call));
  Json body = {{"orgs", Json::array()}, {"next", nullptr}};
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    // Others see their own only.
    const bool all = call.org() == kDefaultOrg;
    const std::int64_t after = all ? page.after : std::max(page.after, call.org() - 1);
    for (const store::Organisation& one : store::Organisations(connection, after, all ? page.limit + 1 : 1)) {
      if (!all && one.id != call.org()) break;
      if (static_cast<int>(body["orgs"].size()) == page.limit)
        body["next"] = body["orgs"].back()["id"];
      else
        body["orgs"].push_back({{"id", one.id}, {"name", one.name}});
    }
    return {};
  }));
  return Reply{std::move(body)};
}

Result<Reply> PostOrganisation(const ApiParts& parts, const Call& call) {
  if (call.org() != kDefaultOrg)
    return Fail(Errc::kDenied, "only admins of the default organisation can add another one");
  BACKPLANE_ASSIGN(const Json body, call.Body());
  BACKPLANE_TRY(RefuseUnknownFields(body, {"name"}));
  BACKPLANE_ASSIGN(const std::string given, TextOf(body, "name"));
  BACKPLANE_ASSIGN(const std::string name, NameOf(given, "name"));
  OrgId org = 0;
  BACKPLANE_TRY(Change(parts, call.org(), Entry(call, call.org(), "org.add", name),
                       [&](store::Connection& connection, store::AuditEntry&) -> Status {
                         BACKPLANE_ASSIGN(org, store::AddOrganisation(connection, name));
                         return {};
                       }));
  return Reply{{{"id", org}, {"name", name}}, 201, {}};
}

}  // namespace

Result<std::string> NameOf(std::string_view text, const std::string& field) {
  const std::string name = ToLower(text);
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  const bool right = !name.empty() && name.size() <= 64 && kLetters.find(name[0]) != std::string_view::npos &&
                     name.find_first_not_of(std::string(kLetters) + ".-_@") == std::string::npos;
  if (right) return name;
  return Fail(Errc::kInvalid,
              fmt::format("{}: \"{}\" is not 1 to 64 letters (a to z), digits, '.', '-', '_' or '@', beginning with a "
                          "letter or digit",
                          field, Shorten(text, 64)),
              field);
}

Status CheckPassword(std::string_view password, std::string_view user) {
  const auto letters = static_cast<std::size_t>(
      std::count_if(password.begin(), password.end(), [](char c) { return (c & 0xC0) != 0x80; }));
  if (letters < kLeastPassword)
    return Fail(Errc::kInvalid,
                fmt::format("the password is too short: it has {} characters, and needs {}", letters, kLeastPassword),
                "password");
  if (password.size() > kMostPassword)
    return Fail(Errc::kInvalid, fmt::format("the password is longer than {} bytes", kMostPassword), "password");
  if (ToLower(password) == user) return Fail(Errc::kInvalid, "the password is the user's name", "password");
  return {};
}

Result<std::string> TextOf(const Json& body, const std::string& field) {
  const auto found = body.find(field);
  if (found == body.end()) return Fail(Errc::kInvalid, fmt::format("{}: is missing", field), field);
  if (!found->is_string()) return Fail(Errc::kInvalid, fmt::format("{}: is not a text", field), field);
  return found->get<std::string>();
}

Status RefuseUnknownFields(const Json& body, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : body.items())
    if (std::find(known.begin(), known.end(), name) == known.end())
      return Fail(Errc::kInvalid, fmt::format("no such field: {}; there are {}", name, fmt::join(known, ", ")), name);
  return {};
}

Result<Secret> PasswordIn(Json& body, const std::string& field) {
  const auto found = body.find(field);
  if (found == body.end() || !found->is_string())
    return Fail(Errc::kInvalid, fmt::format("{}: is missing, or no text", field), field);
  return Secret::Take(found->get_ref<std::string&>());
}

std::optional<UserId> Whose(const Principal& who) {
  return who.granted.Has(Permission::kAdmin) ? std::nullopt : std::optional(who.user);
}

Result<Page> PageOf(const Call& call) {
  Page page;
  BACKPLANE_ASSIGN(page.after, call.QueryInt("after", 0, 0, std::numeric_limits<std::int64_t>::max()));
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("limit", 100, 1, 1000));
  page.limit = static_cast<int>(limit);
  return page;
}

std::vector<Parameter> PageParameters(std::string_view things) {
  return {{"after", "Cursor: the `next` of the page before."},
          {"limit", fmt::format("{} per page, 1 to 1000; 100 unless given.", things)}};
}

Json ToJson(const store::User& user) {
  return {{"id", user.id},
          {"user", user.name},
          {"role", RoleName(user.role)},
          {"disabled", user.disabled},
          {"created", FormatIso(user.created)},
          {"signed_in", user.signed_in ? Json(FormatIso(*user.signed_in)) : Json(nullptr)}};
}

Status Change(const ApiParts& parts, OrgId org, store::AuditEntry entry,
              const std::function<Status(store::Connection&, store::AuditEntry&)>& work) {
  entry.at = parts.clock.Now();
  BACKPLANE_TRY(parts.database.Write([&](store::Connection& connection) -> Status {
    BACKPLANE_TRY(work(connection, entry));
    store::Audit(connection, org).Append(entry);
    return {};
  }));
  parts.auth.Changed();
  return {};
}

std::vector<Endpoint> PeopleEndpoints(const ApiParts& parts) {
  std::vector<Parameter> list = PageParameters("Users");
  list.push_back(kOrg);
  return {
      {"GET", "/users", Permission::kAdmin, "Who can sign in, by id.", list,
       [&parts](const Call& call) { return ListUsers(parts, call); }},
      {"POST",
       "/users",
       Permission::kAdmin,
       "Adds a user: `user`, `password` (10 characters at least) and `role` (viewer, operator or admin).",
       {kOrg},
       [&parts](const Call& call, const http::Responder& responder) { PostUser(parts, call, responder); }},
      {"PATCH",
       "/users/{name}",
       Permission::kAdmin,
       "Changes a user's `role`, `disabled` or `password`. A new password, or being disabled, ends the user's "
       "sessions.",
       {kOrg},
       [&parts](const Call& call, const http::Responder& responder) {
         if (const Status status = PatchUser(parts, call, responder); !status)
           responder.Send(ToResponse(Fail(status.error())));
       }},
      {"DELETE",
       "/users/{name}",
       Permission::kAdmin,
       "Removes a user, with tokens and sessions.",
       {kOrg},
       [&parts](const Call& call) { return DeleteUser(parts, call); }},
      {"GET", "/orgs", Permission::kAdmin, "The organisations; outside the default one, only the own.",
       PageParameters("Organisations"), [&parts](const Call& call) { return ListOrganisations(parts, call); }},
      {"POST",
       "/orgs",
       Permission::kAdmin,
       "Adds an organisation called `name`; for admins of the default one.",
       {},
       [&parts](const Call& call) { return PostOrganisation(parts, call); }},
  };
}

}  // namespace backplane::api
