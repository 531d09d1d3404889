// backplane plugins ...
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/files.h"
#include "base/rng.h"
#include "base/text.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/local.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "dialects/registry.h"

namespace backplane::cli {
namespace {

constexpr int kWaitSeconds = 20;
constexpr int kLanesShown = 50;
// Of texts in a table that others follow.
constexpr std::size_t kTitleBytes = 40;
constexpr std::size_t kValueBytes = 60;

std::string Trigger(const Json& trigger) {
  std::string text = Text(trigger, "kind");
  for (const char* part : {"cron", "interval", "name"})
    if (trigger.contains(part)) text += " " + Text(trigger, part);
  return text;
}

std::string Triggers(const Json& plugin) {
  std::string text;
  for (const Json& trigger : plugin["triggers"]) text += (text.empty() ? "" : ", ") + Trigger(trigger);
  if (plugin["state"] != "enabled") return "";
  if (plugin["runtime"] == "") return "settings only";
  return text.empty() ? "by hand" : text;
}

void PrintFindings(const Json& findings) {
  for (const Json& finding : findings)
    std::fputs((Harmless(fmt::format("{}: {}: {}{}{}", Text(finding, "severity"), Text(finding, "file"),
                                     Text(finding, "where"), Text(finding, "where").empty() ? "" : ": ",
                                     Text(finding, "message"))) +
                "\n")
                   .c_str(),
               stderr);
}

int List(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto body = client->Get("/plugins");
  if (!body) return Report(body.error());
  if (args.Has("--json")) return PrintJson(*body), kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Json& plugin : (*body)["plugins"]) {
    const Json decision = plugin["last_decision"].is_null() ? Json::object() : plugin["last_decision"];
    const std::string state =
        Text(plugin, "state") + (plugin["waits"].is_null() || plugin["state"] == "waiting" ? "" : ", another waits");
    rows.push_back({Text(plugin, "id"), Text(plugin, "title"), state, Triggers(plugin),
                    plugin["targets"].is_null() ? "" : Text(plugin["targets"], "count"),
                    ShortTime(Text(plugin, "next_run")), Text(decision, "what")});
  }
  PrintTable({"PLUGIN", "TITLE", "STATE", "RUNS", "ABOUT", "NEXT (UTC)", "LAST DECISION"}, rows);
  PrintFindings((*body)["findings"]);
  return kOk;
}

int ShowLanes(const Client& client, const std::string& plugin) {
  const auto lanes = client.Get("/plugins/" + plugin + "/lanes", {{"limit", std::to_string(kLanesShown)}});
  if (!lanes) return Report(lanes.error());
  std::vector<std::vector<std::string>> rows;
  for (const Json& lane : (*lanes)["lanes"]) {
    const Json decision = lane["last_decision"].is_null() ? Json::object() : lane["last_decision"];
    rows.push_back({Text(lane, "resource"), ShortTime(Text(lane, "next_run")), Text(lane, "running"),
                    Text(decision, "what"), ShortTime(Text(decision, "at"))});
  }
  std::puts("");
  PrintTable({"ABOUT", "NEXT (UTC)", "RUNNING", "LAST DECISION", "AT (UTC)"}, rows);
  if (!(*lanes)["next"].is_null()) std::puts("... and more: see GET /plugins/{id}/lanes");
  return kOk;
}

// What a setting can be: one of these, or for a list some of them.
std::string Choices(const Json& schema) {
  const Json& of = schema.contains("items") ? schema["items"] : schema;
  if (!of.contains("enum")) return "";
  std::string text;
  for (const Json& choice : of["enum"])
    text += (text.empty() ? "" : ", ") + (choice.is_string() ? choice.get<std::string>() : DumpJson(choice));
  return text;
}

int Show(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  Client::Query query;
  if (args.Has("--language")) query["language"] = args.Get("--language");
  const auto plugin = client->Get("/plugins/" + args.Get("NAME"), query);
  if (!plugin) return Report(plugin.error());
  if (args.Has("--json")) return PrintJson(*plugin), kOk;
  const Json decision = (*plugin)["last_decision"].is_null() ? Json::object() : (*plugin)["last_decision"];
  const Json& targets = (*plugin)["targets"];
  PrintFields(
      {{"plugin", Text(*plugin, "id")},
       {"title", Text(*plugin, "title")},
       {"description", Text(*plugin, "description")},
       {"kind", Text(*plugin, "kind")},
       {"folder", Text(*plugin, "folder")},
       {"runs", Triggers(*plugin)},
       {"about",
        targets.is_null() ? "" : fmt::format("{} resources now: {}", Text(targets, "count"), Text(targets, "filter"))},
       {"next run", ShortTime(Text(*plugin, "next_run"))},
       {"running", Text(*plugin, "running")},
       {"last decision", decision.empty() ? ""
                                          : fmt::format("{} ({}, {})", Text(decision, "what"), Text(decision, "key"),
                                                        ShortTime(Text(decision, "at")))},
       {"time limit", Text((*plugin)["limits"], "timeout")}});
  std::vector<std::vector<std::string>> rows;
  for (const Json& setting : (*plugin)["settings"]) {
    const bool secret = setting.contains("set");
    rows.push_back(
        {Text(setting, "key"), Shorten(Text(setting, "title"), kTitleBytes),
         secret ? (setting["set"] == true ? "(set)" : "(unset)") : Shorten(DumpJson(setting["value"]), kValueBytes),
         Choices(setting["schema"])});
  }
  if (!rows.empty()) {
    std::puts("");
    PrintTable({"SETTING", "TITLE", "VALUE", "CHOICES"}, rows);
  }
  return targets.is_null() ? kOk : ShowLanes(*client, Text(*plugin, "id"));
}

// The run that came of a job: given at once, or found once the job has started.
Result<std::string> AwaitStart(const Client& client, const std::string& plugin, const Json& job) {
  if (!job["run"].is_null()) return Text(job, "run");
  std::fputs(fmt::format("{}\n", Text(job, "state")).c_str(), stderr);
  Client::Query events = {{"after", "-1"}};
  while (true) {
    BACKPLANE_ASSIGN(const Json page, client.Get("/events", events, std::chrono::seconds(kWaitSeconds + 10)));
    BACKPLANE_ASSIGN(const Json found, client.Get("/runs", {{"plugin", plugin}, {"key", Text(job, "job")}}));
    if (!found["runs"].empty()) return Text(found["runs"][0], "id");
    events["after"] = DumpJson(page["next"]);
    events["wait"] = "1";
  }
}

int Run(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const std::string name = args.Get("NAME");
  Client::Query query;
  if (args.Has("--target")) query["target"] = args.Get("--target");
  const auto job = client->Post("/plugins/" + name + "/run", query);
  if (!job) return Report(job.error());
  const auto id = AwaitStart(*client, name, *job);
  if (!id) return Report(id.error());
  if (args.Has("--no-wait")) {
    if (args.Has("--json")) return PrintJson(*job), kOk;
    return std::puts(fmt::format("run {} has started", *id).c_str()), kOk;
  }
  auto progress = std::make_optional<Progress>(fmt::format("run {} of {}", *id, name));
  const auto run = client->Get("/runs/" + *id, {{"wait", "3600"}}, std::chrono::seconds(3610));
  progress.reset();
  if (!run) return Report(run.error());
  if (args.Has("--json")) {
    PrintJson(*run);
  } else {
    std::puts(fmt::format("run {}: {}{}{}; {} records taken, {} refused", *id, Coloured(Text(*run, "status")),
                          Text(*run, "message").empty() ? "" : ": ", Harmless(Text(*run, "message")),
                          Text(*run, "taken"), Text(*run, "refused"))
                  .c_str());
    for (const Json& refusal : (*run)["refusals"])
      std::puts(Harmless(fmt::format("  refused {}: {}", Text(refusal, "where"), Text(refusal, "reason"))).c_str());
  }
  return (*run)["status"] == "ok" ? kOk : kFailed;
}

int Rescan(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto answer = client->Post("/plugins/rescan");
  if (!answer) return Report(answer.error());
  if (args.Has("--json")) return PrintJson(*answer), kOk;
  PrintFindings((*answer)["findings"]);
  std::puts(fmt::format("{} plugins", Text(*answer, "plugins")).c_str());
  return kOk;
}

// "1 plugin can be loaded, 2 cannot; 3 errors, 1 warning".
std::string Summary(const Catalog& catalog) {
  std::set<std::string> failed;
  std::size_t errors = 0;
  for (const Finding& finding : catalog.findings())
    if (IsError(finding)) ++errors, failed.insert(finding.file);
  const std::size_t warnings = catalog.findings().size() - errors;
  const auto count = [](std::size_t number, std::string_view word) {
    return fmt::format("{} {}{}", number, word, number == 1 ? "" : "s");
  };
  std::string text = count(catalog.plugins().size(), "plugin") + " can be loaded";
  if (!failed.empty()) text += fmt::format(", {} cannot", failed.size());
  if (errors > 0) text += "; " + count(errors, "error");
  if (warnings > 0) text += (errors > 0 ? ", " : "; ") + count(warnings, "warning");
  return text;
}

int Validate(const Args& args) {
  auto site = config::LoadSite(args.Get("--config"));
  if (!site) return Report(site.error());
  site->folders = {
      {.path = std::filesystem::absolute(args.Get("PATH")).lexically_normal(), .dialect = args.Get("--dialect")}};
  const DialectList dialects = MakeDialects();
  const Catalog catalog = Catalog::Load(*site, dialects);
  const bool errors = std::any_of(catalog.findings().begin(), catalog.findings().end(), IsError);
  Json names = Json::array();
  for (const Plugin& plugin : catalog.plugins()) names.push_back(plugin.manifest.id);
  if (args.Has("--json"))
    return PrintJson({{"valid", !errors}, {"plugins", names}, {"findings", ToJson(catalog.findings())}}),
           errors ? kFailed : kOk;
  for (const Finding& finding : catalog.findings()) PrintFinding(finding);
  std::puts(Summary(catalog).c_str());
  return errors ? kFailed : kOk;
}

// A word of a command line that can be pasted.
std::string Pasted(const std::string& path) {
  return path.find_first_of(" '\"\\$`&;|<>()*?[]#~!") == std::string::npos ? path
                                                                           : "'" + ReplaceAll(path, "'", "'\\''") + "'";
}

int New(const Args& args) {
  DialectList dialects = MakeDialects();
  if (args.Has("--dialect")) {
    std::vector<std::string> names;
    for (const auto& one : dialects) names.emplace_back(one->name());
    std::erase_if(dialects, [&](const auto& one) { return one->name() != args.Get("--dialect"); });
    if (dialects.empty())
      return Report({Errc::kInvalid, fmt::format("--dialect: expected one of {}, got \"{}\"", fmt::join(names, ", "),
                                                 Shorten(args.Get("--dialect"), 40))}),
             kUsage;
  }
  const auto share = ShareFolder();
  if (!share) return Report(share.error());
  const std::string name = args.Get("NAME");
  const auto folder = std::filesystem::path(args.Get("--dir", ".")) / name;
  const NewPlugin wanted{.name = name,
                         .short_name = args.Get("--prefix"),
                         .folder = std::filesystem::absolute(folder).lexically_normal(),
                         .share = *share};
  Status made = dialects.front()->MakePlugin(wanted);
  // Who has no template says so before anything else.
  for (auto other = dialects.begin() + 1; !made && made.error().code == Errc::kUnavailable && other != dialects.end();)
    if (const Status tried = (*other++)->MakePlugin(wanted); tried || tried.error().code != Errc::kUnavailable)
      made = tried;
  if (!made) return Report(made.error());
  if (args.Has("--json")) return PrintJson({{"folder", std::filesystem::absolute(folder).lexically_normal()}}), kOk;
  const std::string path = Pasted(folder.lexically_normal().string());
  std::puts(fmt::format("made {0}\n\n"
                        "  backplane plugins validate {0}   what is wrong, after each change\n"
                        "  backplane run {0}                once, without a daemon\n"
                        "  backplane plugins install {0}    into the site, for somebody to approve",
                        path)
                .c_str());
  return kOk;
}

}  // namespace

std::vector<Command> PluginCommands() {
  return {
      {"plugins list",
       "List the site's plugins, when they run next and what was last decided about them",
       {},
       ClientOptions({}),
       List},
      {"plugins show",
       "Show a plugin: its settings, limits and schedule",
       {{"NAME", "Its id or short name"}},
       ClientOptions({{"--language", "CODE", "Which of its languages texts are wanted in, such as de_de"}}),
       Show},
      {"plugins run",
       "Run a plugin now in the daemon, and wait for the end",
       {{"NAME", "Its id or short name"}},
       ClientOptions({{"--target", "RESOURCE", "Which resource to run about, by id or key"},
                      {"--no-wait", "", "Return as soon as it has started"}}),
       Run},
      {"plugins rescan",
       "Read the plugin folders again now, instead of within the next minute (rescan)",
       {},
       ClientOptions({}),
       Rescan},
      {"plugins validate",
       "Check plugins for every mistake at once, without running anything and without a daemon",
       {{"PATH", "A plugin, the file that declares it, or a folder of plugins"}},
       {{"--dialect", "NAME", "Read it as this dialect's, instead of asking which recognises it"},
        {"--config", "FILE", "Site configuration whose settings apply"},
        {"--json", "", "Print JSON instead of text"}},
       Validate},
      {"plugins new",
       "Begin a plugin: a copy of its ecosystem's template that runs as it is",
       {{"NAME", "Its name, which becomes that of its folder"}},
       {{"--dialect", "NAME", "Whose plugins it is one of (default: the first that has a template)"},
        {"--dir", "FOLDER", "Where its folder is made (default: here)"},
        {"--prefix", "PREFIX", "Its ecosystem's short name for it, instead of one made of NAME"},
        {"--json", "", "Print JSON instead of text"}},
       New},
  };
}

}  // namespace backplane::cli
