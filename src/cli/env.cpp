// backplane env DIALECT: how a script is started by hand, beside the daemon.
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/table.h"
#include "dialects/registry.h"

namespace backplane::cli {
namespace {

namespace fs = std::filesystem;

std::string ShellQuoted(const std::string& text) { return "'" + ReplaceAll(text, "'", "'\\''") + "'"; }

int PrintEnvironment(const ByHand& by_hand, const Args& args) {
  if (args.Has("--json")) {
    Json places = Json::array();
    for (const auto& [place, target] : by_hand.places)
      places.push_back({{"place", place.string()}, {"target", target.string()}, {"linked", IsLinkTo(place, target)}});
    PrintJson({{"root", by_hand.root.string()},
               {"command", by_hand.command},
               {"environment", by_hand.environment},
               {"places", std::move(places)}});
    return kOk;
  }
  std::puts(fmt::format("# cd {} && {}", ShellQuoted(by_hand.root), by_hand.command).c_str());
  std::puts("# Such a script sees the settings that are in force, but no secrets; the daemon takes its result in.");
  for (const auto& [name, value] : by_hand.environment)
    std::puts(fmt::format("export {}={}", name, ShellQuoted(value)).c_str());
  return kOk;
}

// What stands in the way is never replaced.
Status Link(const fs::path& place, const fs::path& target) {
  if (IsLinkTo(place, target)) return {};
  std::error_code error;
  if (fs::is_symlink(fs::symlink_status(place, error)))
    return Fail(Errc::kConflict,
                fmt::format("{}: is a link to {}", place.string(), fs::read_symlink(place, error).string()));
  if (fs::exists(fs::symlink_status(place, error)))
    return Fail(Errc::kConflict, fmt::format("{}: is there, and is no link of ours", place.string()));
  fs::create_directories(place.parent_path(), error);
  if (!error) fs::create_symlink(target, place, error);
  if (error) return Fail(Errc::kUnavailable, fmt::format("{}: {}", place.string(), error.message()));
  return {};
}

Status Unlink(const fs::path& place, const fs::path& target) {
  if (!IsLinkTo(place, target)) return {};
  std::error_code error;
  fs::remove(place, error);
  if (error) return Fail(Errc::kUnavailable, fmt::format("{}: {}", place.string(), error.message()));
  return {};
}

int ChangeLinks(const ByHand& by_hand, bool make) {
  int outcome = kOk;
  for (const auto& [place, target] : by_hand.places) {
    const bool before = IsLinkTo(place, target);
    const Status done = make ? Link(place, target) : Unlink(place, target);
    if (!done)
      outcome = Report(done.error());
    else if (make)
      std::puts(fmt::format("{} -> {}{}", place.string(), target.string(), before ? " (was there)" : "").c_str());
    else if (before)
      std::puts(fmt::format("{} is gone", place.string()).c_str());
  }
  return outcome;
}

int Env(const Args& args) {
  const auto data = DataFolder(args);
  if (!data) return Report(data.error());
  const auto by_hand = ByHandIn(args.Get("DIALECT"), *data / "dialects");
  if (!by_hand) return Report(by_hand.error());
  std::error_code error;
  if (args.Has("--unlink")) return ChangeLinks(*by_hand, false);
  if (!fs::is_directory(by_hand->root, error))
    return Report({Errc::kUnavailable,
                   fmt::format("{}: is not there: start `backplane serve` on {} once, or name another data folder with "
                               "--data or BACKPLANE_DATA",
                               by_hand->root.string(), data->string()),
                   {}});
  return args.Has("--link") ? ChangeLinks(*by_hand, true) : PrintEnvironment(*by_hand, args);
}

}  // namespace

bool IsLinkTo(const fs::path& place, const fs::path& target) {
  std::error_code error;
  return fs::is_symlink(fs::symlink_status(place, error)) && fs::read_symlink(place, error) == target;
}

std::vector<Command> EnvCommands() {
  return {{"env",
           "Print what a script needs that is started by hand, beside the daemon",
           {{"DIALECT", "Whose scripts: netalertx"}},
           {{"--link", "", "Make links at the places where they look without it; nothing is replaced"},
            {"--unlink", "", "Take these links away again"},
            {"--json", "", "Print JSON instead of shell assignments"},
            {"--data", "DIR", "Data folder of the daemon (else $BACKPLANE_DATA, else the default)"}},
           Env,
           "Use it as: eval \"$(backplane env netalertx)\". The daemon must have been started on that folder once; it "
           "need not run, but takes results in only while it does."}};
}

}  // namespace backplane::cli
