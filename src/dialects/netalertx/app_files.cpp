#include "dialects/netalertx/app_files.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/files.h"
#include "dialects/netalertx/app_db_query.h"
#include "dialects/netalertx/app_db_snapshots.h"
#include "dialects/netalertx/settings_table.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;

Status Link(const fs::path& target, const fs::path& link) {
  std::error_code error;
  fs::create_symlink(target, link, error);
  if (error) return Fail(Errc::kUnavailable, fmt::format("{}: {}", link.string(), error.message()));
  return {};
}

constexpr const char* kSettingsFile = "table_settings.json";

Status LinkData(const AppFolders& folders, const fs::path& installation) {
  const AppFolders shared(installation);
  BACKPLANE_TRY(Link(shared.database / kDatabaseFile, folders.database / kDatabaseFile));
  for (const std::string& name : SnapshotNames())
    if (name != kSettingsFile) BACKPLANE_TRY(Link(shared.api / name, folders.api / name));
  for (const char* name : kReportNames) BACKPLANE_TRY(Link(shared.api / name, folders.api / name));
  return {};
}

Status MakeData(const AppFolders& folders, const CatalogRows& rows, TimePoint now) {
  const fs::path file = folders.database / kDatabaseFile;
  try {
    AppDb db(file);
    BACKPLANE_TRY(db.Write([&]() -> Status { return WriteCatalog(db, rows), Status(); }));
    return Snapshots(folders.api, file).Write(db, rows, kAllTables, now, kLongestQuery);
  } catch (const store::DatabaseError& error) {
    return Fail(Errc::kUnavailable, fmt::format("{}: {}", file.string(), error.what()));
  }
}

}  // namespace

Status WriteApp(const AppFolders& folders, const Manifest& manifest, const std::vector<std::string>& siblings,
                const Settings& values, const RunContext& context) {
  const fs::path own(manifest.folder);
  std::error_code error;
  if (!fs::is_directory(own, error))
    return Fail(Errc::kNotFound, fmt::format("{}: the plugin's folder is gone", own.string()));
  const fs::path server = folders.root / "server", plugins = server / "plugins", front = folders.root / "front";
  for (const fs::path& folder : {plugins, front, folders.config, folders.database, folders.api, folders.plugin_log})
    BACKPLANE_TRY(MakePrivateFolder(folder));

  const fs::path modules = context.share / "python" / "netalertx" / "server";
  // Copied, not linked: what a script writes among them is its own affair.
  std::error_code failed;
  fs::copy(modules, server, fs::copy_options::recursive, failed);
  if (failed) return Fail(Errc::kUnavailable, fmt::format("{}: {}", modules.string(), failed.message()));
  BACKPLANE_TRY(Link("../server/plugins", front / "plugins"));
  BACKPLANE_TRY(Link(own, plugins / own.filename()));
  for (const std::string& name : siblings) {
    const fs::path sibling = own.parent_path() / name;
    if (fs::is_directory(sibling, error) && !fs::exists(fs::symlink_status(plugins / name, error)))
      BACKPLANE_TRY(Link(sibling, plugins / name));
  }

  const auto manifests = context.manifests.empty() ? std::vector<const Manifest*>{&manifest} : context.manifests;
  BACKPLANE_TRY(WriteFileAtomic(folders.config / "app.conf", AppConfText(manifests, values), 0600));
  BACKPLANE_TRY(context.installation.empty() ? MakeData(folders, RowsOf(manifests, values, context.given), context.now)
                                             : LinkData(folders, context.installation));
  // The run's own: it has the secrets that it may know.
  return WriteFileAtomic(folders.api / kSettingsFile, TableSettings(SettingRows(manifests, values, context.given)),
                         0600);
}

}  // namespace backplane::netalertx
