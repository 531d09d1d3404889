// What people do with devices: edit, delete, merge, split. The body of a kEdit entry.
#pragma once

#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "ingest/device_edit.h"
#include "ingest/fold.h"

namespace backplane::ingest {

/// With all that is known of it, and its resources. What became of it stays; when it is seen again it is new.
struct DeviceDelete {
  EntityId device = 0;
};

/// They are one thing: `into` stays.
struct DeviceMerge {
  EntityId from = 0;
  EntityId into = 0;
};

/// They are two things: a device of its own goes by these identifiers from now on. At least one stays.
struct DeviceSplit {
  EntityId device = 0;
  std::vector<Identifier> identifiers;
};

using DeviceChange = std::variant<DeviceEdit, DeviceDelete, DeviceMerge, DeviceSplit>;

Json EncodeChange(const DeviceChange& change);
/// kInvalid names what is wrong.
Result<DeviceChange> DecodeChange(const Json& body);

/// "device.edit", "device.delete", "device.merge", "device.split".
const char* ActionOf(const DeviceChange& change);

struct ChangedDevice {
  /// As it is now; of a deletion as it was; of a merge the one that stays; of a split the new one.
  store::Entity device;
  bool changed = true;  ///< false: an edit that says what is so already
};

/// Applies the change that `context.entry` carries and writes its events: "device.deleted" and "device.merged" have the
/// identifiers and fields of the one that is gone, "device.split" the device that it comes from and the identifiers.
/// kNotFound: no such device; kInvalid: it cannot be done; both name the device.
Result<ChangedDevice> ApplyChange(FoldContext& context, const DeviceChange& change);

}  // namespace backplane::ingest
