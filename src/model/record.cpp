#include "model/record.h"

namespace backplane {

const char* MetricKindName(MetricKind kind) { return kind == MetricKind::kCounter ? "counter" : "gauge"; }

}  // namespace backplane
