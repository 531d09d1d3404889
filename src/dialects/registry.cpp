#include "dialects/registry.h"

#include "dialects/netalertx/installation.h"
#include "dialects/netalertx/netalertx.h"
#include "dialects/panoptes/panoptes.h"

namespace backplane {

DialectList MakeDialects() {
  DialectList list;
  list.push_back(std::make_unique<netalertx::NetAlertX>());
  list.push_back(std::make_unique<panoptes::Panoptes>());
  return list;
}

Result<std::vector<std::unique_ptr<dispatch::Installation>>> MakeInstallations(const InstallationParts& parts) {
  std::vector<std::unique_ptr<dispatch::Installation>> list;
  BACKPLANE_ASSIGN(auto netalertx, netalertx::OpenInstallation({.database = parts.database,
                                                                .folder = parts.folder,
                                                                .clock = parts.clock,
                                                                .home = parts.data / "netalertx",
                                                                .share = parts.share}));
  list.push_back(std::move(netalertx));
  return list;
}

}  // namespace backplane
