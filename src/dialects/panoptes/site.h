// What plugins and their reader need of a site: from [settings.panoptes] of the site configuration,
// and from a panoptes.ini over it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "dialects/panoptes/filter.h"
#include "plugin/manifest.h"

namespace backplane::panoptes {

/// The three kinds of plugins, as folders and sections are called.
inline constexpr std::string_view kTypes[] = {"discovery", "enrichment", "polling"};

/// A folder that a panoptes.ini names for plugins of one type.
struct PluginsPath {
  std::string type;
  std::string path;   ///< as written
  std::string where;  ///< for findings
};

struct Site {
  std::vector<std::string> sites = {"local"};
  std::string extension = "panoptes-plugin";  ///< of definition files, without the dot
  std::int64_t skew = 1;                      ///< seconds by which a plugin may run early, 0 to 60
  OrRule or_rule = OrRule::kOriginal;
  std::int64_t memory_mib = 1024;  ///< that a run may use
  Json snmp;                       ///< the section with typed values and defaults, and what else is in it as text
  Json x509;
  std::vector<PluginsPath> paths;  ///< of a panoptes.ini
  std::string type;                ///< of every definition that is read; empty: as its path says
};

/// A setting that only runs see: a text or a reference to a secret.
inline constexpr std::string_view kCommunity = "snmp_community";

/// The settings of a site configuration: those that SiteFromSettings() reads, and kCommunity.
std::vector<std::string> SiteSettings();

/// Settings with which SiteFromSettings() gives `site` again, for definitions of this type.
Settings SettingsOf(const Site& site, const std::string& type);

/// The site without a panoptes.ini. A value that does not fit is an error among `findings`, and the
/// default counts.
Site SiteFromSettings(const Settings& settings, std::vector<Finding>& findings);

/// Reads the text of a panoptes.ini over `site`; `file` is for the findings. False: an error among
/// them concerns every plugin. One that concerns the plugins of one type leaves out its paths.
bool ReadSite(std::string_view text, const std::string& file, Site& site, std::vector<Finding>& findings);

}  // namespace backplane::panoptes
