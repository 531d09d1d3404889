#include "model/access.h"

#include <array>

#include <fmt/format.h>

#include "base/text.h"

namespace backplane {
namespace {

constexpr std::array kPermissions = {Permission::kEnter,   Permission::kSelf, Permission::kRead,
                                     Permission::kOperate, Permission::kEdit, Permission::kAdmin};
constexpr Permissions kScopes = {Permission::kRead, Permission::kOperate, Permission::kEdit, Permission::kAdmin};

}  // namespace

const char* PermissionName(Permission permission) {
  switch (permission) {
    case Permission::kEnter: return "enter";
    case Permission::kSelf: return "self";
    case Permission::kRead: return "read";
    case Permission::kOperate: return "operate";
    case Permission::kEdit: return "edit";
    case Permission::kAdmin: return "admin";
  }
  return "admin";
}

std::string FormatPermissions(Permissions permissions) {
  std::string text;
  for (const Permission one : kPermissions)
    if (permissions.Has(one)) text += (text.empty() ? "" : ",") + std::string(PermissionName(one));
  return text;
}

Result<Permissions> ParseScopes(std::string_view text) {
  Permissions scopes;
  for (const std::string_view name : Split(text, ',')) {
    Permissions found;
    for (const Permission one : kPermissions)
      if (kScopes.Has(one) && name == PermissionName(one)) found = {one};
    if (found == Permissions())
      return Fail(Errc::kInvalid, fmt::format("\"{}\" is no scope: there are read, operate, edit and admin", name),
                  "scopes");
    scopes = scopes | found;
  }
  return scopes;
}

const char* RoleName(Role role) {
  switch (role) {
    case Role::kViewer: return "viewer";
    case Role::kOperator: return "operator";
    case Role::kAdmin: return "admin";
  }
  return "viewer";
}

Result<Role> ParseRole(std::string_view name) {
  for (const Role role : {Role::kViewer, Role::kOperator, Role::kAdmin})
    if (name == RoleName(role)) return role;
  return Fail(Errc::kInvalid, fmt::format("\"{}\" is no role: there are viewer, operator and admin", name), "role");
}

Permissions PermissionsOf(Role role) {
  Permissions permissions = {Permission::kSelf, Permission::kRead};
  if (role != Role::kViewer) permissions = permissions | Permissions{Permission::kOperate, Permission::kEdit};
  if (role == Role::kAdmin) permissions = permissions | Permissions{Permission::kAdmin};
  return permissions;
}

}  // namespace backplane
