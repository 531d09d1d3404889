#include "cli/command.h"

#include <cstdio>
#include <iterator>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/table.h"

namespace backplane::cli {
namespace {

const std::vector<std::string> kNone;

// What CLI11 fills in for one command.
struct Target {
  const Command* command = nullptr;
  CLI::App* app = nullptr;
  std::map<std::string, std::vector<std::string>> values;
  std::map<std::string, bool> flags;
};

CLI::App* FindOrAdd(CLI::App& parent, const std::string& name, const std::string& sentence) {
  for (CLI::App* app : parent.get_subcommands([](const CLI::App*) { return true; }))
    if (app->get_name() == name) return app;
  return parent.add_subcommand(name, sentence);
}

const std::map<std::string, std::string>& Groups() {
  static const std::map<std::string, std::string> groups = {
      {"plugins", "See, check and run plugins"},
      {"devices", "See and edit the inventory"},
      {"objects", "See what plugins report, and what became of it"},
      {"resources", "See what plugins run about"},
      {"runs", "See what was executed"},
      {"cycles", "See scan passes, and give one up"},
      {"notifications", "See what people were told, and by whom"},
      {"settings", "See and set what plugins are told"},
      {"secrets", "Set what plugins need to know and nobody else"},
      {"audit", "See who did what"},
      {"users", "Say who can sign in, and as what"},
      {"tokens", "Make tokens for programs"},
      {"orgs", "Keep teams apart"},
      {"events", "Read the event stream"},
      {"metrics", "See what was measured"},
  };
  return groups;
}

void Declare(CLI::App& root, const Command& command, Target& target) {
  CLI::App* app = &root;
  const auto words = Split(command.path, ' ');
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string word(words[i]);
    const bool last = i + 1 == words.size();
    app = FindOrAdd(*app, word, last ? command.sentence : Groups().at(word));
    if (!last) app->require_subcommand(1);
  }
  target.app = app;
  app->footer(command.more);
  for (const Argument& argument : command.arguments) {
    auto* option = app->add_option(argument.name, target.values[argument.name], argument.sentence);
    option->required(!argument.optional)
        ->expected(argument.repeated ? -1 : 1)
        ->allow_extra_args(argument.repeated)
        ->type_name("");
  }
  for (const Option& option : command.options) {
    if (option.value.empty())
      app->add_flag(option.name, target.flags[option.name], option.sentence);
    else
      app->add_option(option.name, target.values[option.name], option.sentence)
          ->type_name(option.value)
          ->expected(1)
          ->allow_extra_args(false)
          ->multi_option_policy(option.repeated ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::TakeLast);
  }
}

}  // namespace

std::string Args::Get(const std::string& name, std::string otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() || found->second.empty() ? std::move(otherwise) : found->second.back();
}

const std::vector<std::string>& Args::All(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? kNone : found->second;
}

std::vector<Option> ClientOptions(std::vector<Option> own) {
  own.push_back({"--json", "", "Print JSON instead of a table"});
  own.push_back({"--data", "DIR", "Data folder of the daemon to ask (else $BACKPLANE_DATA, else the default)"});
  return own;
}

std::optional<std::pair<std::string, std::string>> Assignment(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return std::nullopt;
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

std::vector<Command> Commands() {
  std::vector<Command> all;
  for (auto* some : {&ServeCommands, &RunCommands, &PluginCommands, &ApprovalCommands, &DeviceCommands, &ObjectCommands,
                     &ResourceCommands, &RunsCommands, &CycleCommands, &NotificationCommands, &EventCommands,
                     &MetricCommands, &SettingCommands, &SecretCommands, &AuditCommands, &PeopleCommands, &EnvCommands,
                     &CheckCommands, &BackupCommands}) {
    auto commands = some();
    std::move(commands.begin(), commands.end(), std::back_inserter(all));
  }
  return all;
}

int Main(const std::vector<Command>& commands, int argc, char** argv) {
  CLI::App root("Runs the plugins of five operations ecosystems side by side.", "backplane");
  root.require_subcommand(1);
  root.set_version_flag("--version", std::string("backplane ") + BACKPLANE_VERSION, "Print the version");
  root.footer("`backplane COMMAND --help` says more. Exit codes: 0 done, 1 failed, 2 wrong usage.");
  std::vector<std::unique_ptr<Target>> targets;
  for (const Command& command : commands) {
    targets.push_back(std::make_unique<Target>());
    targets.back()->command = &command;
    Declare(root, command, *targets.back());
  }
  try {
    root.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return root.exit(success);
  } catch (const CLI::ParseError& error) {
    root.exit(error);
    return kUsage;
  }
  for (const auto& target : targets) {
    if (!target->app->parsed()) continue;
    Args args;
    for (const auto& [name, values] : target->values)
      for (const std::string& value : values) args.Add(name, value);
    for (const auto& [name, set] : target->flags)
      if (set) args.Add(name, "");
    return target->command->run(args);
  }
  return kUsage;
}

int Report(const Error& error) {
  std::fputs(fmt::format("backplane: {}\n", Harmless(error.message)).c_str(), stderr);
  return kFailed;
}

}  // namespace backplane::cli
