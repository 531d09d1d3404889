// What lies in the folder of a run, below HostParts::runs, besides its log.
#pragma once

#include <filesystem>

#include "model/ids.h"

namespace backplane::dispatch {

/// The run's private folder: it holds settings in the clear, and goes when the run has ended.
std::filesystem::path WorkOf(const std::filesystem::path& runs, RunId run);
/// Its result files, as they were taken.
std::filesystem::path ResultsOf(const std::filesystem::path& runs, RunId run);

/// What cannot be removed now goes with the run's whole folder.
void RemoveWork(const std::filesystem::path& runs, RunId run);
void RemoveResults(const std::filesystem::path& runs, RunId run);

}  // namespace backplane::dispatch
