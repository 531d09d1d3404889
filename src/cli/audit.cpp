// backplane audit ...
#include <fmt/format.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/table.h"

namespace backplane::cli {
namespace {

int List(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  Client::Query query;
  for (const std::string name : {"actor", "action", "subject", "before", "limit"})
    if (args.Has("--" + name)) query[name] = args.Get("--" + name);
  const auto page = client->Get("/audit", query);
  if (!page) return Report(page.error());
  if (args.Has("--json")) return PrintJson((*page)["entries"]), kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Json& entry : (*page)["entries"])
    rows.push_back({Text(entry, "id"), ShortTime(Text(entry, "at")), Text(entry, "actor"), Text(entry, "action"),
                    Text(entry, "subject"), entry["detail"].empty() ? "" : DumpJson(entry["detail"])});
  PrintTable({"ID", "AT (UTC)", "WHO", "ACTION", "WHAT", "DETAIL"}, rows);
  if (!(*page)["next"].is_null())
    std::fputs(fmt::format("there are older ones: --before {}\n", Text(*page, "next")).c_str(), stderr);
  return kOk;
}

}  // namespace

std::vector<Command> AuditCommands() {
  return {{"audit list",
           "List who did what, newest first",
           {},
           ClientOptions({{"--actor", "WHO", "Only what this one did, such as user:alice"},
                          {"--action", "ACTION", "Only actions that start so, such as secret."},
                          {"--subject", "WHAT", "Only what was done to this"},
                          {"--before", "ID", "Only entries from before this one"},
                          {"--limit", "N", "At most so many, 1 to 1000; 100 unless given"}}),
           List}};
}

}  // namespace backplane::cli
