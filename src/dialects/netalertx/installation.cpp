#include "dialects/netalertx/installation.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "base/log.h"
#include "dialects/netalertx/app_db_mirror.h"
#include "dialects/netalertx/app_db_snapshots.h"
#include "dialects/netalertx/app_files.h"
#include "dialects/netalertx/home.h"
#include "store/journal.h"

namespace backplane::netalertx {
namespace {

using store::Watermark;

// Others than runs see what has changed after so long at most.
constexpr Millis kRound{1'000};

class NetAlertXInstallation final : public dispatch::Installation {
 public:
  explicit NetAlertXInstallation(InstallationParts parts)
      : parts_(std::move(parts)),
        folders_(parts_.home),
        home_(parts_.home),
        file_(folders_.database / kDatabaseFile),
        snapshots_(folders_.api, file_),
        thread_([this](const std::stop_token& stop) { Loop(stop); }) {}

  std::string_view dialect() const override { return "netalertx"; }
  const std::filesystem::path& folder() const override { return parts_.home; }

  void SetCatalog(std::shared_ptr<const Catalog> catalog) override {
    CatalogRows rows = RowsOf(*catalog);
    home_.SetCatalog(*catalog, rows.values);
    const std::lock_guard lock(mutex_);
    catalog_ = std::move(rows);
    catalog_changed_ = true;
  }

  Status CatchUp(Millis patience) override {
    const Millis end = parts_.clock.Monotonic() + patience;
    if (!parts_.folder.WaitUntilFolded(patience))
      return Fail(Errc::kTimeout, "app.db lacks what was reported last: it is still being worked in");
    return Update(std::max(end - parts_.clock.Monotonic(), Millis(1)));
  }

  std::filesystem::path results() const override { return folders_.plugin_log; }
  Result<std::string> PluginOf(std::string_view file) const override { return home_.PluginOf(file); }

 private:
  void Loop(const std::stop_token& stop) {
    std::unique_lock lock(sleep_mutex_);
    std::string told;
    while (!stop.stop_requested()) {
      const Status status = Update(kRound);
      // That others are at it is no problem.
      const std::string problem = status || status.error().code == Errc::kTimeout ? "" : status.error().message;
      if (!problem.empty() && problem != told) LogWarning("{}", problem);
      told = problem;
      sleep_.wait_for(lock, stop, kRound, [] { return false; });
    }
  }

  Status Update(Millis patience) {
    const std::unique_lock lock(mutex_, patience);
    if (!lock) return Fail(Errc::kTimeout, "app.db lacks what was reported last: others wait for it too");
    try {
      return UpdateLocked(patience);
    } catch (const store::DamagedError& error) {
      return BeginAnew(error.what(), patience);
    } catch (const store::DatabaseError& error) {
      return Fail(Errc::kUnavailable, fmt::format("{}: {}", file_.string(), error.what()));
    }
  }

  Status UpdateLocked(Millis patience) {
    if (db_ && db_->Replaced()) {
      LogWarning("{}: was replaced or deleted; what it must hold is written again", file_.string());
      db_.reset();
    }
    if (!db_) {
      db_.emplace(file_);
      catalog_changed_ = true;
    }
    if (!catalog_) return {};
    if (db_->WrittenByOthers()) changed_ |= kAllTables;
    Watermark folded;
    BACKPLANE_TRY(parts_.database.Read([&](store::Connection& core) -> Status {
      folded = store::GetWatermark(core, "core");
      return {};
    }));
    if (seen_ != folded || catalog_changed_) {
      Status status;
      db_->Write(patience, [&] {
        if (catalog_changed_) WriteCatalog(*db_, *catalog_);
        status = parts_.database.Read([&](store::Connection& core) -> Status {
          folded = store::GetWatermark(core, "core");
          BACKPLANE_ASSIGN(const unsigned tables, Follow(*db_, core, *catalog_, catalog_changed_));
          changed_ |= tables;
          return {};
        });
      });
      if (!status && status.error().code == Errc::kConflict) return BeginAnew(status.error().message, patience);
      BACKPLANE_TRY(status);
      if (std::exchange(catalog_changed_, false)) changed_ |= kSettings;
      seen_ = folded;
    }
    BACKPLANE_TRY(snapshots_.Write(*db_, *catalog_, changed_, parts_.clock.Now()));
    changed_ = 0;
    return {};
  }

  // Once: a file that is damaged as soon as it is made is not for us to mend.
  Status BeginAnew(const std::string& reason, Millis patience) {
    LogWarning("{}: {}; it is put aside and made anew", file_.string(), reason);
    db_.reset();
    AppDb::PutAside(file_);
    try {
      return UpdateLocked(patience);
    } catch (const store::DatabaseError& error) {
      return Fail(Errc::kUnavailable, fmt::format("{}: {}", file_.string(), error.what()));
    }
  }

  const InstallationParts parts_;
  const AppFolders folders_;
  Home home_;
  const std::filesystem::path file_;

  std::timed_mutex mutex_;  // guards what follows, up to changed_
  std::optional<CatalogRows> catalog_;
  bool catalog_changed_ = false;  // or the file is new: every row must be looked at
  std::optional<AppDb> db_;
  Snapshots snapshots_;
  Watermark seen_;        // of the core's fold, at the last look
  unsigned changed_ = 0;  // tables that are not in the snapshots yet

  std::mutex sleep_mutex_;
  std::condition_variable_any sleep_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace

Result<std::unique_ptr<dispatch::Installation>> OpenInstallation(InstallationParts parts) {
  BACKPLANE_TRY(Home(parts.home).Make(parts.share));
  return std::make_unique<NetAlertXInstallation>(std::move(parts));
}

}  // namespace backplane::netalertx
