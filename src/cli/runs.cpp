// backplane runs ...
#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/table.h"

namespace backplane::cli {
namespace {

int List(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  Client::Query query = {{"limit", args.Get("--limit", "30")}};
  if (args.Has("--plugin")) query["plugin"] = args.Get("--plugin");
  if (args.Has("--status")) query["status"] = args.Get("--status");
  if (args.Has("--cycle")) query["cycle"] = args.Get("--cycle");
  if (args.Has("--target")) query["target"] = args.Get("--target");
  const auto page = client->Get("/runs", query);
  if (!page) return Report(page.error());
  if (args.Has("--json")) return PrintJson((*page)["runs"]), kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Json& run : (*page)["runs"])
    rows.push_back({Text(run, "id"), Text(run, "plugin"), Text(run, "resource"), Text(run, "trigger"),
                    Text(run, "status"), ShortTime(Text(run, "started")), Text(run, "taken"), Text(run, "refused"),
                    Text(run, "changed"), Text(run, "message")});
  PrintTable({"ID", "PLUGIN", "ABOUT", "WHY", "STATUS", "STARTED (UTC)", "TAKEN", "REFUSED", "CHANGED", "MESSAGE"},
             rows);
  return kOk;
}

int Show(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const std::string path = "/runs/" + args.Get("ID");
  const auto run = client->Get(path);
  if (!run) return Report(run.error());
  if (args.Has("--json")) return PrintJson(*run), kOk;
  PrintFields({{"run", Text(*run, "id")},
               {"plugin", Text(*run, "plugin")},
               {"about", Text(*run, "target")},
               {"why", fmt::format("{} ({})", Text(*run, "trigger"), Text(*run, "key"))},
               {"status", Text(*run, "status")},
               {"exit code", Text(*run, "exit_code")},
               {"message", Text(*run, "message")},
               {"started", ShortTime(Text(*run, "started"))},
               {"finished", ShortTime(Text(*run, "finished"))},
               {"command", Text(*run, "command")},
               {"records", fmt::format("{} taken, {} refused; {} things new or changed", Text(*run, "taken"),
                                       Text(*run, "refused"), Text(*run, "changed"))}});
  for (const Json& refusal : (*run)["refusals"])
    std::puts(Harmless(fmt::format("  refused {}: {}", Text(refusal, "where"), Text(refusal, "reason"))).c_str());
  for (const Json& file : (*run)["results"])
    std::puts(Harmless(fmt::format("  left {}: `backplane runs result {}{}` prints it", file.get<std::string>(),
                                   Text(*run, "id"),
                                   (*run)["results"].size() > 1 ? " --file " + file.get<std::string>() : ""))
                  .c_str());
  const auto log = client->GetText(path + "/log");
  if (log && !log->empty()) std::fputs(fmt::format("\n{}", *log).c_str(), stdout);
  return kOk;
}

// Exactly what the run left; on a terminal without what could lead it astray.
int Result(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  Client::Query query;
  if (args.Has("--file")) query["file"] = args.Get("--file");
  const auto content = client->GetText(fmt::format("/runs/{}/result", args.Get("ID")), query);
  if (!content) return Report(content.error());
  if (isatty(STDOUT_FILENO) == 0)
    return std::fwrite(content->data(), 1, content->size(), stdout) == content->size() ? kOk : kFailed;
  for (const std::string_view line : Split(*content, '\n')) std::puts(Harmless(line).c_str());
  return kOk;
}

int Cancel(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto run = client->Post("/runs/" + args.Get("ID") + "/cancel");
  if (!run) return Report(run.error());
  if (args.Has("--json")) return PrintJson(*run), kOk;
  std::puts(fmt::format("run {} is being ended", Text(*run, "id")).c_str());
  return kOk;
}

}  // namespace

std::vector<Command> RunsCommands() {
  return {
      {"runs list",
       "List runs, newest first",
       {},
       ClientOptions({{"--plugin", "NAME", "Only of this plugin"},
                      {"--target", "RESOURCE", "Only about this resource, by id or key"},
                      {"--status", "STATUS", "Only with this status (ok, failed, timeout, ...)"},
                      {"--cycle", "ID", "Only of this scan pass"},
                      {"--limit", "N", "So many; 30 unless given"}}),
       List},
      {"runs show",
       "Show a run: what was executed, what came of it, what it wrote",
       {{"ID", "Its id"}},
       ClientOptions({}),
       Show},
      {"runs result",
       "Print the file that a run left as its result",
       {{"ID", "Its id"}},
       {{"--file", "NAME", "Which, if it left several"},
        {"--data", "DIR", "Data folder of the daemon to ask (else $BACKPLANE_DATA, else the default)"}},
       Result,
       "It is kept of a plugin's last run that left one."},
      {"runs cancel", "End a run", {{"ID", "Its id"}}, ClientOptions({}), Cancel},
  };
}

}  // namespace backplane::cli
