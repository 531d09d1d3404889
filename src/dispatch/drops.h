// Takes in the results of scripts that a person starts by hand, beside the daemon.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/files.h"
#include "dispatch/host.h"
#include "dispatch/installation.h"

namespace backplane::dispatch {

/// A thread that watches the folders Installation::results() for files of plugins in force. A file that
/// nobody writes any more goes to the folder `taken` of its installation, under a name of its own for
/// ever, then as a run with trigger kFile through its plugin's lane, then to the folder of that run.
/// A kill at any point neither loses nor doubles it: what lies in `taken` is given to the host again,
/// which knows by the name whether a run took it in.
///
/// Taken are regular files of our user or root with one link, up to the plugin's `limits.result_bytes`.
/// Everything else stays where it is, and the log says why, once. Empty files go.
///
/// What it refers to outlives it; begin it when the host schedules.
class Drops {
 public:
  /// `runs`: as HostParts::runs. kUnavailable: files cannot be watched.
  static Result<std::unique_ptr<Drops>> Start(Host& host, std::vector<Installation*> installations, const Clock& clock,
                                              std::filesystem::path runs);
  ~Drops();

 private:
  struct News;  // what the host tells, from its threads
  struct Given {
    std::filesystem::path file;
    std::string name;
  };

  Drops(Host& host, std::vector<Installation*> installations, const Clock& clock, std::filesystem::path runs, Fd watch);
  void Loop(const std::stop_token& stop);
  void Look(const Installation& installation);
  void Take(const Installation& installation, const std::filesystem::path& file, const std::string& plugin);
  void Give(const Installation& installation, const std::filesystem::path& file);
  void Settle(const LaneKey& lane, const Result<RunId>& run);
  void Say(const std::filesystem::path& file, const std::string& message);

  Host& host_;
  const std::vector<Installation*> installations_;
  const Clock& clock_;
  const std::filesystem::path runs_;
  const Fd watch_;
  const std::shared_ptr<News> news_;
  std::map<LaneKey, Given> given_;                            // one at a time per lane
  std::map<LaneKey, std::pair<Millis, std::string>> failed_;  // not before then, and why
  bool writing_ = false;                                      // something waits for its writer, who does not tell us
  std::set<std::string> said_, saying_;                       // in the last look and in this one
  std::jthread thread_;                                       // last: it uses all of the above
};

}  // namespace backplane::dispatch
