// backplane events ...
#include <cstdio>

#include <fmt/format.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/table.h"

namespace backplane::cli {
namespace {

constexpr int kWaitSeconds = 20;

std::string About(const Json& event) {
  std::string about = Text(event, "plugin");
  if (event.contains("device")) about += fmt::format("{}device {}", about.empty() ? "" : " ", Text(event, "device"));
  if (event.contains("run")) about += fmt::format("{}run {}", about.empty() ? "" : " ", Text(event, "run"));
  return about;
}

void PrintEvent(const Json& event, bool json) {
  if (json) {
    std::puts(DumpJson(event).c_str());
  } else {
    const Json body = event.value("body", Json::object());
    PrintTable({fmt::format("{:>6}  {}  {:<15}  {}  {}", Text(event, "seq"), ShortTime(Text(event, "at")),
                            Text(event, "topic"), About(event), DumpJson(body))},
               {});
  }
  std::fflush(stdout);
}

Client::Query Filter(const Args& args) {
  Client::Query query;
  if (args.Has("--topic")) query["topic"] = args.Get("--topic");
  return query;
}

int List(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  Client::Query query = Filter(args);
  query["after"] = args.Get("--after", "0");
  query["limit"] = args.Get("--limit", "100");
  const auto page = client->Get("/events", query);
  if (!page) return Report(page.error());
  if (args.Has("--json")) return PrintJson((*page)["events"]), kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Json& event : (*page)["events"])
    rows.push_back({Text(event, "seq"), ShortTime(Text(event, "at")), Text(event, "topic"), About(event),
                    DumpJson(event.value("body", Json::object()))});
  PrintTable({"SEQ", "AT (UTC)", "TOPIC", "ABOUT", "WHAT"}, rows);
  return kOk;
}

int Follow(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  Client::Query query = Filter(args);
  query["after"] = args.Get("--after", "-1");
  while (true) {
    const auto page = client->Get("/events", query, std::chrono::seconds(kWaitSeconds + 10));
    if (!page) return Report(page.error());
    if ((*page)["reset"] == true)
      std::fputs("backplane: some events are no longer kept; going on from the present\n", stderr);
    for (const Json& event : (*page)["events"]) PrintEvent(event, args.Has("--json"));
    query["after"] = DumpJson((*page)["next"]);
    query["wait"] = std::to_string(kWaitSeconds);
  }
}

}  // namespace

std::vector<Command> EventCommands() {
  return {
      {"events list",
       "List events, oldest first",
       {},
       ClientOptions({{"--after", "SEQ", "Only after this number; 0 unless given"},
                      {"--topic", "PREFIX", "Only topics that start so (device., run.failed)"},
                      {"--limit", "N", "At most so many; 100 unless given"}}),
       List},
      {"events follow",
       "Print events as they happen, until interrupted; with --json one object per line",
       {},
       ClientOptions({{"--after", "SEQ", "Start after this number instead of now"},
                      {"--topic", "PREFIX", "Only topics that start so"}}),
       Follow},
  };
}

}  // namespace backplane::cli
