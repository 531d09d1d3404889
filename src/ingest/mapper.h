// Turns devices into resources by the site's mapping rules.
//
// The rules are configuration, and folds know none: so what follows from them enters the journal as
// the report of a source called "mapping:<rule>", and is folded like any other.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/site.h"
#include "events/follower.h"
#include "model/record.h"
#include "store/database.h"
#include "store/inventory.h"

namespace backplane::ingest {

/// What a rule makes of a device; nothing if it does not match, or a value that the resource needs
/// is empty. '|' in a value becomes '_'. Pure.
std::optional<Resource> MapDevice(const config::Mapping& rule, const store::Entity& device,
                                  const std::string& hostname);

struct MapperParts {
  store::Database& database;
  events::Bus& bus;
  const Clock& clock;
  std::vector<config::Mapping> rules;
  std::string hostname;  ///< of this machine
  /// Called when the journal has grown; waits until that is folded, and says whether it is.
  std::function<bool()> appended;
};

/// Brings the resources in line with the rules of today before it returns, and with every change of a
/// device until what it returned ends. What `parts` refers to outlives that.
Result<std::unique_ptr<events::Follower>> StartMapper(MapperParts parts);

}  // namespace backplane::ingest
