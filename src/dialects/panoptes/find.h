// Finds definition files in folders.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::panoptes {

struct FoundFiles {
  std::vector<std::filesystem::path> files;  ///< sorted
  struct Problem {
    std::filesystem::path folder;
    std::string why;
  };
  std::vector<Problem> problems;  ///< folders that were not read, or not to the end
};

/// The files below `folder` whose name ends in `suffix`, up to `most` of them; that there are more is a
/// problem. Links are followed; a folder that is reached twice is read once.
FoundFiles FindFiles(const std::filesystem::path& folder, std::string_view suffix, std::size_t most);

}  // namespace backplane::panoptes
