#include "dialects/netalertx/app_db_report.h"

#include <chrono>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"
#include "dialects/netalertx/app_db_event_rows.h"
#include "dialects/netalertx/app_db_snapshots.h"

namespace backplane::netalertx {
namespace {

constexpr const char* kMessages = "user_notifications.json";
constexpr std::size_t kMostMessages = 16 << 20;
constexpr int kTries = 50;
constexpr Millis kPause{10};

const std::string& ValueOf(const AppRow& row, std::string_view column) {
  const auto& columns = NotificationsTable().columns;
  return row[static_cast<std::size_t>(std::find(columns.begin(), columns.end(), column) - columns.begin())];
}

class OpenFile {
 public:
  explicit OpenFile(const std::filesystem::path& path) : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {}
  ~OpenFile() {
    if (fd_ >= 0) close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  bool Lock() const {
    for (int i = 0; i < kTries && fd_ >= 0; ++i) {
      if (flock(fd_, LOCK_EX | LOCK_NB) == 0) return true;
      std::this_thread::sleep_for(kPause);
    }
    return false;
  }
  // In its place: others lock this very file.
  bool Replace(const std::string& content) const {
    return pwrite(fd_, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size()) &&
           ftruncate(fd_, static_cast<off_t>(content.size())) == 0;
  }

 private:
  const int fd_;
};

Status AddMessage(const std::filesystem::path& path, const AppRow& row) {
  const OpenFile file(path);
  if (!file.Lock()) return Fail(Errc::kUnavailable, fmt::format("{}: somebody else holds it", path.string()));
  Json messages = Json::array();
  // What is no list begins anew, as scripts have it.
  if (const auto content = ReadFile(path, kMostMessages))
    if (const auto present = ParseJson(*content); present && present->is_array()) messages = *present;
  const std::string& guid = ValueOf(row, "guid");
  for (const Json& message : messages)
    if (message.is_object() && message.contains("guid") && message["guid"] == guid) return {};
  messages.push_back({{"timestamp", ValueOf(row, "dateTimeCreated")},
                      {"guid", guid},
                      {"read", 0},
                      {"level", "alert"},
                      {"content", fmt::format("Report:{}", guid)}});
  if (!file.Replace(messages.dump(4))) return Fail(Errc::kUnavailable, fmt::format("{}: not written", path.string()));
  return {};
}

}  // namespace

Status WriteReport(const AppFolders& folders, const AppRow& row) {
  const std::array contents = {std::pair("text", "txt"), std::pair("html", "html"), std::pair("json", "json")};
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const auto& [column, suffix] = contents[i];
    BACKPLANE_TRY(WriteFileAtomic(folders.api / kReportNames[i], ValueOf(row, column), 0600));
    BACKPLANE_TRY(WriteFileAtomic(folders.log / fmt::format("report_output.{}", suffix), ValueOf(row, column), 0600));
  }
  return AddMessage(folders.api / kMessages, row);
}

}  // namespace backplane::netalertx
