// Arbitrary bytes as a definition ('d' before them), a panoptes.ini ('s') or a filter ('f'): they
// are read or refused, and what is read can be used.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string_view>

#include "base/test_folder.h"
#include "base/text.h"
#include "dialects/panoptes/panoptes.h"
#include "dialects/panoptes/read.h"

namespace {

using namespace backplane;
using namespace backplane::panoptes;

void Require(bool holds) {
  if (!holds) std::abort();
}

bool HasError(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) Require(IsUtf8(finding.message) || !IsError(finding));
  return std::any_of(findings.begin(), findings.end(), IsError);
}

const Resource kResource = {
    .site = "dc1",
    .class_name = "network",
    .subclass = "router",
    .type = "cisco",
    .id = "r1",
    .endpoint = "r\xC3\xBC.example",
    .plugin = "x",
    .metadata = {{"model", "ASA5505"}, {"os", ""}},
};

void Definition(std::string_view text) {
  static const TestFolder folder;
  static const bool written = (std::ofstream(folder.path() / "module.py"), true);
  Require(written);
  Site site;
  site.snmp = site.x509 = Json::object();
  const auto read = ReadDefinition(text, folder.path() / "fuzz.panoptes-plugin", "polling", site);
  Require(HasError(read.findings) != read.manifest.has_value());
  if (!read.manifest) return;
  const Manifest& manifest = *read.manifest;
  Require(!manifest.name.empty() && manifest.triggers.size() == 1 && manifest.limits.timeout > Millis(0));
  Require(manifest.triggers[0].interval >= manifest.min_interval);
  manifest.targets->matches(kResource);
  const auto document = ParseJson(DumpJson(manifest.document));
  Require(document && *document == manifest.document);
}

void SiteFile(std::string_view text) {
  Site site;
  std::vector<Finding> findings;
  const bool usable = ReadSite(text, "panoptes.ini", site, findings);
  Require(usable || HasError(findings));
  if (usable) Require(!site.sites.empty() && site.skew >= 0 && site.skew <= 60 && !site.extension.empty());
}

void FilterText(std::string_view text) {
  const auto original = ParseFilter(text, OrRule::kOriginal), logical = ParseFilter(text, OrRule::kLogical);
  Require(original.has_value() == logical.has_value());
  if (!original) return;
  const bool matches = original->targets->matches(kResource);
  Require(!original->warning.empty() || matches == logical->targets->matches(kResource));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.starts_with('d')) Definition(input.substr(1));
  if (input.starts_with('s')) SiteFile(input.substr(1));
  if (input.starts_with('f')) FilterText(input.substr(1));
  return 0;
}
