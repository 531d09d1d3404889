// Resources: what plugins run about. A resource belongs to an entity of the inventory and says
// where and as what it can be reached.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace backplane {

/// Plain values. No field holds '|'; all but `metadata` are non-empty.
struct Resource {
  std::string site;
  std::string class_name;  ///< "class" in the API and in every file
  std::string subclass;
  std::string type;
  std::string id;        ///< unique within its type
  std::string endpoint;  ///< host name or address
  std::string plugin;    ///< who made it known, in its own words
  std::map<std::string, std::string> metadata;
  bool operator==(const Resource&) const = default;
};

/// "plugin|P|site|S|class|C|subclass|B|type|T|id|I|endpoint|E": the target of a lane. Two resources
/// that differ only in who made them known, or in endpoint, are two targets.
std::string ResourceKey(const Resource& resource);

/// "S|C|B|T|I": what it is, whoever made it known. Names its entity and its metrics.
std::string ResourcePath(const Resource& resource);

/// The id in a key that ResourceKey() made, for people; the whole text if it is none.
std::string_view ResourceIdOf(std::string_view key);

}  // namespace backplane
