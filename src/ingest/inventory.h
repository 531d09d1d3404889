// Steps of the core fold that concern the inventory: observations and a person's edits become
// entities with fields, claims and events.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "ingest/fold.h"
#include "store/inventory.h"

namespace backplane::ingest {

/// Events: "device.new" for a new entity, "device.changed" with the fields that changed. Returns the
/// entity; 0 if the observation names none.
EntityId ApplyObservation(FoldContext& context, const Observation& observation);

/// What a person changes of one device.
struct DeviceEdit {
  EntityId device = 0;
  /// Field → new value; nothing takes the person's value back, so that the latest other claim
  /// wins again.
  std::map<std::string, std::optional<std::string>> set;
  std::vector<std::string> lock;
  std::vector<std::string> unlock;
};

Json EncodeEdit(const DeviceEdit& edit);
/// kInvalid names the field that is unknown or of the wrong type.
Result<DeviceEdit> DecodeEdit(const Json& body);

/// Applies the edit that `context.entry` carries and writes its event. kNotFound: no such device.
Result<store::Entity> ApplyEdit(FoldContext& context, const DeviceEdit& edit);

}  // namespace backplane::ingest
