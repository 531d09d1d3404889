// What a device has at first: the settings NEWDEV_*.
#pragma once

#include <map>
#include <string>

#include "plugin/manifest.h"

namespace backplane::netalertx {

/// Field → value, where the value is another than what an empty field counts as anyway. See Batch::defaults.
std::map<std::string, std::string> NewDeviceFields(const Settings& settings);

}  // namespace backplane::netalertx
