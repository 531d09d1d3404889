// Organisations, and the people who can sign in to one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/access.h"
#include "model/ids.h"
#include "store/database.h"

namespace backplane::store {

struct Organisation {
  OrgId id = 0;
  std::string name;
};

std::vector<Organisation> Organisations(Connection& connection, std::int64_t after, int limit);
/// kNotFound names it.
Result<OrgId> FindOrganisation(Connection& connection, std::string_view name);
/// kConflict: there is one with that name.
Result<OrgId> AddOrganisation(Connection& connection, std::string_view name);

/// Whether anybody can sign in to any organisation.
bool HasUsers(Connection& connection);

struct User {
  UserId id = 0;
  std::string name;      ///< unique in its organisation
  std::string password;  ///< its hash, as base/crypt.h makes it
  Role role = Role::kViewer;
  bool disabled = false;
  TimePoint created{};
  std::optional<TimePoint> signed_in;  ///< the last time
};

/// What changes; nothing else does.
struct UserEdit {
  std::optional<std::string> password;
  std::optional<Role> role;
  std::optional<bool> disabled;
};

/// The people of one organisation. Lives inside one piece of work on a connection.
class People {
 public:
  People(Connection& connection, OrgId org) : db_(connection), org_(org) {}

  /// By id, those after `after`.
  std::vector<User> List(UserId after, int limit);
  /// kNotFound names the user.
  Result<User> Find(std::string_view name);
  /// kConflict: the name is taken. `user.id`, `disabled` and `signed_in` are not looked at.
  Result<UserId> Add(const User& user);
  void Edit(UserId id, const UserEdit& edit);
  void SignedIn(UserId id, TimePoint at);
  /// With tokens and sessions.
  void Remove(UserId id);
  /// Whether somebody who is not disabled is admin.
  bool HasAdmin();

 private:
  Connection& db_;
  const OrgId org_;
};

}  // namespace backplane::store
