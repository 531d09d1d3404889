#include "store/people.h"

#include <fmt/format.h>

namespace backplane::store {
namespace {

constexpr const char* kSelect =
    "SELECT id, name, password, role, disabled, created, signed_in FROM person WHERE org = ?";

User ReadUser(const Rows& rows) {
  User user{.id = rows.Int(0),
            .name = rows.Text(1),
            .password = rows.Text(2),
            .role = ParseRole(rows.View(3)).value_or(Role::kViewer),
            .disabled = rows.Int(4) != 0,
            .created = FromMillis(rows.Int(5)),
            .signed_in = std::nullopt};
  if (const auto at = rows.MaybeInt(6)) user.signed_in = FromMillis(*at);
  return user;
}

}  // namespace

std::vector<Organisation> Organisations(Connection& connection, std::int64_t after, int limit) {
  std::vector<Organisation> all;
  Rows rows = connection.Query("SELECT id, name FROM organisation WHERE id > ? ORDER BY id LIMIT ?", after, limit);
  while (rows.Next()) all.push_back({rows.Int(0), rows.Text(1)});
  return all;
}

Result<OrgId> FindOrganisation(Connection& connection, std::string_view name) {
  Rows rows = connection.Query("SELECT id FROM organisation WHERE name = ?", name);
  if (!rows.Next()) return Fail(Errc::kNotFound, fmt::format("no organisation {}", name));
  return rows.Int(0);
}

Result<OrgId> AddOrganisation(Connection& connection, std::string_view name) {
  if (FindOrganisation(connection, name))
    return Fail(Errc::kConflict, fmt::format("there is an organisation {} already", name), "name");
  return connection.ExecuteReturning("INSERT INTO organisation (name) VALUES (?) RETURNING id", name);
}

bool HasUsers(Connection& connection) { return connection.Query("SELECT id FROM person LIMIT 1").Next(); }

std::vector<User> People::List(UserId after, int limit) {
  std::vector<User> users;
  Rows rows = db_.Query(fmt::format("{} AND id > ? ORDER BY id LIMIT ?", kSelect), org_, after, limit);
  while (rows.Next()) users.push_back(ReadUser(rows));
  return users;
}

Result<User> People::Find(std::string_view name) {
  Rows rows = db_.Query(fmt::format("{} AND name = ?", kSelect), org_, name);
  if (!rows.Next()) return Fail(Errc::kNotFound, fmt::format("no user {}", name));
  return ReadUser(rows);
}

Result<UserId> People::Add(const User& user) {
  if (Find(user.name)) return Fail(Errc::kConflict, fmt::format("there is a user {} already", user.name), "user");
  return db_.ExecuteReturning(
      "INSERT INTO person (org, name, password, role, created) VALUES (?, ?, ?, ?, ?) RETURNING id", org_, user.name,
      user.password, RoleName(user.role), ToMillis(user.created));
}

void People::Edit(UserId id, const UserEdit& edit) {
  db_.Execute(
      "UPDATE person SET password = COALESCE(?, password), role = COALESCE(?, role), disabled = COALESCE(?, disabled) "
      "WHERE id = ? AND org = ?",
      edit.password, edit.role ? std::optional(std::string_view(RoleName(*edit.role))) : std::nullopt, edit.disabled,
      id, org_);
}

void People::SignedIn(UserId id, TimePoint at) {
  db_.Execute("UPDATE person SET signed_in = ? WHERE id = ? AND org = ?", ToMillis(at), id, org_);
}

void People::Remove(UserId id) {
  db_.Execute("DELETE FROM api_token WHERE person = ? AND org = ?", id, org_);
  db_.Execute("DELETE FROM session WHERE person = ? AND org = ?", id, org_);
  db_.Execute("DELETE FROM person WHERE id = ? AND org = ?", id, org_);
}

bool People::HasAdmin() {
  return db_.Query("SELECT id FROM person WHERE org = ? AND role = 'admin' AND disabled = 0 LIMIT 1", org_).Next();
}

}  // namespace backplane::store
