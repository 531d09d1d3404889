#include "model/record.h"

namespace backplane {

const char* ObjectStatusName(ObjectStatus status) {
  switch (status) {
    case ObjectStatus::kNew: return "new";
    case ObjectStatus::kChanged: return "changed";
    case ObjectStatus::kUnchanged: return "unchanged";
    case ObjectStatus::kMissing: return "missing";
  }
  return "unchanged";
}

std::optional<ObjectStatus> ParseObjectStatus(std::string_view name) {
  for (const ObjectStatus status : kObjectStatuses)
    if (name == ObjectStatusName(status)) return status;
  return std::nullopt;
}

const char* MetricKindName(MetricKind kind) { return kind == MetricKind::kCounter ? "counter" : "gauge"; }

}  // namespace backplane
