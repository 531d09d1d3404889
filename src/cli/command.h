// Commands, declared once: parsing and --help come from the declaration.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace backplane::cli {

/// Exit codes.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

struct Option {
  std::string name;   ///< "--limit"
  std::string value;  ///< name of its value in help, "N"; empty: a flag
  std::string sentence;
  bool repeated = false;
};

struct Argument {
  std::string name;  ///< "ID"
  std::string sentence;
  bool optional = false;
  bool repeated = false;  ///< one or more; the last argument only
};

/// What was given on the command line.
class Args {
 public:
  bool Has(const std::string& name) const { return values_.contains(name); }
  /// Value of an option ("--limit") or argument ("ID"); `otherwise` if it was not given.
  std::string Get(const std::string& name, std::string otherwise = {}) const;
  const std::vector<std::string>& All(const std::string& name) const;
  void Add(const std::string& name, std::string value) { values_[name].push_back(std::move(value)); }

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

struct Command {
  std::string path;  ///< "devices list"
  std::string sentence;
  std::vector<Argument> arguments;
  std::vector<Option> options;
  std::function<int(const Args&)> run;
  std::string more = {};  ///< printed after the options
};

/// Options of every command that asks a daemon.
std::vector<Option> ClientOptions(std::vector<Option> own);

/// KEY=VALUE → both; nothing without a key or '='.
std::optional<std::pair<std::string, std::string>> Assignment(const std::string& text);

/// Whether `place` is a link to exactly that.
bool IsLinkTo(const std::filesystem::path& place, const std::filesystem::path& target);

/// Every command, in the order of --help.
std::vector<Command> Commands();
std::vector<Command> ServeCommands();
std::vector<Command> RunCommands();
std::vector<Command> PluginCommands();
std::vector<Command> ApprovalCommands();
std::vector<Command> DeviceCommands();
std::vector<Command> ObjectCommands();
std::vector<Command> ResourceCommands();
std::vector<Command> RunsCommands();
std::vector<Command> CycleCommands();
std::vector<Command> NotificationCommands();
std::vector<Command> EventCommands();
std::vector<Command> MetricCommands();
std::vector<Command> SecretCommands();
std::vector<Command> SettingCommands();
std::vector<Command> AuditCommands();
std::vector<Command> PeopleCommands();
std::vector<Command> EnvCommands();
std::vector<Command> CheckCommands();
std::vector<Command> BackupCommands();

/// Parses and runs; returns the exit code.
int Main(const std::vector<Command>& commands, int argc, char** argv);

/// Prints "backplane: <message>" to standard error and returns kFailed.
int Report(const Error& error);

}  // namespace backplane::cli
