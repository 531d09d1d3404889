#include "schedule/period.h"

#include <algorithm>
#include <optional>

namespace backplane::schedule {
namespace {

std::optional<Millis> PeriodOf(const Trigger& trigger, TimePoint now) {
  if (trigger.kind == TriggerKind::kInterval) return trigger.interval;
  if (trigger.kind != TriggerKind::kCron) return std::nullopt;
  const auto cron = Cron::Parse(trigger.cron, trigger.zone);
  const auto first = cron ? cron->Next(now) : std::nullopt;
  const auto second = first ? cron->Next(*first) : std::nullopt;
  if (!second) return std::nullopt;
  return *second - *first;
}

}  // namespace

Millis PeriodOf(const std::vector<Trigger>& triggers, TimePoint now) {
  std::optional<Millis> shortest;
  for (const Trigger& trigger : triggers)
    if (const auto period = PeriodOf(trigger, now)) shortest = std::min(shortest.value_or(*period), *period);
  return shortest.value_or(Millis(0));
}

}  // namespace backplane::schedule
