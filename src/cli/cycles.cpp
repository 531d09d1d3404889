// backplane cycles ...
#include <fmt/format.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/table.h"

namespace backplane::cli {
namespace {

std::string Seconds(const Json& object) {
  return fmt::format("{:.1f} s", static_cast<double>(object["duration_ms"].get<std::int64_t>()) / 1000);
}

int List(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto page = client->Get("/cycles", {{"limit", args.Get("--limit", "30")}});
  if (!page) return Report(page.error());
  if (args.Has("--json")) return PrintJson((*page)["cycles"]), kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Json& cycle : (*page)["cycles"])
    rows.push_back({Text(cycle, "id"), Text(cycle, "status"), Text(cycle, "stage"), ShortTime(Text(cycle, "opened")),
                    Seconds(cycle), Text(cycle, "message")});
  PrintTable({"ID", "STATUS", "STAGE", "OPENED (UTC)", "TOOK", "MESSAGE"}, rows);
  return kOk;
}

int Show(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto cycle = client->Get("/cycles/" + args.Get("ID"));
  if (!cycle) return Report(cycle.error());
  if (args.Has("--json")) return PrintJson(*cycle), kOk;
  PrintFields({{"cycle", Text(*cycle, "id")},
               {"status", Text(*cycle, "status")},
               {"stage", Text(*cycle, "stage")},
               {"message", Text(*cycle, "message")},
               {"opened", ShortTime(Text(*cycle, "opened"))},
               {"closed", ShortTime(Text(*cycle, "closed"))},
               {"took", Seconds(*cycle)}});
  std::vector<std::vector<std::string>> rows;
  for (const Json& run : (*cycle)["runs"])
    rows.push_back({Text(run, "phase"), Text(run, "id"), Text(run, "plugin"), Text(run, "resource"),
                    Text(run, "status"), ShortTime(Text(run, "started")), Seconds(run), Text(run, "message")});
  if (rows.empty()) return kOk;
  std::puts("");
  PrintTable({"PHASE", "RUN", "PLUGIN", "ABOUT", "STATUS", "STARTED (UTC)", "TOOK", "MESSAGE"}, rows);
  return kOk;
}

int Cancel(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto cycle = client->Post("/cycles/" + args.Get("ID") + "/cancel");
  if (!cycle) return Report(cycle.error());
  if (args.Has("--json")) return PrintJson(*cycle), kOk;
  std::puts(fmt::format("cycle {} is being given up", Text(*cycle, "id")).c_str());
  return kOk;
}

}  // namespace

std::vector<Command> CycleCommands() {
  return {
      {"cycles list",
       "List scan passes, newest first",
       {},
       ClientOptions({{"--limit", "N", "So many; 30 unless given"}}),
       List,
       "A pass begins when a scanner has ended: it waits up to a minute for others that run, then come the plugins "
       "that "
       "run after scans, for new devices and before names, and what people are told is sent.\n"},
      {"cycles show", "Show a scan pass: how far it is, and its runs", {{"ID", "Its id"}}, ClientOptions({}), Show},
      {"cycles cancel",
       "Give a scan pass up",
       {{"ID", "Its id"}},
       ClientOptions({}),
       Cancel,
       "What it has not begun is taken back, and the runs of its phase are stopped. Notifications that it has raised "
       "are sent all the same.\n"},
  };
}

}  // namespace backplane::cli
