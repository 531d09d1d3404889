// What this dialect concludes in a cycle: vendors, types and names of devices, and what people are to be told.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "dialects/netalertx/own_host.h"
#include "dispatch/follow_up.h"

namespace backplane::netalertx {

struct FollowUpParts {
  std::filesystem::path share;  ///< base/files.h ShareFolder()
  std::function<std::optional<OwnHost>()> own_host = FindOwnHost;
  /// Where scripts look too; see vendors.h.
  std::vector<std::filesystem::path> vendor_files = {"/usr/share/arp-scan/ieee-oui_all_filtered.txt",
                                                     "/usr/share/arp-scan/ieee-oui.txt"};
};

std::unique_ptr<dispatch::FollowUp> MakeFollowUp(FollowUpParts parts);

}  // namespace backplane::netalertx
