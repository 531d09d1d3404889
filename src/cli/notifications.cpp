// backplane notifications ...
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/table.h"

namespace backplane::cli {
namespace {

std::string StateOf(const Json& delivery) {
  const std::string state = Text(delivery, "state");
  return state == "uncertain" ? "may have been sent" : state;
}

// "mail sent, chat failed".
std::string Deliveries(const Json& notification) {
  std::vector<std::string> texts;
  for (const Json& delivery : notification["deliveries"])
    texts.push_back(fmt::format("{} {}", Text(delivery, "plugin"), StateOf(delivery)));
  return fmt::format("{}", fmt::join(texts, ", "));
}

int List(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  Client::Query query = {{"limit", args.Get("--limit", "30")}};
  if (args.Has("--state")) query["state"] = args.Get("--state");
  const auto page = client->Get("/notifications", query);
  if (!page) return Report(page.error());
  if (args.Has("--json")) return PrintJson((*page)["notifications"]), kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Json& one : (*page)["notifications"])
    rows.push_back({Text(one, "id"), Text(one, "level"), Text(one, "source"), ShortTime(Text(one, "at")),
                    Text(one, "state"), Text(one, "title"), Deliveries(one)});
  PrintTable({"ID", "LEVEL", "SOURCE", "RAISED (UTC)", "STATE", "TITLE", "BY"}, rows);
  return kOk;
}

int Show(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto one = client->Get("/notifications/" + args.Get("ID"));
  if (!one) return Report(one.error());
  if (args.Has("--json")) return PrintJson(*one), kOk;
  PrintFields({{"notification", Text(*one, "id")},
               {"title", Text(*one, "title")},
               {"level", Text(*one, "level")},
               {"source", Text(*one, "source")},
               {"raised", ShortTime(Text(*one, "at"))},
               {"state", Text(*one, "state")},
               {"finished", ShortTime(Text(*one, "finished"))}});
  for (const Json& delivery : (*one)["deliveries"])
    std::puts(Harmless(fmt::format("  {}: {}{}{} (run {})", Text(delivery, "plugin"), StateOf(delivery),
                                   Text(delivery, "message").empty() ? "" : ": ", Text(delivery, "message"),
                                   Text(delivery, "run")))
                  .c_str());
  const std::string text = Text(*one, "text");
  if (text.empty()) return kOk;
  std::puts("");
  for (const std::string_view line : Split(text, '\n')) std::puts(Harmless(ReplaceAll(line, "\t", "  ")).c_str());
  return kOk;
}

int Raise(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  Json body = {{"title", args.Get("--title")}};
  for (const char* key : {"text", "level"})
    if (const std::string option = std::string("--") + key; args.Has(option)) body[key] = args.Get(option);
  const auto one = client->Call("POST", "/notifications", body);
  if (!one) return Report(one.error());
  if (args.Has("--json")) return PrintJson(*one), kOk;
  std::puts(fmt::format("notification {} is being sent", Text(*one, "id")).c_str());
  return kOk;
}

int Resend(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto one = client->Post("/notifications/" + args.Get("ID") + "/resend");
  if (!one) return Report(one.error());
  if (args.Has("--json")) return PrintJson(*one), kOk;
  std::puts(fmt::format("notification {} is being sent again", Text(*one, "id")).c_str());
  return kOk;
}

}  // namespace

std::vector<Command> NotificationCommands() {
  return {
      {"notifications list",
       "List what people were told, newest first",
       {},
       ClientOptions({{"--state", "STATE", "Only those that are waiting, sending or done"},
                      {"--limit", "N", "So many; 30 unless given"}}),
       List},
      {"notifications show", "Show a notification, and what became of it", {{"ID", "Its id"}}, ClientOptions({}), Show},
      {"notifications raise",
       "Raise a notification, for example to try the plugins that send them",
       {},
       ClientOptions({{"--title", "TEXT", "One line"},
                      {"--text", "TEXT", "More of it"},
                      {"--level", "LEVEL", "info (unless given), warning, error or alert"}}),
       Raise,
       "Each plugin that sends notifications gets it.\n"},
      {"notifications resend",
       "Have a notification sent again, by each plugin that sends some",
       {{"ID", "Its id"}},
       ClientOptions({}),
       Resend},
  };
}

}  // namespace backplane::cli
