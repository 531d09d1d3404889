// Devices that the settings NEWDEV_ignored_MACs and NEWDEV_ignored_IPs want nothing known of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugin/manifest.h"

namespace backplane::netalertx {

class Ignored {
 public:
  explicit Ignored(const Settings& settings);
  /// As a script wrote them, and in their one form. Either may be empty.
  bool Covers(std::string_view mac, std::string_view ip) const;

 private:
  std::vector<std::string> macs_, ips_;  // patterns of SQL's LIKE
};

}  // namespace backplane::netalertx
