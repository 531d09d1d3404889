#include "dialects/netalertx/installation.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "base/log.h"
#include "dialects/netalertx/app_db_events.h"
#include "dialects/netalertx/app_db_inbox.h"
#include "dialects/netalertx/app_db_mirror.h"
#include "dialects/netalertx/app_db_report.h"
#include "dialects/netalertx/app_db_rows.h"
#include "dialects/netalertx/app_db_snapshots.h"
#include "dialects/netalertx/app_files.h"
#include "dialects/netalertx/home.h"
#include "store/cycles.h"
#include "store/identity.h"
#include "store/journal.h"

namespace backplane::netalertx {
namespace {

using store::Watermark;

// Who reads app.db outside of runs sees what has changed after so long at most. The snapshots are written before a
// script starts only: each of them is made as a whole.
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
    const std::lock_guard lock(next_mutex_);
    next_ = std::move(rows);
    in_force_ = !catalog->ManifestsOf("netalertx").empty();
  }

  Status CatchUp(Millis patience) override {
    const Millis end = parts_.clock.Monotonic() + patience;
    BACKPLANE_TRY(Update(end, Extent::kInbox));
    if (!parts_.folder.WaitUntilFolded(Left(end)))
      return Fail(Errc::kTimeout, "app.db lacks what was reported last: it is still being worked in");
    return Update(end, Extent::kSnapshots);
  }

  std::filesystem::path results() const override { return folders_.plugin_log; }
  Result<std::string> PluginOf(std::string_view file) const override { return home_.PluginOf(file); }

 private:
  // What is done; each includes the one before.
  enum class Extent { kInbox, kTables, kSnapshots };

  void Loop(const std::stop_token& stop) {
    std::unique_lock lock(sleep_mutex_);
    std::string told;
    while (!stop.stop_requested()) {
      const Status status = in_force_ ? Update(parts_.clock.Monotonic() + kRound, Extent::kTables) : Status();
      // That others are at it is no problem.
      const std::string problem = status || status.error().code == Errc::kTimeout ? "" : status.error().message;
      if (!problem.empty() && problem != told) LogWarning("{}", problem);
      told = problem;
      sleep_.wait_for(lock, stop, kRound, [] { return false; });
    }
  }

  Millis Left(Millis end) const { return std::max(end - parts_.clock.Monotonic(), Millis(1)); }

  // Of what was accepted before, and at the latest at `end` of the monotonic clock.
  Status Update(Millis end, Extent extent) {
    const std::unique_lock lock(mutex_, Left(end));
    if (!lock) return Fail(Errc::kTimeout, "app.db lacks what was reported last: others wait for it too");
    TakeCatalog();
    if (!catalog_) return {};
    try {
      const Status status = UpdateLocked(end, extent);
      if (status || status.error().code != Errc::kConflict) return status;
      return BeginAnew(status.error().message, end, extent);
    } catch (const store::DamagedError& error) {
      return BeginAnew(error.what(), end, extent);
    } catch (const store::DatabaseError& error) {
      return Broken(error.what());
    }
  }

  void TakeCatalog() {
    std::optional<CatalogRows> next;
    {
      const std::lock_guard lock(next_mutex_);
      next.swap(next_);
    }
    if (!next || next == catalog_) return;
    look_at_all_ |= !catalog_ || DeviceRows(catalog_->values, store_) != DeviceRows(next->values, store_);
    catalog_ = std::move(next);
    catalog_changed_ = true;
  }

  Status UpdateLocked(Millis end, Extent extent) {
    BACKPLANE_TRY(Open(end));
    if (db_->WrittenByOthers()) changed_ |= kAllTables;
    BACKPLANE_TRY(CheckOwner(*db_, parts_.database, store_));
    BACKPLANE_TRY(TakeInbox(*db_, parts_.database, parts_.folder, parts_.clock, *catalog_));
    if (extent == Extent::kInbox) return {};
    Watermark folded;
    PassState pass;
    BACKPLANE_TRY(parts_.database.Read([&](store::Connection& core) -> Status {
      folded = store::GetWatermark(core, "core");
      for (const store::Cycle& cycle : store::Cycles(core, kDefaultOrg).List(0, 1))
        pass = {.last = cycle.opened, .open = !cycle.closed};
      return {};
    }));
    if (seen_ != folded || catalog_changed_ || look_at_all_) {
      BACKPLANE_TRY(db_->Write([&]() -> Status {
        if (catalog_changed_) WriteCatalog(*db_, *catalog_);
        BACKPLANE_ASSIGN(const unsigned tables, Follow(*db_, parts_.database, store_, *catalog_, look_at_all_));
        changed_ |= tables;
        return {};
      }));
      if (std::exchange(catalog_changed_, false)) changed_ |= kSettings;
      look_at_all_ = false;
      seen_ = folded;
    }
    BACKPLANE_TRY(TakeNotifications());
    if (extent == Extent::kTables) return {};
    const Status written = snapshots_.Write(*db_, *catalog_, changed_, parts_.clock.Now(), Left(end), pass);
    changed_ = 0;
    return written;
  }

  Status TakeNotifications() {
    BACKPLANE_ASSIGN(const Told told, FollowNotifications(*db_, parts_.database, store_));
    if (told.changed) changed_ |= kNotifications;
    for (const AppRow& row : told.begun)
      if (const Status status = WriteReport(folders_, row); !status) LogWarning("{}", status.error().message);
    return {};
  }

  Status Open(Millis end) {
    if (db_ && db_->Replaced()) {
      LogWarning("{}: was replaced or deleted; what it must hold is written again", file_.string());
      db_.reset();
    }
    if (db_) {
      db_->SetPatience(Left(end));
      return {};
    }
    if (store_ == 0) {
      BACKPLANE_TRY(parts_.database.Write([&](store::Connection& core) -> Status {
        store_ = store::StoreIdentity(core);
        return {};
      }));
    }
    db_.emplace(file_, Left(end));
    catalog_changed_ = look_at_all_ = true;
    changed_ = kAllTables;
    return {};
  }

  // Once: a file that is damaged as soon as it is made is not for us to mend.
  Status BeginAnew(const std::string& reason, Millis end, Extent extent) {
    LogWarning("{}: {}; it is put aside and made anew", file_.string(), reason);
    db_.reset();
    AppDb::PutAside(file_);
    try {
      return UpdateLocked(end, extent);
    } catch (const store::DatabaseError& error) {
      return Broken(error.what());
    }
  }

  Status Broken(std::string_view why) const {
    return Fail(Errc::kUnavailable, fmt::format("{}: {}", file_.string(), why));
  }

  const InstallationParts parts_;
  const AppFolders folders_;
  Home home_;
  const std::filesystem::path file_;

  std::mutex next_mutex_;
  std::optional<CatalogRows> next_;     // taken over with the next update
  std::atomic<bool> in_force_ = false;  // whether there is a plugin that could read the files

  std::timed_mutex mutex_;  // guards what follows, up to changed_
  std::optional<CatalogRows> catalog_;
  bool catalog_changed_ = false;  // and is not in app.db yet
  bool look_at_all_ = false;      // at rows too that were not touched
  std::int64_t store_ = 0;        // its identity; 0: not asked yet
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
