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

const char* NotificationLevelName(NotificationLevel level) {
  switch (level) {
    case NotificationLevel::kInfo: return "info";
    case NotificationLevel::kWarning: return "warning";
    case NotificationLevel::kError: return "error";
    case NotificationLevel::kAlert: return "alert";
  }
  return "info";
}

std::optional<NotificationLevel> ParseNotificationLevel(std::string_view name) {
  for (const NotificationLevel level : kNotificationLevels)
    if (name == NotificationLevelName(level)) return level;
  return std::nullopt;
}

}  // namespace backplane
