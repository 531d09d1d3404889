#include "model/access.h"

#include <gtest/gtest.h>

namespace backplane {
namespace {

TEST(Access, RolesBuildOnEachOther) {
  const Permissions viewer = PermissionsOf(Role::kViewer);
  const Permissions operates = PermissionsOf(Role::kOperator);
  const Permissions admin = PermissionsOf(Role::kAdmin);
  EXPECT_EQ(FormatPermissions(viewer), "self,read");
  EXPECT_EQ(FormatPermissions(operates), "self,read,operate,edit");
  EXPECT_EQ(FormatPermissions(admin), "self,read,operate,edit,admin");
  EXPECT_TRUE(admin.HasAll(operates));
  EXPECT_TRUE(operates.HasAll(viewer));
  EXPECT_FALSE(viewer.HasAll(operates));
}

TEST(Access, ScopesAreReadAsWritten) {
  for (const char* text : {"read", "read,operate", "read,operate,edit,admin", "admin"})
    EXPECT_EQ(FormatPermissions(ParseScopes(text).value()), text);
  EXPECT_EQ(FormatPermissions(ParseScopes("edit,read,edit").value()), "read,edit");
  for (const char* text : {"", "Read", "*", "read,", "self", "enter", "read, edit"}) {
    const auto scopes = ParseScopes(text);
    ASSERT_FALSE(scopes) << text;
    EXPECT_EQ(scopes.error().where, "scopes");
  }
}

TEST(Access, WhatAScopeAndARoleBothAllow) {
  const Permissions both = ParseScopes("read,admin").value() & PermissionsOf(Role::kOperator);
  EXPECT_EQ(FormatPermissions(both), "read");
}

TEST(Access, RolesHaveNames) {
  for (const Role role : {Role::kViewer, Role::kOperator, Role::kAdmin})
    EXPECT_EQ(ParseRole(RoleName(role)).value(), role);
  EXPECT_EQ(ParseRole("root").error().where, "role");
}

}  // namespace
}  // namespace backplane
