// backplane plugins review, approve, install, ...
#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/table.h"

namespace backplane::cli {
namespace {

constexpr std::size_t kShortHash = 12;

std::string Short(const Json& hash) {
  return hash.is_string() ? hash.get_ref<const std::string&>().substr(0, kShortHash) : std::string();
}

std::string Joined(const Json& list) {
  std::string text;
  for (const Json& item : list) text += (text.empty() ? "" : ", ") + item.get<std::string>();
  return text;
}

void Print(const Json& review, bool whole) {
  const Json& asks = review["asks"];
  const std::string capabilities = Joined(asks.value("capabilities", Json::array()));
  PrintFields(
      {{"plugin", Text(review, "plugin")},
       {"title", Text(review, "title")},
       {"lies in", Text(review, "source")},
       {"hash", Text(review, "hash")},
       {"state", Text(review, "state") + (review["enabled"] == true ? "" : ", disabled")},
       {"in force", review["in_force"].is_null() ? "" : Short(review["in_force"])},
       {"found", ShortTime(Text(review, "found"))},
       {"decided by", Text(review, "decided_by")},
       {"runs", Text(asks, "runs")},
       {"about", Text(asks, "targets")},
       {"time limit", Text(asks, "timeout")},
       {"reads", Joined(asks.value("data", Json::array()))},
       {"asks for", capabilities.empty() ? "nothing more; it runs with the rights of the daemon's user" : capabilities},
       {"settings", Joined(asks.value("settings", Json::array()))}});
  std::vector<std::vector<std::string>> rows;
  for (const Json& file : review["files"])
    rows.push_back(
        {Text(file, "path"), Text(file, "size"), file["executable"] == true ? "yes" : "", Short(file["sha256"])});
  std::puts("");
  PrintTable({"FILE", "BYTES", "EXECUTABLE", "SHA-256"}, rows);
  // Without a version in force the difference is everything.
  if (!whole && review["in_force"].is_null()) return;
  if (review["diff"] == "") return;
  std::puts("");
  for (const std::string_view line : Split(review["diff"].get_ref<const std::string&>(), '\n'))
    std::puts(Harmless(ReplaceAll(line, "\t", "    ")).c_str());
}

Result<Json> Fetch(const Client& client, const Args& args) {
  Client::Query query;
  if (args.Has("--hash")) query["hash"] = args.Get("--hash");
  return client.Get("/plugins/" + args.Get("NAME") + "/review", query);
}

int Review(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto review = Fetch(*client, args);
  if (!review) return Report(review.error());
  if (args.Has("--json")) return PrintJson(*review), kOk;
  return Print(*review, args.Has("--whole")), kOk;
}

bool Confirmed(const std::string& question) {
  std::fputs((question + " [y/N] ").c_str(), stderr);
  char answer[16] = {};
  return std::fgets(answer, sizeof(answer), stdin) != nullptr && (answer[0] == 'y' || answer[0] == 'Y');
}

int Approve(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto review = Fetch(*client, args);
  if (!review) return Report(review.error());
  const std::string hash = Text(*review, "hash");
  const std::string plugin = Text(*review, "plugin");
  // Whoever gives a hash has looked at what it is of.
  if (!args.Has("--yes") && !args.Has("--hash")) {
    if (isatty(STDIN_FILENO) == 0)
      return Report({Errc::kInvalid,
                     fmt::format("{} {} was not approved: look at it with `backplane plugins review {}`, then give "
                                 "--hash {}",
                                 plugin, hash.substr(0, kShortHash), plugin, hash.substr(0, kShortHash)),
                     {}});
    Print(*review, false);
    if (!Confirmed(fmt::format("\nlet {} run?", plugin))) return kFailed;
  }
  const auto answer = client->Call("POST", "/plugins/" + plugin + "/approve", {{"hash", hash}});
  if (!answer) return Report(answer.error());
  if (args.Has("--json")) return PrintJson(*answer), kOk;
  std::puts(fmt::format("{} {} is approved", plugin, hash.substr(0, kShortHash)).c_str());
  return kOk;
}

int Say(const Args& args, const Result<Json>& answer, const char* what) {
  if (!answer) return Report(answer.error());
  if (args.Has("--json")) return PrintJson(*answer), kOk;
  return std::puts(fmt::format("{} is {}", Text(*answer, "plugin"), what).c_str()), kOk;
}

int Enable(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  return Say(args, client->Post("/plugins/" + args.Get("NAME") + "/enable"), "enabled");
}

int Disable(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  return Say(args, client->Post("/plugins/" + args.Get("NAME") + "/disable"), "disabled");
}

int Remove(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  return Say(args, client->Call("DELETE", "/plugins/" + args.Get("NAME")), "forgotten");
}

int Install(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  Json body = {{"path", std::filesystem::absolute(args.Get("PATH")).lexically_normal().string()}};
  if (args.Has("--dialect")) body["dialect"] = args.Get("--dialect");
  const auto answer = client->Call("POST", "/plugins", body);
  if (!answer) return Report(answer.error());
  if (args.Has("--json")) return PrintJson(*answer), kOk;
  for (const Json& finding : (*answer)["findings"])
    std::fputs((Harmless(fmt::format("{}: {}: {}", Text(finding, "severity"), Text(finding, "file"),
                                     Text(finding, "message"))) +
                "\n")
                   .c_str(),
               stderr);
  std::vector<std::vector<std::string>> rows;
  for (const Json& plugin : (*answer)["plugins"])
    rows.push_back({Text(plugin, "id"), Text(plugin, "state"), Short(plugin["hash"])});
  PrintTable({"PLUGIN", "STATE", "HASH"}, rows);
  return rows.empty() ? kFailed : kOk;
}

}  // namespace

std::vector<Command> ApprovalCommands() {
  const std::vector<Argument> name = {{"NAME", "Its id or short name"}};
  return {
      {"plugins install",
       "Read a path from now on, besides those of the site configuration; what it holds waits for approval",
       {{"PATH", "A plugin, or a folder of plugins"}},
       ClientOptions({{"--dialect", "NAME", "Read it as this dialect's, instead of asking which recognises it"}}),
       Install},
      {"plugins review", "Show what there is to know before a plugin is approved", name,
       ClientOptions({{"--hash", "HASH", "Of this version, by its hash or the beginning of it"},
                      {"--whole", "", "Print the files, also if no version is in force to compare with"}}),
       Review},
      {"plugins approve", "Let a plugin run, as it was reviewed", name,
       ClientOptions(
           {{"--hash", "HASH", "This version, by its hash or the beginning of it"}, {"--yes", "", "Ask nothing"}}),
       Approve, "What runs is what was approved: changed files wait again, and the approved ones run on."},
      {"plugins enable", "Let an approved plugin run again", name, ClientOptions({}), Enable},
      {"plugins disable", "Stop a plugin and its runs, and keep it approved", name, ClientOptions({}), Disable},
      {"plugins remove", "Forget a plugin and what was decided about it", name, ClientOptions({}), Remove},
  };
}

}  // namespace backplane::cli
