// What a dialect keeps on disk beside the runs: files that its scripts read instead of asking us, and
// the surroundings of a script that a person starts by hand.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"
#include "plugin/catalog.h"

namespace backplane::dispatch {

/// Thread-safe.
class Installation {
 public:
  virtual ~Installation() = default;
  /// Name of the dialect that it belongs to.
  virtual std::string_view dialect() const = 0;
  virtual const std::filesystem::path& folder() const = 0;
  /// What is in force: told before the first run, and whenever it changes.
  virtual void SetCatalog(std::shared_ptr<const Catalog> catalog) = 0;
  /// Waits until the files say what was accepted before the call, at most `patience`. Fails with what
  /// they lack otherwise.
  virtual Status CatchUp(Millis patience) = 0;
  /// Where a script that was started by hand leaves its result; exists. Empty: nowhere.
  virtual std::filesystem::path results() const = 0;
  /// Id of the plugin in force whose result a file of this name in results() is; empty: it is none.
  /// Fails if it is the result of a plugin that is not in force, and says so.
  virtual Result<std::string> PluginOf(std::string_view file) const = 0;
};

}  // namespace backplane::dispatch
