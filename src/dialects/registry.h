// The ecosystems whose plugins this program runs.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

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

/// Those of the dialects that have one.
Result<std::vector<std::unique_ptr<dispatch::Installation>>> MakeInstallations(const InstallationParts& parts);

}  // namespace backplane
