#include "dispatch/rescan.h"

#include <algorithm>
#include <set>

#include "base/log.h"

namespace backplane::dispatch {

Rescan::Rescan(Host& host, Load load, Millis interval) : host_(host), load_(std::move(load)), interval_(interval) {
  thread_ = std::jthread([this](const std::stop_token& stop) { Loop(stop); });
}

Rescan::~Rescan() {
  thread_.request_stop();
  thread_.join();
}

void Rescan::Loop(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait_for(lock, stop, interval_, [] { return false; });
    if (stop.stop_requested()) return;
    const Status status = Now();
    if (!status) LogError("reading the plugin folders again: {}", status.error().message);
  }
}

Status Rescan::Now() {
  const std::lock_guard lock(reading_);
  const std::shared_ptr<const Catalog> before = host_.catalog();
  BACKPLANE_ASSIGN(std::shared_ptr<const Catalog> now, load_(*before));
  if (*now == *before) return host_.SetCatalog(before);  // what the store's failure may have held up
  for (const Finding& finding : now->findings()) {
    if (std::find(before->findings().begin(), before->findings().end(), finding) != before->findings().end()) continue;
    if (IsError(finding))
      LogError("{}", Describe(finding));
    else
      LogWarning("{}", Describe(finding));
  }
  for (const Plugin& plugin : now->plugins()) {
    const Plugin* known = before->FindById(plugin.manifest.id);
    if (known == nullptr || !(*known == plugin))
      LogInfo("{} {}", plugin.manifest.id, known == nullptr ? "is new" : "has changed");
  }
  for (const Plugin& plugin : before->plugins())
    if (now->FindById(plugin.manifest.id) == nullptr) LogInfo("{} is gone", plugin.manifest.id);
  return host_.SetCatalog(std::move(now));
}

}  // namespace backplane::dispatch
