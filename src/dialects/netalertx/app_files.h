// The installation that a script believes to run in: folders, configuration, snapshots.
#pragma once

#include "plugin/codec.h"

namespace backplane::netalertx {

/// In AppFolders::database.
inline constexpr const char* kDatabaseFile = "app.db";

/// Where things are below a run's private folder, or in the installation.
struct AppFolders {
  explicit AppFolders(const std::filesystem::path& work)
      : root(work / "app"),
        data(work / "data"),
        config(data / "config"),
        database(data / "db"),
        temporary(work / "tmp"),
        api(temporary / "api"),
        log(temporary / "log"),
        plugin_log(log / "plugins") {}
  std::filesystem::path root, data, config, database, temporary, api, log, plugin_log;
};

/// Lays the installation out below `context.work`: our Python modules and the plugin's folder
/// (by links; nothing is written into either), app.conf and table_settings.json with `values`.
/// `siblings` are further plugin folders that the command names. app.db and the other snapshots are
/// those of the installation; without one they are made, and know of no device. kUnavailable: a folder
/// or file could not be made.
Status WriteApp(const AppFolders& folders, const Manifest& manifest, const std::vector<std::string>& siblings,
                const Settings& values, const RunContext& context);

}  // namespace backplane::netalertx
