#include "store/tokens.h"

#include <fmt/format.h>

namespace backplane::store {
namespace {

constexpr int kMostTokensOfAUser = 100;

std::optional<TimePoint> MaybeTime(const Rows& rows, int column) {
  const auto at = rows.MaybeInt(column);
  return at ? std::optional(FromMillis(*at)) : std::nullopt;
}

std::optional<std::int64_t> MaybeMillis(const std::optional<TimePoint>& at) {
  return at ? std::optional(ToMillis(*at)) : std::nullopt;
}

constexpr const char* kSelectTokens =
    "SELECT t.id, t.person, p.name, t.name, t.scopes, t.created, t.expires, t.used FROM api_token t "
    "JOIN person p ON p.id = t.person WHERE t.org = ?";
constexpr const char* kSelectSessions =
    "SELECT s.id, s.person, p.name, s.created, s.expires, s.used, s.address, s.agent FROM session s "
    "JOIN person p ON p.id = s.person WHERE s.org = ?";

ApiToken ReadToken(const Rows& rows) {
  return {.id = rows.Int(0),
          .user = rows.Int(1),
          .user_name = rows.Text(2),
          .name = rows.Text(3),
          .scopes = ParseScopes(rows.View(4)).value_or(Permissions()),
          .created = FromMillis(rows.Int(5)),
          .expires = MaybeTime(rows, 6),
          .used = MaybeTime(rows, 7)};
}

Session ReadSession(const Rows& rows) {
  return {.id = rows.Int(0),
          .user = rows.Int(1),
          .user_name = rows.Text(2),
          .created = FromMillis(rows.Int(3)),
          .expires = FromMillis(rows.Int(4)),
          .used = FromMillis(rows.Int(5)),
          .address = rows.Text(6),
          .agent = rows.Text(7)};
}

}  // namespace

std::vector<ApiToken> Tokens::List(std::optional<UserId> user, TokenId after, int limit) {
  std::vector<ApiToken> tokens;
  Rows rows = db_.Query(
      fmt::format("{} AND t.person = COALESCE(?, t.person) AND t.id > ? ORDER BY t.id LIMIT ?", kSelectTokens), org_,
      user, after, limit);
  while (rows.Next()) tokens.push_back(ReadToken(rows));
  return tokens;
}

Result<TokenId> Tokens::Add(const ApiToken& token, std::string_view hash) {
  const std::vector<ApiToken> present = List(token.user, 0, kMostTokensOfAUser);
  for (const ApiToken& other : present)
    if (other.name == token.name)
      return Fail(Errc::kConflict, fmt::format("{} has a token {} already", other.user_name, token.name), "name");
  if (present.size() == kMostTokensOfAUser)
    return Fail(Errc::kConflict,
                fmt::format("{} has {} tokens, which is the most", present.front().user_name, kMostTokensOfAUser));
  return db_.ExecuteReturning(
      "INSERT INTO api_token (org, person, name, hash, scopes, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?) "
      "RETURNING id",
      org_, token.user, token.name, hash, FormatPermissions(token.scopes), ToMillis(token.created),
      MaybeMillis(token.expires));
}

Result<ApiToken> Tokens::Remove(std::optional<UserId> user, TokenId id) {
  std::optional<ApiToken> token;
  {
    Rows rows =
        db_.Query(fmt::format("{} AND t.person = COALESCE(?, t.person) AND t.id = ?", kSelectTokens), org_, user, id);
    if (rows.Next()) token = ReadToken(rows);
  }
  if (!token) return Fail(Errc::kNotFound, fmt::format("no token {}", id));
  db_.Execute("DELETE FROM api_token WHERE id = ? AND org = ?", id, org_);
  return *std::move(token);
}

std::vector<Session> Tokens::ListSessions(std::optional<UserId> user, SessionId after, int limit) {
  std::vector<Session> sessions;
  Rows rows = db_.Query(
      fmt::format("{} AND s.person = COALESCE(?, s.person) AND s.id > ? ORDER BY s.id LIMIT ?", kSelectSessions), org_,
      user, after, limit);
  while (rows.Next()) sessions.push_back(ReadSession(rows));
  return sessions;
}

SessionId Tokens::AddSession(const Session& session, std::string_view hash, const SessionLimits& limits) {
  const std::int64_t now = ToMillis(session.created);
  db_.Execute("DELETE FROM session WHERE expires <= ? OR used <= ?", now, now - limits.idle.count());
  // The newest stay, one fewer than there may be.
  db_.Execute(
      "DELETE FROM session WHERE org = ? AND person = ? AND id NOT IN "
      "(SELECT id FROM session WHERE org = ? AND person = ? ORDER BY id DESC LIMIT ?)",
      org_, session.user, org_, session.user, limits.most_of_a_user - 1);
  return db_.ExecuteReturning(
      "INSERT INTO session (org, person, hash, created, expires, used, address, agent) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
      "RETURNING id",
      org_, session.user, hash, now, ToMillis(session.expires), now, session.address, session.agent);
}

Result<Session> Tokens::RemoveSession(std::optional<UserId> user, SessionId id) {
  std::optional<Session> session;
  {
    Rows rows =
        db_.Query(fmt::format("{} AND s.person = COALESCE(?, s.person) AND s.id = ?", kSelectSessions), org_, user, id);
    if (rows.Next()) session = ReadSession(rows);
  }
  if (!session) return Fail(Errc::kNotFound, fmt::format("no session {}", id));
  db_.Execute("DELETE FROM session WHERE id = ? AND org = ?", id, org_);
  return *std::move(session);
}

void Tokens::EndSessions(UserId user, SessionId keep) {
  db_.Execute("DELETE FROM session WHERE org = ? AND person = ? AND id <> ?", org_, user, keep);
}

std::optional<Bearer> FindToken(Connection& connection, TokenId id) {
  Rows rows = connection.Query(
      "SELECT t.org, t.person, p.name, p.role, p.disabled, t.name, t.hash, t.scopes, t.expires, t.used "
      "FROM api_token t JOIN person p ON p.id = t.person WHERE t.id = ?",
      id);
  if (!rows.Next()) return std::nullopt;
  return Bearer{.id = id,
                .org = rows.Int(0),
                .user = rows.Int(1),
                .user_name = rows.Text(2),
                .role = ParseRole(rows.View(3)).value_or(Role::kViewer),
                .disabled = rows.Int(4) != 0,
                .name = rows.Text(5),
                .hash = rows.Text(6),
                .scopes = ParseScopes(rows.View(7)).value_or(Permissions()),
                .expires = MaybeTime(rows, 8),
                .used = MaybeTime(rows, 9)};
}

std::optional<Bearer> FindSession(Connection& connection, std::string_view hash) {
  Rows rows = connection.Query(
      "SELECT s.id, s.org, s.person, p.name, p.role, p.disabled, s.expires, s.used "
      "FROM session s JOIN person p ON p.id = s.person WHERE s.hash = ?",
      hash);
  if (!rows.Next()) return std::nullopt;
  return Bearer{.id = rows.Int(0),
                .org = rows.Int(1),
                .user = rows.Int(2),
                .user_name = rows.Text(3),
                .role = ParseRole(rows.View(4)).value_or(Role::kViewer),
                .disabled = rows.Int(5) != 0,
                .name = {},
                .hash = std::string(hash),
                .scopes = {},
                .expires = MaybeTime(rows, 6),
                .used = MaybeTime(rows, 7)};
}

void TouchToken(Connection& connection, TokenId id, TimePoint at) {
  connection.Execute("UPDATE api_token SET used = ? WHERE id = ?", ToMillis(at), id);
}

void TouchSession(Connection& connection, SessionId id, TimePoint at) {
  connection.Execute("UPDATE session SET used = ? WHERE id = ?", ToMillis(at), id);
}

}  // namespace backplane::store
