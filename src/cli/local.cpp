#include "cli/local.h"

#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include "base/files.h"
#include "cli/table.h"
#include "runtime/process/process_runtime.h"
#include "runtime/python/python_runtime.h"

namespace backplane::cli {

Result<Fd> LockFolder(const std::filesystem::path& data) {
  Fd lock(open((data / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return Fail(Errc::kUnavailable, fmt::format("{}: cannot be written", (data / "lock").string()));
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return Fail(Errc::kConflict, fmt::format("another daemon runs on {}", data.string()));
  return lock;
}

Result<std::unique_ptr<keeper::KeeperClient>> StartKeeper(const std::filesystem::path& folder) {
  BACKPLANE_TRY(MakePrivateFolder(folder));
  return keeper::KeeperClient::Start(ExecutableFolder() / "backplane-keeper", folder);
}

runtime::RuntimeList MakeRuntimes(keeper::KeeperClient& keeper) {
  runtime::RuntimeList runtimes;
  runtimes.push_back(std::make_unique<runtime::ProcessRuntime>(keeper));
  runtimes.push_back(std::make_unique<runtime::PythonRuntime>(*runtimes.front()));
  return runtimes;
}

void PrintFinding(const Finding& finding) {
  const std::string text = fmt::format("{}: {}", IsError(finding) ? "error" : "warning", Describe(finding));
  std::fputs((Harmless(text) + "\n").c_str(), stderr);
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "backplane-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder can be made");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace backplane::cli
