#include "plugin/manifest.h"

#include <fmt/format.h>

namespace backplane {

bool IsError(const Finding& finding) { return finding.severity == Finding::Severity::kError; }

std::string Describe(const Finding& finding) {
  return fmt::format("{}: {}{}{}", finding.file, finding.where, finding.where.empty() ? "" : ": ", finding.message);
}

Json ToJson(const Finding& finding) {
  return {{"severity", IsError(finding) ? "error" : "warning"},
          {"file", finding.file},
          {"where", finding.where},
          {"message", finding.message}};
}

Json ToJson(const std::vector<Finding>& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings) list.push_back(ToJson(finding));
  return list;
}

}  // namespace backplane
