#include "model/resource.h"

namespace backplane {

std::string ResourceKey(const Resource& resource) {
  return "plugin|" + resource.plugin + "|site|" + resource.site + "|class|" + resource.class_name + "|subclass|" +
         resource.subclass + "|type|" + resource.type + "|id|" + resource.id + "|endpoint|" + resource.endpoint;
}

std::string ResourcePath(const Resource& resource) {
  return resource.site + '|' + resource.class_name + '|' + resource.subclass + '|' + resource.type + '|' + resource.id;
}

std::string_view ResourceIdOf(std::string_view key) {
  constexpr std::string_view kBefore = "|id|";
  constexpr std::string_view kAfter = "|endpoint|";
  const auto before = key.find(kBefore);
  const auto after = key.rfind(kAfter);
  if (before == std::string_view::npos || after == std::string_view::npos || after < before + kBefore.size())
    return key;
  return key.substr(before + kBefore.size(), after - before - kBefore.size());
}

}  // namespace backplane
