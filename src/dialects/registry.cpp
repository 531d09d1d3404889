#include "dialects/registry.h"

#include "dialects/netalertx/netalertx.h"

namespace backplane {

DialectList MakeDialects() {
  DialectList list;
  list.push_back(std::make_unique<netalertx::NetAlertX>());
  return list;
}

}  // namespace backplane
