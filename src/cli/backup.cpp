// backplane backup and restore: a whole site in one file.
//
// Both work on the data folder itself, with a daemon or without: a copy of a database is a snapshot of it, and the
// copies that follow the store (samples, a dialect's own files) are taken before it, since what they lack they make up
// for from the journal, but what they have too much they could not give back.
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/local.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "package/archive.h"
#include "store/sqlite/sqlite_database.h"

namespace backplane::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kFormat = 1;
constexpr const char* kList = "backup.json";
constexpr const char* kData = "data";
constexpr const char* kSiteFile = "site.toml";
constexpr const char* kStore = "backplane.db";
constexpr std::size_t kMostListed = 256 << 20;

// Of a running daemon, or made anew by the next: it says who may come in, or where.
bool Passing(const fs::path& name) {
  static constexpr std::string_view kNames[] = {"keeper", "api.sock", "address", "token", "setup-token", "lock"};
  return std::find(std::begin(kNames), std::end(kNames), *name.begin()) != std::end(kNames);
}

bool IsKey(const fs::path& name) { return name == "secret.key"; }

struct Contents {
  std::vector<fs::path> databases;  // relative to the data folder; in the order in which they are copied
  std::vector<fs::path> files;
};

Result<Contents> Look(const fs::path& data, bool with_key) {
  Contents contents;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(data, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path name = entry->path().lexically_relative(data);
    std::error_code gone;
    if (Passing(name)) {
      if (entry->is_directory(gone)) entry.disable_recursion_pending();
      continue;
    }
    if (entry->is_symlink(gone) || !entry->is_regular_file(gone)) continue;
    const std::string text = name.string();
    if (text.ends_with("-wal") || text.ends_with("-shm") || (IsKey(name) && !with_key)) continue;
    (text.ends_with(".db") ? contents.databases : contents.files).push_back(name);
  }
  if (error) return Fail(Errc::kUnavailable, fmt::format("{}: {}", data.string(), error.message()));
  // The store is the last: see above.
  std::sort(contents.databases.begin(), contents.databases.end(), [](const fs::path& one, const fs::path& other) {
    return std::pair(one == kStore, one) < std::pair(other == kStore, other);
  });
  if (contents.databases.empty() || contents.databases.back() != kStore)
    return Fail(Errc::kNotFound,
                fmt::format("{}: no store; name the data folder with --data", (data / kStore).string()));
  return contents;
}

Json Listed(const std::string& name, const package::ArchiveWriter::Added& added) {
  return {{"name", name}, {"bytes", added.bytes}, {"sha256", added.sha256}};
}

Result<Json> Write(const fs::path& data, const fs::path& file, const fs::path& site, bool with_key) {
  BACKPLANE_ASSIGN(const Contents contents, Look(data, with_key));
  BACKPLANE_ASSIGN(package::ArchiveWriter archive, package::ArchiveWriter::Create(file));
  Json list = Json::array();
  std::int64_t bytes = 0;
  const auto add = [&](const std::string& name, const fs::path& from) -> Status {
    const auto added = archive.AddFile(name, from);
    if (!added && added.error().code == Errc::kNotFound) return {};  // a run that ended, and was forgotten
    if (!added) return Fail(added.error());
    list.push_back(Listed(name, *added));
    bytes += added->bytes;
    return {};
  };
  for (const fs::path& name : contents.databases) {
    // Beside the archive there is room for it, or there is none for the archive.
    const fs::path copy = file.string() + ".part";
    std::error_code ignored;
    fs::remove(copy, ignored);
    Status status = store::CopySqlite(data / name, copy);
    if (status) status = add((kData / name).string(), copy);
    fs::remove(copy, ignored);
    BACKPLANE_TRY(std::move(status));
  }
  for (const fs::path& name : contents.files) BACKPLANE_TRY(add((kData / name).string(), data / name));
  if (!site.empty()) BACKPLANE_TRY(add(kSiteFile, site));
  const std::size_t files = list.size();
  const Json backup = {{"format", kFormat},
                       {"made", FormatIso(SystemClock().Now())},
                       {"version", BACKPLANE_VERSION},
                       {"key", with_key},
                       {"files", std::move(list)}};
  BACKPLANE_TRY(archive.AddText(kList, DumpJson(backup)));
  BACKPLANE_TRY(archive.Finish());
  return Json{{"file", file.string()}, {"files", files}, {"bytes", bytes}, {"made", backup["made"]}};
}

// What was unpacked is what was packed, and its databases are whole.
Result<Json> Check(const fs::path& folder) {
  BACKPLANE_ASSIGN(const std::string text, ReadFile(folder / kList, kMostListed));
  BACKPLANE_ASSIGN(const Json backup, ParseJson(text));
  std::int64_t bytes = 0;
  std::size_t files = 0;
  try {
    if (backup.at("format") != kFormat)
      return Fail(Errc::kConflict, fmt::format("the backup has the format {}, and this version reads {}",
                                               DumpJson(backup.at("format")), kFormat));
    for (const Json& one : backup.at("files")) {
      const auto name = one.at("name").get<std::string>();
      BACKPLANE_ASSIGN(const std::string sha256, package::Sha256OfFile(folder / name));
      if (sha256 != one.at("sha256")) return Fail(Errc::kInvalid, fmt::format("{}: it was changed", name));
      bytes += one.at("bytes").get<std::int64_t>();
      ++files;
      if (name.ends_with(".db")) BACKPLANE_TRY(store::CheckSqlite(folder / name));
    }
    return Json{{"made", backup.at("made")},
                {"version", backup.at("version")},
                {"key", backup.at("key")},
                {"files", files},
                {"bytes", bytes}};
  } catch (const Json::exception& error) {
    return Fail(Errc::kInvalid, fmt::format("{}: {}", kList, error.what()));
  }
}

Result<Json> Read(const fs::path& file, const fs::path& into) {
  if (!fs::exists(file)) return Fail(Errc::kNotFound, fmt::format("{}: no such file", file.string()));
  BACKPLANE_TRY(package::Unpack(file, into));
  auto checked = Check(into);
  if (!checked)
    return Fail(checked.error().code,
                fmt::format("{}: not a whole backup: {}", file.string(), checked.error().message));
  return checked;
}

// Puts what was unpacked at `from` into `data`, which is empty or not there; the store last, without which it is none.
Status MoveInto(const fs::path& from, const fs::path& data) {
  std::error_code error;
  std::vector<fs::path> names;
  for (fs::directory_iterator entry(from / kData, error), end; !error && entry != end; entry.increment(error))
    names.push_back(entry->path().filename());
  std::sort(names.begin(), names.end(), [](const fs::path& one, const fs::path& other) {
    return std::pair(one == kStore, one) < std::pair(other == kStore, other);
  });
  for (const fs::path& name : names)
    if (!error) fs::rename(from / kData / name, data / name, error);
  if (!error && fs::exists(from / kSiteFile)) fs::rename(from / kSiteFile, data / kSiteFile, error);
  if (error) return Fail(Errc::kUnavailable, fmt::format("{}: {}", data.string(), error.message()));
  return {};
}

Result<Json> Restore(const fs::path& file, const fs::path& data) {
  std::error_code error;
  const bool there = fs::exists(data, error);
  if (there && !fs::is_empty(data, error))
    return Fail(Errc::kConflict,
                fmt::format("{}: is not empty; name another folder with --data, or move it away", data.string()));
  // Unpacked within it, since it may be a file system of its own.
  BACKPLANE_TRY(MakePrivateFolder(data));
  const fs::path unpacked = data / ".restoring";
  BACKPLANE_TRY(MakePrivateFolder(unpacked));
  auto read = Read(file, unpacked);
  if (read)
    if (const Status moved = MoveInto(unpacked, data); !moved) read = Fail(moved.error());
  std::error_code ignored;
  fs::remove_all(unpacked, ignored);
  if (!read && !there) fs::remove(data, ignored);
  return read;
}

std::string Amount(const Json& result) {
  return fmt::format("{} files, {:.1f} MB", result["files"].get<std::int64_t>(),
                     static_cast<double>(result["bytes"].get<std::int64_t>()) / 1e6);
}

int RunBackup(const Args& args) {
  const auto data = DataFolder(args);
  if (!data) return Report(data.error());
  const fs::path file = args.Get("FILE");
  const bool with_key = !args.Has("--without-key");
  auto progress = std::make_optional<Progress>("writing the backup");
  const auto written = Write(*data, file, args.Get("--config"), with_key);
  progress.reset();
  if (!written) {
    std::error_code ignored;
    if (written.error().code != Errc::kConflict) fs::remove(file, ignored);
    return Report(written.error());
  }
  if (args.Has("--json")) return PrintJson(*written), kOk;
  std::puts(fmt::format("{}: {}", file.string(), Amount(*written)).c_str());
  if (with_key) std::puts("It holds the key of the secrets: keep it as safe as them, or use --without-key.");
  return kOk;
}

int RunRestore(const Args& args) {
  const fs::path file = args.Get("FILE");
  const bool verify = args.Has("--verify");
  Result<fs::path> data = verify ? fs::path() : DataFolder(args);
  if (!data) return Report(data.error());
  auto progress = std::make_optional<Progress>(verify ? "checking the backup" : "restoring");
  std::optional<TemporaryFolder> scratch;
  if (verify) scratch.emplace();
  const auto read = verify ? Read(file, scratch->path()) : Restore(file, *data);
  progress.reset();
  if (!read) return Report(read.error());
  if (args.Has("--json")) return PrintJson(*read), kOk;
  std::puts(fmt::format("{}: {} of {}", verify ? file.string() + " is whole" : data->string(), Amount(*read),
                        (*read)["made"].get<std::string>())
                .c_str());
  if (!verify && fs::exists(*data / kSiteFile))
    std::puts(fmt::format("Its site configuration: {}", (*data / kSiteFile).string()).c_str());
  if (!verify && !(*read)["key"].get<bool>())
    std::puts("It is without the key of the secrets: put secret.key into the folder before you start.");
  return kOk;
}

}  // namespace

std::vector<Command> BackupCommands() {
  return {{"backup",
           "Write the whole site into one file, while the daemon runs or not",
           {{"FILE", "The backup to make; usually NAME.tar.zst"}},
           {{"--data", "DIR", "Data folder"},
            {"--config", "FILE", "Site configuration to put in as well"},
            {"--without-key", "", "Leave out the key that the secrets are encrypted with"},
            {"--json", "", "Print JSON instead of text"}},
           RunBackup,
           "Plugin folders that the site configuration names are not in it, but what was approved is.\n"},
          {"restore",
           "Make a data folder of a backup; with --verify, only look whether it is whole",
           {{"FILE", "The backup"}},
           {{"--data", "DIR", "Data folder to make; must be empty or not there"},
            {"--verify", "", "Unpack it into a scratch place, check every file and database, and remove it again"},
            {"--json", "", "Print JSON instead of text"}},
           RunRestore}};
}

}  // namespace backplane::cli
