#include "dialects/registry.h"

#include "dialects/netalertx/netalertx.h"
#include "dialects/panoptes/panoptes.h"

namespace backplane {

DialectList MakeDialects() {
  DialectList list;
  list.push_back(std::make_unique<netalertx::NetAlertX>());
  list.push_back(std::make_unique<panoptes::Panoptes>());
  return list;
}

}  // namespace backplane
