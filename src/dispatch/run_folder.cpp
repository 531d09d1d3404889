#include "dispatch/run_folder.h"

#include <string>

namespace backplane::dispatch {
namespace {

void Remove(const std::filesystem::path& folder) {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

}  // namespace

std::filesystem::path WorkOf(const std::filesystem::path& runs, RunId run) {
  return runs / std::to_string(run) / "work";
}

std::filesystem::path ResultsOf(const std::filesystem::path& runs, RunId run) {
  return runs / std::to_string(run) / "results";
}

void RemoveWork(const std::filesystem::path& runs, RunId run) { Remove(WorkOf(runs, run)); }

void RemoveResults(const std::filesystem::path& runs, RunId run) { Remove(ResultsOf(runs, run)); }

}  // namespace backplane::dispatch
