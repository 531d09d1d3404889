// Who may do what: permissions, the roles that people have, and the scopes of tokens.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/result.h"

namespace backplane {

/// What a caller must be allowed to do. There is no value for "nothing".
enum class Permission {
  kEnter,    ///< get in: signing in and setting up, which nobody is allowed to do and everybody may try
  kSelf,     ///< look after one's own session, password and tokens: whoever has signed in
  kRead,     ///< look at devices, runs, plugins, events
  kOperate,  ///< run and cancel
  kEdit,     ///< change what the inventory says
  kAdmin,    ///< people, organisations, secrets, approval of plugins
};
/// "enter", "self", "read", "operate", "edit", "admin".
const char* PermissionName(Permission permission);

/// A set of them.
class Permissions {
 public:
  constexpr Permissions() = default;
  constexpr Permissions(std::initializer_list<Permission> list) {
    for (const Permission one : list) bits_ |= Bit(one);
  }
  constexpr bool Has(Permission one) const { return (bits_ & Bit(one)) != 0; }
  constexpr bool HasAll(Permissions other) const { return (bits_ & other.bits_) == other.bits_; }
  constexpr Permissions operator&(Permissions other) const { return Permissions(bits_ & other.bits_); }
  constexpr Permissions operator|(Permissions other) const { return Permissions(bits_ | other.bits_); }
  constexpr bool operator==(const Permissions&) const = default;

 private:
  explicit constexpr Permissions(unsigned bits) : bits_(bits) {}
  static constexpr unsigned Bit(Permission one) { return 1U << static_cast<unsigned>(one); }
  unsigned bits_ = 0;
};

/// "read,operate", in the order of the enumeration.
std::string FormatPermissions(Permissions permissions);

/// The scopes that a token can have, written as FormatPermissions() does. kInvalid: none, or not one of read,
/// operate, edit and admin.
Result<Permissions> ParseScopes(std::string_view text);

enum class Role {
  kViewer,    ///< read
  kOperator,  ///< and operate and edit
  kAdmin,     ///< everything
};
/// "viewer", "operator", "admin".
const char* RoleName(Role role);
/// kInvalid names the roles that there are.
Result<Role> ParseRole(std::string_view name);
/// What somebody with the role may do who has signed in.
Permissions PermissionsOf(Role role);

}  // namespace backplane
