// backplane users|tokens|orgs ...
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/prompt.h"
#include "cli/table.h"

namespace backplane::cli {
namespace {

constexpr std::size_t kMostPassword = 1000;

// Typed twice at a terminal; otherwise from standard input, if that was said.
Result<Secret> AskPassword(const Args& args, const std::string& user) {
  const bool terminal = isatty(STDIN_FILENO) != 0;
  if (!terminal && !args.Has("--password-stdin"))
    return Fail(Errc::kInvalid, "there is no terminal to ask for a password at: give it with --password-stdin");
  BACKPLANE_ASSIGN(Secret password, AskSecret(fmt::format("Password of {}: ", Harmless(user)), kMostPassword));
  if (!terminal) return password;
  BACKPLANE_ASSIGN(const Secret again, AskSecret("The same again: ", kMostPassword));
  if (again.Reveal() != password.Reveal()) return Fail(Errc::kInvalid, "the two passwords differ");
  return password;
}

Client::Query OrgQuery(const Args& args) {
  return args.Has("--org") ? Client::Query{{"org", args.Get("--org")}} : Client::Query{};
}

// Every page of a list.
Result<Json> ReadAll(const Args& args, const std::string& path, const std::string& things) {
  BACKPLANE_ASSIGN(const Client client, Client::Connect(args));
  Client::Query query = OrgQuery(args);
  query["limit"] = "1000";
  Json all = Json::array();
  while (true) {
    BACKPLANE_ASSIGN(Json page, client.Get(path, query));
    for (Json& one : page[things]) all.push_back(std::move(one));
    if (page["next"].is_null()) return all;
    query["after"] = DumpJson(page["next"]);
  }
}

// Sends a change, and prints what came back or `said`.
int Send(const Args& args, const std::string& method, const std::string& path, const Json& body,
         const std::string& said) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto answer = client->Call(method, path, body, OrgQuery(args));
  if (!answer) return Report(answer.error());
  if (args.Has("--json")) return PrintJson(*answer), kOk;
  std::puts(Harmless(said).c_str());
  return kOk;
}

std::string Joined(const Json& texts) {
  std::string all;
  for (const Json& text : texts) all += (all.empty() ? "" : ",") + text.get<std::string>();
  return all;
}

int ListUsers(const Args& args) {
  const auto users = ReadAll(args, "/users", "users");
  if (!users) return Report(users.error());
  if (args.Has("--json")) return PrintJson(*users), kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Json& user : *users)
    rows.push_back({Text(user, "user"), Text(user, "role"), user["disabled"] == true ? "disabled" : "",
                    ShortTime(Text(user, "created")), ShortTime(Text(user, "signed_in"))});
  PrintTable({"USER", "ROLE", "STATE", "ADDED (UTC)", "SIGNED IN (UTC)"}, rows);
  return kOk;
}

int AddUser(const Args& args) {
  const std::string user = args.Get("USER");
  const auto password = AskPassword(args, user);
  if (!password) return Report(password.error());
  const std::string role = args.Get("--role", "viewer");
  return Send(args, "POST", "/users", {{"user", user}, {"password", password->Reveal()}, {"role", role}},
              fmt::format("{} can sign in, as {}", user, role));
}

int EditUser(const Args& args) {
  const std::string user = args.Get("USER");
  Json body = Json::object();
  if (args.Has("--role")) body["role"] = args.Get("--role");
  if (args.Has("--disable") && args.Has("--enable"))
    return Report({Errc::kInvalid, "a user is disabled or enabled, not both", {}});
  if (args.Has("--disable") || args.Has("--enable")) body["disabled"] = args.Has("--disable");
  if (args.Has("--password") || args.Has("--password-stdin")) {
    const auto password = AskPassword(args, user);
    if (!password) return Report(password.error());
    body["password"] = password->Reveal();
  }
  if (body.empty()) return Report({Errc::kInvalid, "nothing to change: see `backplane users edit --help`", {}});
  return Send(args, "PATCH", "/users/" + user, body, fmt::format("{} is changed", user));
}

int RemoveUser(const Args& args) {
  const std::string user = args.Get("USER");
  return Send(args, "DELETE", "/users/" + user, nullptr, fmt::format("{} is removed", user));
}

int ListTokens(const Args& args) {
  const auto tokens = ReadAll(args, "/tokens", "tokens");
  if (!tokens) return Report(tokens.error());
  if (args.Has("--json")) return PrintJson(*tokens), kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Json& token : *tokens)
    rows.push_back({Text(token, "id"), Text(token, "user"), Text(token, "name"), Joined(token["scopes"]),
                    ShortTime(Text(token, "expires")), ShortTime(Text(token, "used"))});
  PrintTable({"ID", "USER", "NAME", "SCOPES", "EXPIRES (UTC)", "USED (UTC)"}, rows);
  return kOk;
}

int AddToken(const Args& args) {
  Json body = {{"name", args.Get("NAME")}, {"scopes", Json::array()}};
  for (const std::string& scope : args.All("--scope")) body["scopes"].push_back(scope);
  if (body["scopes"].empty()) body["scopes"].push_back("read");
  if (args.Has("--expires")) body["expires"] = args.Get("--expires");
  if (args.Has("--user")) body["user"] = args.Get("--user");
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto token = client->Call("POST", "/tokens", body);
  if (!token) return Report(token.error());
  if (args.Has("--json")) return PrintJson(*token), kOk;
  std::puts(Text(*token, "token").c_str());
  std::fputs("this is the only time that it is shown\n", stderr);
  return kOk;
}

int RemoveToken(const Args& args) {
  const std::string id = args.Get("ID");
  return Send(args, "DELETE", "/tokens/" + id, nullptr, fmt::format("token {} is no longer good", id));
}

int ListOrgs(const Args& args) {
  const auto orgs = ReadAll(args, "/orgs", "orgs");
  if (!orgs) return Report(orgs.error());
  if (args.Has("--json")) return PrintJson(*orgs), kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Json& org : *orgs) rows.push_back({Text(org, "id"), Text(org, "name")});
  PrintTable({"ID", "NAME"}, rows);
  return kOk;
}

int AddOrg(const Args& args) {
  const std::string name = args.Get("NAME");
  return Send(args, "POST", "/orgs", {{"name", name}},
              fmt::format("organisation {} is there; `backplane users add NAME --org {} --role admin` adds its first "
                          "user",
                          name, name));
}

}  // namespace

std::vector<Command> PeopleCommands() {
  const Option org = {"--org", "NAME", "In this organisation (else your own)"};
  const Option standard_input = {"--password-stdin", "", "Read the password from standard input"};
  const Argument user = {"USER", "Its name"};
  return {
      {"users list", "List who can sign in", {}, ClientOptions({org}), ListUsers},
      {"users add",
       "Let somebody sign in; asks for the password",
       {user},
       ClientOptions({{"--role", "ROLE", "viewer (unless given), operator or admin"}, org, standard_input}),
       AddUser,
       "A viewer looks; an operator also runs, cancels and edits; an admin does everything."},
      {"users edit",
       "Change somebody's role, password or state",
       {user},
       ClientOptions({{"--role", "ROLE", "viewer, operator or admin"},
                      {"--disable", "", "Let the user in no more, and end sessions"},
                      {"--enable", "", "End that"},
                      {"--password", "", "Ask for a new password, and end sessions"},
                      standard_input,
                      org}),
       EditUser},
      {"users remove", "Remove somebody, with tokens and sessions", {user}, ClientOptions({org}), RemoveUser},
      {"tokens list", "List API tokens: everybody's for an admin, else your own", {}, ClientOptions({}), ListTokens},
      {"tokens add",
       "Make an API token, and print it",
       {{"NAME", "What it is for"}},
       ClientOptions({{"--scope", "SCOPE", "read (unless given), operate, edit or admin", true},
                      {"--expires", "TIME", "After a time such as 30d (else never)"},
                      {"--user", "USER", "Whose it is; with the local token, somebody has to be named"}}),
       AddToken,
       "Commands use the token in BACKPLANE_TOKEN, if that is set, in place of DATA/token."},
      {"tokens remove", "End an API token", {{"ID", "Its id"}}, ClientOptions({}), RemoveToken},
      {"orgs list", "List organisations", {}, ClientOptions({}), ListOrgs},
      {"orgs add", "Add an organisation", {{"NAME", "Its name"}}, ClientOptions({}), AddOrg},
  };
}

}  // namespace backplane::cli
