// The ecosystems whose plugins this program runs.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dispatch/follow_up.h"
#include "dispatch/installation.h"
#include "ingest/folder.h"
#include "plugin/codec.h"
#include "store/database.h"

namespace backplane {

/// One codec for each dialect, in the order in which they are asked to recognise a path.
DialectList MakeDialects();

/// What installations work with. Everything referred to outlives them.
struct InstallationParts {
  store::Database& database;
  ingest::Folder& folder;
  const Clock& clock;
  std::filesystem::path data;   ///< each lies in a folder of its dialect's name in this one
  std::filesystem::path share;  ///< base/files.h ShareFolder()
};

/// How scripts of a dialect are started by hand beside a daemon, in its installation.
struct ByHand {
  std::filesystem::path installation;              ///< is there when a daemon has run
  std::filesystem::path root;                      ///< folder to start them in
  std::string command;                             ///< what is typed there, for people
  std::map<std::string, std::string> environment;  ///< what they need to find their way
  /// Links that do instead of the environment: where scripts look, and what is to be there.
  std::vector<std::pair<std::filesystem::path, std::filesystem::path>> places;
};
/// `data` as InstallationParts::data. kNotFound: the dialect has no installation; the message names those that do.
Result<ByHand> ByHandIn(std::string_view dialect, const std::filesystem::path& data);

/// Those of the dialects that have one.
Result<std::vector<std::unique_ptr<dispatch::Installation>>> MakeInstallations(const InstallationParts& parts);

/// Those of the dialects that conclude something in a cycle. `share` is base/files.h ShareFolder(); `own_host`: this
/// machine is a device, too.
std::vector<std::unique_ptr<dispatch::FollowUp>> MakeFollowUps(const std::filesystem::path& share, bool own_host);

}  // namespace backplane
