// What the rows of /devices share: a device as JSON, and which devices somebody asks for.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "api/endpoint.h"
#include "store/device_list.h"

namespace backplane::api {

/// Flags as booleans, numbers as numbers, every other field as text.
Json ToJson(const store::Entity& device);
/// Names of the members of that.
const std::vector<std::string>& DeviceMembers();

/// Filters by name: "search", "status", "present", and each field. kInvalid names the filter, after `prefix`.
Result<store::DeviceQuery> ReadDeviceFilters(const std::map<std::string, std::string>& filters,
                                             const std::string& prefix = {});

/// The place in the list of that query as text for `next`, and back; kInvalid: it is of another list.
std::string EncodeCursor(const store::DeviceQuery& query, const store::DevicePlace& place);
Result<store::DevicePlace> DecodeCursor(const store::DeviceQuery& query, const std::string& cursor);

}  // namespace backplane::api
