#include "model/resource.h"

#include "base/text.h"

namespace backplane {

std::string ResourceKey(const Resource& resource) {
  return "plugin|" + resource.plugin + "|site|" + resource.site + "|class|" + resource.class_name + "|subclass|" +
         resource.subclass + "|type|" + resource.type + "|id|" + resource.id + "|endpoint|" + resource.endpoint;
}

std::string ResourcePath(const Resource& resource) {
  return resource.site + '|' + resource.class_name + '|' + resource.subclass + '|' + resource.type + '|' + resource.id;
}

std::string_view ResourceIdOf(std::string_view key) {
  // No field holds '|': names and fields take turns.
  const auto parts = Split(key, '|');
  return parts.size() == 14 && parts[10] == "id" ? parts[11] : key;
}

}  // namespace backplane
