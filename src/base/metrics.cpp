#include "base/metrics.h"

#include <map>
#include <memory>

#include <fmt/format.h>

#include "base/guarded.h"

namespace backplane {
namespace {

struct Family {
  std::string help;
  std::string type;
  std::map<std::string, std::unique_ptr<Metric>> by_labels;
};

Guarded<std::map<std::string, Family>>& Families() {
  static Guarded<std::map<std::string, Family>> families;
  return families;
}

Metric& Find(const std::string& name, const std::string& help, const std::string& labels, const char* type) {
  auto families = Families().Lock();
  Family& family = (*families)[name];
  if (family.type.empty()) {
    family.help = help;
    family.type = type;
  }
  auto& metric = family.by_labels[labels];
  if (!metric) metric = std::make_unique<Metric>();
  return *metric;
}

}  // namespace

Metric& Counter(const std::string& name, const std::string& help, const std::string& labels) {
  return Find(name, help, labels, "counter");
}

Metric& Gauge(const std::string& name, const std::string& help, const std::string& labels) {
  return Find(name, help, labels, "gauge");
}

std::string RenderMetrics() {
  std::string text;
  auto families = Families().Lock();
  for (const auto& [name, family] : *families) {
    text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, family.type);
    for (const auto& [labels, metric] : family.by_labels)
      text += labels.empty() ? fmt::format("{} {}\n", name, metric->value())
                             : fmt::format("{}{{{}}} {}\n", name, labels, metric->value());
  }
  return text;
}

}  // namespace backplane
