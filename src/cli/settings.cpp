// backplane settings ...
#include <fmt/format.h>

#include "base/text.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/prompt.h"
#include "cli/table.h"
#include "store/vault.h"

namespace backplane::cli {
namespace {

Client::Query QueryOf(const Args& args) {
  Client::Query query;
  for (const char* option : {"--dialect", "--plugin"})
    if (args.Has(option)) query[std::string(option).substr(2)] = args.Get(option);
  return query;
}

std::string ValueText(const Json& row) {
  if (row["secret"] == true) return row["set"] == true ? "(set)" : "(unset)";
  return row["value"].is_string() ? row["value"].get<std::string>() : DumpJson(row["value"]);
}

std::string PathOf(const Json& row) { return fmt::format("/settings/{}/{}", Text(row, "dialect"), Text(row, "key")); }

// The one setting of that name.
Result<Json> Find(const Client& client, const Args& args, const std::string& key) {
  Client::Query query = QueryOf(args);
  query["key"] = key;
  BACKPLANE_ASSIGN(Json found, client.Get("/settings", query));
  if (found["settings"].size() > 1)
    return Fail(Errc::kConflict, fmt::format("several dialects have a setting {}: name one with --dialect", key));
  return std::move(found["settings"][0]);
}

int List(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto all = client->Get("/settings", QueryOf(args));
  if (!all) return Report(all.error());
  Json shown = Json::array();
  for (const Json& row : (*all)["settings"])
    if (!args.Has("--given") || row["source"] != "default") shown.push_back(row);
  if (args.Has("--json")) return PrintJson(shown), kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Json& row : shown)
    rows.push_back({Text(row, "key"), Shorten(ValueText(row), 60), Text(row, "source"), Text(row, "title")});
  PrintTable({"KEY", "VALUE", "FROM", "TITLE"}, rows);
  return kOk;
}

int Get(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto row = Find(*client, args, args.Get("KEY"));
  if (!row) return Report(row.error());
  if (args.Has("--json")) return PrintJson(*row), kOk;
  std::puts(Harmless(ValueText(*row)).c_str());
  return kOk;
}

// A secret is asked for, so that it stands in no list of processes and no history.
Result<Json> ValueOf(const Json& row, const std::optional<std::string>& given) {
  const std::string key = Text(row, "key");
  if (row["secret"] == true) {
    if (given)
      return Fail(Errc::kInvalid, fmt::format("{0} is a secret: write `backplane settings set {0}` and give its value "
                                              "when asked, or on standard input",
                                              key));
    BACKPLANE_ASSIGN(const Secret secret, AskSecret(fmt::format("Value of {}: ", key), store::kLargestSecret));
    return Json(std::string(secret.Reveal()));
  }
  if (!given) return Fail(Errc::kInvalid, fmt::format("write {}=VALUE", key));
  // Of a text 1.50 is no number.
  const auto json = row["type"] == "string" ? Result<Json>(Json(*given)) : ParseJson(*given);
  return json ? *json : Json(*given);
}

int Set(const Args& args) {
  const std::string given = args.Get("KEY[=VALUE]");
  const auto assignment = Assignment(given);
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto row = Find(*client, args, assignment ? assignment->first : given);
  if (!row) return Report(row.error());
  const auto value = ValueOf(*row, assignment ? std::optional(assignment->second) : std::nullopt);
  if (!value) return Report(value.error());
  const auto set = client->Call("PUT", PathOf(*row), {{"value", *value}});
  if (!set) return Report(set.error());
  if (args.Has("--json")) return PrintJson(*set), kOk;
  const std::string source = Text(*set, "source");
  std::puts(Harmless(fmt::format("{} is {}", Text(*set, "key"), ValueText(*set))).c_str());
  if (!source.starts_with("set by"))
    std::fputs(
        (Harmless(fmt::format("note: {} counts more than what is set here", Text(*set, "place"))) + "\n").c_str(),
        stderr);
  return kOk;
}

int Unset(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto row = Find(*client, args, args.Get("KEY"));
  if (!row) return Report(row.error());
  const auto removed = client->Call("DELETE", PathOf(*row));
  if (!removed) return Report(removed.error());
  const auto now = Find(*client, args, args.Get("KEY"));
  if (!now) return Report(now.error());
  if (args.Has("--json")) return PrintJson(*now), kOk;
  std::puts(
      Harmless(fmt::format("{} is {} again ({})", Text(*now, "key"), ValueText(*now), Text(*now, "source"))).c_str());
  return kOk;
}

}  // namespace

std::vector<Command> SettingCommands() {
  const Option dialect = {"--dialect", "NAME", "Of this dialect"};
  return {{"settings list",
           "List what plugins are told, and who says so",
           {},
           ClientOptions({dialect,
                          {"--plugin", "NAME", "Only the settings of this plugin"},
                          {"--given", "", "Only what is not as its author left it"}}),
           List},
          {"settings get",
           "Print the value of a setting",
           {{"KEY", "Its name, such as TIMEZONE or ARPSCAN_RUN"}},
           ClientOptions({dialect}),
           Get},
          {"settings set",
           "Set a value that counts from the next run on",
           {{"KEY[=VALUE]", "Name and value, as JSON or text; of a secret the name alone"}},
           ClientOptions({dialect}),
           Set,
           "It counts more than the site configuration and an ecosystem's own files, but for an override. A secret is "
           "typed without echo, or read from standard input."},
          {"settings unset",
           "Forget what was set, so that the files or the default count again",
           {{"KEY", "Its name"}},
           ClientOptions({dialect}),
           Unset}};
}

}  // namespace backplane::cli
