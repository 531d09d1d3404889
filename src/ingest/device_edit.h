// A step of the core fold: what a person changes of a device.
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
/// Values are texts, and true, false and numbers where the field is of that kind. kInvalid names the field that is
/// unknown, or of which the value is none, and says what would be right.
Result<DeviceEdit> DecodeEdit(const Json& body);

/// Applies the edit that `context.entry` carries and writes its event. kNotFound: no such device.
Result<store::Entity> ApplyEdit(FoldContext& context, const DeviceEdit& edit);

}  // namespace backplane::ingest
