// What devices are called, by what the resolvers among the plugins have found.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/record.h"
#include "plugin/manifest.h"
#include "store/database.h"

namespace backplane::netalertx {

/// Prefixes of the plugins that find names, in the order in which they are asked: the original's four, then those in
/// force that run before names are resolved and scan nothing, in the order of `manifests`.
std::vector<std::string> Resolvers(const std::vector<const Manifest*>& manifests);

/// What makes names of what resolvers find: the setting NEWDEV_NAME_CLEANUP_REGEX.
class NameCleanup {
 public:
  /// `refuse` is told of each expression that cannot be used, and why. It is passed over.
  NameCleanup(const std::vector<std::string>& expressions,
              const std::function<void(const std::string& expression, const std::string& why)>& refuse);
  ~NameCleanup();

  /// Without what the expressions match and without a dot at the end; as it is if nothing would be left.
  std::string Of(std::string_view found) const;

 private:
  struct Expressions;
  std::unique_ptr<Expressions> expressions_;
};

/// Claims of the resolvers, without those that change nothing. Linear in their objects and the devices.
std::vector<Record> ResolveNames(store::Connection& core, const std::vector<std::string>& resolvers,
                                 const Settings& settings, const NameCleanup& cleanup, TimePoint now);

}  // namespace backplane::netalertx
