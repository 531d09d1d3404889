// One job on its way from its start to its end.
#pragma once

#include <optional>
#include <stop_token>

#include "dispatch/host.h"

namespace backplane::dispatch {

struct Task {
  Run run;
  std::shared_ptr<const Catalog> catalog;
  std::shared_ptr<const Plugin> plugin;
  std::shared_ptr<const Resource> resource;  ///< null: about nothing in particular
  std::stop_source stop;
  std::optional<Run> earlier;      ///< a run with its key that has ended already; `run` has its id
  std::optional<Host::Left> left;  ///< it is taken in: nothing is executed
  bool has_results = false;        ///< there are files in the run's folder
  std::optional<RunId> id;         ///< of `run` once it has begun; guarded by the host's mutex
};

/// Does it: prepares, executes, decodes. Blocks. A bug of a dialect or runtime may throw.
ingest::Acceptance Execute(const HostParts& parts, Task& task);

}  // namespace backplane::dispatch
