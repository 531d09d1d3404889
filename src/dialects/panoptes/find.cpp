#include "dialects/panoptes/find.h"

#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace backplane::panoptes {
namespace {

namespace fs = std::filesystem;

// A folder that was named by mistake, "/" for instance, does not hold up the start.
constexpr std::size_t kEntries = 100'000;

}  // namespace

FoundFiles FindFiles(const fs::path& folder, std::string_view suffix, std::size_t most) {
  FoundFiles found;
  std::set<std::pair<dev_t, ino_t>> visited;
  std::size_t seen = 0;
  std::deque<fs::path> folders = {folder};
  for (; !folders.empty() && found.files.size() <= most; folders.pop_front()) {
    struct stat status{};
    if (stat(folders.front().c_str(), &status) == 0 && !visited.emplace(status.st_dev, status.st_ino).second) continue;
    std::error_code error;
    std::vector<fs::path> entries;
    for (fs::directory_iterator entry(folders.front(), error), end; !error && entry != end; entry.increment(error))
      entries.push_back(entry->path());
    if (error) {
      found.problems.push_back({folders.front(), error.message()});
      continue;
    }
    if ((seen += entries.size()) > kEntries) {
      found.problems.push_back({folder, fmt::format("holds more than {} files and folders", kEntries)});
      break;
    }
    // So that which way leads to a folder first does not depend on the file system.
    std::sort(entries.begin(), entries.end());
    for (fs::path& entry : entries) {
      if (fs::is_directory(entry, error))
        folders.push_back(std::move(entry));
      else if (entry.native().ends_with(suffix) && fs::is_regular_file(entry, error))
        found.files.push_back(std::move(entry));
    }
  }
  std::sort(found.files.begin(), found.files.end());
  if (found.files.size() > most) {
    found.files.resize(most);
    found.problems.push_back(
        {folder, fmt::format("holds more than {} files *{}: the others are not read", most, suffix)});
  }
  return found;
}

}  // namespace backplane::panoptes
