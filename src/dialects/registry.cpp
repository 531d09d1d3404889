#include "dialects/registry.h"

#include <fmt/format.h>

#include "dialects/netalertx/follow_up.h"
#include "dialects/netalertx/home.h"
#include "dialects/netalertx/installation.h"
#include "dialects/netalertx/netalertx.h"
#include "dialects/panoptes/panoptes.h"

namespace backplane {

DialectList MakeDialects() {
  DialectList list;
  list.push_back(std::make_unique<netalertx::NetAlertX>());
  list.push_back(std::make_unique<panoptes::Panoptes>());
  return list;
}

Result<ByHand> ByHandIn(std::string_view dialect, const std::filesystem::path& data) {
  if (dialect != "netalertx")
    return Fail(Errc::kNotFound,
                fmt::format("scripts of \"{}\" are not started by hand: only those of netalertx are", dialect));
  const std::filesystem::path home = data / "netalertx";
  const netalertx::AppFolders folders(home);
  return ByHand{.installation = home,
                .root = folders.root,
                .command = "python3 front/plugins/<code_name>/script.py",
                .environment = netalertx::AppEnvironment(folders),
                .places = netalertx::DefaultPlaces(folders)};
}

Result<std::vector<std::unique_ptr<dispatch::Installation>>> MakeInstallations(const InstallationParts& parts) {
  std::vector<std::unique_ptr<dispatch::Installation>> list;
  BACKPLANE_ASSIGN(auto netalertx, netalertx::OpenInstallation({.database = parts.database,
                                                                .folder = parts.folder,
                                                                .clock = parts.clock,
                                                                .home = parts.data / "netalertx",
                                                                .share = parts.share}));
  list.push_back(std::move(netalertx));
  return list;
}

std::vector<std::unique_ptr<dispatch::FollowUp>> MakeFollowUps(const std::filesystem::path& share, bool own_host) {
  std::vector<std::unique_ptr<dispatch::FollowUp>> list;
  netalertx::FollowUpParts parts{.share = share};
  if (!own_host) parts.own_host = [] { return std::nullopt; };
  list.push_back(netalertx::MakeFollowUp(std::move(parts)));
  return list;
}

}  // namespace backplane
