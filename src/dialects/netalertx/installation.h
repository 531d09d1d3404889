// What a NetAlertX installation has on disk: app.db and the JSON snapshots that scripts read, the
// folder that scripts started by hand find themselves in.
#pragma once

#include <filesystem>
#include <memory>

#include "dispatch/installation.h"
#include "ingest/folder.h"
#include "store/database.h"

namespace backplane::netalertx {

/// Everything referred to outlives the installation.
struct InstallationParts {
  store::Database& database;
  ingest::Folder& folder;
  const Clock& clock;
  std::filesystem::path home;   ///< laid out as AppFolders (app_files.h)
  std::filesystem::path share;  ///< base/files.h ShareFolder()
};

/// Makes the folders. app.db comes with the first catalog; a file that is damaged, deleted or of another store gives
/// way to a new one. kUnavailable: a folder cannot be made.
Result<std::unique_ptr<dispatch::Installation>> OpenInstallation(InstallationParts parts);

}  // namespace backplane::netalertx
