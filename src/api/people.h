// What the rows about people share.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "api/api.h"
#include "store/audit.h"
#include "store/people.h"

namespace backplane::api {

/// The name of a user, token or organisation as it is stored: small letters. kInvalid: it is not 1 to 64
/// letters, digits or ".-_@" that begin with a letter or digit; `field` is to blame.
Result<std::string> NameOf(std::string_view text, const std::string& field);

/// kInvalid: too short to be a password of the user, or the user's name.
Status CheckPassword(std::string_view password, std::string_view user);

/// The text that a body has as `field`. kInvalid: none.
Result<std::string> TextOf(const Json& body, const std::string& field);
/// kInvalid: the body has a field that is none of `known`.
Status RefuseUnknownFields(const Json& body, std::initializer_list<std::string_view> known);

/// Takes a password out of the body. kInvalid: none.
Result<Secret> PasswordIn(Json& body, const std::string& field);

/// Whose tokens and sessions a caller may see: nothing means everybody's in the organisation.
std::optional<UserId> Whose(const Principal& who);

struct Page {
  std::int64_t after = 0;
  int limit = 0;
};
Result<Page> PageOf(const Call& call);
/// The parameters that PageOf() reads, for lists of `things`.
std::vector<Parameter> PageParameters(std::string_view things);

Json ToJson(const store::User& user);

/// Writes and audits in one transaction, and lets the change count at once.
Status Change(const ApiParts& parts, OrgId org, store::AuditEntry entry,
              const std::function<Status(store::Connection&, store::AuditEntry&)>& work);

}  // namespace backplane::api
